/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a host says upstream: state-change reports with their repetitions, answers to queries, in the
 * querier's version (RFC 9776 section 5, RFC 9777 section 6, RFC 2236 section 3, RFC 2710 section 4). One per
 * upstream link and family, part of a host. Packets are built from the newest state at the moment of sending,
 * as many records in each as the MTU allows.
 *
 * With kernel memberships the kernel repeats and answers (copies = 1, answers off). Then this says each
 * change once, where that is sooner than the kernel (docs/rfc.md has the table), and answers only the queries
 * that the kernel drops. Pure; owner thread.
 */
#ifndef MCPROXY_CORE_HOST_REPORTER_H
#define MCPROXY_CORE_HOST_REPORTER_H

#include "core/base/index.h"
#include "core/base/stored_filter.h"
#include "core/contract/request.h"
#include "core/host/report_queue.h"
#include "core/host/report_walk.h"
#include "core/wire/message.h"

#define REPORTER_SOURCES_MAX 4096 /* of a filter */

struct reporter_settings {
	uint8_t fixed_version;       /* enum version; VERSION_NONE: follow the querier */
	uint8_t version;             /* spoken while no older querier is heard */
	uint8_t copies;              /* of a state-change report: robustness, or 1 */
	bool answers;                /* to queries */
	bool repeat_without_querier; /* tell the state again and again while no query comes */
	uint8_t robustness;          /* until the querier tells its own */
	uint32_t query_interval;     /* likewise; milliseconds */
	uint32_t query_response_interval;
	uint32_t unsolicited_report_interval; /* 0: the standard's, 1 s, or 10 s in older versions */
};

struct pending_source {
	struct addr addr;
	uint8_t copies_left;
};

/* A group as it was reported upstream. Whoever keeps groups embeds it as the first member. */
struct reporter_entry {
	struct index_node node;
	struct addr group;
	struct stored_filter reported;  /* the newest state; reports describe this */
	struct pending_source *pending; /* sources whose change is still to be reported; on the pool */
	struct addr *asked; /* sources of a group-and-source-specific query to be answered; on the pool */
	struct reporter_entry *prev, *next; /* in the list of its place */
	mtime change_at;                    /* next state-change report; MTIME_NEVER: none */
	mtime answer_at;                    /* answer to a query */
	uint16_t pending_count;
	uint16_t pending_capacity;
	uint16_t asked_count; /* 0 with an answer due: the whole state */
	uint16_t offset;      /* sources of the report at hand that went out with earlier packets */
	uint8_t mode_left;    /* reports of the whole state (TO_IN, TO_EX) still to be sent */
	uint8_t join_left;    /* the same in older versions */
	uint8_t leave_left;
	uint8_t place; /* enum report_place */
	uint8_t slot;  /* where it waits */
	bool send_change;
	bool send_answer;
	bool kernel_due; /* the kernel sends its own first report a little later, and no leave before it */
};

_Static_assert(sizeof(void *) > 8 || sizeof(struct reporter_entry) <= 128, "there may be 100,000 of them");

/* When it has something to tell next. */
static inline mtime reporter_entry_at(const struct reporter_entry *entry)
{
	return mtime_min(entry->change_at, entry->answer_at);
}

