/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Every way in which getopt_long refuses an option has its own text.
 */
#include "core/base/option.h"

#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static const struct option options[] = {
	{"link", required_argument, NULL, 'l'},
	{"check", no_argument, NULL, 't'},
	{"record", required_argument, NULL, 256},
	{0},
};

static void each_problem_is_named(void **state)
{
	static const struct {
		const char *word, *expected;
	} rows[] = {
		{"--chekc", "--chekc: no such option; did you mean --check?"},
		{"--lnik=eth0", "--lnik: no such option; did you mean --link?"},
		{"--colour", "--colour: no such option"},
		{"-x", "-x: no such option"},
		{"-tx", "-x: no such option"},
		{"-l", "--link: its value is missing"},
		{"--link", "--link: its value is missing"},
		{"--record", "--record: its value is missing"},
		{"--check=yes", "--check: takes no value"},
	};

	(void)state;
	opterr = 0;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char word[32], text[128] = "";
		char *arguments[] = {(char[]){"program"}, word, NULL};
		int letter;

		snprintf(word, sizeof word, "%s", rows[i].word);
		optind = 0;
		do
			letter = getopt_long(2, arguments, "l:t", options, NULL);
		while (letter == 't');
		assert_int_equal(letter, '?');
		option_problem(options, optopt, arguments[optind > 1 ? optind - 1 : 1], text, sizeof text);
		assert_string_equal(text, rows[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_problem_is_named)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
