/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What has changed in the daemon's lists.
 */
#include "web/model.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct model *model;

static int begin(void **state)
{
	(void)state;
	model = model_new();
	return model == NULL;
}

static int end(void **state)
{
	(void)state;
	model_free(model);
	return 0;
}

static void take(enum list list, const char *text)
{
	model_take(model, list, text, strlen(text));
}

/* A whole answer with these groups of a link, up to a NULL. */
static void take_groups(const char *const *texts)
{
	model_begin(model, LIST_GROUPS);
	for (; *texts != NULL; texts++)
		take(LIST_GROUPS, *texts);
	model_end(model, LIST_GROUPS);
}

#define TAKE(...) take_groups((const char *const[]){__VA_ARGS__, NULL})

static void assert_changes(const char *expected)
{
	struct json_object *object;
	size_t size;
	char *text;

	assert_int_equal(model_has_changed(model), expected[0] != '\0');
	text = model_changes(model, 1, &size);
	assert_non_null(text);
	assert_int_equal(strlen(text), size);
	object = json_tokener_parse(text);
	assert_non_null(object);
	json_object_put(object);
	assert_memory_equal(text, "{\"time\":1.000", 13);
	if (expected[0] == '\0')
		assert_string_equal(text + 13, "}");
	else
		assert_string_equal(text + 14, expected);
	free(text);
	assert_false(model_has_changed(model));
}

static void assert_snapshot_has(const char *part)
{
	struct json_object *object;
	size_t size;
	char *text = model_snapshot(model, 1, &size);

	assert_non_null(text);
	object = json_tokener_parse(text);
	assert_non_null(object);
	assert_int_equal(json_object_object_length(object), 9);
	json_object_put(object);
	if (strstr(text, part) == NULL)
		fail_msg("%s", text);
	free(text);
}

#define A "{\"instance\":\"tv\",\"link\":\"e1\",\"group\":\"239.1.1.1\",\"n\":1}"
#define B "{\"instance\":\"tv\",\"link\":\"e1\",\"group\":\"239.1.1.2\",\"n\":1}"

static void a_change_has_what_is_new_and_what_is_gone(void **state)
{
	(void)state;
	assert_changes("");
	TAKE(A, B);
	assert_changes(
		"\"groups\":{\"set\":[{\"key\":\"tv e1 239.1.1.1\",\"instance\":\"tv\",\"link\":\"e1\",\"group\":"
		"\"239.1.1.1\",\"n\":1},{\"key\":\"tv e1 239.1.1.2\",\"instance\":\"tv\",\"link\":\"e1\",\"group\":"
		"\"239.1.1.2\",\"n\":1}],\"gone\":[]}}");
	TAKE(A, B);
	assert_changes("");
	TAKE(B);
	assert_changes("\"groups\":{\"set\":[],\"gone\":[\"tv e1 239.1.1.1\"]}}");
	TAKE(A, B);
	assert_changes(
		"\"groups\":{\"set\":[{\"key\":\"tv e1 239.1.1.1\",\"instance\":\"tv\",\"link\":\"e1\",\"group\":"
		"\"239.1.1.1\",\"n\":1}],\"gone\":[]}}");
}

static void an_object_that_comes_back_in_time_was_never_gone(void **state)
{
	(void)state;
	TAKE(A);
	assert_true(model_has_changed(model));
	free(model_changes(model, 1, &(size_t){0}));
	TAKE(B);
	TAKE(A, B);
	free(model_changes(model, 1, &(size_t){0}));
	assert_snapshot_has("\"groups\":[{\"key\":\"tv e1 239.1.1.1\"");
	TAKE(A, B);
	assert_changes("");
}

static void times_alone_are_no_change_but_are_kept(void **state)
{
	(void)state;
	TAKE("{\"instance\":\"tv\",\"link\":\"e1\",\"group\":\"239.1.1.1\",\"age\":1}");
	free(model_changes(model, 1, &(size_t){0}));
	TAKE("{\"instance\":\"tv\",\"link\":\"e1\",\"group\":\"239.1.1.1\",\"age\":22}");
	assert_false(model_has_changed(model));
	assert_snapshot_has("\"age\":22}");
}

static void one_object_can_be_asked_for(void **state)
{
	(void)state;
	TAKE(A, B);
	free(model_changes(model, 1, &(size_t){0}));
	model_begin(model, LIST_GROUPS);
	model_end_one(model, LIST_GROUPS, "tv e1 239.1.1.1");
	model_end_one(model, LIST_GROUPS, "tv e1 239.9.9.9");
	assert_changes("\"groups\":{\"set\":[],\"gone\":[\"tv e1 239.1.1.1\"]}}");
	model_begin(model, LIST_GROUPS);
	take(LIST_GROUPS, A);
	model_end_one(model, LIST_GROUPS, "tv e1 239.1.1.1");
	assert_true(model_has_changed(model));
	assert_snapshot_has("239.1.1.2");
}

