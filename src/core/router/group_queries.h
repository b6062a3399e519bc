/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The specific queries that a group owes: started by records ("Send Q" in the tables of RFC 9776 section
 * 6.4), sent in rounds, lowered timers included (section 6.6.3). Pure; the instance's thread.
 */
#ifndef MCPROXY_CORE_ROUTER_GROUP_QUERIES_H
#define MCPROXY_CORE_ROUTER_GROUP_QUERIES_H

#include "core/router/group.h"

/* "Send Q(G)", or fast leave in its place. Returns GROUP_ flags. */
unsigned group_ask(struct group *group, const struct group_timers *timers, mtime now);
/* "Send Q(G,{source})", or fast leave in its place. The source is one of the group's, and not blocked. */
unsigned group_ask_source(struct group *group, const struct group_timers *timers, mtime now,
                          struct source *source);
/* Asks about everything, as if every host had left: what none of them answers for ends within the last member query
 * time. Returns GROUP_ flags. */
unsigned group_ask_again(struct group *group, const struct group_timers *timers, mtime now);
/* The elected querier sent a specific query: this router does not send the same one. Without the S flag
 * (suppress) the query lowers the same timers (RFC 9776 section 6.6.1). An empty list stands for the group
 * timer. `timers` has the last member query time of that querier. */
void group_receive_query(struct group *group, const struct group_timers *timers, mtime now,
                         const struct sources *sources, bool suppress);

/* Does a query go out now? */
bool group_query_is_due(const struct group *group, mtime now);
/* General queries replace those that the group owes. Their answers arrive until `until`, so lowered timers run
 * until then. */
void group_substitute_queries(struct group *group, const struct group_timers *timers, mtime now, mtime until);

struct group_query {
	bool suppress;          /* S flag */
	struct sources sources; /* empty: group-specific; the caller provides the memory */
};
/* The next query of a round that is due, with up to query->sources.capacity sources; false when the round is
 * over. */
bool group_pull_query(struct group *group, const struct group_timers *timers, mtime now,
                      struct group_query *query);

#endif
