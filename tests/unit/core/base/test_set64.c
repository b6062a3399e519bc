/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sets of numbers below 64.
 */
#include "core/base/set64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void members_are_added_and_removed(void **state)
{
	uint64_t set = 0;

	(void)state;
	for (unsigned member = 0; member < 64; member++)
		assert_false(set64_has(set, member));
	set64_add(&set, 0);
	set64_add(&set, 63);
	set64_add(&set, 63);
	assert_int_equal(set, UINT64_C(1) << 63 | 1);
	assert_true(set64_has(set, 0));
	assert_true(set64_has(set, 63));
	assert_false(set64_has(set, 1));
	set64_remove(&set, 0);
	set64_remove(&set, 5);
	assert_int_equal(set, set64_of(63));
}

static void first_is_the_smallest(void **state)
{
	(void)state;
	for (unsigned member = 0; member < 64; member++)
		assert_int_equal(set64_first(set64_of(member) | set64_of(63)), member);
}

static void take_ascends_until_the_set_is_empty(void **state)
{
	static const unsigned members[] = {0, 1, 7, 31, 32, 62, 63};
	unsigned member = 99;
	uint64_t set = 0, left;

	(void)state;
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
		set64_add(&set, members[i]);
	left = set;
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
		assert_true(set64_take(&left, &member));
		assert_int_equal(member, members[i]);
		assert_false(set64_has(left, member));
	}
	assert_int_equal(left, 0);
	assert_false(set64_take(&left, &member));
	assert_int_equal(member, 63);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_added_and_removed),
		cmocka_unit_test(first_is_the_smallest),
		cmocka_unit_test(take_ascends_until_the_set_is_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
