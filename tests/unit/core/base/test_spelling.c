/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The nearest known word: near enough to be meant, and no other.
 */
#include "core/base/spelling.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *nearest(const char *word)
{
	static const char *const known[] = {"show", "explain", "doctor", "monitor",
	                                    "top",  "groups",  "routes"};
	struct spelling spelling = spelling_begin(word);

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		spelling_compare(&spelling, known[i]);
	return spelling.nearest != NULL ? spelling.nearest : "";
}

static void a_misspelt_word_is_found(void **state)
{
	static const struct {
		const char *word, *expected;
	} rows[] = {
		{"shwo", "show"},
		{"explian", "explain"},
		{"docter", "doctor"},
		{"tpo", ""},
		{"to", "top"},
		{"group", "groups"},
		{"rotues", "routes"},
		{"moniter", "monitor"},
		{"restart", ""},
		{"x", ""},
		{"", ""},
		{"show", "show"},
		{"monitormonitor", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_string_equal(nearest(rows[i].word), rows[i].expected);
}

static void a_long_word_is_near_to_none(void **state)
{
	char word[200];

	(void)state;
	memset(word, 's', sizeof word - 1);
	word[sizeof word - 1] = '\0';
	assert_string_equal(nearest(word), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_misspelt_word_is_found),
		cmocka_unit_test(a_long_word_is_near_to_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
