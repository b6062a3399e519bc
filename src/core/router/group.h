/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The router's state of one group on one link: the source filter of RFC 9776 section 6 (RFC 9777 section 7).
 * This header has the state and the questions about it. What changes the state stands in group_records
 * (records), group_timers (time), group_queries (queries) and group_hosts (explicit tracking).
 *
 * A group knows no link, no packet and no clock. The instance's thread owns it. Timers are fields that hold
 * points in time: a caller with a new `now` calls group_expire first, so that the state is that of `now`.
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

/* Which router sends the specific queries that a group owes. */
enum group_asking {
	ASKS_AS_QUERIER, /* this router, while it is the link's querier */
	/* The elected querier should. Timers are not lowered yet, and a report still ends the leave. */
	ASKS_LATER,
	ASKS_INSTEAD, /* it has sent none: this router, in its place */
};

struct group {
	struct source *sources; /* ascending by address; on the pool */
	uint16_t source_count;
	uint16_t source_capacity;
	uint8_t mode;         /* enum filter_mode */
	uint8_t queries_left; /* group-specific queries still to be sent */
	bool query_now : 1;
	bool lists_older : 1; /* the sources of older hosts are listed: ssm_map or a filter has narrowed their joins */
	uint8_t asking;      /* enum group_asking */
	mtime exclude_until; /* the group timer; EXCLUDE only */
	mtime v1_host_until; /* older version hosts present (RFC 9776 section 7.3.2) */
	mtime v2_host_until;
	mtime query_at;          /* next round of queries, MTIME_NEVER: none */
	struct members *members; /* the hosts; NULL where they are not tracked */
};

/* The variables in force on a link, adopted from the querier where the standards require it. Milliseconds. */
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

/* RFC 9776 section 8.10: a query for the last member lowers timers to this. */
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

bool group_is_empty(const struct group *group); /* INCLUDE{}: may be deleted */
/* NULL: not in the list. */
const struct source *group_find_source(const struct group *group, const struct addr *addr);
bool group_wants(const struct group *group, const struct addr *source);
bool group_wants_all(const struct group *group); /* EXCLUDE{}: every source */
/* The filter that this link wants: INCLUDE(A) or EXCLUDE(Y). False when it did not fit: then the superset. */
bool group_filter(const struct group *group, struct filter *filter);
/* The compatibility mode (RFC 9776 section 7.3.2). */
enum version group_version(const struct group *group, const struct group_timers *timers, mtime now);
/* Do older hosts want listed sources? They answer queries about the whole group only. */
bool group_lists_older(const struct group *group, const struct group_timers *timers, mtime now);
/* A query is out, and the answer can still come. */
bool group_is_queried(const struct group *group);

#endif