struct reporter {
	enum family family;
	struct pool *pool;
	uint64_t seed;
	uint64_t random;
	struct reporter_settings settings;
	struct index entries; /* by group */
	struct report_queue queue;
	struct report_walk walk; /* the answer to a general query */
	size_t reported_bytes;   /* of the records of all groups' states */
	mtime repeats_drawn_at;  /* when repeats_at was drawn; MTIME_NEVER: to be drawn */
	mtime repeats_at;
	mtime v1_querier_until;
	mtime v2_querier_until;
	mtime general_at;        /* when a general query was last followed; MTIME_NEVER: never */
	mtime general_due;       /* when the next one is, that came too soon; MTIME_NEVER: there is none */
	mtime general_by;        /* and by when it wants to be answered */
	mtime query_received_at; /* MTIME_NEVER: never */
	mtime missed_at;         /* when a query is missing */
	struct addr querier;
	uint8_t querier_robustness;      /* 0: not reported */
	uint32_t querier_query_interval; /* 0: not reported */
	uint8_t version_spoken;
	bool missing;          /* no query for the group membership interval; repeat_without_querier only */
	mtime announce_at;     /* when the whole state is reported next; MTIME_NEVER: not */
	uint8_t announce_left; /* how often */
	mtime announced_at;    /* when it was last; MTIME_NEVER: never */
	uint64_t queries_heard;
	uint64_t packets_sent;
	uint64_t repeats;                        /* whole states reported for lack of queries */
	struct addr allow[REPORTER_SOURCES_MAX]; /* scratch */
	struct addr block[REPORTER_SOURCES_MAX];
};

void reporter_init(struct reporter *reporter, enum family family, struct pool *pool, uint64_t seed);
void reporter_fini(struct reporter *reporter);
void reporter_set(struct reporter *reporter, mtime now, const struct reporter_settings *settings);

/* The one added first, and the one added after this; NULL: no more. */
struct reporter_entry *reporter_oldest(const struct reporter *reporter);
struct reporter_entry *reporter_newer(const struct reporter_entry *entry);
/* NULL when there is none. */
struct reporter_entry *reporter_find(const struct reporter *reporter, const struct addr *group);
/* Adds a zeroed entry; false when memory is short. */
bool reporter_add(struct reporter *reporter, struct reporter_entry *entry, const struct addr *group);
void reporter_remove(struct reporter *reporter, struct reporter_entry *entry);
/* Nothing is reported of it and nothing is to be reported. */
bool reporter_is_idle(const struct reporter_entry *entry);

/* The state of a group is now `filter`: what differs from what was reported goes out, at once and then again
 * copies - 1 times, merged with what is still going out. When memory is short, EXCLUDE{} is reported in its
 * place: false, and it is to be called again later.
 */
bool reporter_change(struct reporter *reporter, mtime now, struct reporter_entry *entry,
                     const struct filter *filter);
/* Takes a state as reported, without a report. */
void reporter_assume(struct reporter *reporter, struct reporter_entry *entry, const struct filter *filter);

/* Forgets what was to be said of it. */
void reporter_forget(struct reporter *reporter, struct reporter_entry *entry);
/* An entry that has become idle since, for its owner to remove; NULL: no more. */
struct reporter_entry *reporter_pull_idle(struct reporter *reporter);

/* Those on the link may know nothing of this host: the whole state is reported at once, and again as often as
 * the robustness variable says. Calls that follow one another quickly make no more reports than that. */
void reporter_announce(struct reporter *reporter, mtime now);
/* The link became usable: queries are expected from now on. */
void reporter_start(struct reporter *reporter, mtime now);
void reporter_receive_query(struct reporter *reporter, mtime now, const struct upstream_query *query,
                            const struct addr *sources);
/* Answers a query that was given to reporter_receive_query before, whatever the settings say: the kernel has
 * dropped it. */
void reporter_answer(struct reporter *reporter, mtime now, const struct upstream_query *query,
                     const struct addr *sources);
/* A querier of that version is there; max_response: of its query, in milliseconds, or 0 where that is known
 * by other means (the kernel heard it). */
void reporter_older_querier(struct reporter *reporter, mtime now, enum version version,
                            uint32_t max_response);
/* The version spoken now. */
enum version reporter_version(const struct reporter *reporter, mtime now);

void reporter_expire(struct reporter *reporter, mtime now);
mtime reporter_deadline(struct reporter *reporter);
/* The next message, without IP header; its size, 0: none. Pull until there is none; the capacity (at least
 * that of 576-byte packets) stays the same meanwhile. source: this router's address. */
size_t reporter_pull(struct reporter *reporter, mtime now, uint8_t *message, size_t capacity,
                     const struct addr *source, struct addr *destination);

#endif
