/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/base/index.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS_MIN 16

void index_fini(struct index *index)
{
	free(index->buckets);
	*index = (struct index){0};
}

/* Makes room for that many buckets. The array is copied when it doubles: 16 bytes for each object, about 100
 * us for 100,000 of them. */
static bool reserve(struct index *index, uint32_t capacity)
{
	struct index_bucket *buckets = realloc(index->buckets, capacity * sizeof *buckets);

	if (buckets == NULL)
		return false;
	index->buckets = buckets;
	index->capacity = capacity;
	return true;
}

static void push(struct index *index, struct index_node *node)
{
	struct index_bucket *bucket = &index->buckets[index_place(index->bucket_count, node->hash)];

	node->next = bucket->length > 0 ? bucket->first : NULL;
	node->next_hash = bucket->first_hash;
	bucket->first = node;
	bucket->first_hash = node->hash;
	bucket->length++;
}

static uint32_t highest_bit(uint32_t number)
{
	return UINT32_C(1) << (31 - __builtin_clz(number));
}

/* The bucket from which a new one takes its objects. */
static uint32_t sibling(uint32_t bucket)
{
	return bucket & ~highest_bit(bucket);
}

/* Appends an object. It does not write a pointer that is right already, because that would load the
 * object. */
static void append(struct index_bucket *bucket, struct index_node **last, struct index_node *node,
                   uint32_t hash)
{
	if (bucket->length++ == 0) {
		bucket->first = node;
		bucket->first_hash = hash;
	} else if ((*last)->next != node) {
		(*last)->next = node;
		(*last)->next_hash = hash;
	}
	*last = node;
}

/* Divides the objects of a bucket, two or more, between itself and another one by a bit of their hashes. Does
 * not touch the last object. */
static void divide(struct index_bucket *from, struct index_bucket *to, uint32_t bit)
{
	struct index_bucket rest = *from, *halves[2] = {from, to};
	struct index_node *last[2] = {NULL, NULL};

	from->length = 0;
	for (;;) {
		unsigned half = (rest.first_hash & bit) != 0;

		append(halves[half], &last[half], rest.first, rest.first_hash);
		if (--rest.length == 0)
			break;
		rest.first_hash = last[half]->next_hash;
		rest.first = last[half]->next;
	}
	for (unsigned half = 0; half < 2; half++)
		if (last[half] != NULL && last[half] != rest.first)
			last[half]->next = NULL;
}

/* Adds a bucket, and divides its sibling. */
static void grow(struct index *index)
{
	uint32_t added = index->bucket_count;
	struct index_bucket *from, *to;

	if (added == index->capacity && !reserve(index, 2 * index->capacity))
		return; /* buckets get longer */
	from = &index->buckets[sibling(added)];
	to = &index->buckets[added];
	to->length = 0;
	index->bucket_count++;
	if (from->length > 1) {
		divide(from, to, highest_bit(added));
	} else if (from->length == 1 && (from->first_hash & highest_bit(added)) != 0) {
		to->first = from->first;
		to->first_hash = from->first_hash;
		to->length = 1;
		from->length = 0;
	}
	/* The next one to be divided. */
	from = &index->buckets[sibling(index->bucket_count)];
	if (from->length > 1)
		__builtin_prefetch(from->first);
}

/* Removes the newest bucket. */
static void shrink(struct index *index)
{
	const struct index_bucket *taken;
	struct index_node *node, *next;

	if (index->bucket_count == BUCKETS_MIN)
		return;
	taken = &index->buckets[--index->bucket_count];
	for (node = taken->length > 0 ? taken->first : NULL; node != NULL; node = next) {
		next = node->next;
		push(index, node);
	}
	__builtin_prefetch(index->buckets[index->bucket_count - 1].first);
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
	memset(index->buckets, 0, BUCKETS_MIN * sizeof *index->buckets);
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

static void unlink_node(struct index_bucket *bucket, const struct index_node *node)
{
	struct index_node *before = bucket->first;

	bucket->length--;
	if (before == node) {
		bucket->first = node->next;
		bucket->first_hash = node->next_hash;
		return;
	}
	while (before->next != node)
		before = before->next;
	before->next = node->next;
	before->next_hash = node->next_hash;
}

void index_remove(struct index *index, struct index_node *node)
{
	unlink_node(&index->buckets[index_place(index->bucket_count, node->hash)], node);
	*(node->older ? &node->older->newer : &index->oldest) = node->newer;
	*(node->newer ? &node->newer->older : &index->newest) = node->older;
	index->count--;
	/* Two for each removed object, so that there are never more than twice as many buckets. */
	for (int i = 0; i < 2 && index->count < index->bucket_count / 2; i++)
		shrink(index);
}
