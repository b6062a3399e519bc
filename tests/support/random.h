/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Random numbers that are the same for the same seed, on every machine.
 */
#ifndef MCPROXY_SIM_RANDOM_H
#define MCPROXY_SIM_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
	uint64_t state;
};

/* splitmix64 */
static inline uint64_t random_next(struct random *random)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* 0 .. n-1; 0 when n is 0. */
static inline uint32_t random_below(struct random *random, uint32_t n)
{
	return n ? (uint32_t)(random_next(random) % n) : 0;
}

/* low .. high, both included. */
static inline uint32_t random_between(struct random *random, uint32_t low, uint32_t high)
{
	return low + random_below(random, high - low + 1);
}

static inline bool random_percent(struct random *random, uint32_t percent)
{
	return random_below(random, 100) < percent;
}

#endif
