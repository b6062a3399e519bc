/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What time does to a group: source timers, the group timer, and rounds of queries that come due (RFC 9776
 * sections 6.2.2, 6.3 and 6.5). Pure; the instance's thread.
 */
#ifndef MCPROXY_CORE_ROUTER_GROUP_TIMERS_H
#define MCPROXY_CORE_ROUTER_GROUP_TIMERS_H

#include "core/router/group.h"

/* Does what is due at `now` and returns GROUP_ flags. */
unsigned group_expire(struct group *group, const struct group_timers *timers, mtime now);
/* When group_expire has something to do next, MTIME_NEVER: nothing. */
mtime group_deadline(const struct group *group);
/* The membership interval has grown by `by`. Running timers grow too, because the next query may come that
 * much later. Timers that end by `lowered_until` stay: a query for the last member may have lowered them. */
void group_extend(struct group *group, mtime lowered_until, mtime by);

/* Timers that end later end at `until`. */
void group_lower(struct group *group, mtime until);
/* The round that query_at was set for is due: all owed queries go out with it. */
void group_start_round(struct group *group);
/* Forgets the queries that are owed. */
void group_cancel_queries(struct group *group);
/* Does a router that is no longer the querier still send the queries that it owes? RFC 2236 section 3 and RFC
 * 2710 section 4 require it; under RFC 9777 section 7.1 only the querier sends queries. */
bool group_finishes_asking(const struct group_timers *timers);

#endif
