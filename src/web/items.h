/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The text of the daemon's answers, without a tree of objects: an answer arrives in pieces, and its members and
 * the elements of its lists are passed on as they are written. Pure but for memory.
 */
#ifndef MCPROXY_WEB_ITEMS_H
#define MCPROXY_WEB_ITEMS_H

#include <stdbool.h>
#include <stddef.h>

#define ITEM_SIZE_MAX ((size_t)4 << 20) /* of one member or element: a group with very many hosts */
#define ITEM_KEY_SIZE 32

/* A member of the answer, or an element of the list with that name: its JSON, which has no control character. */
typedef void items_take(void *context, const char *name, const char *text, size_t size);

enum items_state { ITEMS_OPEN, ITEMS_WHOLE, ITEMS_BAD };

/* An answer in progress. */
struct items {
	items_take *take;
	void *context;
	int expected; /* enum expected of items.c */
	bool in_list;
	bool in_string, escaped; /* within a key or an item */
	unsigned depth;          /* of the item */
	char name[ITEM_KEY_SIZE];
	char *text;
	size_t size, room;
};

void items_begin(struct items *items, items_take *take, void *context);
void items_end(struct items *items);
/* Parses the next bytes. Bytes after a whole answer are ignored. */
enum items_state items_feed(struct items *items, const char *bytes, size_t size);

/* A member of an object: its JSON; a string is without its quotes. False if there is none. */
bool item_member(const char *text, size_t size, const char *name, const char **value, size_t *value_size);
/* Is the member this very text, which needs no escape? */
bool item_is(const char *text, size_t size, const char *name, const char *value);
/* Copies the object without the members that change as time passes, at any depth: two such copies are equal if
 * nothing has happened. out has the same size; returns how much of it is used. */
size_t item_settle(const char *text, size_t size, char *out);

#endif
