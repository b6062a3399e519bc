/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/tables/routes_rows.h"

#include <assert.h>

static uint32_t key_hash(const struct routes *routes, const struct route_key *key)
{
	return addr_pair_hash(&key->source, &key->group, routes->seed);
}

struct route *route_find(const struct routes *routes, const struct route_key *key)
{
	struct index_node *node = index_find(&routes->index, key_hash(routes, key));

	for (; node != NULL; node = index_find_next(&routes->index, node))
		if (memcmp(&((struct route *)node)->key, key, sizeof *key) == 0)
			break;
	return (struct route *)node;
}

struct route *route_get(struct routes *routes, const struct route_key *key)
{
	struct route *route = route_find(routes, key);

	if (route != NULL)
		return route;
	route = pool_take(routes->pool, sizeof *route);
	if (route == NULL)
		return NULL;
	route->key = *key;
	route->home = ROUTES_VIFS;
	if (index_add(&routes->index, &route->node, key_hash(routes, key)))
		return route;
	pool_give(routes->pool, route, sizeof *route);
	return NULL;
}

static void stop_retry(struct routes *routes, struct route *route)
{
	if (route->retry_at == 0)
		return;
	route->retry_at = 0;
	DL_DELETE2(routes->retries, route, retry_prev, retry_next);
}

void route_mark(struct routes *routes, struct route *route)
{
	stop_retry(routes, route);
	if (route->dirty)
		return;
	route->dirty = true;
	DL_APPEND2(routes->dirty, route, dirty_prev, dirty_next);
}

void route_set_pending(struct routes *routes, struct route *route, uint64_t upcalls_pending, bool due)
{
	if (route->upcalls_pending != 0)
		DL_DELETE2(routes->upcalls_pending[route->pending_due], route, pending_prev, pending_next);
	route->upcalls_pending = upcalls_pending;
	route->pending_due = due;
	if (route->upcalls_pending != 0)
		DL_APPEND2(routes->upcalls_pending[due], route, pending_prev, pending_next);
}

void route_forget_pending(struct routes *routes, struct route *route, unsigned instance)
{
	if ((route->upcalls_pending >> instance & 1) == 0)
		return;
	route_set_pending(routes, route, route->upcalls_pending & ~((uint64_t)1 << instance),
	                  route->pending_due);
	route_mark(routes, route); /* perhaps only that kept the row */
}

void route_release(struct routes *routes, struct route *route)
{
	if (route->claims != NULL || route->held || route->dirty || route->retry_at != 0)
		return;
	if (route->upcalls_pending != 0 && route->pending_due)
		return;
	/* Instances that were to get the upcall at the next reading get it with the next packet: the kernel
	 * asks. */
	route_set_pending(routes, route, 0, false);
	index_remove(&routes->index, &route->node);
	pool_give(routes->pool, route, sizeof *route);
}

struct claim *route_find_claim(const struct route *route, unsigned instance)
{
	struct claim *claim;

	LL_FOREACH (route->claims, claim)
		if (claim->instance == instance)
			return claim;
	return NULL;
}

const struct claim *route_find_claim_at(const struct route *route, unsigned input)
{
	const struct claim *claim;

	LL_FOREACH (route->claims, claim)
		if (claim->input == input)
			return claim;
	return NULL;
}

/* If no instance wants the stream from the vif where it arrives, the entry keeps its input. */
unsigned route_input(const struct route *route)
{
	if (route_find_claim_at(route, route->arrival) != NULL)
		return route->arrival;
	if (route->held && route_find_claim_at(route, route->held_input) != NULL)
		return route->held_input;
	return route->claims->input;
}

/* A stream that one instance sends to an upstream link arrives there for the other instances on this link, as
 * if each instance were a router. */
uint32_t route_vifs(const struct route *route)
{
	uint32_t vifs = (uint32_t)1 << route_input(route), before;
	const struct claim *claim;

	do {
		before = vifs;
		LL_FOREACH (route->claims, claim)
			if (vifs >> claim->input & 1)
				vifs |= claim->outputs;
	} while (vifs != before);
	return vifs;
}

bool route_serves(const struct route *route, unsigned instance)
{
	const struct claim *claim = route_find_claim(route, instance);

	return claim != NULL && (route_vifs(route) >> claim->input & 1) != 0;
}

void route_count_vifs(size_t uses[ROUTES_VIFS], unsigned input, uint32_t outputs, int by)
{
	uint32_t vifs = outputs | (uint32_t)1 << input;

	for (unsigned vif = 0; vif < ROUTES_VIFS; vif++)
		if (vifs >> vif & 1)
			uses[vif] += (size_t)by;
}

struct claim *route_set_claim(struct routes *routes, const struct route_key *key, unsigned instance,
                              unsigned input, uint32_t outputs)
{
	struct route *route = route_get(routes, key);
	struct claim *claim = route ? route_find_claim(route, instance) : NULL;
	bool is_new = claim == NULL;

	assert(input < ROUTES_VIFS && instance < ROUTES_INSTANCES);
	if (route == NULL)
		return NULL;
	if (claim == NULL) {
		claim = pool_take(routes->pool, sizeof *claim);
		if (claim == NULL) {
			route_release(routes, route);
			return NULL;
		}
		claim->instance = (uint8_t)instance;
		LL_APPEND(route->claims, claim);
	}
	if (!is_new)
		route_count_vifs(routes->claimed, claim->input, claim->outputs, -1);
	if (route->upcalls_pending >> instance & 1)
		route_set_pending(routes, route, route->upcalls_pending & ~((uint64_t)1 << instance),
		                  route->pending_due);
	claim->input = (uint8_t)input;
	claim->outputs = outputs;
	if (is_new && route->claims == claim)
		route->arrival = route->left = claim->input;
	route_count_vifs(routes->claimed, input, outputs, 1);
	route_mark(routes, route);
	return claim;
}

void route_remove_claim(struct routes *routes, struct route *route, unsigned instance)
{
	struct claim *claim = route_find_claim(route, instance);

	if (claim == NULL)
		return;
	if (route->claims->next != NULL)
		route_set_pending(routes, route, route->upcalls_pending | (uint64_t)1 << instance,
		                  route->pending_due);
	route_count_vifs(routes->claimed, claim->input, claim->outputs, -1);
	routes->early_count -= claim->early;
	LL_DELETE(route->claims, claim);
	pool_give(routes->pool, claim, sizeof *claim);
	route_mark(routes, route);
}
