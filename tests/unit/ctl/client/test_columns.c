/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Columns of text and the forms of numbers.
 */
#include "ctl/client/columns.h"
#include "ctl/client/wrap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct column layout[] = {{"GROUP", 15, false}, {"RATE", 6, true}, {"TO", 12, false}, {0}};

static char *text;
static size_t size;

static struct columns open_columns(bool colour)
{
	return (struct columns){.columns = layout, .colour = colour, .out = open_memstream(&text, &size)};
}

static void expect(struct columns *columns, const char *expected)
{
	fclose(columns->out);
	assert_string_equal(text, expected);
	free(text);
}

static void put_row(struct columns *columns, const char *group, const char *rate, const char *to)
{
	columns_put(columns, COLOUR_NONE, group);
	columns_put(columns, COLOUR_NONE, rate);
	columns_put(columns, COLOUR_NONE, to);
}

static void cells_stand_below_their_titles(void **state)
{
	struct columns columns = open_columns(false);

	(void)state;
	columns_head(&columns);
	put_row(&columns, "239.1.2.3", "1.2 M", "eth1");
	put_row(&columns, "255.255.255.255", "123456", "eth1 eth2");
	columns_print(&columns, "%d", 7);
	columns_print(&columns, "%s", "");
	columns_print(&columns, "x");
	expect(&columns, "GROUP              RATE  TO\n"
	                 "239.1.2.3         1.2 M  eth1\n"
	                 "255.255.255.255  123456  eth1 eth2\n"
	                 "7                        x\n");
}

static void wide_cells_have_a_line_of_their_own(void **state)
{
	struct columns columns = open_columns(false);

	(void)state;
	put_row(&columns, "ff1e:1234:5678:9abc::1", "17", "eth1");
	put_row(&columns, "gr\xc3\xbc\xc3\x9f\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", "17", "eth1");
	expect(&columns,
	       "ff1e:1234:5678:9abc::1\n"
	       "                     17  eth1\n"
	       "gr\xc3\xbc\xc3\x9f\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4           17  eth1\n");
}

static void words_that_do_not_fit_go_below(void **state)
{
	struct columns columns = open_columns(false);
	const char *line;
	char words[512] = "";

	(void)state;
	for (int i = 0; i < 40; i++)
		sprintf(words + strlen(words), "%seth%d", i > 0 ? " " : "", i);
	put_row(&columns, "239.1.2.3", "1", words);
	fclose(columns.out);
	for (line = text; *line != '\0'; line = strchr(line, '\n') + 1)
		assert_true(strcspn(line, "\n") <= SCREEN_WIDTH);
	assert_non_null(strstr(text, "\n                         eth"));
	assert_non_null(strstr(text, "eth39\n"));
	free(text);
	/* One wide word ends where its column ends on the next line. */
	columns = open_columns(false);
	snprintf(words, sizeof words, "%060d", 0);
	put_row(&columns, "239.1.2.3", "1", words);
	put_row(&columns, "239.1.2.4", "2", "eth1");
	fclose(columns.out);
	assert_memory_equal(text + strcspn(text, "\n"), "\n                    0000", 25);
	assert_non_null(strstr(text, "0\n239.1.2.4             2  eth1\n"));
	free(text);
}

static void colours_only_where_wanted(void **state)
{
	struct columns columns = open_columns(true);

	(void)state;
	columns_put(&columns, COLOUR_BAD, "down");
	columns_put(&columns, COLOUR_NONE, "1");
	columns_put(&columns, COLOUR_GOOD, "up");
	expect(&columns, "\033[31mdown\033[0m                  1  \033[32mup\033[0m\n");
	columns = open_columns(false);
	put_row(&columns, "a\033[1mb\n", "1", "\x7f");
	expect(&columns, "a?[1mb?               1  ?\n");
	columns = open_columns(false);
	columns_put(&columns, COLOUR_BAD, "down");
	columns_put(&columns, COLOUR_NONE, "1");
	columns_put(&columns, COLOUR_GOOD, "up");
	expect(&columns, "down                  1  up\n");
}

static void amounts(void **state)
{
	static const struct {
		double amount;
		const char *text, *rate;
	} rows[] = {
		{0, "0", "0 bit/s"},
		{7, "7", "7 bit/s"},
		{999, "999", "999 bit/s"},
		{999.6, "1.0 k", "1.0 kbit/s"},
		{1234, "1.2 k", "1.2 kbit/s"},
		{12345, "12 k", "12 kbit/s"},
		{999999, "1.0 M", "1.0 Mbit/s"},
		{8.5e6, "8.5 M", "8.5 Mbit/s"},
		{123e9, "123 G", "123 Gbit/s"},
		{4.5e15, "4500 T", "4500 Tbit/s"},
	};
	char amount[16], rate[24];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_string_equal(format_amount(rows[i].amount, amount), rows[i].text);
		assert_string_equal(format_rate(rows[i].amount, rate), rows[i].rate);
	}
}

static void bytes(void **state)
{
	static const struct {
		double bytes;
		const char *text;
	} rows[] = {
		{0, "0"},
		{1023, "1023"},
		{1024, "1.0K"},
		{65536, "64K"},
		{1048575, "1.0M"},
		{64 << 20, "64M"},
		{1000.0 * 1048576, "1000M"},
		{1024.0 * (1 << 30), "1.0T"},
	};
	char out[16];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_string_equal(format_bytes(rows[i].bytes, out), rows[i].text);
}

static void ages(void **state)
{
	static const struct {
		double seconds;
		const char *age, *duration;
	} rows[] = {
		{-1, "0:00", "0 s"},
		{0, "0:00", "0 s"},
		{0.04, "0:00", "0 s"},
		{0.3, "0.3 s", "0.3 s"},
		{0.99, "0.9 s", "0.9 s"},
		{1, "0:01", "1 s"},
		{59.9, "0:59", "59 s"},
		{60, "1:00", "1 min 0 s"},
		{3599, "59:59", "59 min 59 s"},
		{3600, "1:00:00", "1 h 0 min"},
		{86399, "23:59:59", "23 h 59 min"},
		{86400, "1 d 00 h", "1 d 0 h"},
		{1e6, "11 d 13 h", "11 d 13 h"},
	};
	char age[16], duration[32];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_string_equal(format_age(rows[i].seconds, age), rows[i].age);
		assert_string_equal(format_duration(rows[i].seconds, duration), rows[i].duration);
	}
}

static void counts(void **state)
{
	char count[64];

	(void)state;
	assert_string_equal(format_count(0, "group", count), "no groups");
	assert_string_equal(format_count(1, "group", count), "1 group");
	assert_string_equal(format_count(2, "group", count), "2 groups");
	assert_string_equal(format_count(1200, "group", count), "1.2 k groups");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cells_stand_below_their_titles),
		cmocka_unit_test(wide_cells_have_a_line_of_their_own),
		cmocka_unit_test(words_that_do_not_fit_go_below),
		cmocka_unit_test(colours_only_where_wanted),
		cmocka_unit_test(amounts),
		cmocka_unit_test(bytes),
		cmocka_unit_test(ages),
		cmocka_unit_test(counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
