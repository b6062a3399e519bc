/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/names.h"

#include <arpa/inet.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define NAMES_MAX 4096 /* of all files */
#define LINE_SIZE 1024
#define SPACE     " \t\r\n"

/* Writes the address as the daemon does; false if it is none. */
static bool read_address(const char *text, char address[INET6_ADDRSTRLEN])
{
	int family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
	unsigned char bytes[sizeof(struct in6_addr)];

	return inet_pton(family, text, bytes) == 1 &&
	       inet_ntop(family, bytes, address, INET6_ADDRSTRLEN) != NULL;
}

/* "ADDRESS NAME ..." of hosts(5), or "EXPIRY MAC ADDRESS NAME ..." of leases. The first name of an address counts. */
static void take_line(char *line, struct json_object *names)
{
	char address[INET6_ADDRSTRLEN], *rest, *words[4];
	size_t count = 0, at;

	line[strcspn(line, "#")] = '\0';
	for (char *word = strtok_r(line, SPACE, &rest); word != NULL && count < 4; count++) {
		words[count] = word;
		word = strtok_r(NULL, SPACE, &rest);
	}
	if (count >= 2 && read_address(words[0], address))
		at = 1;
	else if (count == 4 && read_address(words[2], address))
		at = 3;
	else
		return;
	if (strcmp(words[at], "*") != 0 && json_object_object_length(names) < NAMES_MAX &&
	    !json_object_object_get_ex(names, address, NULL))
		json_object_object_add(names, address, json_object_new_string(words[at]));
}

static void read_file(const char *path, struct json_object *names)
{
	char line[LINE_SIZE];
	FILE *file = fopen(path, "re");

	if (file == NULL)
		return;
	while (json_object_object_length(names) < NAMES_MAX && fgets(line, sizeof line, file) != NULL)
		take_line(line, names);
	fclose(file);
}

char *names_document(const char *const *paths, size_t count)
{
	struct json_object *document = json_object_new_object(), *names = json_object_new_object();
	const char *text = NULL;
	char *copy;

	for (size_t i = 0; names != NULL && i < count; i++)
		read_file(paths[i], names);
	json_object_object_add(document, "version", json_object_new_int(1));
	json_object_object_add(document, "names", names);
	text = json_object_to_json_string_ext(document, JSON_C_TO_STRING_PLAIN);
	copy = text != NULL ? strdup(text) : NULL;
	json_object_put(document);
	return copy;
}
