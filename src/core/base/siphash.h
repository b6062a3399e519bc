/* SPDX-License-Identifier: BSD-2-Clause
 *
 * SipHash-1-3 (Aumasson and Bernstein, 2012), a keyed hash: one round for each word, three at the end. The
 * inputs of one table have the same length, or at least differ in it by whole words and none is the start of
 * another. So the last word of the input takes the place of the word that encodes the length.
 * Without the key, an attacker cannot find inputs that collide more often than by chance.
 * Pure. Always inline, so that the state is in registers; in a build for size the compiler decides.
 */
#ifndef MCPROXY_CORE_BASE_SIPHASH_H
#define MCPROXY_CORE_BASE_SIPHASH_H

#include <stdint.h>

#ifdef __OPTIMIZE_SIZE__
#define SIPHASH_INLINE static inline
#else
#define SIPHASH_INLINE __attribute__((always_inline)) static inline
#endif

struct siphash {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t siphash_rotate(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

SIPHASH_INLINE void siphash_round(struct siphash *hash)
{
	hash->v0 += hash->v1;
	hash->v2 += hash->v3;
	hash->v1 = siphash_rotate(hash->v1, 13) ^ hash->v0;
	hash->v3 = siphash_rotate(hash->v3, 16) ^ hash->v2;
	hash->v0 = siphash_rotate(hash->v0, 32);
	hash->v2 += hash->v1;
	hash->v0 += hash->v3;
	hash->v1 = siphash_rotate(hash->v1, 17) ^ hash->v2;
	hash->v3 = siphash_rotate(hash->v3, 21) ^ hash->v0;
	hash->v2 = siphash_rotate(hash->v2, 32);
}

static inline struct siphash siphash_begin(uint64_t key0, uint64_t key1)
{
	/* "somepseudorandomlygeneratedbytes" */
	return (struct siphash){key0 ^ 0x736f6d6570736575u, key1 ^ 0x646f72616e646f6du,
	                        key0 ^ 0x6c7967656e657261u, key1 ^ 0x7465646279746573u};
}

/* The words are the bytes of the input, read with the least significant byte first. */
SIPHASH_INLINE void siphash_add(struct siphash *hash, uint64_t word)
{
	hash->v3 ^= word;
	siphash_round(hash);
	hash->v0 ^= word;
}

SIPHASH_INLINE uint64_t siphash_end(struct siphash *hash)
{
	hash->v2 ^= 0xff;
	siphash_round(hash);
	siphash_round(hash);
	siphash_round(hash);
	return hash->v0 ^ hash->v1 ^ hash->v2 ^ hash->v3;
}

#endif
