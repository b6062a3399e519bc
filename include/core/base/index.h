/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A hash table of objects that embed a struct index_node as their first member. It grows and shrinks by one
 * or two buckets at a time (linear hashing), so that no single report pays for the whole table. It keeps the
 * order in which objects were added. The caller has the keys and compares them:
 *
 *     for (node = index_find(index, hash); node; node = index_find_next(node))
 *             if (the object of node has the key)
 *
 * One thread owns it.
 */
#ifndef MCPROXY_CORE_BASE_INDEX_H
#define MCPROXY_CORE_BASE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct index_node {
	struct index_node *next; /* in the bucket */
	uint32_t next_hash;
	uint32_t hash;
	struct index_node *older, *newer; /* in order of adding */
};

/* A cache does not hold many objects. So the hash of an object is stored beside each pointer to it, and a
 * bucket has the number of its objects. A search for a missing key then usually touches no object, and a
 * bucket is divided without its last object. */
struct index_bucket {
	struct index_node *first;
	uint32_t first_hash;
	uint32_t length;
};

struct index {
	struct index_bucket *buckets;
	uint32_t count;        /* of objects */
	uint32_t bucket_count; /* at most twice the number of objects; at first 16 */
	uint32_t capacity;     /* of the array of buckets */
	struct index_node *oldest, *newest;
};

/* Forgets all objects without touching them. */
void index_fini(struct index *index);
/* Adds an object; false when memory is short. */
bool index_add(struct index *index, struct index_node *node, uint32_t hash);
void index_remove(struct index *index, struct index_node *node);

/* The bucket of a hash, of bucket_count buckets. */
static inline uint32_t index_place(uint32_t bucket_count, uint32_t hash)
{
	/* All bits of the highest number. */
	uint32_t mask = UINT32_MAX >> __builtin_clz((bucket_count - 1) | 1);
	uint32_t place = hash & mask;

	return place < bucket_count ? place : hash & mask >> 1;
}

/* The next node in the bucket with that hash; NULL: no more. */
static inline struct index_node *index_next(const struct index_node *node, uint32_t hash)
{
	while (node->next != NULL && node->next_hash != hash)
		node = node->next;
	return node->next;
}

static inline struct index_node *index_find(const struct index *index, uint32_t hash)
{
	const struct index_bucket *bucket;

	if (index->count == 0)
		return NULL;
	bucket = &index->buckets[index_place(index->bucket_count, hash)];
	if (bucket->length > 0 && bucket->first_hash == hash)
		return bucket->first;
	return bucket->length > 1 ? index_next(bucket->first, hash) : NULL;
}

static inline struct index_node *index_find_next(const struct index_node *node)
{
	return index_next(node, node->hash);
}

/* The two steps that load memory for a look-up that comes soon: first the bucket, then the object. About 100
 * ns should pass between the steps, and before the look-up. */
enum prefetch { PREFETCH_FAR, PREFETCH_NEAR };
#define INDEX_EXPECTED 192 /* bytes to load of an object */

/* Loads the memory for a look-up of the hash. Always inline: gcc sees that the function changes nothing and
 * would remove a call. */
__attribute__((always_inline)) static inline void index_prefetch(const struct index *index, uint32_t hash,
                                                                 enum prefetch step)
{
	const struct index_bucket *bucket;

	if (index->count == 0)
		return;
	bucket = &index->buckets[index_place(index->bucket_count, hash)];
	if (step == PREFETCH_FAR)
		__builtin_prefetch(bucket);
	else if (bucket->length > 0 && bucket->first_hash == hash)
		for (size_t at = 0; at < INDEX_EXPECTED; at += 64)
			__builtin_prefetch((const char *)bucket->first + at);
	else if (bucket->length > 1)
		__builtin_prefetch(bucket->first);
}

/* A third step, for several look-ups together: loads an object that is not the first of its bucket. Reads the
 * first, so that the waits of these look-ups overlap. */
__attribute__((always_inline)) static inline void index_prefetch_next(const struct index *index,
                                                                      uint32_t hash)
{
	const char *object = (const char *)index_find(index, hash);

	for (size_t at = 0; object != NULL && at < INDEX_EXPECTED; at += 64)
		__builtin_prefetch(object + at);
}

#endif
