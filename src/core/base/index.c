/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/base/index.h"

#include <stdlib.h>
#include <string.h>

/* For builds that do not inline them. */
extern inline struct index_bucket *index_bucket(const struct index *index, uint32_t hash);
extern inline struct index_node *index_slot(const struct index_bucket *bucket, uint32_t hash);
extern inline struct index_node *index_chain(const struct index_bucket *bucket);
extern inline struct index_node *index_find(const struct index *index, uint32_t hash);

#define BUCKETS_MIN 16
#define LINE        64 /* bytes of a line of a cache */

_Static_assert(sizeof(void *) > 8 || sizeof(struct index_bucket) <= LINE, "a bucket is one line");

void index_fini(struct index *index)
{
	free(index->buckets);
	*index = (struct index){0};
}

/* Makes room for that many buckets. The array is copied when it doubles: 26 bytes for each object, about 100
 * us for 100,000 of them. */
static bool reserve(struct index *index, uint32_t capacity)
{
	void *buckets;

	if (posix_memalign(&buckets, LINE, capacity * sizeof *index->buckets) != 0)
		return false;
	if (index->buckets != NULL)
		memcpy(buckets, index->buckets, index->bucket_count * sizeof *index->buckets);
	free(index->buckets);
	index->buckets = buckets;
	index->capacity = capacity;
	return true;
}

static void set_bucket_count(struct index *index, uint32_t count)
{
	index->bucket_count = count;
	index->mask = UINT32_MAX >> __builtin_clz(count - 1);
}

static void put(struct index_bucket *bucket, struct index_node *node, uint32_t hash)
{
	struct index_node *last = bucket->slots[INDEX_SLOTS - 1];
	unsigned i = 0;

	if (last != NULL) {
		node->next = index_chain(bucket);
		last->next = node;
		bucket->chained = true;
		return;
	}
	while (bucket->slots[i] != NULL)
		i++;
	bucket->slots[i] = node;
	bucket->hashes[i] = hash;
}

/* Puts the objects of what was a bucket, all except one, into one of two by a bit of their hashes. */
static void put_again(const struct index_bucket *old, struct index_bucket *clear, struct index_bucket *set,
                      uint32_t bit, const struct index_node *except)
{
	struct index_node *node = index_chain(old), *next;

	for (unsigned i = 0; i < INDEX_SLOTS && old->slots[i] != NULL; i++)
		if (old->slots[i] != except)
			put(old->hashes[i] & bit ? set : clear, old->slots[i], old->hashes[i]);
	for (; node != NULL; node = next) {
		next = node->next;
		if (node != except)
			put(node->hash & bit ? set : clear, node, node->hash);
	}
}

static uint32_t highest_bit(uint32_t number)
{
	return UINT32_C(1) << (31 - __builtin_clz(number));
}

/* The bucket from which a new one takes its objects. */
static struct index_bucket *sibling(const struct index *index, uint32_t bucket)
{
	return &index->buckets[bucket & ~highest_bit(bucket)];
}

/* Adds a bucket, and divides its sibling. */
static void grow(struct index *index)
{
	uint32_t added = index->bucket_count;
	struct index_bucket *from, *to, old;

	if (added == index->capacity && !reserve(index, 2 * index->capacity))
		return; /* buckets get longer */
	from = sibling(index, added);
	to = &index->buckets[added];
	old = *from;
	*from = *to = (struct index_bucket){0};
	put_again(&old, from, to, highest_bit(added), NULL);
	set_bucket_count(index, added + 1);
	/* The next one to be divided. */
	__builtin_prefetch(sibling(index, added + 1));
}

/* Removes the newest bucket. */
static void shrink(struct index *index)
{
	uint32_t removed = index->bucket_count - 1;
	struct index_bucket *to = sibling(index, removed);

	if (removed < BUCKETS_MIN)
		return;
	set_bucket_count(index, removed);
	put_again(&index->buckets[removed], to, to, 0, NULL);
	if (removed < index->capacity / 4)
		reserve(index, index->capacity / 2);
}

static bool begin(struct index *index)
{
	if (index->buckets != NULL)
		return true;
	if (!reserve(index, BUCKETS_MIN))
		return false;
	set_bucket_count(index, BUCKETS_MIN);
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
	put(index_bucket(index, hash), node, hash);
	if (++index->count > index->bucket_count * INDEX_SLOTS / 2)
		grow(index);
	return true;
}

void index_remove(struct index *index, struct index_node *node)
{
	struct index_bucket *bucket = index_bucket(index, node->hash), old = *bucket;

	*bucket = (struct index_bucket){0};
	put_again(&old, bucket, bucket, 0, node);
	*(node->older ? &node->older->newer : &index->oldest) = node->newer;
	*(node->newer ? &node->newer->older : &index->newest) = node->older;
	index->count--;
	/* Half as many as when it grew. */
	if (index->count < index->bucket_count * INDEX_SLOTS / 4)
		shrink(index);
}

struct index_node *index_find_next(const struct index *index, const struct index_node *node)
{
	const struct index_bucket *bucket = index_bucket(index, node->hash);
	struct index_node *next = node->next;
	unsigned i = 0;

	while (i < INDEX_SLOTS && bucket->slots[i] != node)
		i++;
	if (i < INDEX_SLOTS)
		next = index_chain(bucket);
	while (++i < INDEX_SLOTS)
		if (bucket->slots[i] != NULL && bucket->hashes[i] == node->hash)
			return bucket->slots[i];
	while (next != NULL && next->hash != node->hash)
		next = next->next;
	return next;
}
