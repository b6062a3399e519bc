/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Shares of routes_max: the flows of each input link by worth and activity, and which of them makes way for a
 * new one at the limit. No link keeps more than half of the routes while another link needs one. No step
 * visits all flows. The instance's thread.
 */
#ifndef MCPROXY_CORE_ROUTER_ROUTE_SHARES_H
#define MCPROXY_CORE_ROUTER_ROUTE_SHARES_H

#include "core/router/engine.h"

/* What a flow with these outputs is worth. */
enum flow_worth route_shares_worth(const struct instance *instance, uint64_t outputs);
/* Adds a flow to the lists of its input as the most active one, or removes it. */
void route_shares_add(struct instance *instance, struct flow *flow);
void route_shares_remove(struct instance *instance, struct flow *flow);
/* The worth of the flow has changed, or its packets still arrive: it becomes the most active one. */
void route_shares_move(struct instance *instance, struct flow *flow, enum flow_worth worth);

/* Does the link have half of the routes, or more? */
bool route_shares_has_half(const struct instance *instance, const struct link *link);
/* The flow that makes way for a new one of that worth from the link. NULL: none does. */
struct flow *route_shares_find(const struct instance *instance, const struct link *link,
                               enum flow_worth worth);
/* The flow to end first while there are more than the limit: one that no member downstream wants. NULL: none. */
struct flow *route_shares_surplus(const struct instance *instance);
/* The flows that arrive on a link. */
uint32_t route_shares_count(const struct instance *instance, uint8_t link);
uint32_t route_shares_negative(const struct instance *instance); /* on all links */

#endif
