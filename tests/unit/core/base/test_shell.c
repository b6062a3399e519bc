/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/base/shell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void words(void **state)
{
	static const struct {
		const char *text, *word;
	} rows[] = {
		{"eth0", "eth0"},
		{"eth0.35", "eth0.35"},
		{"wg-home_1", "wg-home_1"},
		{"", "''"},
		{"a b", "'a b'"},
		{"$x", "'$x'"},
		{"a'b", "'a'\\''b'"},
		{"'", "''\\'''"},
		{"a\"b", "'a\"b'"},
		{"a;b|c&d", "'a;b|c&d'"},
		{"*", "'*'"},
		{"~x", "'~x'"},
		{"#1", "'#1'"},
		{"\\", "'\\'"},
		{"\xc3\xa4", "'\xc3\xa4'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_string_equal(shell_word(rows[i].text).text, rows[i].word);
}

/* A name of 15 quotes, the longest word that a name makes, is whole in a sysctl; a longer text is cut between
 * quotes. */
static void long_words(void **state)
{
	char text[2 * SHELL_WORD_SIZE];
	struct shell_word word;

	(void)state;
	word = shell_sysctl("net.ipv4.conf", "'''''''''''''''", "rp_filter=0");
	assert_string_equal(word.text + strlen(word.text) - 13, ".rp_filter=0'");
	memset(text, '\'', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	word = shell_word(text);
	assert_true(strlen(word.text) < sizeof word.text);
	assert_int_equal(strlen(word.text) % 4, 2);
	assert_string_equal(word.text + strlen(word.text) - 5, "'\\'''");
}

static void sysctls(void **state)
{
	static const struct {
		const char *name, *word;
	} rows[] = {
		{"eth0", "net.ipv4.conf.eth0.rp_filter=0"},
		{"eth0.35", "net.ipv4.conf.eth0/35.rp_filter=0"},
		{"a.b.c", "net.ipv4.conf.a/b/c.rp_filter=0"},
		{"a'$x.1", "'net.ipv4.conf.a'\\''$x/1.rp_filter=0'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_string_equal(shell_sysctl("net.ipv4.conf", rows[i].name, "rp_filter=0").text,
		                    rows[i].word);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(long_words),
		cmocka_unit_test(sysctls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
