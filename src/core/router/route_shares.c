/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/route_shares.h"

#include <assert.h>

enum flow_worth route_shares_worth(const struct instance *instance, uint64_t outputs)
{
	enum flow_worth worth = FLOW_NEGATIVE;
	unsigned id;

	while (set64_take(&outputs, &id)) {
		if (instance->links[id]->role == ROLE_DOWNSTREAM)
			return FLOW_WANTED;
		worth = FLOW_UNASKED;
	}
	return worth;
}

void route_shares_add(struct instance *instance, struct flow *flow)
{
	struct link_routes *routes = &instance->routes[flow->input];

	DL_APPEND2(routes->flows[flow->worth], flow, active_prev, active_next);
	routes->counts[flow->worth]++;
	routes->of_family[addr_family(&flow->key.group)]++;
	instance->route_count++;
}

void route_shares_remove(struct instance *instance, struct flow *flow)
{
	struct link_routes *routes = &instance->routes[flow->input];

	assert(routes->counts[flow->worth] > 0);
	DL_DELETE2(routes->flows[flow->worth], flow, active_prev, active_next);
	routes->counts[flow->worth]--;
	routes->of_family[addr_family(&flow->key.group)]--;
	instance->route_count--;
}

void route_shares_move(struct instance *instance, struct flow *flow, enum flow_worth worth)
{
	route_shares_remove(instance, flow);
	flow->worth = (uint8_t)worth;
	route_shares_add(instance, flow);
}

uint32_t route_shares_count(const struct instance *instance, uint8_t link)
{
	uint32_t count = 0;

	for (int worth = 0; worth < FLOW_WORTHS; worth++)
		count += instance->routes[link].counts[worth];
	return count;
}

uint32_t route_shares_negative(const struct instance *instance)
{
	uint32_t count = 0;

	for (size_t id = 0; id < LINKS_MAX; id++)
		count += instance->routes[id].counts[FLOW_NEGATIVE];
	return count;
}

/* The link that has most flows of a worth, or NULL. */
static const struct link_routes *most(const struct instance *instance, enum flow_worth worth)
{
	const struct link_routes *most = &instance->routes[0];

	for (size_t id = 1; id < LINKS_MAX; id++)
		if (instance->routes[id].counts[worth] > most->counts[worth])
			most = &instance->routes[id];
	return most->flows[worth] != NULL ? most : NULL;
}

/* The least active flow of the link that has most of that worth. */
static struct flow *least_active(const struct instance *instance, enum flow_worth worth)
{
	const struct link_routes *routes = most(instance, worth);

	return routes != NULL ? routes->flows[worth] : NULL;
}

/* Rounded up, so that two links never take the same route from each other in turn. */
static uint32_t half(const struct instance *instance)
{
	return instance->settings.routes_max - instance->settings.routes_max / 2;
}

bool route_shares_has_half(const struct instance *instance, const struct link *link)
{
	return route_shares_count(instance, link->id) >= half(instance);
}

/* What each link keeps, even where a link beyond half of the routes has streams with members. */
static uint32_t share(const struct instance *instance)
{
	uint32_t links = 0;

	for (size_t id = 0; id < LINKS_MAX; id++)
		links += instance->links[id] != NULL;
	return instance->settings.routes_max / 2 / (links > 0 ? links : 1);
}

/* A wanted flow of another link that has more than half of the routes. */
static struct flow *beyond_half(const struct instance *instance, const struct link *link)
{
	for (uint8_t id = 0; id < LINKS_MAX; id++)
		if (id != link->id && route_shares_count(instance, id) > half(instance))
			return instance->routes[id].flows[FLOW_WANTED];
	return NULL;
}

/* A wanted flow whose counters did not grow at the last reading. The first one of a list is the longest
 * inactive. */
static struct flow *silent(const struct instance *instance)
{
	struct flow *silent = NULL;

	for (size_t id = 0; id < LINKS_MAX; id++) {
		struct flow *flow = instance->routes[id].flows[FLOW_WANTED];

		if (flow != NULL && flow->active_at < flow->read_at &&
		    (silent == NULL || flow->active_at < silent->active_at))
			silent = flow;
	}
	return silent;
}

/* Of the flows that go somewhere, the one that makes way. A negative flow needs its route too: a member that
 * joins later must not wait until the kernel asks again. So each link may have a share of negative flows. */
static struct flow *find_in_use(const struct instance *instance, const struct link *link,
                                enum flow_worth worth, bool is_beyond_half)
{
	const struct link_routes *unasked = most(instance, FLOW_UNASKED);
	bool is_negative = worth == FLOW_NEGATIVE;
	struct flow *flow;

	if (is_negative && instance->routes[link->id].counts[FLOW_NEGATIVE] >= share(instance))
		return NULL;
	if (unasked != NULL &&
	    ((!is_beyond_half && !is_negative) || unasked->counts[FLOW_UNASKED] > share(instance)))
		return unasked->flows[FLOW_UNASKED];
	flow = beyond_half(instance, link);
	return flow != NULL || worth != FLOW_WANTED ? flow : silent(instance);
}

/* A link beyond half of the routes first gives up its own. Then, of all links, negative flows make way, then
 * those without members, then wanted ones of a link beyond half. While all routes are wanted and in use, a
 * new flow gets none: the flow that made way would ask again with its next packet. */
struct flow *route_shares_find(const struct instance *instance, const struct link *link,
                               enum flow_worth worth)
{
	const struct link_routes *own = &instance->routes[link->id];
	bool is_beyond_half = route_shares_has_half(instance, link);
	struct flow *flow = least_active(instance, FLOW_NEGATIVE);

	if (is_beyond_half && own->flows[FLOW_NEGATIVE] != NULL)
		return own->flows[FLOW_NEGATIVE];
	if (is_beyond_half && worth != FLOW_NEGATIVE && own->flows[FLOW_UNASKED] != NULL)
		return own->flows[FLOW_UNASKED];
	return flow != NULL ? flow : find_in_use(instance, link, worth, is_beyond_half);
}

struct flow *route_shares_surplus(const struct instance *instance)
{
	struct flow *flow = least_active(instance, FLOW_NEGATIVE);

	return flow != NULL ? flow : least_active(instance, FLOW_UNASKED);
}
