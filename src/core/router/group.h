/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The router's state of one group on one link: the source-filter machine of RFC 9776 section 6 (and RFC 9777
 * section 7), its timers, the queries it owes, and compatibility with older hosts (sections 7.3 and 8.3).
 * Knows no link, no packet, no clock. Owned by the instance's thread.
 *
 * Deadlines are fields. Whoever calls with a new `now` first calls group_expire, so that the state is that of
 * `now`.
 *
 *   INCLUDE(A):   A = all sources, each running until its `until`
 *   EXCLUDE(X,Y): X = sources with until > 0, Y (blocked) = sources with until == 0;
 *                 lasts until exclude_until
 */
#ifndef MCPROXY_CORE_ROUTER_GROUP_H
#define MCPROXY_CORE_ROUTER_GROUP_H

#include "core/base/filter.h"
#include "core/base/mtime.h"
#include "core/base/pool.h"
#include "core/contract/settings.h"
#include "core/router/members.h"
#include "core/wire/message.h"

#define SOURCE_BLOCKED 0

struct source {
	struct addr addr;
	mtime until;          /* SOURCE_BLOCKED: member of Y */
	uint8_t queries_left; /* group-and-source-specific queries still to be sent */
	bool query_now;       /* part of the round of queries that is going out */
};

struct group {
	struct source *sources; /* ascending by address; on the pool */
	uint16_t source_count;
	uint16_t source_capacity;
	uint8_t mode;         /* enum filter_mode */
	uint8_t queries_left; /* group-specific queries still to be sent */
	bool query_now;
	mtime exclude_until; /* the group timer; EXCLUDE only */
	mtime v1_host_until; /* older version hosts present (RFC 9776 section 7.3.2) */
	mtime v2_host_until;
	mtime query_at;          /* next round of queries, MTIME_NEVER: none */
	struct members *members; /* by host; NULL where hosts are not tracked */
};

/* The link's variables as they are in force, adopted from the querier where the standards say so.
 * Milliseconds. */
struct group_timers {
	uint8_t version; /* enum version, as configured for the link */
	uint8_t last_member_query_count;
	bool fast_leave;  /* what no host wants any more ends at once; needs track_hosts */
	bool track_hosts; /* version 3 */
	bool querier;     /* this router is the link's querier: it sends queries */
	uint16_t sources_max;
	uint16_t hosts_max;
	mtime query_response_interval;     /* section 8.3 */
	mtime membership_interval;         /* RFC 9776 section 8.4 */
	mtime last_member_query_interval;  /* section 8.8 */
	mtime older_host_present_interval; /* section 8.13 */
};

/* RFC 9776 section 8.10: how far timers are lowered while the last member is asked for. */
static inline mtime group_last_member_query_time(const struct group_timers *timers)
{
	return timers->last_member_query_interval * timers->last_member_query_count;
}

/* What happened, for the caller to act on. */
enum {
	GROUP_CHANGED = 1,     /* which sources pass has changed */
	GROUP_QUERY = 2,       /* a round of queries is due: group_pull_query */
	GROUP_SOURCES_MAX = 4, /* sources were left out: the limit */
	GROUP_MEMORY = 8,      /* sources or hosts were left out: no memory */
	GROUP_HOSTS_MAX = 16,  /* a host was left out: the limit */
};

void group_init(struct group *group);
void group_fini(struct group *group, struct pool *pool);

/* Applies one record (RFC 9776 section 6.4, tables in group_records.c). report_version is that of the message
 * it came in, host the source of its packet; sources are sorted. Returns GROUP_ flags.
 *
 * Fast leave: "Send Q" is left out, and what was to be asked about ends now, where hosts are tracked, all
 * members are known, and none of them wants it. */
unsigned group_apply(struct group *group, struct pool *pool, const struct group_timers *timers, mtime now,
                     enum version report_version, const struct addr *host, enum record_type type,
                     const struct sources *sources);

/* Does what is due at `now` (RFC 9776 sections 6.2.2, 6.3, 6.5) and returns GROUP_ flags. */
unsigned group_expire(struct group *group, const struct group_timers *timers, mtime now);
/* The membership interval has grown: timers that run do so too, since they count on queries at the old pace;
 * but not those that may have been lowered because a last member is asked for, which end until then. */
void group_extend(struct group *group, mtime lowered_until, mtime by);
/* When group_expire has something to do next, MTIME_NEVER: nothing. */
mtime group_deadline(const struct group *group);

/* Another querier asked, without the S flag: lowers the same timers (RFC 9776 section 6.6.1). An empty list:
 * the group's. Times are the asking querier's last member query time. */
void group_receive_query(struct group *group, const struct group_timers *timers, mtime now,
                         const struct sources *sources);

struct group_query {
	bool suppress;          /* S flag */
	struct sources sources; /* empty: group-specific; memory brought by the caller */
};
/* The next query of a round that is due; false when the round is over. Up to query->sources.capacity sources
 * each. */
bool group_pull_query(struct group *group, const struct group_timers *timers, mtime now,
                      struct group_query *query);
/* Does a router that is no querier any more still send the queries that it owes? So want it RFC 2236 section
 * 3 and RFC 2710 section 4; RFC 9777 section 7.1 has the querier alone ask. */
bool group_finishes_asking(const struct group_timers *timers);
/* Forgets the queries that are owed. */
void group_cancel_queries(struct group *group);

bool group_is_empty(const struct group *group); /* INCLUDE{}: may be deleted */
bool group_wants(const struct group *group, const struct addr *source);
bool group_wants_all(const struct group *group); /* every source, whoever it is */
/* The filter this link asks for: INCLUDE(A) or EXCLUDE(Y). False when it did not fit: then the superset. */
bool group_filter(const struct group *group, struct filter *filter);
/* The compatibility mode (RFC 9776 section 7.3.2). */
enum version group_version(const struct group *group, const struct group_timers *timers, mtime now);
/* Hosts known as members; 0 where they are not tracked. */
size_t group_hosts(const struct group *group, mtime now);
/* A query is out and its answer is awaited. */
bool group_is_queried(const struct group *group);

#endif
