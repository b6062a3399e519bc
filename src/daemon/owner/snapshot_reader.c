/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/snapshot_reader.h"

#include "daemon/owner/instances.h"
#include "daemon/owner/owner.h"

struct snapshot_reader *snapshot_reader_take(struct owner *owner, snapshot_page_handler *page, void *reader)
{
	for (size_t cursor = 0; cursor < SNAPSHOT_CURSORS; cursor++) {
		struct snapshot_reader *walk = &owner->walks[cursor];

		if (walk->page != NULL || walk->waiting)
			continue;
		*walk = (struct snapshot_reader){.page = page, .reader = reader};
		return walk;
	}
	return NULL;
}

void snapshot_reader_give(struct snapshot_reader *walk)
{
	walk->page = NULL;
	walk->reader = NULL;
}

void snapshot_reader_start(struct snapshot_reader *walk, unsigned instance, enum snapshot_kind what,
                           uint8_t link)
{
	walk->instance = instance;
	walk->what = (uint8_t)what;
	walk->link = link;
	walk->first = true;
	walk->ended = false;
}

bool snapshot_reader_request(struct owner *owner, struct snapshot_reader *walk)
{
	struct instance_slot *instance = &owner->instances[walk->instance];
	struct input input = {.kind = INPUT_SNAPSHOT,
	                      .link = walk->link,
	                      .cursor = (uint8_t)(walk - owner->walks),
	                      .what = walk->what,
	                      .first = walk->first};

	if (walk->ended || instance->channel == NULL) {
		walk->page(walk->reader, owner, NULL, 0, false);
		owner->loop.again = true;
		return false;
	}
	if (!worker_tell(instance->channel, &input, NULL, 0))
		return false;
	lane_wake(instance->channel->down);
	walk->first = false;
	walk->waiting = true;
	return true;
}

void snapshot_reader_deliver(struct owner *owner, const struct instance_slot *instance,
                             const struct request *request, const void *payload)
{
	struct snapshot_reader *walk = &owner->walks[request->cursor % SNAPSHOT_CURSORS];

	if (!walk->waiting || walk->instance != instance->number)
		return;
	walk->waiting = false;
	if (walk->page != NULL)
		walk->page(walk->reader, owner, payload, request->count, request->more);
}

void snapshot_reader_instance_stopped(struct owner *owner, unsigned instance)
{
	for (size_t cursor = 0; cursor < SNAPSHOT_CURSORS; cursor++) {
		struct snapshot_reader *walk = &owner->walks[cursor];

		if (walk->instance != instance)
			continue;
		walk->ended = true;
		if (!walk->waiting)
			continue;
		walk->waiting = false;
		if (walk->page != NULL && !owner->stopping)
			walk->page(walk->reader, owner, NULL, 0, false);
	}
}
