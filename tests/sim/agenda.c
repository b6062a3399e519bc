/* SPDX-License-Identifier: BSD-2-Clause */
#include "agenda.h"

#include <assert.h>
#include <stdlib.h>

void agenda_fini(struct agenda *agenda)
{
	for (size_t i = 0; i < agenda->count; i++)
		if (agenda->items[i].drop != NULL)
			agenda->items[i].drop(agenda->items[i].object);
	free(agenda->items);
	*agenda = (struct agenda){0};
}

static bool is_before(const struct item *a, const struct item *b)
{
	return a->at != b->at ? a->at < b->at : a->serial < b->serial;
}

static void swap(struct item *a, struct item *b)
{
	struct item kept = *a;

	*a = *b;
	*b = kept;
}

void agenda_add_owned(struct agenda *agenda, mtime at, agenda_act *act, void (*drop)(void *object),
                      void *object)
{
	size_t place = agenda->count;

	assert(at >= agenda->now);
	if (agenda->count == agenda->capacity) {
		agenda->capacity = agenda->capacity ? 2 * agenda->capacity : 1024;
		agenda->items = realloc(agenda->items, agenda->capacity * sizeof *agenda->items);
		assert(agenda->items != NULL);
	}
	agenda->items[agenda->count++] = (struct item){
		.at = at, .serial = agenda->serial++, .act = act, .drop = drop, .object = object};
	while (place > 0 && is_before(&agenda->items[place], &agenda->items[(place - 1) / 2])) {
		swap(&agenda->items[place], &agenda->items[(place - 1) / 2]);
		place = (place - 1) / 2;
	}
}

void agenda_add(struct agenda *agenda, mtime at, agenda_act *act, void *object)
{
	agenda_add_owned(agenda, at, act, NULL, object);
}

static void sink(struct agenda *agenda)
{
	size_t place = 0;

	for (;;) {
		size_t child = 2 * place + 1;

		if (child >= agenda->count)
			return;
		if (child + 1 < agenda->count && is_before(&agenda->items[child + 1], &agenda->items[child]))
			child++;
		if (is_before(&agenda->items[place], &agenda->items[child]))
			return;
		swap(&agenda->items[place], &agenda->items[child]);
		place = child;
	}
}

bool agenda_step(struct agenda *agenda, mtime until)
{
	struct item first;

	if (agenda->count == 0 || agenda->items[0].at > until) {
		agenda->now = until;
		return false;
	}
	first = agenda->items[0];
	agenda->items[0] = agenda->items[--agenda->count];
	sink(agenda);
	agenda->now = first.at;
	first.act(first.object, first.at);
	return true;
}
