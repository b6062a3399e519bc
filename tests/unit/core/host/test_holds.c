/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Holds end in order and in time, each with a number of its own, and only with memory.
 */
#include "core/host/holds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct addr group(unsigned number)
{
	return addr_from_ipv4_number(0xef000001u + number);
}

static void end_in_order_and_in_time(void **state)
{
	struct pool *pool = pool_new(1 << 20);
	struct holds holds = {0};
	struct hold hold;

	(void)state;
	assert_int_equal(holds_first_at(&holds), MTIME_NEVER);
	assert_false(holds_pull(&holds, pool, 1000, &hold));
	for (unsigned i = 0; i < 10; i++) {
		struct addr addr = group(i);

		assert_int_equal(holds_add(&holds, pool, &addr, i % 3, 1000 + 10 * (mtime)i), i + 1);
	}
	for (unsigned i = 0; i < 10; i++) {
		struct addr addr = group(i);

		assert_int_equal(holds_first_at(&holds), 1000 + 10 * i);
		assert_false(holds_pull(&holds, pool, 999 + 10 * (mtime)i, &hold));
		assert_true(holds_pull(&holds, pool, 1000 + 10 * (mtime)i, &hold));
		assert_true(addr_equal(&hold.group, &addr));
		assert_int_equal(hold.instance, i % 3);
		assert_int_equal(hold.number, i + 1);
	}
	assert_int_equal(holds_first_at(&holds), MTIME_NEVER);
	pool_free(pool);
}

/* 0 means that there is none. */
static void numbers_begin_anew_behind_the_largest(void **state)
{
	struct pool *pool = pool_new(1 << 20);
	struct holds holds = {.newest = UINT16_MAX - 1};
	struct addr addr = group(0);

	(void)state;
	assert_int_equal(holds_add(&holds, pool, &addr, 0, 1), UINT16_MAX);
	assert_int_equal(holds_add(&holds, pool, &addr, 0, 2), 1);
	pool_free(pool);
}

static void none_without_memory(void **state)
{
	struct pool *pool = pool_new(0);
	struct holds holds = {0};
	struct addr addr = group(0);

	(void)state;
	assert_int_equal(holds_add(&holds, pool, &addr, 0, 1), 0);
	assert_int_equal(holds_first_at(&holds), MTIME_NEVER);
	pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(end_in_order_and_in_time),
		cmocka_unit_test(numbers_begin_anew_behind_the_largest),
		cmocka_unit_test(none_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
