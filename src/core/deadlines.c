/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/deadlines.h"

#include <assert.h>
#include <stdlib.h>

#define FIRST_CAPACITY 16

void deadlines_fini(struct deadlines *deadlines)
{
	free(deadlines->heap);
	*deadlines = (struct deadlines){0};
}

bool deadlines_reserve(struct deadlines *deadlines, size_t objects)
{
	size_t capacity = deadlines->capacity ? deadlines->capacity : FIRST_CAPACITY;
	struct deadline **heap;

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

static void put(struct deadlines *deadlines, size_t index, struct deadline *deadline)
{
	deadlines->heap[index] = deadline;
	deadline->place = (uint32_t)index + 1;
}

static void move_up(struct deadlines *deadlines, size_t index)
{
	struct deadline *deadline = deadlines->heap[index];

	while (index > 0) {
		size_t parent = (index - 1) / 2;

		if (deadlines->heap[parent]->at <= deadline->at)
			break;
		put(deadlines, index, deadlines->heap[parent]);
		index = parent;
	}
	put(deadlines, index, deadline);
}

static void move_down(struct deadlines *deadlines, size_t index)
{
	struct deadline *deadline = deadlines->heap[index];

	for (;;) {
		size_t child = 2 * index + 1;

		if (child >= deadlines->count)
			break;
		if (child + 1 < deadlines->count &&
		    deadlines->heap[child + 1]->at < deadlines->heap[child]->at)
			child++;
		if (deadline->at <= deadlines->heap[child]->at)
			break;
		put(deadlines, index, deadlines->heap[child]);
		index = child;
	}
	put(deadlines, index, deadline);
}

void deadlines_remove(struct deadlines *deadlines, struct deadline *deadline)
{
	size_t index = deadline->place - 1;
	struct deadline *last;

	if (deadline->place == 0)
		return;
	deadline->place = 0;
	last = deadlines->heap[--deadlines->count];
	if (last == deadline)
		return;
	put(deadlines, index, last);
	move_up(deadlines, index);
	move_down(deadlines, last->place - 1);
}

void deadlines_set(struct deadlines *deadlines, struct deadline *deadline, mtime at)
{
	if (at == MTIME_NEVER) {
		deadlines_remove(deadlines, deadline);
		return;
	}
	if (deadline->place == 0) {
		assert(deadlines->count < deadlines->capacity && "room was made with the object");
		put(deadlines, deadlines->count++, deadline);
	}
	deadline->at = at;
	move_up(deadlines, deadline->place - 1);
	move_down(deadlines, deadline->place - 1);
}

void deadlines_no_later_than(struct deadlines *deadlines, struct deadline *deadline, mtime at)
{
	if (deadline->place == 0 || at < deadline->at)
		deadlines_set(deadlines, deadline, at);
}

struct deadline *deadlines_first(const struct deadlines *deadlines)
{
	return deadlines->count > 0 ? deadlines->heap[0] : NULL;
}
