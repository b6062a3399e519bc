/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Names of hosts, from files of both formats.
 */
#include "web/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void expect(const char *const *paths, size_t count, const char *names)
{
	char *text = names_document(paths, count), wanted[1024];

	snprintf(wanted, sizeof wanted, "{\"version\":1,\"names\":{%s}}", names);
	assert_string_equal(text, wanted);
	free(text);
}

static void test_lines(void **state)
{
	static const struct {
		const char *text, *names;
	} rows[] = {
		{"", ""},
		{"10.0.1.10 tv tv.example\n", "\"10.0.1.10\":\"tv\""},
		{"  10.0.1.10\ttv # of the house\r\n", "\"10.0.1.10\":\"tv\""},
		{"# 10.0.1.10 tv\n", ""},
		{"10.0.1.10\n", ""},
		{"10.0.1.10 one\n10.0.1.10 two\n", "\"10.0.1.10\":\"one\""},
		{"FF0E:0::0101 news", "\"ff0e::101\":\"news\""},
		{"1796100000 02:00:00:00:00:01 10.0.1.11 radio 01:02\n", "\"10.0.1.11\":\"radio\""},
		{"1796100000 02:00:00:00:00:01 10.0.1.11 * *\n", ""},
		{"duid 00:01:00:01\n", ""},
		{"10.0.1.300 far\n", ""},
		{"10.0.1.12 \"<b>\\\n", "\"10.0.1.12\":\"\\\"<b>\\\\\""},
	};
	char path[64];

	(void)state;
	snprintf(path, sizeof path, "test_names_files.%d", (int)getpid());
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		write_file(path, rows[i].text);
		expect((const char *const[]){path}, 1, rows[i].names);
	}
	write_file(path, "10.0.1.10 tv\n");
	expect((const char *const[]){"/nowhere", path, path}, 3, "\"10.0.1.10\":\"tv\"");
	unlink(path);
}

static void test_limits(void **state)
{
	char path[64], *text;
	FILE *file;

	(void)state;
	snprintf(path, sizeof path, "test_names_files.%d", (int)getpid());
	file = fopen(path, "w");
	assert_non_null(file);
	for (int i = 0; i < 5000; i++)
		fprintf(file, "10.1.%d.%d h\n", i / 250, i % 250);
	for (int i = 0; i < 3000; i++)
		fputc('x', file);
	fclose(file);
	text = names_document((const char *const[]){path}, 1);
	unlink(path);
	assert_non_null(strstr(text, "\"10.1.16.95\""));
	assert_null(strstr(text, "\"10.1.16.96\"")); /* the 4097th */
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
