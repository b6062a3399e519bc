/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/firewall/rule_texts.h"

#include "ctl/firewall/match.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HANDLE    " # handle "
#define RULE_SIZE 256

/* Where the line ends with a handle; NULL: it does not. */
static const char *find_handle(const char *line)
{
	const char *found = NULL, *next = line;

	while ((next = strstr(next, HANDLE)) != NULL)
		found = next++;
	return found != NULL && found[strspn(found + strlen(HANDLE), "0123456789") + strlen(HANDLE)] == '\0'
	               ? found
	               : NULL;
}

/* Adds the text of a line, or its part up to the end, to a rule that may span several. */
static void append(char rule[RULE_SIZE], const char *line, size_t size)
{
	size_t used = strlen(rule);

	snprintf(rule + used, RULE_SIZE - used, "%s%.*s", used > 0 ? " " : "", (int)size, line);
}

static void add_text(struct json_object *index, struct json_object *table, const char *handle,
                     const char *rule)
{
	char key[FIREWALL_KEY_SIZE];

	firewall_key(table, 'x', handle, key);
	json_object_object_add(index, key, json_object_new_string(rule));
}

static void begin_table(struct json_object *table, const char *line)
{
	char family[16], name[TRACE_NAME_SIZE];

	if (sscanf(line, "table %15s %127s {", family, name) != 2)
		return;
	json_object_object_add(table, "family", json_object_new_string(family));
	json_object_object_add(table, "table", json_object_new_string(name));
}

void rule_texts_read(const char *text, struct json_object *index)
{
	struct json_object *table = json_object_new_object();
	char *copy = strdup(text), *rest = copy, *line, rule[RULE_SIZE] = "";

	while (copy != NULL && (line = strsep(&rest, "\n")) != NULL) {
		const char *start = line + strspn(line, "\t "), *handle = find_handle(start);
		size_t length = strlen(start);

		if (line == start && *line != '}')
			begin_table(table, line);
		if (handle != NULL && handle > start && handle[-1] != '{') {
			append(rule, start, (size_t)(handle - start));
			add_text(index, table, handle + strlen(HANDLE), rule);
			rule[0] = '\0';
		} else if (handle != NULL || length == 0 || start[length - 1] == ';' ||
		           strncmp(start, "comment ", 8) == 0) {
			rule[0] = '\0';
		} else {
			append(rule, start, length);
		}
	}
	free(copy);
	json_object_put(table);
}
