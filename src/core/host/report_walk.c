/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/host/report_walk.h"

#include "core/host/report_builder.h"

#define PACKET_BYTES 1400 /* a larger state is spread over time */

void report_walk_init(struct report_walk *walk)
{
	*walk = (struct report_walk){.at = MTIME_NEVER};
}

static void begin(struct report_walk *walk, struct reporter_entry *entries, mtime at, mtime until)
{
	*walk = (struct report_walk){.next = entries, .at = at, .until = until};
}

/* Goes round to its present position, at the same pace or faster. */
static void go_round(struct report_walk *walk, size_t bytes, mtime now, mtime until)
{
	if (walk->left > 0 && walk->until > now)
		until = mtime_min(until, now + (walk->until - now) * (mtime)bytes / (mtime)walk->left);
	walk->end = walk->offset > 0 ? reporter_newer(walk->next) : walk->next;
	walk->again = true;
	walk->until = until;
}

void report_walk_start(struct report_walk *walk, struct reporter_entry *entries, size_t bytes, mtime now,
                       mtime window, uint64_t random)
{
	bool spread = bytes > PACKET_BYTES;
	mtime delay = spread ? window / 8 : window;
	mtime at = now + 1 + (delay > 1 ? (mtime)(random % (uint64_t)delay) : 0);
	mtime until = spread ? now + window * 7 / 8 : at;

	if (entries == NULL)
		return;
	if (walk->next == NULL)
		begin(walk, entries, at, until);
	else if (walk->begun)
		go_round(walk, bytes, now, until);
	walk->at = mtime_min(walk->at, at);
	walk->until = mtime_min(walk->until, until);
	walk->left = bytes;
}

bool report_walk_is_waiting(const struct report_walk *walk)
{
	return walk->next != NULL && !walk->begun;
}

bool report_walk_ends_by(const struct report_walk *walk, mtime at)
{
	return report_walk_is_waiting(walk) && walk->until <= at;
}

/* Moves to the next entry; `first` follows the last one. */
static void advance(struct report_walk *walk, struct reporter_entry *first)
{
	walk->offset = 0;
	walk->next = reporter_newer(walk->next);
	if (walk->next == NULL && walk->again) {
		walk->again = false;
		walk->next = first;
	}
	if (!walk->again && walk->next == walk->end)
		walk->next = NULL;
	if (walk->next == NULL)
		walk->at = MTIME_NEVER;
}

void report_walk_skip(struct report_walk *walk, struct reporter_entry *entries,
                      const struct reporter_entry *entry)
{
	if (walk->end == entry)
		walk->end = reporter_newer(entry);
	if (walk->next == entry)
		advance(walk, entries == entry ? reporter_newer(entry) : entries);
}

void report_walk_changed(struct report_walk *walk, const struct reporter_entry *entry)
{
	if (walk->next == entry)
		walk->offset = 0;
}

/* Spreads the remaining bytes evenly over the remaining time. */
static mtime pause_between(const struct report_walk *walk, mtime now, size_t packet_size)
{
	mtime packets = (mtime)(walk->left / packet_size) + 1;

	return walk->until > now ? (walk->until - now) / packets : 0;
}

void report_walk_write(struct report_walk *walk, struct reporter_entry *entries, mtime now,
                       struct report_writer *writer)
{
	walk->begun = true;
	while (walk->next != NULL) {
		size_t before = writer->size;
		bool whole = report_build_state(walk->next, writer, &walk->offset);

		walk->left -= walk->left < writer->size - before ? walk->left : writer->size - before;
		if (!whole) {
			walk->at = now + pause_between(walk, now, writer->capacity);
			return;
		}
		advance(walk, entries);
	}
}
