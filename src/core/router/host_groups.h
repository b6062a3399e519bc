/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How many groups each host on a link and family has joined, for host_groups_max. A group counts once, and once for each
 * source where the host lists sources. A host gets a place back when it leaves, or when it has not reported the group for a
 * group membership interval.
 *
 * The hosts of older versions count by the reports that they send. Such a host is silent while another one answers
 * for it, so it may count for less than it has, never for more.
 *
 * The table is bounded, and takes its memory from the link's part of the pool. When it is full, the memberships that were
 * reported least recently are no longer counted. A host that forges addresses has as many places as addresses anyway, so
 * that it gains nothing by filling the table. Every step takes a time that does not depend on the size of the table. The
 * instance's thread.
 */
#ifndef MCPROXY_CORE_ROUTER_HOST_GROUPS_H
#define MCPROXY_CORE_ROUTER_HOST_GROUPS_H

#include "core/base/index.h"
#include "core/base/mtime.h"
#include "core/base/pool.h"
#include "core/base/sources.h"
#include "core/wire/message.h"

#define HOST_GROUPS_ENTRIES_MAX 65536

struct host_groups {
	struct index hosts;
	struct index entries;             /* by host and group */
	struct host_groups_entry *oldest; /* in order of their latest reports */
	mtime begun_at;                   /* when counting began; 0: not yet */
};

/* For one record of a host. */
struct host_groups_question {
	struct pool *pool;
	uint64_t seed;
	uint32_t groups_max; /* not 0 */
	mtime now;
	mtime interval;  /* what a membership lasts without reports */
	mtime joined_at; /* when the group got its first member; MTIME_NEVER: it has none */
	const struct addr *host;
	const struct addr *group;
};

enum host_groups_answer {
	HOST_GROUPS_FIT,
	HOST_GROUPS_CUT, /* some sources were removed */
	HOST_GROUPS_REFUSED,
};

/* Counts what a record adds or gives back, and removes from it the sources for which the host has no place left. A
 * membership from before the counting began is counted, and never refused; so is what a host has when the limit sinks. */
enum host_groups_answer host_groups_count(struct host_groups *table,
                                          const struct host_groups_question *question, enum record_type type,
                                          struct sources *sources);
/* The host is no member of the group. */
void host_groups_forget(struct host_groups *table, const struct host_groups_question *question);
/* Counts nothing any more. */
void host_groups_clear(struct host_groups *table, struct pool *pool);

#endif
