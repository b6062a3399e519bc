/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The writer of JSON: commas, escapes, text that is no UTF-8, long texts.
 */
#include "daemon/control/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void expect(struct json *json, const char *text)
{
	assert_false(json->failed);
	assert_int_equal(json->size, strlen(text));
	assert_memory_equal(json->text, text, json->size);
	json_fini(json);
	assert_null(json->text);
}

static void commas_stand_between_values(void **state)
{
	struct json json = {0};

	(void)state;
	json_open(&json, NULL, '{');
	json_number(&json, "a", 1);
	json_open(&json, "b", '[');
	json_open(&json, NULL, '{');
	json_close(&json, '}');
	json_open(&json, NULL, '[');
	json_close(&json, ']');
	json_boolean(&json, NULL, true);
	json_boolean(&json, NULL, false);
	json_close(&json, ']');
	json_string(&json, "c", NULL);
	json_close(&json, '}');
	json_end_line(&json);
	json_open(&json, NULL, '{');
	json_close(&json, '}');
	json_end_line(&json);
	expect(&json, "{\"a\":1,\"b\":[{},[],true,false],\"c\":null}\n{}\n");
}

static void numbers(void **state)
{
	static const struct {
		uint64_t number;
		const char *number_text, *seconds_text;
	} rows[] = {
		{0, "0", "0.000"},
		{7, "7", "0.007"},
		{10, "10", "0.010"},
		{1500, "1500", "1.500"},
		{1795789092701, "1795789092701", "1795789092.701"},
		{UINT64_MAX, "18446744073709551615", "18446744073709551.615"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct json json = {0};

		json_number(&json, NULL, rows[i].number);
		expect(&json, rows[i].number_text);
		json_seconds(&json, NULL, rows[i].number);
		expect(&json, rows[i].seconds_text);
	}
}

#define BAD "\xef\xbf\xbd"

static void text_is_always_valid(void **state)
{
	static const struct {
		const char *text, *json;
	} rows[] = {
		{"", "\"\""},
		{"eth0.7", "\"eth0.7\""},
		{"a\"b\\c", "\"a\\\"b\\\\c\""},
		{"line\nnext\ttab", "\"line\\nnext\\ttab\""},
		{"\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\""},
		{"\xc2\x9b\xe2\x80\xae\xe2\x81\xa9",
	         "\"\\u009b\\u202e\\u2069\""}, /* CSI; directions of text */
		{"gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\""},
		{"\xe2\x82\xac \xf0\x9f\x93\xba", "\"\xe2\x82\xac \xf0\x9f\x93\xba\""},
		{"\xff", "\"" BAD "\""},
		{"\xc3", "\"" BAD "\""},                         /* cut off */
		{"\xc3(", "\"" BAD "(\""},                       /* not continued */
		{"\xc0\xaf", "\"" BAD BAD "\""},                 /* an overlong slash */
		{"\xed\xa0\x80", "\"" BAD BAD BAD "\""},         /* a surrogate */
		{"\xf4\x90\x80\x80", "\"" BAD BAD BAD BAD "\""}, /* beyond the last character */
		{"\x80x", "\"" BAD "x\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct json json = {0};

		json_string(&json, NULL, rows[i].text);
		expect(&json, rows[i].json);
	}
}

static void addresses(void **state)
{
	struct addr addr = addr_from_ipv4_number(0xef010203), none = addr_unspecified(FAMILY_IPV6);
	struct json json = {0};

	(void)state;
	json_open(&json, NULL, '[');
	json_addr(&json, NULL, &addr);
	json_addr(&json, NULL, &none);
	none = addr_unspecified(FAMILY_IPV4);
	json_addr(&json, NULL, &none);
	json_close(&json, ']');
	expect(&json, "[\"239.1.2.3\",null,null]");
}

static void lines_are_copied(void **state)
{
	struct json line = {0}, json = {0};

	(void)state;
	json_copy(&json, &line);
	json_open(&line, NULL, '{');
	json_close(&line, '}');
	json_end_line(&line);
	json_copy(&json, &line);
	json_copy(&json, &line);
	expect(&json, "{}\n{}\n");
	expect(&line, "{}\n");
}

static void lines_grow_and_are_taken(void **state)
{
	struct json json = {0};
	size_t taken = 0;

	(void)state;
	json_open(&json, NULL, '[');
	for (int i = 0; i < 100000; i++) {
		json_string_part(&json, NULL, "01234567890", 10);
		if (i % 1000 == 999) {
			taken += json.size - 5;
			json_consume(&json, json.size - 5);
			assert_int_equal(json.size, 5);
			assert_memory_equal(json.text, "6789\"", 5);
		}
	}
	json_close(&json, ']');
	assert_int_equal(taken + json.size, 1 + 100000 * 13);
	expect(&json, "6789\"]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commas_stand_between_values),
		cmocka_unit_test(numbers),
		cmocka_unit_test(text_is_always_valid),
		cmocka_unit_test(addresses),
		cmocka_unit_test(lines_are_copied),
		cmocka_unit_test(lines_grow_and_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
