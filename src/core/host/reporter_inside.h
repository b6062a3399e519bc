/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The inside of a reporter, shared by the modules that make it up: reporter (entries, the version spoken,
 * packets), reporter_changes (what was reported and what of it is still going out), reporter_queries (what the
 * querier asks, and its absence). Everybody else uses reporter.h.
 */
#ifndef MCPROXY_CORE_HOST_REPORTER_INSIDE_H
#define MCPROXY_CORE_HOST_REPORTER_INSIDE_H

#include "core/base/pool.h"
#include "core/host/report_builder.h"
#include "core/host/reporter.h"

static inline bool reporter_entry_is_member(const struct reporter_entry *entry)
{
	struct filter reported = stored_filter_view(&entry->reported);

	return !filter_is_none(&reported);
}

/* The record of what was reported, in bytes; 0: none is needed. */
static inline size_t reporter_reported_size(const struct reporter *reporter,
                                            const struct reporter_entry *entry)
{
	struct filter reported = stored_filter_view(&entry->reported);

	return filter_is_none(&reported) ? 0
	                                 : report_build_record_size(reporter->family, reported.sources.count);
}

static inline void reporter_clear_pending(struct reporter *reporter, struct reporter_entry *entry)
{
	pool_give(reporter->pool, entry->pending, entry->pending_capacity * sizeof *entry->pending);
	entry->pending = NULL;
	entry->pending_count = entry->pending_capacity = 0;
}

/* Its change is reported no more. */
static inline void reporter_clear_change(struct reporter *reporter, struct reporter_entry *entry)
{
	reporter_clear_pending(reporter, entry);
	entry->mode_left = entry->join_left = entry->leave_left = 0;
	entry->change_at = MTIME_NEVER;
	entry->send_change = entry->kernel_due = false;
}

static inline void reporter_clear_asked(struct reporter *reporter, struct reporter_entry *entry)
{
	pool_give(reporter->pool, entry->asked, entry->asked_count * sizeof *entry->asked);
	entry->asked = NULL;
	entry->asked_count = 0;
}

/* No query about it awaits an answer any more. */
static inline void reporter_clear_answer(struct reporter *reporter, struct reporter_entry *entry)
{
	reporter_clear_asked(reporter, entry);
	entry->answer_at = MTIME_NEVER;
	entry->send_answer = false;
}

/* reporter.c */

uint64_t reporter_random(struct reporter *reporter);
/* A delay in 1..limit. */
mtime reporter_random_delay(struct reporter *reporter, mtime limit);
/* RFC 9776 section 7.2.1: a change of version cancels what is pending. */
void reporter_follow_version(struct reporter *reporter, mtime now);
/* What of the entry is due by now goes out with the next packets. */
void reporter_entry_expire(struct reporter *reporter, struct reporter_entry *entry, mtime now);

/* reporter_changes.c */

/* A state-change report is out: counts down, and arms the next one. Reports of the whole state count as
 * copies of every source's change, too. */
void reporter_change_reported(struct reporter *reporter, mtime now, struct reporter_entry *entry);
/* Between the repetitions of a report. */
mtime reporter_repetition_interval(const struct reporter *reporter);

/* reporter_queries.c */

/* Follows the general query that waits, when its time has come. */
void reporter_follow_general(struct reporter *reporter, mtime now);
/* The whole state, unasked. */
void reporter_tell_all(struct reporter *reporter, mtime now);
/* The next announcement of the whole state, when its time has come. */
void reporter_follow_announcement(struct reporter *reporter, mtime now);

#endif
