/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The answer to a general query: a walk over all groups that spreads their states over the response interval,
 * packet by packet (RFC 9776 section 5.2, the interface timer). Part of a reporter. Owner thread.
 *
 * The walk follows the order in which groups were added. If another query arrives during a walk, the walk
 * goes round to its present position, so that this querier also gets a report about every group. The pace
 * never falls. A walk is in progress if, and only if, `next` is set.
 */
#ifndef MCPROXY_CORE_HOST_REPORT_WALK_H
#define MCPROXY_CORE_HOST_REPORT_WALK_H

#include "core/wire/message.h"

struct reporter_entry;

struct report_walk {
	struct reporter_entry *next; /* to be reported */
	struct reporter_entry *end;  /* where the walk ends; NULL: behind the last */
	bool again;                  /* behind the last it goes on with the first, and then to `end` */
	bool begun;                  /* some states may be out */
	uint16_t offset;             /* sources of `next` that are out */
	mtime at;                    /* the next packet; MTIME_NEVER: none */
	mtime until;                 /* all states must be out */
	size_t left;                 /* bytes of records still to be sent, roughly */
};

void report_walk_init(struct report_walk *walk);
/* Reports all groups, whose records take that many bytes, within `window`. random: any number. */
void report_walk_start(struct report_walk *walk, struct reporter_entry *entries, size_t bytes, mtime now,
                       mtime window, uint64_t random);
/* The walk has not reported anything yet. */
bool report_walk_is_waiting(const struct report_walk *walk);
/* The walk reports every group by that time. */
bool report_walk_ends_by(const struct report_walk *walk, mtime at);
/* An entry is about to be removed from the groups. */
void report_walk_skip(struct report_walk *walk, struct reporter_entry *entries,
                      const struct reporter_entry *entry);
/* The state of an entry changed: the walk reports its list from the start. */
void report_walk_changed(struct report_walk *walk, const struct reporter_entry *entry);
/* Fills a packet that is due with states. */
void report_walk_write(struct report_walk *walk, struct reporter_entry *entries, mtime now,
                       struct report_writer *writer);

#endif