static void lists_are_apart(void **state)
{
	static const char status[] = "{\"version\":1}",
			  finding[] = "{\"check\":\"links\",\"subject\":\"e0\",\"what\":\"is \\\"down\\\"\"}";

	(void)state;
	model_begin(model, LIST_GROUPS);
	take(LIST_GROUPS, A);
	model_begin(model, LIST_FINDINGS);
	take(LIST_FINDINGS, finding);
	model_end(model, LIST_FINDINGS);
	model_end(model, LIST_GROUPS);
	model_set_status(model, status, strlen(status));
	assert_snapshot_has("\"status\":{\"version\":1},");
	assert_snapshot_has("\"groups\":[{\"key\":\"tv e1 239.1.1.1\",");
	assert_snapshot_has("\"findings\":[{\"key\":\"links e0 is \\\"down\\\"\",");
	take(LIST_INSTANCES, "{ }");
	assert_snapshot_has("\"instances\":[{\"key\":\"\"}],");
	model_clear(model);
	assert_false(model_has_changed(model));
	assert_snapshot_has("\"status\":{},\"instances\":[],");
}

static void each_list_has_its_key(void **state)
{
	static const struct {
		enum list list;
		const char *text, *key;
	} rows[] = {
		{LIST_INSTANCES, "{\"instance\":\"a b\"}", "a b"},
		{LIST_LINKS,
	         "{\"instance\":\"tv\",\"link\":\"e1\",\"role\":\"upstream\",\"family\":\"IPv4\"}",
	         "tv e1 IPv4"},
		{LIST_LINKS, "{\"instance\":\"tv\",\"link\":\"e1\"}", "tv e1 "},
		{LIST_GROUPS, "{\"instance\":\"tv\",\"link\":null,\"group\":\"ff1e::1\"}", "tv null ff1e::1"},
		{LIST_ROUTES, "{\"instance\":\"tv\",\"group\":\"239.1.1.1\",\"source\":\"10.0.0.1\"}",
	         "tv 239.1.1.1 10.0.0.1"},
		{LIST_UPSTREAM, "{\"link\":\"e0\",\"family\":\"IPv6\"}", "e0 IPv6"},
		{LIST_FILTERS, "{\"instance\":\"tv\",\"link\":\"e1\",\"direction\":\"in\",\"number\":3}",
	         "tv e1 in 3"},
	};
	char key[KEY_SIZE], text[2 * KEY_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_true(model_key(rows[i].list, rows[i].text, strlen(rows[i].text), key));
		assert_string_equal(key, rows[i].key);
	}
	snprintf(text, sizeof text, "{\"instance\":\"%0*d\"}", KEY_SIZE, 1);
	assert_false(model_key(LIST_INSTANCES, text, strlen(text), key));
}

static void many_objects_are_kept_apart(void **state)
{
	(void)state;
	for (int round = 0; round < 3; round++) {
		model_begin(model, LIST_ROUTES);
		for (int i = round; i < 3000 + round; i++) {
			char text[128];

			snprintf(text, sizeof text,
			         "{\"instance\":\"tv\",\"group\":\"239.1.%d.%d\",\"source\":\"10.0.0.1\"}",
			         i >> 8, i & 255);
			take(LIST_ROUTES, text);
		}
		model_end(model, LIST_ROUTES);
		if (round == 0)
			free(model_changes(model, 1, &(size_t){0}));
		else
			assert_changes(
				round == 1
					? "\"routes\":{\"set\":[{\"key\":\"tv 239.1.11.184 10.0.0.1\",\"instance\":\"tv\","
					  "\"group\":\"239.1.11.184\",\"source\":\"10.0.0.1\"}],\"gone\":[\"tv 239.1.0.0 10.0.0.1\"]}}"
					: "\"routes\":{\"set\":[{\"key\":\"tv 239.1.11.185 10.0.0.1\",\"instance\":\"tv\","
					  "\"group\":\"239.1.11.185\",\"source\":\"10.0.0.1\"}],\"gone\":[\"tv 239.1.0.1 10.0.0.1\"]}}");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_change_has_what_is_new_and_what_is_gone, begin, end),
		cmocka_unit_test_setup_teardown(an_object_that_comes_back_in_time_was_never_gone, begin, end),
		cmocka_unit_test_setup_teardown(times_alone_are_no_change_but_are_kept, begin, end),
		cmocka_unit_test_setup_teardown(one_object_can_be_asked_for, begin, end),
		cmocka_unit_test_setup_teardown(lists_are_apart, begin, end),
		cmocka_unit_test_setup_teardown(each_list_has_its_key, begin, end),
		cmocka_unit_test_setup_teardown(many_objects_are_kept_apart, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
