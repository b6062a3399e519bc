/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The daemon's lists as the server last read them, shared by all clients, and what has changed since the last
 * event. Objects are texts; each has a key, which is unique in its list.
 */
#ifndef MCPROXY_WEB_MODEL_H
#define MCPROXY_WEB_MODEL_H

#include <stdbool.h>
#include <stddef.h>

enum list {
	LIST_INSTANCES,
	LIST_LINKS,
	LIST_GROUPS,
	LIST_ROUTES,
	LIST_UPSTREAM,
	LIST_FILTERS,
	LIST_FINDINGS,
	LISTS,
};

/* The name of the list in answers and events. */
const char *list_name(enum list list);

struct model;
struct model *model_new(void); /* NULL when memory is short */
void model_free(struct model *model);
/* Forgets everything: the daemon is away, or no client is left. */
void model_clear(struct model *model);

/* An answer with a list or a part of it follows. */
void model_begin(struct model *model, enum list list);
/* Takes an object of the answer at hand. */
void model_take(struct model *model, enum list list, const char *text, size_t size);
/* The whole list was taken: an object that has not come since model_begin is gone. */
void model_end(struct model *model, enum list list);
/* Only this object was asked for: it is gone if it has not come since model_begin. */
void model_end_one(struct model *model, enum list list, const char *key);
/* The answer to `show status`: an object. */
void model_set_status(struct model *model, const char *text, size_t size);

bool model_has_changed(const struct model *model);
/* What has changed, or the whole, as the data of an event in one line; the caller frees it. NULL when memory is short. */
char *model_changes(struct model *model, double time, size_t *size); /* since the last call */
char *model_snapshot(const struct model *model, double time, size_t *size);

/* Writes the key that an object of the list has; false if it is too long. */
#define KEY_SIZE 1024
bool model_key(enum list list, const char *text, size_t size, char key[KEY_SIZE]);

#endif
