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
uint64_t random_next(struct random *random);

/* 0 .. n-1; 0 when n is 0. */
uint32_t random_below(struct random *random, uint32_t n);

/* low .. high, both included. */
uint32_t random_between(struct random *random, uint32_t low, uint32_t high);
bool random_percent(struct random *random, uint32_t percent);

#endif
