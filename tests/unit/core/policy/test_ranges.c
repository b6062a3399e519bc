/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Ranges as text.
 */
#include "core/policy/ranges.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void each_text_is_the_shortest(void **state)
{
	static const char *const texts[][2] = {
		{"239.1.1.1", "239.1.1.1"},
		{"239.1.1.1/32", "239.1.1.1"},
		{"239.1.0.0/16", "239.1.0.0/16"},
		{"239.1.0.0-239.1.255.255", "239.1.0.0/16"},
		{"239.1.0.0-239.1.9.255", "239.1.0.0-239.1.9.255"},
		{"239.1.1.1-239.1.1.2", "239.1.1.1-239.1.1.2"},
		{"0.0.0.0/0", "0.0.0.0/0"},
		{"ff3e::/32", "ff3e::/32"},
		{"ff3e::1", "ff3e::1"},
		{"ff3e::1-ff3e::3", "ff3e::1-ff3e::3"},
		{"::/0", "::/0"},
		{"52:54:00:AA:bb:cc", "52:54:00:aa:bb:cc"},
	};
	char text[RANGE_TEXT_SIZE];
	struct range range, again;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		assert_null(range_parse(texts[i][0], &range));
		assert_string_equal(range_format(&range, text), texts[i][1]);
		assert_null(range_parse(text, &again));
		assert_memory_equal(&range, &again, sizeof range);
	}
}

static void long_texts_are_refused(void **state)
{
	static const size_t lengths[] = {RANGE_TEXT_SIZE - 1, RANGE_TEXT_SIZE, RANGE_TEXT_SIZE + 1, 5000};
	char text[5001];
	struct range range;

	(void)state;
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		memset(text, '1', lengths[i]);
		text[lengths[i]] = '\0';
		assert_string_equal(range_parse(text, &range),
		                    i == 0 ? "it is not an address, a prefix or a range" : "it is too long");
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_text_is_the_shortest),
		cmocka_unit_test(long_texts_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
