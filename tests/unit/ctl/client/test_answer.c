/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The reader of answers: the same elements come out however the bytes are cut.
 */
#include "ctl/client/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void take(void *context, const char *key, struct json_object *value)
{
	char *text = context;

	assert_true(strlen(text) < 3000);
	sprintf(text + strlen(text), "%s=%s;", key,
	        json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN));
}

/* Feeds a text in pieces of this size. */
static enum answer_state feed(const char *text, size_t piece, char *taken)
{
	struct answer *answer = answer_new(take, taken);
	enum answer_state state = ANSWER_OPEN;
	size_t size = strlen(text);

	assert_non_null(answer);
	taken[0] = '\0';
	for (size_t i = 0; i < size; i += piece) {
		size_t count = piece < size - i ? piece : size - i;
		char *copy = malloc(count);

		assert_non_null(copy);
		memcpy(copy, text + i, count);
		state = answer_feed(answer, copy, count);
		free(copy);
	}
	answer_free(answer);
	return state;
}

static const struct {
	const char *text;
	enum answer_state state;
	const char *taken;
} rows[] = {
	{"{\"version\":1,\"groups\":[]}\n", ANSWER_WHOLE, "version=1;"},
	{"{\"a\":[1,\"two\",{\"three\":[3,{}]},null],\"b\":{\"c\":[4]},\"d\":true}", ANSWER_WHOLE,
         "a=1;a=\"two\";a={\"three\":[3,{}]};a=null;b={\"c\":[4]};d=true;"},
	{" { \"a\" : [ 12 , 3.5 ] , \"b\" : -7 } ", ANSWER_WHOLE, "a=12;a=3.5;b=-7;"},
	{"{\"text\":\"with \\\"quotes\\\", ] and } in it\"}", ANSWER_WHOLE,
         "text=\"with \\\"quotes\\\", ] and } in it\";"},
	{"{\"error\":\"no\"}\n{\"error\":\"what follows\"}", ANSWER_WHOLE, "error=\"no\";"},
	{"{\"a\":[1,2", ANSWER_OPEN, "a=1;"},
	{"{\"a\"", ANSWER_OPEN, ""},
	{"", ANSWER_OPEN, ""},
	{"[1]", ANSWER_BAD, ""},
	{"{1:2}", ANSWER_BAD, ""},
	{"{\"a\" 1}", ANSWER_BAD, ""},
	{"{\"a\":[1 2]}", ANSWER_BAD, "a=1;"},
	{"{\"a\":1 \"b\":2}", ANSWER_BAD, "a=1;"},
	{"{\"a\":nonsense}", ANSWER_BAD, ""},
};

static void elements_come_one_by_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (size_t piece = 1; piece <= strlen(rows[i].text) + 1; piece++) {
			char taken[4096];
			enum answer_state result = feed(rows[i].text, piece, taken);

			if (result != rows[i].state || strcmp(taken, rows[i].taken) != 0)
				fail_msg("%s in pieces of %zu: state %d, %s", rows[i].text, piece, result,
				         taken);
		}
	}
}

static void members_that_are_not_there_are_empty(void **state)
{
	struct json_object *object =
		json_tokener_parse("{\"text\":\"x\",\"number\":2.5,\"truth\":true,\"none\":null}");

	(void)state;
	assert_string_equal(answer_text(object, "text"), "x");
	assert_string_equal(answer_text(object, "number"), "");
	assert_string_equal(answer_text(object, "nothing"), "");
	assert_true(answer_number(object, "number") > 2.4 && answer_number(object, "number") < 2.6);
	assert_true(answer_number(object, "nothing") < 0.1);
	assert_true(answer_bool(object, "truth"));
	assert_false(answer_bool(object, "nothing"));
	assert_true(answer_has(object, "text"));
	assert_false(answer_has(object, "none"));
	assert_null(answer_member(object, "nothing"));
	assert_string_equal(answer_text(NULL, "text"), "");
	json_object_put(object);
}

static void drops_of_no_concern_are_not_counted(void **state)
{
	struct json_object *link = json_tokener_parse(
		"{\"drops\":{\"group of link scope\":8,\"report on upstream\":4,\"bad checksum\":2}}");

	(void)state;
	assert_int_equal((int)answer_drops(link), 2);
	assert_int_equal((int)answer_drops(NULL), 0);
	json_object_put(link);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elements_come_one_by_one),
		cmocka_unit_test(members_that_are_not_there_are_empty),
		cmocka_unit_test(drops_of_no_concern_are_not_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
