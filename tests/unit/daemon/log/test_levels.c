/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/log/levels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include <cmocka.h>

static void test_words(void **state)
{
	static const char *const words[] = {"error", "warning", "info", "debug", "default"};
	int level;

	(void)state;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		assert_true(log_level_parse(words[i], &level));
		assert_string_equal(log_level_name(level), words[i]);
	}
	assert_false(log_level_parse("Debug", &level));
	assert_false(log_level_parse("", &level));
}

static void test_level_of_everything(void **state)
{
	struct log_levels levels = {0};

	(void)state;
	assert_true(log_levels_allow(&levels, LOG_INFO, "iptv: started"));
	assert_false(log_levels_allow(&levels, LOG_DEBUG, "iptv: started"));
	assert_true(log_levels_set(&levels, NULL, LOG_WARNING));
	assert_false(log_levels_allow(&levels, LOG_INFO, "no subject"));
	assert_true(log_levels_allow(&levels, LOG_WARNING, "no subject"));
	assert_true(log_levels_set(&levels, NULL, LOG_LEVEL_DEFAULT));
	assert_true(log_levels_allow(&levels, LOG_INFO, "no subject"));
}

static void test_innermost_subject_counts(void **state)
{
	static const struct {
		const char *line;
		int priority;
		bool allowed;
	} rows[] = {
		{"iptv: started", LOG_DEBUG, true},
		{"iptv: eth2: 239.1.2.3: joined", LOG_DEBUG, true},
		{"iptv: eth1: 239.1.2.3: joined", LOG_INFO, false},
		{"iptv: eth1: 239.1.2.3: joined", LOG_ERR, true},
		{"iptv: eth1: ff3e::8000:1: joined", LOG_INFO, true},
		{"iptv: eth2: other: iptv2: text", LOG_DEBUG, true},
		{"other: eth1: text", LOG_INFO, false},
		{"other: eth2: text", LOG_DEBUG, false},
		{"iptv2: text", LOG_DEBUG, false},
		{"ipt: text", LOG_DEBUG, false},
		{"iptv:text", LOG_DEBUG, false},
		{"other: a: b: eth1: too deep", LOG_INFO, true},
	};
	struct log_levels levels = {0};

	(void)state;
	assert_true(log_levels_set(&levels, "iptv", LOG_DEBUG));
	assert_true(log_levels_set(&levels, "eth1", LOG_ERR));
	assert_true(log_levels_set(&levels, "ff3e::8000:1", LOG_INFO));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (log_levels_allow(&levels, rows[i].priority, rows[i].line) != rows[i].allowed)
			fail_msg("row %zu: %s", i, rows[i].line);
	}
}

static void test_taken_away(void **state)
{
	struct log_levels levels = {0};

	(void)state;
	assert_false(log_levels_any(&levels, LOG_DEBUG));
	assert_true(log_levels_set(&levels, "a", LOG_DEBUG));
	assert_true(log_levels_set(&levels, "b", LOG_ERR));
	assert_true(log_levels_any(&levels, LOG_DEBUG));
	assert_true(log_levels_set(&levels, "a", LOG_LEVEL_DEFAULT));
	assert_true(log_levels_set(&levels, "never heard of", LOG_LEVEL_DEFAULT));
	assert_int_equal(levels.count, 1);
	assert_false(log_levels_any(&levels, LOG_DEBUG));
	assert_false(log_levels_allow(&levels, LOG_DEBUG, "a: text"));
	assert_false(log_levels_allow(&levels, LOG_INFO, "b: text"));
}

static void test_limits(void **state)
{
	struct log_levels levels = {0};
	char name[LOG_SUBJECT_SIZE + 1], line[LOG_SUBJECT_SIZE + 16];

	(void)state;
	assert_false(log_levels_set(&levels, "", LOG_DEBUG));
	memset(name, 'x', LOG_SUBJECT_SIZE);
	name[LOG_SUBJECT_SIZE] = '\0';
	assert_false(log_levels_set(&levels, name, LOG_DEBUG));
	name[LOG_SUBJECT_SIZE - 1] = '\0';
	assert_true(log_levels_set(&levels, name, LOG_DEBUG));
	snprintf(line, sizeof line, "%s: text", name);
	assert_true(log_levels_allow(&levels, LOG_DEBUG, line));
	snprintf(line, sizeof line, "%sx: text", name);
	assert_false(log_levels_allow(&levels, LOG_DEBUG, line));
	while (levels.count < LOG_SUBJECTS) {
		snprintf(name, sizeof name, "eth%zu", levels.count);
		assert_true(log_levels_set(&levels, name, LOG_DEBUG));
	}
	assert_false(log_levels_set(&levels, "one too many", LOG_DEBUG));
	assert_true(log_levels_set(&levels, "eth5", LOG_ERR));
	assert_false(log_levels_allow(&levels, LOG_INFO, "eth5: text"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_level_of_everything),
		cmocka_unit_test(test_innermost_subject_counts),
		cmocka_unit_test(test_taken_away),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
