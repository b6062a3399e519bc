/* SPDX-License-Identifier: BSD-2-Clause
 *
 * JSON, written from front to back into a growing buffer, without a tree. The writer puts the commas; the
 * caller closes what it opens. Key is NULL within an array. Bytes that are no UTF-8 become replacement
 * characters, so that every line is valid JSON.
 */
#ifndef MCPROXY_DAEMON_CONTROL_JSON_H
#define MCPROXY_DAEMON_CONTROL_JSON_H

#include "core/base/addr.h"

#include <stddef.h>

struct json {
	char *text; /* not terminated */
	size_t size;
	size_t capacity;
	bool comma;  /* the next value needs one in front */
	bool failed; /* memory is short: the text is not whole */
};

void json_fini(struct json *json);
/* Forgets the first bytes, which were sent. */
void json_consume(struct json *json, size_t size);

/* Adds what is written in another one: whole lines. */
void json_copy(struct json *json, const struct json *lines);

void json_open(struct json *json, const char *key, char bracket);       /* '{' or '[' */
void json_close(struct json *json, char bracket);                       /* '}' or ']' */
void json_end_line(struct json *json);                                  /* after the outermost object */
void json_string(struct json *json, const char *key, const char *text); /* NULL: null */
void json_string_part(struct json *json, const char *key, const char *text, size_t size);
void json_number(struct json *json, const char *key, uint64_t number);
void json_seconds(struct json *json, const char *key, uint64_t milliseconds); /* 1.5 */
void json_boolean(struct json *json, const char *key, bool value);
void json_addr(struct json *json, const char *key, const struct addr *addr); /* unspecified: null */

#endif
