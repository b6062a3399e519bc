/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/base/deadlines.h"

#include <assert.h>
#include <stdlib.h>

#define FIRST_CAPACITY 16
#define CHILDREN       4

void deadlines_fini(struct deadlines *deadlines)
{
	free(deadlines->heap);
	*deadlines = (struct deadlines){0};
}

bool deadlines_reserve(struct deadlines *deadlines, size_t objects)
{
	size_t capacity = deadlines->capacity ? deadlines->capacity : FIRST_CAPACITY;
	struct deadlines_entry *heap;

	if (objects <= deadlines->capacity)
		return true;
	while (capacity < objects)
		capacity *= 2;
	heap = realloc(deadlines->heap, capacity * sizeof(*heap));
	if (heap == NULL)
		return false;
	deadlines->heap = heap;
	deadlines->capacity = capacity;
	return true;
}

static void put(struct deadlines *deadlines, size_t index, struct deadlines_entry entry)
{
	deadlines->heap[index] = entry;
	entry.deadline->place = (uint32_t)index + 1;
}

static void move_up(struct deadlines *deadlines, size_t index, struct deadlines_entry entry)
{
	while (index > 0) {
		size_t parent = (index - 1) / CHILDREN;

		if (deadlines->heap[parent].at <= entry.at)
			break;
		put(deadlines, index, deadlines->heap[parent]);
		index = parent;
	}
	put(deadlines, index, entry);
}

/* The child with the earliest time; an index behind the heap when there is none. */
static size_t first_child(const struct deadlines *deadlines, size_t index)
{
	size_t first = CHILDREN * index + 1, end = first + CHILDREN;

	if (end > deadlines->count)
		end = deadlines->count;
	for (size_t child = first + 1; child < end; child++)
		if (deadlines->heap[child].at < deadlines->heap[first].at)
			first = child;
	return first;
}

static void move_down(struct deadlines *deadlines, size_t index, struct deadlines_entry entry)
{
	for (;;) {
		size_t child = first_child(deadlines, index);

		if (child >= deadlines->count || entry.at <= deadlines->heap[child].at)
			break;
		put(deadlines, index, deadlines->heap[child]);
		index = child;
	}
	put(deadlines, index, entry);
}

/* Fills the free place, or one above or below it where the entry belongs. */
static void settle(struct deadlines *deadlines, size_t index, struct deadlines_entry entry)
{
	if (index > 0 && entry.at < deadlines->heap[(index - 1) / CHILDREN].at)
		move_up(deadlines, index, entry);
	else
		move_down(deadlines, index, entry);
}

void deadlines_remove(struct deadlines *deadlines, struct deadline *deadline)
{
	size_t index = deadline->place - 1;

	if (deadline->place == 0)
		return;
	deadline->place = 0;
	if (index != --deadlines->count)
		settle(deadlines, index, deadlines->heap[deadlines->count]);
}

void deadlines_set(struct deadlines *deadlines, struct deadline *deadline, mtime at)
{
	struct deadlines_entry entry = {.at = at, .deadline = deadline};

	if (at == MTIME_NEVER) {
		deadlines_remove(deadlines, deadline);
		return;
	}
	if (deadline->place == 0) {
		assert(deadlines->count < deadlines->capacity && "room was made with the object");
		deadline->place = (uint32_t)++deadlines->count;
	}
	settle(deadlines, deadline->place - 1, entry);
}

void deadlines_no_later_than(struct deadlines *deadlines, struct deadline *deadline, mtime at)
{
	if (deadline->place == 0 || at < deadlines->heap[deadline->place - 1].at)
		deadlines_set(deadlines, deadline, at);
}

struct deadline *deadlines_first(const struct deadlines *deadlines)
{
	return deadlines->count > 0 ? deadlines->heap[0].deadline : NULL;
}

mtime deadlines_first_at(const struct deadlines *deadlines)
{
	return deadlines->count > 0 ? deadlines->heap[0].at : MTIME_NEVER;
}
