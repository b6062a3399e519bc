/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/fail.h"

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

static bool fail_now(void)
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

void fail_between(unsigned from, unsigned to)
{
	failing.count = 0;
	failing.from = from;
	failing.to = to;
}

unsigned fail_end(void)
{
	unsigned count = failing.count;

	fail_between(UINT32_MAX, UINT32_MAX);
	return count;
}

void fail_everywhere(unsigned (*scenario)(const void *context, unsigned from, unsigned to),
                     const void *context)
{
	unsigned count = scenario(context, UINT32_MAX, UINT32_MAX);

	for (unsigned from = 0; from < count; from++) {
		scenario(context, from, from + 1);
		scenario(context, from, from + 4);
		scenario(context, from, UINT32_MAX);
	}
}
