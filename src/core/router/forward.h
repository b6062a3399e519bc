/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Flows: which streams the kernel reported, and where their packets go (RFC 4605 section 4.2). A change marks
 * the flow; requests.c pulls it. The instance's thread.
 */
#ifndef MCPROXY_CORE_ROUTER_FORWARD_H
#define MCPROXY_CORE_ROUTER_FORWARD_H

#include "core/router/engine.h"

/* The links of a role that forward now (link_forwards). */
uint64_t forward_links(const struct instance *instance, enum link_role role, enum family family, mtime now);
/* The links where a stream may be left to another router (link_may_yield). */
uint64_t forward_yielding_links(const struct instance *instance, enum family family, mtime now);
void forward_upcall(struct instance *instance, struct link *link, mtime now, const struct flow_key *key,
                    bool wrong_link);
/* An entry of an earlier run: its outputs count as reports heard there, and then as an upcall. link: NULL: its input is not
 * known here. */
void forward_adopt(struct instance *instance, struct link *link, mtime now, const struct input *input);
void forward_counters(struct instance *instance, mtime now, const struct input *input);
/* The link_groups of a group, or the state of links, changed: recomputes where flows go. */
void forward_update(struct instance *instance, struct membership *membership, mtime now);
void forward_update_all(struct instance *instance, enum family family, mtime now);
/* Requests the routes of all flows again. */
void forward_mark_all(struct instance *instance, enum family family);
/* The limit on routes may have become smaller: ends flows above it that no member downstream wants. */
void forward_limit(struct instance *instance);
/* Ends the flows that arrive on the link. */
void forward_drop_link(struct instance *instance, struct link *link, enum family family);
/* Frees a flow after REQUEST_ROUTE_NONE. */
void flow_free(struct instance *instance, struct flow *flow);

#endif
