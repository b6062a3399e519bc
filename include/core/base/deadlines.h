/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A heap of deadlines of objects, the earliest first. Each object embeds a struct deadline. Updates are lazy:
 * a timer that moves later (the usual refresh) leaves the heap as it is, and the caller corrects an entry
 * only when it is at the top. So a refresh costs O(1), and nothing scans all objects.
 *
 *   deadlines_no_later_than(heap, d, at):  can only move d forward; ignores later times
 *   deadlines_set(heap, d, at):            exactly at; for the entry at the top
 *
 * The times are in the heap, with four children for each node. So a search touches few cache lines, and only
 * those objects that move.
 */
#ifndef MCPROXY_CORE_BASE_DEADLINES_H
#define MCPROXY_CORE_BASE_DEADLINES_H

#include "core/base/mtime.h"

#include <stdbool.h>
#include <stddef.h>

struct deadline {
	uint32_t place; /* 1 + index in the heap; 0: not in it */
	uint16_t kind;  /* type and number of the object, for the caller */
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

/* Makes room for that many objects in all; false when memory is short. Called when an object is made, so that
 * a later deadlines_set cannot fail. */
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
