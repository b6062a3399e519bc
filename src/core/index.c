/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/index.h"

#include <stdlib.h>

#define BUCKETS_MIN 16

void index_fini(struct index *index)
{
	free(index->buckets);
	*index = (struct index){0};
}

/* Room for so many buckets. The array is copied when it doubles: 8 bytes an object, some 50 us at 100,000. */
static bool reserve(struct index *index, uint32_t capacity)
{
	struct index_node **buckets = realloc(index->buckets, capacity * sizeof(*buckets));

	if (buckets == NULL)
		return false;
	index->buckets = buckets;
	index->capacity = capacity;
	return true;
}

static void push(struct index *index, struct index_node *node)
{
	struct index_node **bucket = &index->buckets[index_bucket(index->bucket_count, node->hash)];

	node->next = *bucket;
	*bucket = node;
}

/* The bucket that a new one takes its objects from: its number without the highest bit. */
static uint32_t sibling(uint32_t bucket)
{
	return bucket & ((UINT32_MAX >> __builtin_clz(bucket)) >> 1);
}

/* Divides the bucket whose turn it is. */
static void grow(struct index *index)
{
	uint32_t added = index->bucket_count;
	struct index_node *node, *next;
	uint32_t divided;

	if (added == index->capacity && !reserve(index, 2 * index->capacity))
		return; /* the chains get longer */
	divided = sibling(added);
	node = index->buckets[divided];
	index->buckets[divided] = index->buckets[added] = NULL;
	index->bucket_count++;
	for (; node != NULL; node = next) {
		next = node->next;
		push(index, node);
	}
	/* Whose turn is next. */
	__builtin_prefetch(index->buckets[sibling(index->bucket_count)]);
}

/* Takes back the bucket that was added last. */
static void shrink(struct index *index)
{
	struct index_node *node, *next;

	if (index->bucket_count == BUCKETS_MIN)
		return;
	node = index->buckets[--index->bucket_count];
	for (; node != NULL; node = next) {
		next = node->next;
		push(index, node);
	}
	__builtin_prefetch(index->buckets[index->bucket_count - 1]);
	if (index->bucket_count < index->capacity / 4)
		reserve(index, index->capacity / 2);
}

static bool begin(struct index *index)
{
	if (index->buckets != NULL)
		return true;
	if (!reserve(index, BUCKETS_MIN))
		return false;
	index->bucket_count = BUCKETS_MIN;
	for (uint32_t i = 0; i < BUCKETS_MIN; i++)
		index->buckets[i] = NULL;
	return true;
}

bool index_add(struct index *index, struct index_node *node, uint32_t hash)
{
	if (!begin(index))
		return false;
	node->hash = hash;
	node->older = index->newest;
	node->newer = NULL;
	*(index->newest ? &index->newest->newer : &index->oldest) = node;
	index->newest = node;
	push(index, node);
	if (++index->count > index->bucket_count)
		grow(index);
	return true;
}

void index_remove(struct index *index, struct index_node *node)
{
	struct index_node **at = &index->buckets[index_bucket(index->bucket_count, node->hash)];

	while (*at != node)
		at = &(*at)->next;
	*at = node->next;
	*(node->older ? &node->older->newer : &index->oldest) = node->newer;
	*(node->newer ? &node->newer->older : &index->newest) = node->older;
	index->count--;
	/* Two for each object that goes, so that there are never more than twice as many. */
	for (int i = 0; i < 2 && index->count < index->bucket_count / 2; i++)
		shrink(index);
}
