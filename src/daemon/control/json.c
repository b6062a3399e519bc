/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/control/json.h"

#include "core/base/text.h"

#include <stdio.h>
#include <stdlib.h>

#define FIRST_CAPACITY 4096

void json_fini(struct json *json)
{
	free(json->text);
	*json = (struct json){0};
}

void json_consume(struct json *json, size_t size)
{
	json->size -= size;
	if (json->size > 0)
		memmove(json->text, json->text + size, json->size);
}

static bool reserve(struct json *json, size_t size)
{
	size_t capacity = json->capacity > 0 ? json->capacity : FIRST_CAPACITY;
	char *text;

	if (json->failed)
		return false;
	while (capacity - json->size < size)
		capacity *= 2;
	if (capacity == json->capacity)
		return true;
	text = realloc(json->text, capacity);
	if (text == NULL) {
		json->failed = true;
		return false;
	}
	json->text = text;
	json->capacity = capacity;
	return true;
}

static void put(struct json *json, const char *text, size_t size)
{
	if (size == 0 || !reserve(json, size))
		return;
	memcpy(json->text + json->size, text, size);
	json->size += size;
}

void json_copy(struct json *json, const struct json *lines)
{
	put(json, lines->text, lines->size);
}

static void put_text(struct json *json, const char *text)
{
	put(json, text, strlen(text));
}

static void put_escaped(struct json *json, uint32_t code)
{
	char text[16];

	switch (code) {
	case '"':
		put_text(json, "\\\"");
		break;
	case '\\':
		put_text(json, "\\\\");
		break;
	case '\n':
		put_text(json, "\\n");
		break;
	case '\t':
		put_text(json, "\\t");
		break;
	default:
		snprintf(text, sizeof text, "\\u%04x", (unsigned)code);
		put_text(json, text);
		break;
	}
}

/* What could control a terminal is escaped, so that an answer can be printed as it is. */
static void put_characters(struct json *json, const char *text, size_t size)
{
	uint32_t code;

	for (size_t i = 0, length; i < size; i += length) {
		length = text_character(text + i, size - i, &code);
		if (length == 0) {
			put_text(json, "\xef\xbf\xbd");
			length = 1;
		} else if (text_is_control(code) || code == '"' || code == '\\') {
			put_escaped(json, code);
		} else {
			put(json, text + i, length);
		}
	}
}

/* What stands in front of a value. */
static void put_key(struct json *json, const char *key)
{
	if (json->comma)
		put_text(json, ",");
	json->comma = true;
	if (key == NULL)
		return;
	put_text(json, "\"");
	put_text(json, key);
	put_text(json, "\":");
}

void json_open(struct json *json, const char *key, char bracket)
{
	put_key(json, key);
	put(json, &bracket, 1);
	json->comma = false;
}

void json_close(struct json *json, char bracket)
{
	put(json, &bracket, 1);
	json->comma = true;
}

void json_end_line(struct json *json)
{
	put_text(json, "\n");
	json->comma = false;
}

void json_string_part(struct json *json, const char *key, const char *text, size_t size)
{
	put_key(json, key);
	put_text(json, "\"");
	put_characters(json, text, size);
	put_text(json, "\"");
}

void json_string(struct json *json, const char *key, const char *text)
{
	if (text == NULL) {
		put_key(json, key);
		put_text(json, "null");
		return;
	}
	json_string_part(json, key, text, strlen(text));
}

#define DIGITS_MAX 20

/* printf would take a third of the time of a whole record. */
static void put_number(struct json *json, uint64_t number)
{
	char text[DIGITS_MAX];
	size_t start = DIGITS_MAX;

	do {
		text[--start] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	put(json, text + start, DIGITS_MAX - start);
}

void json_number(struct json *json, const char *key, uint64_t number)
{
	put_key(json, key);
	put_number(json, number);
}

void json_seconds(struct json *json, const char *key, uint64_t milliseconds)
{
	unsigned fraction = (unsigned)(milliseconds % 1000);
	const char text[] = {'.', (char)('0' + fraction / 100), (char)('0' + fraction / 10 % 10),
	                     (char)('0' + fraction % 10)};

	put_key(json, key);
	put_number(json, milliseconds / 1000);
	put(json, text, sizeof text);
}

void json_boolean(struct json *json, const char *key, bool value)
{
	put_key(json, key);
	put_text(json, value ? "true" : "false");
}

void json_addr(struct json *json, const char *key, const struct addr *addr)
{
	char text[ADDR_TEXT_SIZE];

	json_string(json, key, addr_is_unspecified(addr) ? NULL : addr_format(addr, text));
}
