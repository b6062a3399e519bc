/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A hash table of objects that embed a struct index_node as their first member. It grows and shrinks by one
 * or two buckets at a time (linear hashing), so that no single report pays for the whole table. It keeps the
 * order in which objects were added. The caller has the keys and compares them:
 *
 *     for (node = index_find(index, hash); node; node = index_find_next(index, node))
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
	struct index_node *next;          /* in a bucket, after its last slot */
	struct index_node *older, *newer; /* in order of adding */
	uint32_t hash;
};

#define INDEX_SLOTS 5 /* of a bucket; half of them are in use on average, so that few objects have none */

/* One cache line. A search usually touches no object except the wanted one, and a split of the bucket touches none. */
struct index_bucket {
	uint32_t hashes[INDEX_SLOTS];
	bool chained;                          /* more nodes follow that of the last slot */
	struct index_node *slots[INDEX_SLOTS]; /* NULL after those in use */
};

struct index {
	struct index_bucket *buckets;
	uint32_t count; /* of objects */
	uint32_t bucket_count;
	uint32_t mask;     /* all bits of the number of the last bucket */
	uint32_t capacity; /* of the array of buckets */
	struct index_node *oldest, *newest;
};

/* Forgets all objects without touching them. */
void index_fini(struct index *index);
/* Adds an object; false when memory is short. */
bool index_add(struct index *index, struct index_node *node, uint32_t hash);
void index_remove(struct index *index, struct index_node *node);
/* The next node with the hash of this one; NULL: no more. */
struct index_node *index_find_next(const struct index *index, const struct index_node *node);

inline struct index_bucket *index_bucket(const struct index *index, uint32_t hash)
{
	uint32_t place = hash & index->mask;

	return &index->buckets[place < index->bucket_count ? place : hash & index->mask >> 1];
}

/* The first slot with that hash, or one not in use; NULL: none. Compares all of them at once, because a
 * processor cannot predict which one it is. */
inline struct index_node *index_slot(const struct index_bucket *bucket, uint32_t hash)
{
	const uint32_t *hashes = bucket->hashes;
	unsigned equal = (unsigned)(hashes[0] == hash) | (unsigned)(hashes[1] == hash) << 1 |
	                 (unsigned)(hashes[2] == hash) << 2 | (unsigned)(hashes[3] == hash) << 3 |
	                 (unsigned)(hashes[4] == hash) << 4;

	return equal != 0 ? bucket->slots[__builtin_ctz(equal)] : NULL;
}

/* The first node after that of the last slot. */
inline struct index_node *index_chain(const struct index_bucket *bucket)
{
	return bucket->chained ? bucket->slots[INDEX_SLOTS - 1]->next : NULL;
}

inline struct index_node *index_find(const struct index *index, uint32_t hash)
{
	const struct index_bucket *bucket;
	struct index_node *node;

	if (index->count == 0)
		return NULL;
	bucket = index_bucket(index, hash);
	node = index_slot(bucket, hash);
	if (node != NULL)
		return node;
	for (node = index_chain(bucket); node != NULL && node->hash != hash;)
		node = node->next;
	return node;
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
	const char *object;

	if (index->count == 0)
		return;
	bucket = index_bucket(index, hash);
	if (step == PREFETCH_FAR) {
		__builtin_prefetch(bucket);
		return;
	}
	object = (const char *)index_slot(bucket, hash);
	for (size_t at = 0; object != NULL && at < INDEX_EXPECTED; at += 64)
		__builtin_prefetch(object + at);
	if (object == NULL && bucket->chained)
		__builtin_prefetch(bucket->slots[INDEX_SLOTS - 1]);
}

/* A third step, for several look-ups together, so that their waits overlap: loads an object after the slots
 * of its bucket. */
__attribute__((always_inline)) static inline void index_prefetch_chained(const struct index *index,
                                                                         uint32_t hash)
{
	const struct index_bucket *bucket = index->count > 0 ? index_bucket(index, hash) : NULL;
	const char *object = bucket != NULL && bucket->chained && index_slot(bucket, hash) == NULL
	                             ? (const char *)index_chain(bucket)
	                             : NULL;

	for (size_t at = 0; object != NULL && at < INDEX_EXPECTED; at += 64)
		__builtin_prefetch(object + at);
}

#endif
