/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Are the hosts still members, and may they still be? Memberships that are asked about end within the last member query
 * time, unless a host answers: one that does loses no packet. The instance's thread.
 */
#ifndef MCPROXY_CORE_ROUTER_REVIEW_H
#define MCPROXY_CORE_ROUTER_REVIEW_H

#include "core/router/engine.h"

/* Asks about the groups of a prefix on a downstream link, or on all of them (link NULL). Length 0: all groups, and then a
 * general query also asks for groups that are not known. */
void review_groups(struct instance *instance, const struct link *link, mtime now, const struct addr *prefix,
                   unsigned length);
/* The link got a filter_out that looks at hosts. What it denies to hosts that are all known ends at once, where no other
 * host wants it; groups whose hosts are not all known are asked about. */
void review_hosts(struct instance *instance, struct link *link, enum family family, mtime now);

#endif
