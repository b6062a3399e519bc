/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a group record does to a group: the tables of RFC 9776 section 6.4 (RFC 9777 section 7.4), and
 * compatibility with older hosts (sections 7.3 and 8.3). Pure; the instance's thread.
 */
#ifndef MCPROXY_CORE_ROUTER_GROUP_RECORDS_H
#define MCPROXY_CORE_ROUTER_GROUP_RECORDS_H

#include "core/router/group.h"

/* Applies one record and returns GROUP_ flags. report_version is that of the message, host the source of its
 * packet; sources are sorted.
 *
 * Fast leave replaces "Send Q": the source or the group ends now. It needs tracked hosts, a complete list of
 * members, and no member that wants the source or the group. */
unsigned group_apply(struct group *group, struct pool *pool, const struct group_timers *timers, mtime now,
                     enum version report_version, const struct addr *host, enum record_type type,
                     const struct sources *sources);

/* A link configured for an older version cannot keep source lists: a version 3 record counts as the join or leave that comes
 * closest. False: it is neither. */
bool group_express_as_older(enum record_type *type, bool has_sources);

#endif
