/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Allocations that fail on demand: the linker leads pool_take, calloc and realloc here (tests/CMakeLists.txt
 * names the programs). A scenario runs once to count its allocations, and then with a failure at each of
 * them.
 */
#ifndef MCPROXY_TESTS_FAIL_H
#define MCPROXY_TESTS_FAIL_H

#include "core/base/pool.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

static struct {
	unsigned count;    /* allocations so far */
	unsigned from, to; /* those that fail */
} failing = {0, UINT32_MAX, UINT32_MAX};

void *__real_pool_take(struct pool *pool, size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__wrap_pool_take(struct pool *pool, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);

static inline bool fail_now(void)
{
	unsigned number = failing.count++;

	return number >= failing.from && number < failing.to;
}

void *__wrap_pool_take(struct pool *pool, size_t size)
{
	return fail_now() ? NULL : __real_pool_take(pool, size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fail_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size)
{
	return fail_now() ? NULL : __real_realloc(block, size);
}

/* Counts from 0; the allocations from `from` up to `to` fail. */
static inline void fail_between(unsigned from, unsigned to)
{
	failing.count = 0;
	failing.from = from;
	failing.to = to;
}

/* No more fails; how many allocations there were. */
static inline unsigned fail_end(void)
{
	unsigned count = failing.count;

	fail_between(UINT32_MAX, UINT32_MAX);
	return count;
}

/* Runs a scenario, which returns fail_end(), with each allocation failing: alone, with the next ones, and
 * with all that follow. */
static inline void fail_everywhere(unsigned (*scenario)(const void *context, unsigned from, unsigned to),
                                   const void *context)
{
	unsigned count = scenario(context, UINT32_MAX, UINT32_MAX);

	for (unsigned from = 0; from < count; from++) {
		scenario(context, from, from + 1);
		scenario(context, from, from + 4);
		scenario(context, from, UINT32_MAX);
	}
}

#endif
