/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The hosts that are members of a group on a link (explicit tracking), and what fast leave concludes from
 * them. Pure; the instance's thread.
 */
#ifndef MCPROXY_CORE_ROUTER_GROUP_HOSTS_H
#define MCPROXY_CORE_ROUTER_GROUP_HOSTS_H

#include "core/router/group.h"

/* Notes what the host wants after this record. Returns GROUP_ flags. */
unsigned group_track_host(struct group *group, struct pool *pool, const struct group_timers *timers,
                          mtime now, enum version report_version, const struct addr *host,
                          enum record_type type, const struct sources *sources);
/* Hosts are not tracked any more. */
void group_forget_hosts(struct group *group, struct pool *pool);
/* Fast leave: no member wants the source, so it ends now. */
bool group_source_is_left(const struct group *group, const struct group_timers *timers, mtime now,
                          const struct addr *source);
/* Fast leave: every source that members still want has a running timer, so EXCLUDE mode ends now. */
bool group_exclude_is_left(const struct group *group, const struct group_timers *timers, mtime now);
/* The number of tracked hosts; 0 where they are not tracked. */
size_t group_hosts(const struct group *group, mtime now);

#endif
