/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The static groups of a link: groups that the configuration keeps there, whatever hosts do. On a downstream link such a group
 * is a member that never leaves; on an upstream link it is joined without members. It has a link_group while the link is
 * usable, beside the state of the hosts, so that leaves, queries and timers do not concern it. The instance's thread.
 */
#ifndef MCPROXY_CORE_ROUTER_STATIC_GROUPS_H
#define MCPROXY_CORE_ROUTER_STATIC_GROUPS_H

#include "core/router/engine.h"

/* The link is usable in the family, and its static groups may have changed from those in before: joins the new ones, and
 * leaves those that no host wants either. before NULL: none was joined yet. */
void static_groups_refresh(struct instance *instance, struct link *link, enum family family, mtime now,
                           const struct group_map *before);

#endif
