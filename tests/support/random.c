/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/random.h"

uint64_t random_next(struct random *random)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

uint32_t random_below(struct random *random, uint32_t n)
{
	return n ? (uint32_t)(random_next(random) % n) : 0;
}

uint32_t random_between(struct random *random, uint32_t low, uint32_t high)
{
	return low + random_below(random, high - low + 1);
}

bool random_percent(struct random *random, uint32_t percent)
{
	return random_below(random, 100) < percent;
}
