/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A group as a reporter sees it: the state that it has reported upstream, and what it still has to send. The
 * host embeds an entry as the first member of its own row. Value type; owner thread.
 */
#ifndef MCPROXY_CORE_HOST_REPORTER_ENTRY_H
#define MCPROXY_CORE_HOST_REPORTER_ENTRY_H

#include "core/base/index.h"
#include "core/base/mtime.h"
#include "core/base/stored_filter.h"

/* Where an entry stands; an entry is in one place at most. */
enum report_place {
	PLACE_NONE,
	PLACE_WAITING, /* for its time */
	PLACE_DUE,     /* goes out with the next packets */
	PLACE_IDLE     /* nothing is reported and nothing remains to be sent */
};

struct pending_source {
	struct addr addr;
	uint8_t copies_left;
};

struct reporter_entry {
	struct index_node node;
	struct addr group;
	struct stored_filter reported;      /* the newest state; reports describe this one */
	struct pending_source *pending;     /* sources whose change is still to be reported; on the pool */
	struct addr *asked;                 /* sources of a query that awaits an answer; on the pool */
	struct reporter_entry *prev, *next; /* in the list of its place */
	mtime change_at;                    /* next state-change report; MTIME_NEVER: none */
	mtime answer_at;                    /* answer to a query; MTIME_NEVER: none */
	uint16_t pending_count;
	uint16_t pending_capacity;
	uint16_t asked_count; /* 0 with an answer due: the whole state */
	uint16_t offset;      /* sources of the current report that earlier packets carried */
	uint8_t mode_left;    /* reports of the whole state (TO_IN, TO_EX) still to be sent */
	uint8_t join_left;    /* the same in older versions */
	uint8_t leave_left;
	uint8_t place; /* enum report_place */
	uint8_t slot;  /* of PLACE_WAITING */
	bool send_change;
	bool send_answer;
	bool kernel_due; /* the kernel sends its own first report a little later, and no leave before it */
};

_Static_assert(sizeof(void *) > 8 || sizeof(struct reporter_entry) <= 128, "there may be 100,000 of them");

/* When it must be sent next; MTIME_NEVER: nothing is scheduled. */
static inline mtime reporter_entry_at(const struct reporter_entry *entry)
{
	return mtime_min(entry->change_at, entry->answer_at);
}

/* The entry added after this one; NULL: this is the last. */
static inline struct reporter_entry *reporter_newer(const struct reporter_entry *entry)
{
	return (struct reporter_entry *)entry->node.newer;
}

/* Upstream knows this host as a member of the group. */
static inline bool reporter_entry_is_member(const struct reporter_entry *entry)
{
	struct filter reported = stored_filter_view(&entry->reported);

	return !filter_is_none(&reported);
}

/* Nothing is reported, and nothing remains to be sent. */
static inline bool reporter_is_idle(const struct reporter_entry *entry)
{
	return entry->reported.mode == FILTER_INCLUDE && entry->reported.count == 0 &&
	       entry->place != PLACE_DUE && reporter_entry_at(entry) == MTIME_NEVER;
}

#endif
