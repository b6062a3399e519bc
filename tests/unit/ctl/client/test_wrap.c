/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lines that fit the screen.
 */
#include "ctl/client/wrap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	unsigned width, start, indent;
	const char *text, *lines;
} rows[] = {
	{20, 0, 4, "", "\n"},
	{20, 0, 4, "short", "short\n"},
	{20, 0, 4, "exactly twenty chars", "exactly twenty chars\n"},
	{20, 0, 4, "more than twenty chars", "more than twenty\n    chars\n"},
	{20, 15, 4, "the start counts", "the\n    start counts\n"},
	{20, 0, 2, "gr\xc3\xbc\xc3\x9f\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4 aaa bbb cc",
         "gr\xc3\xbc\xc3\x9f\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4 aaa bbb\n  cc\n"},
	{20, 0, 2, "a averyveryveryverylongword b", "a\n  averyveryveryverylongword\n  b\n"},
	{20, 0, 2, "a\033[1mb \x7f", "a?[1mb ?\n"},
	/* Commands stay in one piece. */
	{20, 8, 8, "ip link set eth0.35 type bridge mcast_querier 1, or enable it",
         "ip link set eth0.35 type bridge mcast_querier 1,\n        or enable it\n"},
	{20, 0, 2, "run it again: nft add rule 'ip a { b; c; }' x; or not",
         "run it again:\n  nft add rule 'ip a { b; c; }' x;\n  or not\n"},
	{30, 0, 2, "sysctl -w net.ipv4.igmp_max_msf=64 (now 10), or set it",
         "sysctl -w net.ipv4.igmp_max_msf=64\n  (now 10), or set it\n"},
	/* The name of a program is also a word. */
	{20, 0, 2, "an ip address is missing on the link", "an ip address is\n  missing on the\n  link\n"},
};

static void lines_end_between_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char *text;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		wrap_print(out, rows[i].width, rows[i].start, rows[i].indent, rows[i].text);
		fclose(out);
		assert_string_equal(text, rows[i].lines);
		free(text);
	}
}

/* The test's own output is no terminal, or ctest's. */
static void the_screen_has_a_width(void **state)
{
	static const struct {
		const char *columns;
		unsigned width;
	} screens[] = {{"120", 120},
	               {"10", 40},
	               {"0", SCREEN_WIDTH},
	               {"many", SCREEN_WIDTH},
	               {"99999", SCREEN_WIDTH}};
	FILE *none = freopen("/dev/null", "w", stdout);

	(void)state;
	assert_non_null(none);
	for (size_t i = 0; i < sizeof screens / sizeof screens[0]; i++) {
		setenv("COLUMNS", screens[i].columns, 1);
		assert_int_equal(screen_width(), screens[i].width);
	}
	unsetenv("COLUMNS");
	assert_int_equal(screen_width(), SCREEN_WIDTH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_end_between_words),
		cmocka_unit_test(the_screen_has_a_width),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
