/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/control/request.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#define DEPTH_MAX 2

/* "239.1.2.3" or "239.0.0.0/8". */
static bool read_prefix(struct control_request *request, const char *text)
{
	const char *slash = strchr(text, '/');
	size_t size = slash != NULL ? (size_t)(slash - text) : strlen(text);
	char address[ADDR_TEXT_SIZE];
	unsigned long length, bits;
	char *end;

	if (size >= sizeof address)
		return false;
	memcpy(address, text, size);
	address[size] = '\0';
	if (!addr_parse(address, &request->prefix))
		return false;
	bits = addr_family(&request->prefix) == FAMILY_IPV4 ? 32 : 128;
	length = bits;
	if (slash != NULL) {
		if (slash[1] < '0' || slash[1] > '9')
			return false;
		length = strtoul(slash + 1, &end, 10);
		if (*end != '\0')
			return false;
	}
	request->prefix_length = (unsigned)(length + 128 - bits);
	return length <= bits;
}

static bool read_word(char *word, size_t size, const char *text)
{
	if (strlen(text) >= size)
		return false;
	strcpy(word, text);
	return true;
}

static bool read_member(struct control_request *request, const char *key, const char *text)
{
	const struct {
		const char *key;
		char *word;
		size_t size;
	} words[] = {
		{"command", request->command, sizeof request->command},
		{"what", request->what, sizeof request->what},
		{"instance", request->instance, sizeof request->instance},
		{"link", request->link, sizeof request->link},
		{"level", request->level, sizeof request->level},
	};

	if (strcmp(key, "group") == 0)
		return read_prefix(request, text);
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(key, words[i].key) == 0)
			return read_word(words[i].word, words[i].size, text);
	return false;
}

static bool read_object(struct json_object *object, struct control_request *request,
                        char error[CONTROL_ERROR_SIZE])
{
	json_object_object_foreach(object, key, value)
	{
		/* A text with a zero byte in it is not what it seems. */
		const char *text = json_object_get_string(value);
		bool good = json_object_is_type(value, json_type_string) &&
		            strlen(text) == (size_t)json_object_get_string_len(value) &&
		            read_member(request, key, text);

		if (!good) {
			snprintf(error, CONTROL_ERROR_SIZE, "%.32s: %s", key,
			         strcmp(key, "group") == 0
			                 ? "an address or a prefix such as 239.1.0.0/16 is expected"
			                 : "unknown, or not a valid value");
			return false;
		}
	}
	if (request->command[0] == '\0')
		snprintf(error, CONTROL_ERROR_SIZE, "a command is missing");
	return request->command[0] != '\0';
}

static struct json_object *parse(const char *line, size_t size, char error[CONTROL_ERROR_SIZE])
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
	struct json_object *object;
	enum json_tokener_error result;

	if (tokener == NULL) {
		snprintf(error, CONTROL_ERROR_SIZE, "out of memory");
		return NULL;
	}
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	object = json_tokener_parse_ex(tokener, line, (int)size);
	result = json_tokener_get_error(tokener);
	if (result == json_tokener_continue)
		snprintf(error, CONTROL_ERROR_SIZE, "not a JSON object: the line ends within it");
	else if (result != json_tokener_success)
		snprintf(error, CONTROL_ERROR_SIZE, "not JSON: %s", json_tokener_error_desc(result));
	else if (!json_object_is_type(object, json_type_object))
		snprintf(error, CONTROL_ERROR_SIZE, "not a JSON object");
	json_tokener_free(tokener);
	return object;
}

bool control_request_read(const char *line, size_t size, struct control_request *request,
                          char error[CONTROL_ERROR_SIZE])
{
	struct json_object *object;
	bool good;

	*request = (struct control_request){0};
	error[0] = '\0';
	object = parse(line, size, error);
	good = error[0] == '\0' && read_object(object, request, error);
	json_object_put(object);
	return good;
}

bool control_request_wants_group(const struct control_request *request, const struct addr *group)
{
	return request->prefix_length == 0 || addr_in_prefix(group, &request->prefix, request->prefix_length);
}
