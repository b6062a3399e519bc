/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The state of a reporter, and what all its parts share: its entries by group, the version that it speaks,
 * random delays. Pure; owner thread.
 */
#ifndef MCPROXY_CORE_HOST_REPORTER_ENTRIES_H
#define MCPROXY_CORE_HOST_REPORTER_ENTRIES_H

#include "core/base/pool.h"
#include "core/contract/settings.h"
#include "core/host/report_builder.h"
#include "core/host/report_queue.h"
#include "core/host/report_walk.h"
#include "core/host/reporter_entry.h"

/* How a reporter divides the work with the kernel. */
struct reporter_role {
	uint8_t fixed_version; /* enum version; VERSION_NONE: follow the querier */
	uint8_t version;       /* spoken while no older querier is present */
	uint8_t copies;        /* of a state-change report: robustness, or 1 */
	bool answers;          /* queries are answered here, not by the kernel */
};

struct reporter {
	enum family family;
	struct pool *pool;
	const struct link_settings *settings; /* of the upstream link; the host's */
	struct reporter_role role;
	size_t reported_bytes;  /* of the records of all groups' states */
	mtime repeats_drawn_at; /* when repeats_at was drawn; MTIME_NEVER: it must be drawn */
	mtime repeats_at;
	mtime kernel_v1_until; /* the kernel follows a version 1 query until then, and sends no leaves */
	mtime v2_querier_until;
	mtime general_at;        /* when the reporter last followed a general query; MTIME_NEVER: never */
	mtime general_due;       /* when it follows the one that came too soon; MTIME_NEVER: there is none */
	mtime general_by;        /* when the answer to that one must be out */
	mtime query_received_at; /* MTIME_NEVER: never */
	mtime missed_at;         /* from then on a query is missing */
	struct addr querier;
	uint8_t querier_robustness;      /* 0: not announced */
	uint32_t querier_query_interval; /* 0: not announced */
	uint8_t version_spoken;
	bool missing;          /* no query for the group membership interval; repeat_without_querier only */
	mtime announce_at;     /* when the whole state is reported next; MTIME_NEVER: not */
	uint8_t announce_left; /* how often */
	mtime announced_at;    /* when it was last; MTIME_NEVER: never */
	uint64_t queries_received;
	uint64_t packets_sent;
	uint64_t repeats; /* whole states reported because queries are missing */
	uint64_t seed;
	uint64_t random;
	struct index entries; /* by group */
	struct report_queue queue;
	struct report_walk walk; /* the answer to a general query */
	struct report_scratch scratch;
};

/* A delay in 1..limit. */
mtime reporter_random_delay(struct reporter *reporter, mtime limit);

/* The entry that was added first; NULL: there is none. */
struct reporter_entry *reporter_oldest(const struct reporter *reporter);
/* NULL when there is none. */
struct reporter_entry *reporter_find(const struct reporter *reporter, const struct addr *group);
/* Adds a zeroed entry; false when memory is short. */
bool reporter_add(struct reporter *reporter, struct reporter_entry *entry, const struct addr *group);
void reporter_remove(struct reporter *reporter, struct reporter_entry *entry);
/* Cancels every report about the entry that is still to be sent. */
void reporter_forget(struct reporter *reporter, struct reporter_entry *entry);
/* An entry that has become idle since the last call, for its owner to remove; NULL: no more. */
struct reporter_entry *reporter_pull_idle(struct reporter *reporter);

/* Cancels the reports of its change, and the list of sources among them. */
void reporter_clear_change(struct reporter *reporter, struct reporter_entry *entry);
void reporter_clear_pending(struct reporter *reporter, struct reporter_entry *entry);
/* Cancels the answer to queries about it, and the list of sources among them. */
void reporter_clear_answer(struct reporter *reporter, struct reporter_entry *entry);
void reporter_clear_asked(struct reporter *reporter, struct reporter_entry *entry);
/* What is due of the entry goes out with the next packets. */
void reporter_entry_expire(struct reporter *reporter, struct reporter_entry *entry, mtime now);
/* Nothing of the entry is due: it waits for its time, or becomes idle. */
void reporter_put_back(struct reporter *reporter, struct reporter_entry *entry);

/* The version spoken now. */
enum version reporter_version(const struct reporter *reporter, mtime now);
/* RFC 9776 section 7.2.1: a change of version cancels what is pending. */
void reporter_follow_version(struct reporter *reporter, mtime now);
/* Between the repetitions of a report. */
mtime reporter_repetition_interval(const struct reporter *reporter);

#endif
