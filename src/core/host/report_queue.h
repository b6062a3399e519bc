/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where a reporter's entries stand: waiting for a time, due for the next packets, or idle with nothing left
 * to tell. An entry is in one place at most. Those that wait lie in slots by time, so that a hundred thousand
 * repetitions cost no more each than one, and come out together when they are due together. Part of a
 * reporter. Owner thread.
 */
#ifndef MCPROXY_CORE_HOST_REPORT_QUEUE_H
#define MCPROXY_CORE_HOST_REPORT_QUEUE_H

#include "core/base/mtime.h"

struct reporter_entry;

enum report_place { PLACE_NONE, PLACE_WAITING, PLACE_DUE, PLACE_IDLE };

#define REPORT_QUEUE_SLOTS         128
#define REPORT_QUEUE_SLOT_INTERVAL 32 /* milliseconds */

struct report_queue {
	struct reporter_entry *due;
	struct reporter_entry *idle;
	struct reporter_entry *waiting[REPORT_QUEUE_SLOTS];
	mtime waiting_at[REPORT_QUEUE_SLOTS]; /* nothing in the slot is due before */
	mtime next_at;                        /* the least of these; MTIME_NEVER: nothing waits */
};

void report_queue_init(struct report_queue *queue);
/* To the end of the due or the idle ones, or nowhere, from wherever it is. */
void report_queue_move(struct report_queue *queue, struct reporter_entry *entry, enum report_place place);
/* Until its time (reporter_entry_at) has come. MTIME_NEVER: it does not wait. */
void report_queue_wait(struct report_queue *queue, struct reporter_entry *entry);
/* Takes out those whose time has come: a list by `next`, in order of their slots; their place is nowhere. */
struct reporter_entry *report_queue_take(struct report_queue *queue, mtime now);

#endif
