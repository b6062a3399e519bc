/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Requests of the control socket: what is read of them, and what is refused and why.
 */
#include "daemon/control/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define NAME_63 "0123456789012345678901234567890123456789012345678901234567890123" /* one too long */

static bool read_line(const char *line, struct control_request *request, char *error)
{
	/* Without the terminating zero, so that a read past the end is seen. */
	size_t size = strlen(line);
	char *copy = malloc(size + 1);
	bool good;

	assert_non_null(copy);
	memcpy(copy, line, size);
	copy[size] = '\n';
	good = control_request_read(copy, size, request, error);
	free(copy);
	return good;
}

static void all_members_are_read(void **state)
{
	char error[CONTROL_ERROR_SIZE];
	struct control_request request;
	struct addr prefix = addr_from_ipv4_number(0xef000000);

	(void)state;
	assert_true(read_line(
		"{\"command\":\"show\", \"what\":\"groups\",\"instance\":\"iptv\",\"link\":\"eth1\","
		"\"group\":\"239.0.0.0/8\",\"level\":\"debug\"}",
		&request, error));
	assert_string_equal(request.command, "show");
	assert_string_equal(request.what, "groups");
	assert_string_equal(request.instance, "iptv");
	assert_string_equal(request.link, "eth1");
	assert_string_equal(request.level, "debug");
	assert_true(addr_equal(&request.prefix, &prefix));
	assert_int_equal(request.prefix_length, 96 + 8);
	assert_true(read_line(" {\"command\":\"sh\\u006fw\"} ", &request, error));
	assert_string_equal(request.command, "show");
	assert_int_equal(request.instance[0], 0); /* nothing is left of the one before */
}

static void bad_ones_are_refused_with_a_reason(void **state)
{
	static const struct {
		const char *line, *error;
	} rows[] = {
		{"", "the line ends within it"},
		{"{", "the line ends within it"},
		{"{\"command\":\"show\"", "the line ends within it"},
		{"show", "not JSON"},
		{"{'command':'show'}", "not JSON"},
		{"{\"command\":\"show\"}}", "not JSON"},
		{"{\"command\":\"show\"}{}", "not JSON"},
		{"{\"command\":\"\xff\"}", "not JSON"},
		{"{\"a\":{\"b\":{\"c\":1}}}", "not JSON"},
		{"[]", "not a JSON object"},
		{"null", "not a JSON object"},
		{"7", ""}, /* a number may go on */
		{"{}", "a command is missing"},
		{"{\"what\":\"groups\"}", "a command is missing"},
		{"{\"command\":7}", "command"},
		{"{\"command\":null}", "command"},
		{"{\"command\":\"show\",\"what\":[]}", "what"},
		{"{\"command\":\"0123456789abcdef\"}", "command"},
		{"{\"command\":\"sh\\u0000ow\"}", "command"},
		{"{\"command\":\"show\",\"unknown\":\"x\"}", "unknown"},
		{"{\"command\":\"show\",\"link\":\"0123456789abcdef\"}", "link"},
		{"{\"command\":\"show\",\"instance\":\"" NAME_63 "\"}", "instance"},
		{"{\"command\":\"show\",\"group\":\"\"}", "group"},
		{"{\"command\":\"show\",\"group\":\"239.1.2\"}",
	         "group: an address or a prefix such as 239.1.0.0/16 is expected"},
		{"{\"command\":\"show\",\"group\":\"239.1.2.3/\"}", "group"},
		{"{\"command\":\"show\",\"group\":\"239.1.2.3/33\"}", "group"},
		{"{\"command\":\"show\",\"group\":\"239.1.2.3/-1\"}", "group"},
		{"{\"command\":\"show\",\"group\":\"239.1.2.3/8x\"}", "group"},
		{"{\"command\":\"show\",\"group\":\"239.1.2.3/99999999999999999999\"}", "group"},
		{"{\"command\":\"show\",\"group\":\"ff1e::1/129\"}", "group"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct control_request request;
		char error[CONTROL_ERROR_SIZE];

		if (read_line(rows[i].line, &request, error))
			fail_msg("%s: not refused", rows[i].line);
		assert_int_not_equal(error[0], 0);
		if (strstr(error, rows[i].error) == NULL)
			fail_msg("%s: %s", rows[i].line, error);
	}
}

static void groups_are_filtered_by_prefix(void **state)
{
	static const struct {
		const char *prefix, *group;
		bool wanted;
	} rows[] = {
		{NULL, "239.1.2.3", true},           {NULL, "ff1e::1", true},
		{"239.1.2.3", "239.1.2.3", true},    {"239.1.2.3", "239.1.2.4", false},
		{"239.1.0.0/16", "239.1.2.3", true}, {"239.1.0.0/16", "239.2.2.3", false},
		{"0.0.0.0/0", "239.2.2.3", true},    {"0.0.0.0/0", "ff1e::1", false},
		{"ff1e::/16", "ff1e::1", true},      {"ff1e::/16", "ff15::1", false},
		{"ff1e::/16", "239.1.2.3", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct control_request request;
		char error[CONTROL_ERROR_SIZE], line[128];
		struct addr group;

		if (rows[i].prefix != NULL)
			snprintf(line, sizeof line, "{\"command\":\"show\",\"group\":\"%s\"}",
			         rows[i].prefix);
		else
			snprintf(line, sizeof line, "{\"command\":\"show\"}");
		assert_true(read_line(line, &request, error));
		assert_true(addr_parse(rows[i].group, &group));
		assert_int_equal(control_request_wants_group(&request, &group), rows[i].wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_members_are_read),
		cmocka_unit_test(bad_ones_are_refused_with_a_reason),
		cmocka_unit_test(groups_are_filtered_by_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
