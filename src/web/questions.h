/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the daemon is asked next: lists regularly, and at once what an event has changed. Nothing is asked so often that
 * the answers take much of the time. Pure.
 */
#ifndef MCPROXY_WEB_QUESTIONS_H
#define MCPROXY_WEB_QUESTIONS_H

#include "core/base/mtime.h"
#include "web/model.h"

#include <json-c/json.h>

/* In the order in which they are asked. */
enum ask { ASK_STATUS, ASK_INSTANCES, ASK_LINKS, ASK_UPLINKS, ASK_FILTERS, ASK_GROUPS, ASK_ROUTES, ASKS };

/* A whole list, or one object of it: a part of the list that has it, and its key ("": the whole list). */
struct question {
	enum ask ask;
	char instance[128], link[32], group[64];
	char key[KEY_SIZE];
};

#define QUESTIONS_SINGLES_MAX 16 /* objects to ask for one by one; more: the whole list */

struct questions {
	struct {
		bool read;     /* since questions_begin */
		bool soon;     /* an event asks for it */
		mtime soon_at; /* not before */
		mtime regular_at;
	} turns[ASKS];
	struct question singles[QUESTIONS_SINGLES_MAX];
	size_t single_count;
};

/* All lists are asked for now. */
void questions_begin(struct questions *questions, mtime now);
/* Asks for what an event of the monitor has changed. line: the event as the daemon wrote it, because its texts make
 * keys. Returns whether doctor may find something else now. */
bool questions_note(struct questions *questions, struct json_object *event, const char *line);
/* The next question; false if there is none now. */
bool questions_next(struct questions *questions, mtime now, struct question *next);
void questions_answer(struct questions *questions, const struct question *question, mtime asked_at,
                      mtime now);
/* Has every list been read once? */
bool questions_are_answered(const struct questions *questions);
mtime questions_deadline(const struct questions *questions);

/* What `show` shows, and the list in the answer (LISTS: the answer itself is an object). */
const char *question_what(const struct question *question);
enum list question_list(const struct question *question);

#endif
