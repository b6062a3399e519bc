/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The text of answers: the same items come out however the bytes are cut.
 */
#include "web/items.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What was taken, as "name=text;". */
struct taken {
	char text[1024];
	size_t size;
};

static void take(void *context, const char *name, const char *text, size_t size)
{
	struct taken *taken = context;

	taken->size += (size_t)snprintf(taken->text + taken->size, sizeof taken->text - taken->size,
	                                "%s=%.*s;", name, (int)size, text);
}

static enum items_state feed(const char *text, size_t step, struct taken *taken)
{
	enum items_state state = ITEMS_OPEN;
	struct items items = {0};

	*taken = (struct taken){0};
	items_begin(&items, take, taken);
	for (size_t at = 0; at < strlen(text); at += step)
		state = items_feed(&items, text + at, strlen(text) - at < step ? strlen(text) - at : step);
	items_end(&items);
	return state;
}

static void answers_arrive_in_pieces_of_any_size(void **state)
{
	static const struct {
		const char *text;
		enum items_state state;
		const char *taken;
	} rows[] = {
		{"{}", ITEMS_WHOLE, ""},
		{"{\"a\":1,\"b\":true,\"c\":null,\"d\":\"x,}\\\"\"}\n", ITEMS_WHOLE,
	         "a=1;b=true;c=null;d=\"x,}\\\"\";"},
		{"{\"version\":1,\"groups\":[]}", ITEMS_WHOLE, "version=1;"},
		{"{ \"l\" : [ {\"x\":[1,{\"y\":\"]\"}]} , {\"z\":2} ] }", ITEMS_WHOLE,
	         "l={\"x\":[1,{\"y\":\"]\"}]};l={\"z\":2};"},
		{"{\"l\":[1,\"a\",{}],\"o\":{\"p\":[1,2]},\"n\":-1.5e3}", ITEMS_WHOLE,
	         "l=1;l=\"a\";l={};o={\"p\":[1,2]};n=-1.5e3;"},
		{"{\"a\":1", ITEMS_OPEN, ""},
		{"{\"a\":\"\\", ITEMS_OPEN, ""},
		{"[]", ITEMS_BAD, ""},
		{"{\"a\":}", ITEMS_BAD, ""},
		{"{\"a\":1,}", ITEMS_WHOLE, "a=1;"},
		{"{\"a\":[1,]}", ITEMS_BAD, "a=1;"},
		{"{\"a\":\"x\ny\"}", ITEMS_BAD, ""},
		{"{\"a\\u0041\":1}", ITEMS_BAD, ""},
		{"{\"a\" 1}", ITEMS_BAD, ""},
		{"{\"a123456789012345678901234567890123456789\":1}", ITEMS_BAD, ""},
		{"{\"a\":[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]}", ITEMS_BAD, ""},
		{"\n", ITEMS_BAD, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (size_t step = 1; step < 12; step++) {
			struct taken taken;

			assert_int_equal(feed(rows[i].text, step, &taken), rows[i].state);
			assert_string_equal(taken.text, rows[i].taken);
		}
	}
}

static void an_item_has_a_limit(void **state)
{
	char *text = malloc(ITEM_SIZE_MAX + 32);
	struct taken taken;

	(void)state;
	memset(text, 'x', ITEM_SIZE_MAX + 32);
	memcpy(text, "{\"a\":\"", 6);
	text[ITEM_SIZE_MAX + 31] = '\0';
	assert_int_equal(feed(text, 65536, &taken), ITEMS_BAD);
	free(text);
}

static void members_are_found_by_name(void **state)
{
	static const char text[] =
		"{\"link\":\"eth0\",\"sub\":{\"group\":\"no\"},\"n\":12,\"group\":\"a\\\"b\",\"e\":\"\"}";
	static const struct {
		const char *name, *value;
	} rows[] = {{"link", "eth0"}, {"n", "12"},  {"group", "a\\\"b"},
	            {"e", ""},        {"no", NULL}, {"sub", "{\"group\":\"no\"}"}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *value;
		size_t size;
		bool found = item_member(text, strlen(text), rows[i].name, &value, &size);

		assert_int_equal(found, rows[i].value != NULL);
		if (found)
			assert_int_equal(size, strlen(rows[i].value));
		if (found)
			assert_memory_equal(value, rows[i].value, size);
	}
}

static void what_changes_as_time_passes_is_left_out(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{"{\"g\":1,\"age\":1.5}", "{\"g\":1,\"age\":2}", true},
		{"{\"g\":1,\"age\":1.5}", "{\"g\":2,\"age\":1.5}", false},
		{"{\"s\":[{\"left\":1,\"x\":2}],\"left\":3}", "{\"s\":[{\"left\":9,\"x\":2}],\"left\":null}",
	         true},
		{"{\"s\":[{\"left\":1,\"x\":2}]}", "{\"s\":[{\"left\":1,\"x\":3}]}", false},
		{"{\"name\":\"age\",\"x\":1}", "{\"name\":\"age\",\"x\":2}", false},
		{"{\"name\":\"\\\"age\\\":1\"}", "{\"name\":\"\\\"age\\\":2\"}", false},
		{"{\"page\":1}", "{\"page\":2}", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char a[128], b[128];
		size_t a_size = item_settle(rows[i].a, strlen(rows[i].a), a);
		size_t b_size = item_settle(rows[i].b, strlen(rows[i].b), b);

		assert_int_equal(a_size == b_size && memcmp(a, b, a_size) == 0, rows[i].same);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_arrive_in_pieces_of_any_size),
		cmocka_unit_test(an_item_has_a_limit),
		cmocka_unit_test(members_are_found_by_name),
		cmocka_unit_test(what_changes_as_time_passes_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
