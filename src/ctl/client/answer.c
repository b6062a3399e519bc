/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/client/answer.h"

#include "core/wire/drop.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 16

enum expected {
	EXPECT_OBJECT,
	EXPECT_KEY,
	EXPECT_COLON,
	EXPECT_VALUE,
	EXPECT_ELEMENT, /* or the end of an empty list */
	EXPECT_COMMA,
	EXPECT_COMMA_IN_LIST,
	EXPECT_NOTHING,
	EXPECT_FAILED,
};

struct answer {
	answer_take *take;
	void *context;
	struct json_tokener *tokener;
	enum expected expected;
	bool within; /* a key, value or element has begun */
	char *key;
};

struct answer *answer_new(answer_take *take, void *context)
{
	struct answer *answer = calloc(1, sizeof *answer);

	if (answer == NULL)
		return NULL;
	answer->take = take;
	answer->context = context;
	answer->tokener = json_tokener_new_ex(DEPTH_MAX);
	if (answer->tokener != NULL)
		return answer;
	free(answer);
	return NULL;
}

void answer_free(struct answer *answer)
{
	if (answer == NULL)
		return;
	json_tokener_free(answer->tokener);
	free(answer->key);
	free(answer);
}

static void take_value(struct answer *answer, struct json_object *value)
{
	switch (answer->expected) {
	case EXPECT_KEY:
		free(answer->key);
		answer->key = json_object_is_type(value, json_type_string)
		                      ? strdup(json_object_get_string(value))
		                      : NULL;
		answer->expected = answer->key != NULL ? EXPECT_COLON : EXPECT_FAILED;
		return;
	case EXPECT_VALUE:
		answer->take(answer->context, answer->key, value);
		answer->expected = EXPECT_COMMA;
		return;
	case EXPECT_ELEMENT:
		answer->take(answer->context, answer->key, value);
		answer->expected = EXPECT_COMMA_IN_LIST;
		return;
	case EXPECT_OBJECT:
	case EXPECT_COLON:
	case EXPECT_COMMA:
	case EXPECT_COMMA_IN_LIST:
	case EXPECT_NOTHING:
	case EXPECT_FAILED:
		return;
	}
}

/* Consumes bytes of a key, a value or an element; returns how many. */
static size_t feed_value(struct answer *answer, const char *text, size_t size)
{
	struct json_object *value = json_tokener_parse_ex(answer->tokener, text, (int)size);
	enum json_tokener_error result = json_tokener_get_error(answer->tokener);
	size_t used = json_tokener_get_parse_end(answer->tokener);

	answer->within = result == json_tokener_continue;
	if (answer->within)
		return size;
	if (result == json_tokener_success)
		take_value(answer, value);
	else
		answer->expected = EXPECT_FAILED;
	json_object_put(value);
	json_tokener_reset(answer->tokener);
	return used;
}

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static bool is_value(const struct answer *answer, char byte)
{
	switch (answer->expected) {
	case EXPECT_KEY:
		return byte == '"';
	case EXPECT_VALUE:
		return byte != '[';
	case EXPECT_ELEMENT:
		return byte != ']';
	case EXPECT_OBJECT:
	case EXPECT_COLON:
	case EXPECT_COMMA:
	case EXPECT_COMMA_IN_LIST:
	case EXPECT_NOTHING:
	case EXPECT_FAILED:
		return false;
	}
	return false;
}

/* What follows a byte between values. */
static enum expected follow(enum expected expected, char byte)
{
	static const struct {
		enum expected expected;
		char byte;
		enum expected next;
	} steps[] = {
		{EXPECT_OBJECT, '{', EXPECT_KEY},
		{EXPECT_COLON, ':', EXPECT_VALUE},
		{EXPECT_VALUE, '[', EXPECT_ELEMENT},
		{EXPECT_ELEMENT, ']', EXPECT_COMMA},
		{EXPECT_COMMA_IN_LIST, ',', EXPECT_ELEMENT},
		{EXPECT_COMMA_IN_LIST, ']', EXPECT_COMMA},
		{EXPECT_COMMA, ',', EXPECT_KEY},
		{EXPECT_COMMA, '}', EXPECT_NOTHING},
	};

	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
		if (steps[i].expected == expected && steps[i].byte == byte)
			return steps[i].next;
	return EXPECT_FAILED;
}

enum answer_state answer_feed(struct answer *answer, const char *text, size_t size)
{
	size_t i = 0;

	while (i < size && answer->expected != EXPECT_NOTHING && answer->expected != EXPECT_FAILED) {
		if (answer->within || is_value(answer, text[i])) {
			if (!answer->within && is_space(text[i]))
				i++;
			else
				i += feed_value(answer, text + i, size - i);
			continue;
		}
		if (!is_space(text[i]))
			answer->expected = follow(answer->expected, text[i]);
		i++;
	}
	if (answer->expected == EXPECT_FAILED)
		return ANSWER_BAD;
	return answer->expected == EXPECT_NOTHING ? ANSWER_WHOLE : ANSWER_OPEN;
}

struct json_object *answer_member(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	return json_object_object_get_ex(object, key, &value) ? value : NULL;
}

bool answer_has(struct json_object *object, const char *key)
{
	return answer_member(object, key) != NULL;
}

const char *answer_text(struct json_object *object, const char *key)
{
	struct json_object *value = answer_member(object, key);

	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

double answer_number(struct json_object *object, const char *key)
{
	return json_object_get_double(answer_member(object, key));
}

bool answer_bool(struct json_object *object, const char *key)
{
	return json_object_get_boolean(answer_member(object, key));
}

size_t answer_length(struct json_object *list)
{
	return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

double answer_drops(struct json_object *link)
{
	struct json_object *drops = answer_member(link, "drops");
	double total = 0;

	if (!json_object_is_type(drops, json_type_object))
		return 0;
	json_object_object_foreach(drops, cause, count)
	{
		if (strcmp(cause, drop_name(DROP_SCOPE)) != 0 && strcmp(cause, drop_name(DROP_ROLE)) != 0)
			total += json_object_get_double(count);
	}
	return total;
}
