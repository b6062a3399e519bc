/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The lists of a reporter's entries by place (enum report_place). Waiting entries lie in slots by time. So
 * the cost of a repetition does not grow with their number, and entries that are due together come out
 * together. Part of a reporter. Owner thread.
 */
#ifndef MCPROXY_CORE_HOST_REPORT_QUEUE_H
#define MCPROXY_CORE_HOST_REPORT_QUEUE_H

#include "core/host/reporter_entry.h"

#define REPORT_QUEUE_SLOTS         128
#define REPORT_QUEUE_SLOT_INTERVAL 32 /* milliseconds */

struct report_queue {
	struct reporter_entry *due;
	struct reporter_entry *idle;
	struct reporter_entry *waiting[REPORT_QUEUE_SLOTS];
	mtime waiting_at[REPORT_QUEUE_SLOTS]; /* no entry of the slot is due before */
	mtime next_at;                        /* the earliest of these; MTIME_NEVER: no entry waits */
};

void report_queue_init(struct report_queue *queue);
/* Moves the entry from its place to the end of another one; place: not PLACE_WAITING. */
void report_queue_move(struct report_queue *queue, struct reporter_entry *entry, enum report_place place);
/* The entry waits until its time (reporter_entry_at). MTIME_NEVER: it moves to PLACE_NONE. */
void report_queue_wait(struct report_queue *queue, struct reporter_entry *entry);
/* Takes the entries whose time has come: a list by `next`, in order of their slots, now in PLACE_NONE. */
struct reporter_entry *report_queue_take(struct report_queue *queue, mtime now);

#endif
