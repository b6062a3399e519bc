/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Random numbers for delays: machines that act at the same event must only differ from each other. Not for
 * what an attacker must not guess. Pure.
 */
#ifndef MCPROXY_CORE_BASE_XORSHIFT_H
#define MCPROXY_CORE_BASE_XORSHIFT_H

#include <stdint.h>

/* The next number. The state, at first a seed, is never 0. */
static inline uint64_t xorshift_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

#endif
