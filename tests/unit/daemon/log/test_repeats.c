/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/log/repeats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include <cmocka.h>

static char logged[4][512];
static size_t logged_count;

static void note(int priority, char *text)
{
	assert_in_range(priority, LOG_ERR, LOG_DEBUG);
	assert_true(logged_count < 4);
	snprintf(logged[logged_count++], sizeof logged[0], "%s", text);
}

static void assert_logged(const char *text)
{
	assert_int_equal(logged_count, 1);
	assert_string_equal(logged[0], text);
	logged_count = 0;
}

static struct log_repeats *fresh(void)
{
	static struct log_repeats repeats;

	logged_count = 0;
	repeats = (struct log_repeats){0};
	return &repeats;
}

static void test_counted_within_the_interval(void **state)
{
	struct log_repeats *repeats = fresh();
	mtime start = 1000;

	(void)state;
	assert_true(log_repeats_is_new(repeats, start, LOG_WARNING, "eth1: refused", note));
	assert_int_equal(log_repeats_deadline(repeats), MTIME_NEVER);
	for (int i = 1; i <= 12; i++)
		assert_false(log_repeats_is_new(repeats, start + i, LOG_WARNING, "eth1: refused", note));
	assert_true(log_repeats_is_new(repeats, start + 20, LOG_WARNING, "eth2: refused", note));
	assert_true(log_repeats_is_new(repeats, start + 20, LOG_INFO, "eth1: refused", note));
	assert_int_equal(log_repeats_deadline(repeats), start + LOG_REPEATS_INTERVAL);
	log_repeats_expire(repeats, start + LOG_REPEATS_INTERVAL - 1, note);
	assert_int_equal(logged_count, 0);
	log_repeats_expire(repeats, start + LOG_REPEATS_INTERVAL, note);
	assert_logged("eth1: refused (repeated 12 times)");
	assert_int_equal(log_repeats_deadline(repeats), MTIME_NEVER);
}

/* A lasting cause is logged once a minute. */
static void test_cause_that_lasts(void **state)
{
	struct log_repeats *repeats = fresh();
	int lines = 1;

	(void)state;
	assert_true(log_repeats_is_new(repeats, 0, LOG_INFO, "again", note));
	for (mtime now = 500; now < 10 * LOG_REPEATS_INTERVAL; now += 500) {
		assert_false(log_repeats_is_new(repeats, now, LOG_INFO, "again", note));
		lines += (int)logged_count;
		logged_count = 0;
	}
	assert_int_equal(lines, 10);
}

static void test_logged_again_after_the_cause_ended(void **state)
{
	struct log_repeats *repeats = fresh();
	mtime now = 0;

	(void)state;
	assert_true(log_repeats_is_new(repeats, now, LOG_INFO, "once", note));
	assert_true(log_repeats_is_new(repeats, now += LOG_REPEATS_INTERVAL, LOG_INFO, "once", note));
	assert_false(log_repeats_is_new(repeats, now, LOG_INFO, "once", note));
	log_repeats_expire(repeats, now += LOG_REPEATS_INTERVAL, note);
	assert_logged("once (repeated 1 time)");
	assert_true(log_repeats_is_new(repeats, now += LOG_REPEATS_INTERVAL, LOG_INFO, "once", note));
}

static void test_full_table_logs_what_it_drops(void **state)
{
	struct log_repeats *repeats = fresh();
	char line[32];

	(void)state;
	assert_true(log_repeats_is_new(repeats, 0, LOG_INFO, "oldest", note));
	assert_false(log_repeats_is_new(repeats, 0, LOG_INFO, "oldest", note));
	for (int i = 1; i <= LOG_REPEATS_SIZE; i++) {
		snprintf(line, sizeof line, "line %d", i);
		assert_true(log_repeats_is_new(repeats, i, LOG_INFO, line, note));
	}
	assert_logged("oldest (repeated 1 time)");
	assert_true(log_repeats_is_new(repeats, 100, LOG_INFO, "oldest", note));
	assert_int_equal(logged_count, 0);
}

static void test_long_lines(void **state)
{
	struct log_repeats *repeats = fresh();
	char line[1024];

	(void)state;
	memset(line, 'x', sizeof line - 1);
	line[sizeof line - 1] = '\0';
	assert_true(log_repeats_is_new(repeats, 0, LOG_INFO, line, note));
	assert_false(log_repeats_is_new(repeats, 0, LOG_INFO, line, note));
	line[sizeof line - 2] = 'y';
	assert_true(log_repeats_is_new(repeats, 0, LOG_INFO, line, note));
	log_repeats_expire(repeats, MTIME_NEVER, note);
	assert_int_equal(logged_count, 1);
	assert_string_equal(logged[0] + LOG_REPEATS_TEXT - 1, " (repeated 1 time)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counted_within_the_interval),
		cmocka_unit_test(test_cause_that_lasts),
		cmocka_unit_test(test_logged_again_after_the_cause_ended),
		cmocka_unit_test(test_full_table_logs_what_it_drops),
		cmocka_unit_test(test_long_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
