/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/items.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 16

enum expected {
	EXPECT_OBJECT,
	EXPECT_KEY, /* or the end of the object */
	EXPECT_KEY_END,
	EXPECT_COLON,
	EXPECT_VALUE,
	EXPECT_ELEMENT, /* or the end of the list */
	EXPECT_ITEM_END,
	EXPECT_COMMA,
	EXPECT_NOTHING,
	EXPECT_FAILED,
};

void items_begin(struct items *items, items_take *take, void *context)
{
	items_end(items);
	*items = (struct items){.take = take, .context = context};
}

void items_end(struct items *items)
{
	free(items->text);
	items->text = NULL;
}

static bool append(struct items *items, const char *bytes, size_t size)
{
	size_t room = items->room > 0 ? items->room : 1024;
	char *text = items->text;

	while (room < items->size + size)
		room *= 2;
	if (items->size + size > ITEM_SIZE_MAX)
		return false;
	if (room > items->room)
		text = realloc(items->text, room);
	if (text == NULL)
		return false;
	memcpy(text + items->size, bytes, size);
	items->text = text;
	items->room = room;
	items->size += size;
	return true;
}

static void take_item(struct items *items)
{
	items->take(items->context, items->name, items->text, items->size);
	items->size = 0;
	items->expected = EXPECT_COMMA;
}

/* One more byte of the item; false if it is the one behind a number or word. */
static bool follow_item(struct items *items, char byte)
{
	if ((unsigned char)byte < ' ') {
		items->expected = EXPECT_FAILED;
		return true;
	}
	if (items->in_string) {
		items->in_string = items->escaped || byte != '"';
		items->escaped = !items->escaped && byte == '\\';
		if (!items->in_string && items->depth == 0)
			items->expected = EXPECT_ITEM_END;
		return true;
	}
	switch (byte) {
	case '"':
		items->in_string = true;
		return true;
	case '{':
	case '[':
		items->expected = ++items->depth > DEPTH_MAX ? EXPECT_FAILED : items->expected;
		return true;
	case '}':
	case ']':
		if (items->depth == 0)
			return false;
		if (--items->depth == 0)
			items->expected = EXPECT_ITEM_END;
		return true;
	case ',':
	case ' ':
		return items->depth > 0;
	default:
		return true;
	}
}

/* Consumes bytes of the item; returns how many. */
static size_t feed_item(struct items *items, const char *bytes, size_t size)
{
	size_t used = 0;
	bool within = true;

	while (used < size && within && items->expected == EXPECT_VALUE) {
		within = follow_item(items, bytes[used]);
		used += within;
	}
	if (items->expected == EXPECT_FAILED || !append(items, bytes, used)) {
		items->expected = EXPECT_FAILED;
		return used;
	}
	if (!within || items->expected == EXPECT_ITEM_END)
		take_item(items);
	return used;
}

static void add_to_name(struct items *items, char byte)
{
	if (byte == '"') {
		items->name[items->size] = '\0';
		items->size = 0;
		items->expected = EXPECT_COLON;
	} else if (byte == '\\' || items->size + 1 == sizeof items->name) {
		items->expected = EXPECT_FAILED;
	} else {
		items->name[items->size++] = byte;
	}
}

/* A byte between keys and items; false if an item begins with it. */
static bool follow(struct items *items, char byte)
{
	static const struct {
		enum expected expected;
		bool in_list;
		char byte;
		enum expected next;
		bool next_in_list;
	} steps[] = {
		{EXPECT_OBJECT, false, '{', EXPECT_KEY, false},
		{EXPECT_KEY, false, '"', EXPECT_KEY_END, false},
		{EXPECT_KEY, false, '}', EXPECT_NOTHING, false},
		{EXPECT_COLON, false, ':', EXPECT_VALUE, false},
		{EXPECT_VALUE, false, '[', EXPECT_ELEMENT, true},
		{EXPECT_ELEMENT, true, ']', EXPECT_COMMA, false},
		{EXPECT_COMMA, true, ',', EXPECT_VALUE, true},
		{EXPECT_COMMA, true, ']', EXPECT_COMMA, false},
		{EXPECT_COMMA, false, ',', EXPECT_KEY, false},
		{EXPECT_COMMA, false, '}', EXPECT_NOTHING, false},
	};

	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		if ((int)steps[i].expected != items->expected || steps[i].in_list != items->in_list ||
		    steps[i].byte != byte)
			continue;
		items->expected = steps[i].next;
		items->in_list = steps[i].next_in_list;
		return true;
	}
	if (items->expected == EXPECT_ELEMENT)
		items->expected = EXPECT_VALUE;
	if (items->expected != EXPECT_VALUE || strchr(":,}]", byte) != NULL)
		items->expected = EXPECT_FAILED;
	return items->expected == EXPECT_FAILED;
}

