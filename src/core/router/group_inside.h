/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The inside of a group, shared by the modules that make it up: group (its filter, its timers), group_records
 * (the tables of the RFC and older versions), group_query (what is asked), group_hosts (who is a member; fast
 * leave). Everybody else uses group.h.
 */
#ifndef MCPROXY_CORE_ROUTER_GROUP_INSIDE_H
#define MCPROXY_CORE_ROUTER_GROUP_INSIDE_H

#include "core/router/group.h"

/* group.c */

/* NULL: not in the list. */
const struct source *group_find_source(const struct group *group, const struct addr *addr);

/* group_query.c */

/* "Send Q(G)", or fast leave in its place. Returns GROUP_ flags. */
unsigned group_ask(struct group *group, const struct group_timers *timers, mtime now);
/* "Send Q(G,{source})" likewise. The source is one of the group's, and not blocked. */
unsigned group_ask_source(struct group *group, const struct group_timers *timers, mtime now,
                          struct source *source);
/* The round that query_at was set for is due: what is owed goes out with it. */
void group_start_round(struct group *group);

/* group_hosts.c */

/* Notes who is a member after this record. Returns GROUP_ flags. */
unsigned group_track_host(struct group *group, struct pool *pool, const struct group_timers *timers,
                          mtime now, enum version report_version, const struct addr *host,
                          enum record_type type, const struct sources *sources);
/* Hosts are not tracked any more. */
void group_forget_hosts(struct group *group, struct pool *pool);
/* No member wants the source: it ends now. */
bool group_source_is_left(const struct group *group, const struct group_timers *timers, mtime now,
                          const struct addr *source);
/* All that members still want runs by itself: EXCLUDE mode ends now. */
bool group_exclude_is_left(const struct group *group, const struct group_timers *timers, mtime now);

#endif
