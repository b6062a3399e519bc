/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/host/report_queue.h"

#include <utlist.h>

void report_queue_init(struct report_queue *queue)
{
	*queue = (struct report_queue){.next_at = MTIME_NEVER};
	for (int slot = 0; slot < REPORT_QUEUE_SLOTS; slot++)
		queue->waiting_at[slot] = MTIME_NEVER;
}

static void find_next(struct report_queue *queue)
{
	queue->next_at = MTIME_NEVER;
	for (int slot = 0; slot < REPORT_QUEUE_SLOTS; slot++)
		queue->next_at = mtime_min(queue->next_at, queue->waiting_at[slot]);
}

static struct reporter_entry **list_of(struct report_queue *queue, const struct reporter_entry *entry)
{
	switch ((enum report_place)entry->place) {
	case PLACE_WAITING:
		return &queue->waiting[entry->slot];
	case PLACE_DUE:
		return &queue->due;
	case PLACE_IDLE:
		return &queue->idle;
	case PLACE_NONE:
		break;
	}
	return NULL;
}

static void leave(struct report_queue *queue, struct reporter_entry *entry)
{
	struct reporter_entry **list = list_of(queue, entry);

	if (list == NULL)
		return;
	DL_DELETE(*list, entry);
	if (entry->place == PLACE_WAITING && *list == NULL) {
		bool was_next = queue->waiting_at[entry->slot] == queue->next_at;

		queue->waiting_at[entry->slot] = MTIME_NEVER;
		if (was_next)
			find_next(queue);
	}
	entry->place = PLACE_NONE;
}

static void enter(struct report_queue *queue, struct reporter_entry *entry, enum report_place place)
{
	struct reporter_entry **list;

	entry->place = (uint8_t)place;
	list = list_of(queue, entry);
	if (list != NULL)
		DL_APPEND(*list, entry);
}

void report_queue_move(struct report_queue *queue, struct reporter_entry *entry, enum report_place place)
{
	if (entry->place == place)
		return;
	leave(queue, entry);
	enter(queue, entry, place);
}

void report_queue_wait(struct report_queue *queue, struct reporter_entry *entry)
{
	mtime at = reporter_entry_at(entry);

	leave(queue, entry);
	if (at == MTIME_NEVER)
		return;
	entry->slot = (uint8_t)(at / REPORT_QUEUE_SLOT_INTERVAL % REPORT_QUEUE_SLOTS);
	enter(queue, entry, PLACE_WAITING);
	queue->waiting_at[entry->slot] = mtime_min(queue->waiting_at[entry->slot], at);
	queue->next_at = mtime_min(queue->next_at, at);
}

/* Takes the due entries of one slot. The others belong to a later round of the slots, and stay. */
static void take_slot(struct report_queue *queue, int slot, mtime now, struct reporter_entry **taken)
{
	struct reporter_entry *list = queue->waiting[slot], *entry, *next;

	queue->waiting[slot] = NULL;
	queue->waiting_at[slot] = MTIME_NEVER;
	for (entry = list; entry != NULL; entry = next) {
		mtime at = reporter_entry_at(entry);

		next = entry->next;
		if (at <= now) {
			entry->place = PLACE_NONE;
			DL_APPEND(*taken, entry);
		} else {
			DL_APPEND(queue->waiting[slot], entry);
			queue->waiting_at[slot] = mtime_min(queue->waiting_at[slot], at);
		}
	}
}

struct reporter_entry *report_queue_take(struct report_queue *queue, mtime now)
{
	struct reporter_entry *taken = NULL;
	int first = (int)(queue->next_at / REPORT_QUEUE_SLOT_INTERVAL % REPORT_QUEUE_SLOTS);

	if (queue->next_at > now)
		return NULL;
	for (int i = 0; i < REPORT_QUEUE_SLOTS; i++) {
		int slot = (first + i) % REPORT_QUEUE_SLOTS;

		if (queue->waiting_at[slot] <= now)
			take_slot(queue, slot, now, &taken);
	}
	find_next(queue);
	return taken;
}
