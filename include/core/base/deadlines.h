/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who is due first: a heap of the deadlines of objects, which embed a struct deadline each. Re-arming is
 * lazy: a timer that moves later (the usual refresh) leaves the heap alone, and the owner of the objects
 * corrects an entry only when it comes to the top. So a refresh costs O(1) and nothing scans all objects.
 *
 *   deadlines_no_later_than(heap, d, at):  at may only pull d forward; later times are ignored
 *   deadlines_set(heap, d, at):            exactly at; used for the entry at the top
 *
 * Times stand in the heap, four children to a node, so that finding a place touches few cache lines and no
 * object but those that move.
 */
#ifndef MCPROXY_CORE_BASE_DEADLINES_H
#define MCPROXY_CORE_BASE_DEADLINES_H

#include "core/base/mtime.h"

#include <stdbool.h>
#include <stddef.h>

struct deadline {
	uint32_t place; /* 1 + index in the heap; 0: not in it */
	uint16_t kind;  /* the object's type and number, for whoever takes it from the heap */
	uint16_t number;
};

struct deadlines_entry {
	mtime at;
	struct deadline *deadline;
};

struct deadlines {
	struct deadlines_entry *heap;
	size_t count;
	size_t capacity;
};

void deadlines_fini(struct deadlines *deadlines);

/* Makes room for one more object; false when memory is short. Call it when the object is made, so that arming
 * cannot fail later. */
bool deadlines_reserve(struct deadlines *deadlines, size_t objects);

void deadlines_no_later_than(struct deadlines *deadlines, struct deadline *deadline, mtime at);
/* MTIME_NEVER removes it. */
void deadlines_set(struct deadlines *deadlines, struct deadline *deadline, mtime at);
void deadlines_remove(struct deadlines *deadlines, struct deadline *deadline);
/* The entry with the earliest time, NULL when there is none. */
struct deadline *deadlines_first(const struct deadlines *deadlines);
/* Its time; MTIME_NEVER when there is none. */
mtime deadlines_first_at(const struct deadlines *deadlines);

#endif
