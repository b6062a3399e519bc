/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Texts from elsewhere: all that could control a terminal is replaced, and nothing else.
 */
#include "core/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/random.h"

static void hostile_texts_become_harmless(void **state)
{
	static const struct {
		const char *text, *kept, *expected;
	} rows[] = {
		{"", "", ""},
		{"eth0", "", "eth0"},
		{"stra\xc3\x9f"
	         "e \xe2\x82\xac \xf0\x9f\x93\xba",
	         "",
	         "stra\xc3\x9f"
	         "e \xe2\x82\xac \xf0\x9f\x93\xba"},
		{"a\nb\tc", "", "a?b?c"},
		{"a\nb\tc", "\t\n", "a\nb\tc"},
		{"a\nb\tc", "\t", "a?b\tc"},
		{"\x1b[31mred\x1b[0m", "\t\n", "?[31mred?[0m"},
		{"a\x7f"
	         "b",
	         "", "a?b"},
		{"\xc2\x80\xc2\x9b[2J\xc2\x9f\xc2\xa0", "", "????[2J??\xc2\xa0"}, /* C1 in UTF-8 */
		{"\x9b[2J", "", "?[2J"},                                          /* and as a byte */
		{"\xe2\x80\xae"
	         "evil\xe2\x80\xac",
	         "", "???evil???"},                                        /* U+202E, U+202C */
		{"\xe2\x80\xaa\xe2\x80\xab\xe2\x80\xad", "", "?????????"}, /* U+202A, B, D */
		{"\xe2\x81\xa6\xe2\x81\xa7\xe2\x81\xa8\xe2\x81\xa9", "",
	         "????????????"},                                     /* U+2066 to U+2069 */
		{"\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c", "", "????????"}, /* U+200E, U+200F, U+061C */
		{"\xe2\x80\xa8\xe2\x80\xa9", "\n", "??????"},         /* line and paragraph separators */
		{"\xe2\x80\x8d\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa", "",
	         "\xe2\x80\x8d\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa"},
		{"a\xff"
	         "b\xc3",
	         "", "a?b?"},                                    /* not UTF-8, and cut */
		{"\xe2\x80", "", "??"},                          /* cut */
		{"\xc0\x8a\xe0\x82\x9b", "", "?????"},           /* longer than need be */
		{"\xed\xa0\x80\xf4\x90\x80\x80", "", "???????"}, /* a surrogate; above U+10FFFF */
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[64];

		strcpy(text, rows[i].text);
		text_clean(text, strlen(text), rows[i].kept);
		if (strcmp(text, rows[i].expected) != 0)
			fail_msg("row %zu: %s", i, text);
	}
}

/* Whatever the bytes are, what remains is UTF-8 without controls, and cleaning it once more changes nothing. */
static void random_bytes_leave_no_control(void **state)
{
	struct random random = {.state = 7};

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char text[32], again[32];
		size_t size = 1 + random_below(&random, sizeof text - 1), left;

		for (size_t i = 0; i + 1 < size; i++)
			text[i] = (char)(1 + random_below(&random, 255));
		text[size - 1] = '\0';
		text_clean(text, size - 1, "\n");
		left = strlen(text);
		assert_int_equal(left, size - 1);
		for (const char *at = text; left > 0;) {
			uint32_t code = 0;
			size_t length = text_character(at, left, &code);

			assert_true(length > 0 && (code == '\n' || !text_is_control(code)));
			at += length;
			left -= length;
		}
		strcpy(again, text);
		text_clean(again, strlen(again), "\n");
		assert_string_equal(again, text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_texts_become_harmless),
		cmocka_unit_test(random_bytes_leave_no_control),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
