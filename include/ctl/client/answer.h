/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Parses an answer of the daemon as it arrives. The answer is an object whose lists may be too long to keep
 * in memory: the elements of a list are passed on one by one, other members whole. Prints nothing.
 */
#ifndef MCPROXY_CTL_CLIENT_ANSWER_H
#define MCPROXY_CTL_CLIENT_ANSWER_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

/* A member, or an element of the list with that key; borrowed. */
typedef void answer_take(void *context, const char *key, struct json_object *value);

struct answer;

struct answer *answer_new(answer_take *take, void *context); /* NULL when memory is short */
void answer_free(struct answer *answer);

enum answer_state { ANSWER_OPEN, ANSWER_WHOLE, ANSWER_BAD };
/* Parses the next bytes. Bytes after a whole answer are ignored. */
enum answer_state answer_feed(struct answer *answer, const char *text, size_t size);

/* Members of an object; a missing member is "", 0 or false. */
const char *answer_text(struct json_object *object, const char *key);
double answer_number(struct json_object *object, const char *key);
bool answer_bool(struct json_object *object, const char *key);
bool answer_has(struct json_object *object, const char *key); /* present and not null */
/* NULL when it is not there. */
struct json_object *answer_member(struct json_object *object, const char *key);
/* The number of reports dropped on a link. It excludes reports about groups of link-local scope, which
 * every IPv6 host sends and no proxy forwards, and reports of other hosts upstream. */
double answer_drops(struct json_object *link);
/* The length of a list; 0 for any other value. */
size_t answer_length(struct json_object *list);

#endif
