/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A set of numbers below 64 in one uint64_t: the links of an instance, or the instances of a daemon. Plain
 * values, no thread rules. A copy of the set and set64_take iterate over it in ascending order:
 *
 *     for (uint64_t left = set; set64_take(&left, &member);)
 */
#ifndef MCPROXY_CORE_BASE_SET64_H
#define MCPROXY_CORE_BASE_SET64_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

/* The set that has this member alone. */
static inline uint64_t set64_of(unsigned member)
{
	return UINT64_C(1) << member;
}

static inline bool set64_has(uint64_t set, unsigned member)
{
	return (set >> member & 1) != 0;
}

static inline void set64_add(uint64_t *set, unsigned member)
{
	*set |= set64_of(member);
}

static inline void set64_remove(uint64_t *set, unsigned member)
{
	*set &= ~set64_of(member);
}

/* The smallest member; the set must not be empty. */
static inline unsigned set64_first(uint64_t set)
{
	assert(set != 0);
	return (unsigned)__builtin_ctzll(set);
}

/* Removes the smallest member and returns it; false when the set is empty. */
static inline bool set64_take(uint64_t *set, unsigned *member)
{
	if (*set == 0)
		return false;
	*member = set64_first(*set);
	*set &= *set - 1;
	return true;
}

#endif
