/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Output: whatever a text contains, what is printed does not control the terminal.
 */
#include "ctl/client/print.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOSTILE "a\x1b[2J\xc2\x9b\xe2\x80\xae\"\\\n\x9b\x7f\xc3\xa9"

static char *text;
static size_t size;

static FILE *begin(void)
{
	free(text);
	text = NULL;
	return open_memstream(&text, &size);
}

static void expect(FILE *out, const char *expected)
{
	fclose(out);
	assert_string_equal(text, expected);
}

static void each_way_to_print_is_harmless(void **state)
{
	FILE *out = begin();

	(void)state;
	print_to(out, "%s:\t%d\n", HOSTILE, 7);
	expect(out, "a?[2J?????\"\\\n??\xc3\xa9:\t7\n");

	out = begin();
	colour_print(out, true, COLOUR_BAD, HOSTILE);
	expect(out, "\033[31ma?[2J?????\"\\???\xc3\xa9\033[0m");

	out = begin();
	print_quoted(out, HOSTILE);
	expect(out, "a\\\\u001b[2J\\\\u009b\\\\u202e\\\"\\\\\\n\xef\xbf\xbd\\\\u007f\xc3\xa9");

	out = begin();
	print_json(out, "{\"a\":\"\xc2\x9b\xe2\x80\xae\x7f\xc3\xa9\\n\\\"\"}");
	expect(out, "{\"a\":\"\\u009b\\u202e\\u007f\xc3\xa9\\n\\\"\"}\n");
	free(text);
	text = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_way_to_print_is_harmless)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
