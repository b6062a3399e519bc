/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Shared addresses: found by answers after a leave, forgotten in time, and never more of them than there is
 * room for.
 */
#include "core/router/shared_hosts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct addr host(unsigned number)
{
	return addr_from_ipv4_number(0x0a000001u + number);
}

static struct addr group(unsigned number)
{
	return addr_from_ipv4_number(0xef000001u + number);
}

static bool answers(struct shared_hosts *hosts, mtime now, unsigned from, unsigned about)
{
	struct addr a = host(from), b = group(about);

	return shared_hosts_answered(hosts, now, &a, &b, now + 10000);
}

static void leaves(struct shared_hosts *hosts, unsigned from, unsigned about, mtime until)
{
	struct addr a = host(from), b = group(about);

	shared_hosts_left(hosts, &a, &b, until);
}

static bool is_shared(const struct shared_hosts *hosts, mtime now, unsigned number)
{
	struct addr a = host(number);

	return shared_hosts_has(hosts, now, &a);
}

static void an_answer_after_a_leave_tells(void **state)
{
	struct shared_hosts hosts = {0};

	(void)state;
	assert_false(answers(&hosts, 1000, 1, 1));
	leaves(&hosts, 1, 1, 2000);
	assert_false(answers(&hosts, 1500, 2, 1));
	assert_false(answers(&hosts, 1500, 1, 2));
	assert_false(is_shared(&hosts, 1500, 1));
	assert_true(answers(&hosts, 1999, 1, 1));
	assert_true(is_shared(&hosts, 1999, 1));
	assert_false(is_shared(&hosts, 1999, 2));
	assert_true(is_shared(&hosts, 11998, 1));
	assert_false(is_shared(&hosts, 11999, 1));
	/* Each leave tells once. */
	assert_false(answers(&hosts, 1999, 1, 1));
}

static void late_answers_and_those_after_a_join_do_not(void **state)
{
	struct shared_hosts hosts = {0};
	struct addr a = host(1), b = group(1);

	(void)state;
	leaves(&hosts, 1, 1, 2000);
	assert_false(answers(&hosts, 2000, 1, 1));
	leaves(&hosts, 1, 1, 3000);
	shared_hosts_joined(&hosts, &a, &b);
	shared_hosts_joined(&hosts, &a, &b);
	assert_false(answers(&hosts, 2500, 1, 1));
	assert_false(is_shared(&hosts, 2500, 1));
}

static void the_oldest_are_forgotten(void **state)
{
	struct shared_hosts hosts = {0};

	(void)state;
	for (unsigned i = 0; i <= SHARED_HOSTS_MAX; i++)
		leaves(&hosts, i, 1, 2000);
	assert_false(answers(&hosts, 1000, 0, 1));
	for (unsigned i = 1; i <= SHARED_HOSTS_MAX; i++)
		assert_true(answers(&hosts, 1000 + (mtime)i, i, 1));
	leaves(&hosts, 100, 1, 2000);
	assert_true(answers(&hosts, 1500, 100, 1));
	assert_false(is_shared(&hosts, 1500, 1));
	for (unsigned i = 2; i <= SHARED_HOSTS_MAX; i++)
		assert_true(is_shared(&hosts, 1500, i));
	assert_true(is_shared(&hosts, 1500, 100));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_after_a_leave_tells),
		cmocka_unit_test(late_answers_and_those_after_a_join_do_not),
		cmocka_unit_test(the_oldest_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
