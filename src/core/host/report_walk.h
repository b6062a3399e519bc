/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The answer to a general query: a walk over all groups that spreads their states over the response interval,
 * packet by packet (RFC 9776 section 5.2, the interface timer). Part of a reporter. Owner thread.
 *
 * The walk follows the order in which groups were added. Another query while it is under way makes it go
 * round to where it stands then, so that whoever asked hears of every group; the pace never falls. A walk is
 * under way if, and only if, `next` is set.
 */
#ifndef MCPROXY_CORE_HOST_REPORT_WALK_H
#define MCPROXY_CORE_HOST_REPORT_WALK_H

#include "core/wire/message.h"

struct reporter_entry;

struct report_walk {
	struct reporter_entry *next; /* to be reported */
	struct reporter_entry *end;  /* where it ends; NULL: behind the last */
	bool again;                  /* behind the last it goes on with the first, and then to `end` */
	bool begun;                  /* some of it may be out */
	uint16_t offset;             /* sources of `next` that are out */
	mtime at;                    /* the next packet; MTIME_NEVER: none */
	mtime until;                 /* everything shall be out */
	size_t left;                 /* bytes of records still to tell, roughly */
};

void report_walk_init(struct report_walk *walk);
/* All groups, whose records take that many bytes, shall be reported within `window`. random: any number. */
void report_walk_start(struct report_walk *walk, struct reporter_entry *entries, size_t bytes, mtime now,
                       mtime window, uint64_t random);
/* It has reported nothing yet. */
bool report_walk_is_waiting(const struct report_walk *walk);
/* Does it tell every group by then? */
bool report_walk_tells_all_by(const struct report_walk *walk, mtime at);
/* An entry is about to be removed from the groups. */
void report_walk_skip(struct report_walk *walk, struct reporter_entry *entries,
                      const struct reporter_entry *entry);
/* The state of an entry changed: its list is reported from the start. */
void report_walk_changed(struct report_walk *walk, const struct reporter_entry *entry);
/* Fills a packet that is due with states. */
void report_walk_write(struct report_walk *walk, struct reporter_entry *entries, mtime now,
                       struct report_writer *writer);

#endif
