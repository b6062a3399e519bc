/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Early answers to new streams. Where a stream comes from upstream and all members of its group want every
 * source, the owner knows what the workers will answer, and installs the route at once. Their answers then
 * confirm or correct it. Owner thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_EARLY_ROUTES_H
#define MCPROXY_DAEMON_OWNER_EARLY_ROUTES_H

#include "core/tables/routes.h"

struct owner;
struct table;

/* A stream arrives by a vif; instances: the set of those that it was announced to. */
void early_routes_add(struct owner *owner, struct table *table, const struct route_key *key, unsigned vif,
                      uint64_t instances);

#endif