enum items_state items_feed(struct items *items, const char *bytes, size_t size)
{
	size_t i = 0;

	while (i < size && items->expected != EXPECT_NOTHING && items->expected != EXPECT_FAILED) {
		bool within = items->size > 0 && items->expected == EXPECT_VALUE;

		if ((unsigned char)bytes[i] < ' ')
			items->expected = EXPECT_FAILED;
		else if (items->expected == EXPECT_KEY_END)
			add_to_name(items, bytes[i++]);
		else if (within || (bytes[i] != ' ' && !follow(items, bytes[i])))
			i += feed_item(items, bytes + i, size - i);
		else
			i++;
	}
	if (items->expected == EXPECT_FAILED)
		return ITEMS_BAD;
	return items->expected == EXPECT_NOTHING ? ITEMS_WHOLE : ITEMS_OPEN;
}

/* The end of a string that begins at `at`: the place of its last quote. */
static size_t string_end(const char *text, size_t size, size_t at)
{
	for (at++; at < size && text[at] != '"'; at++)
		at += text[at] == '\\';
	return at < size ? at : size - 1;
}

/* The end of a value that begins at `at`: the place behind it. */
static size_t value_end(const char *text, size_t size, size_t at)
{
	unsigned depth = 0;

	for (; at < size; at++) {
		char byte = text[at];

		if (byte == '"')
			at = string_end(text, size, at);
		else if (byte == '{' || byte == '[')
			depth++;
		else if (depth == 0 && (byte == ',' || byte == '}' || byte == ']'))
			return at;
		else if (byte == '}' || byte == ']')
			depth--;
	}
	return size;
}

bool item_member(const char *text, size_t size, const char *name, const char **value, size_t *value_size)
{
	size_t at = 1, length = strlen(name);

	while (at < size && text[at] == ' ')
		at++;
	while (at < size && text[at] == '"') {
		size_t end = string_end(text, size, at), start, after;
		bool found = end == at + 1 + length && memcmp(text + at + 1, name, length) == 0;

		for (start = end + 1; start < size && (text[start] == ' ' || text[start] == ':');)
			start++;
		after = value_end(text, size, start);
		if (found && after > start) {
			bool quoted = text[start] == '"' && after > start + 1 && text[after - 1] == '"';

			*value = text + start + quoted;
			*value_size = after - start - 2 * (size_t)quoted;
			return true;
		}
		for (at = after; at < size && (text[at] == ',' || text[at] == ' ');)
			at++;
	}
	return false;
}

bool item_is(const char *text, size_t size, const char *name, const char *value)
{
	const char *found;
	size_t length;

	return item_member(text, size, name, &found, &length) && length == strlen(value) &&
	       memcmp(found, value, length) == 0;
}

static bool is_of_time(const char *name, size_t size)
{
	static const char *const names[] = {"left",
	                                    "age",
	                                    "rounds_left",
	                                    "uptime",
	                                    "time",
	                                    "last_hit",
	                                    "next_query_left",
	                                    "other_querier_left",
	                                    "other_query_age",
	                                    "other_version_age",
	                                    "older_version_left",
	                                    "query_age"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strlen(names[i]) == size && memcmp(names[i], name, size) == 0)
			return true;
	return false;
}

size_t item_settle(const char *text, size_t size, char *out)
{
	size_t used = 0;

	for (size_t at = 0, end; at < size; at = end) {
		end = text[at] == '"' ? string_end(text, size, at) + 1 : at + 1;
		if (text[at] == '"' && end < size && text[end] == ':' &&
		    is_of_time(text + at + 1, end - at - 2)) {
			end = value_end(text, size, end + 1);
			continue;
		}
		memcpy(out + used, text + at, end - at);
		used += end - at;
	}
	return used;
}
