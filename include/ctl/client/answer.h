/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reads an answer of the daemon as it comes: an object, whose lists may be longer than anybody wants to keep.
 * The elements of a list are handed out one by one, other members whole. Nothing is printed here.
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
/* The next bytes. What follows a whole answer is ignored. */
enum answer_state answer_feed(struct answer *answer, const char *text, size_t size);

/* Members of an object; what is not there is "", 0 or false. */
const char *answer_text(struct json_object *object, const char *key);
double answer_number(struct json_object *object, const char *key);
bool answer_bool(struct json_object *object, const char *key);
bool answer_has(struct json_object *object, const char *key); /* and it is not null */
/* NULL when it is not there. */
struct json_object *answer_member(struct json_object *object, const char *key);
/* How many reports a link's record says were dropped. Those about groups of link scope are none: every IPv6
 * host has some to tell of, and they are of no concern to a proxy; nor are those of other hosts upstream. */
double answer_drops(struct json_object *link);
/* Of a list; what is none has no elements. */
size_t answer_length(struct json_object *list);

#endif
