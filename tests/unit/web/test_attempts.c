/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How many wrong passwords each address may send.
 */
#include "web/attempts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define START ((mtime)12345)

static struct attempts attempts;

static int begin(void **state)
{
	(void)state;
	attempts = (struct attempts){0};
	return 0;
}

/* Whether the address could send a wrong password at that time. */
static bool try(uint32_t number, mtime now)
{
	unsigned char address[16] = {0};

	memcpy(address, &number, sizeof number);
	if (attempts_are_used_up(&attempts, address, now))
		return false;
	attempts_add_wrong(&attempts, address, now);
	return true;
}

/* How many it can send at once. */
static unsigned try_all(uint32_t number, mtime now)
{
	unsigned count = 0;

	while (try(number, now))
		assert_true(++count <= ATTEMPTS_MAX);
	return count;
}

static void an_address_has_some_and_then_one_in_an_interval(void **state)
{
	mtime now = START;

	(void)state;
	assert_int_equal(try_all(1, now), ATTEMPTS_MAX);
	assert_false(try(1, now + ATTEMPT_INTERVAL - 1));
	for (int i = 0; i < 100; i++)
		assert_int_equal(try_all(1, now += ATTEMPT_INTERVAL), 1);
	assert_int_equal(try_all(1, now += 3 * ATTEMPT_INTERVAL), 3);
	assert_int_equal(try_all(1, now += 1000 * ATTEMPT_INTERVAL), ATTEMPTS_MAX);
	assert_int_equal(attempts.wrong, 2 * ATTEMPTS_MAX + 103);
}

static void an_address_takes_none_of_another(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < ATTEMPT_PLACES; i++)
		assert_int_equal(try_all(i, START), ATTEMPTS_MAX);
	for (uint32_t i = 0; i < ATTEMPT_PLACES; i++)
		assert_false(try(i, START + ATTEMPT_INTERVAL - 1));
}

static void addresses_beyond_the_table_share_one_place(void **state)
{
	mtime now = START;

	(void)state;
	for (uint32_t i = 0; i < ATTEMPT_PLACES; i++)
		assert_int_equal(try_all(i, now), ATTEMPTS_MAX);
	for (uint32_t i = 0; i < 10 * ATTEMPT_PLACES; i++)
		assert_int_equal(try(ATTEMPT_PLACES + i, now), i < ATTEMPTS_MAX);
	now += ATTEMPT_INTERVAL;
	for (uint32_t i = 0; i < 10 * ATTEMPT_PLACES; i++)
		assert_int_equal(try(ATTEMPT_PLACES + i, now), i == 0);
	assert_int_equal(try_all(7, now), 1); /* those in the table keep what is theirs */
	now += ATTEMPTS_MAX * ATTEMPT_INTERVAL;
	assert_int_equal(try_all(3 * ATTEMPT_PLACES, now), ATTEMPTS_MAX); /* places are free again */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_address_has_some_and_then_one_in_an_interval, begin),
		cmocka_unit_test_setup(an_address_takes_none_of_another, begin),
		cmocka_unit_test_setup(addresses_beyond_the_table_share_one_place, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
