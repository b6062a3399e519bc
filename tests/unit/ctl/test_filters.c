/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Filters on a command line, before and behind what they belong to.
 */
#include "ctl/filters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void filters_become_members_of_the_request(void **state)
{
	char *argv[] = {"show",       "--link", "eth1",      "groups", "--group=239.0.0.0/8",
	                "--instance", "tv",     "--details", "--all",  "--sort",
	                "age",        NULL};
	struct json_object *request = json_object_new_object();
	struct filters filters = {0};
	int argc = 11;

	(void)state;
	assert_true(filters_read(&filters, &argc, argv));
	assert_int_equal(argc, 2);
	assert_string_equal(argv[0], "show");
	assert_string_equal(argv[1], "groups");
	assert_true(filters.details && filters.all);
	assert_string_equal(filters.sort, "age");
	filters_add(&filters, request);
	assert_string_equal(json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN),
	                    "{\"instance\":\"tv\",\"link\":\"eth1\",\"group\":\"239.0.0.0\\/8\"}");
	json_object_put(request);
}

static void none_is_none(void **state)
{
	char *argv[] = {"monitor", NULL};
	struct json_object *request = json_object_new_object();
	struct filters filters = {0};
	int argc = 1;

	(void)state;
	assert_true(filters_read(&filters, &argc, argv));
	assert_int_equal(argc, 1);
	filters_add(&filters, request);
	assert_int_equal(json_object_object_length(request), 0);
	json_object_put(request);
}

static void others_are_refused(void **state)
{
	char *argv[] = {"show", "groups", "--colour", NULL};
	struct filters filters = {0};
	int argc = 3;

	(void)state;
	assert_false(filters_read(&filters, &argc, argv));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filters_become_members_of_the_request),
		cmocka_unit_test(none_is_none),
		cmocka_unit_test(others_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
