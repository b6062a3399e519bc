/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/tables/early_routes.h"

void routes_assume(struct routes *routes, const struct route_key *key, unsigned instance, unsigned input,
                   uint32_t outputs)
{
	const struct route *route = route_find(routes, key);
	struct claim *claim;

	if (routes->early_count >= ROUTES_ASSUMED_MAX || (routes->early_refused >> instance & 1) != 0)
		return;
	if (route != NULL && route_find_claim(route, instance) != NULL)
		return;
	claim = route_set_claim(routes, key, instance, input, outputs);
	if (claim == NULL)
		return;
	claim->early = true;
	routes->early_count++;
}

void routes_adopt_claim(struct routes *routes, const struct route_key *key, unsigned instance, unsigned input,
                        uint32_t outputs)
{
	const struct route *route = route_find(routes, key);
	struct claim *claim = NULL;

	if (route != NULL && route_find_claim(route, instance) == NULL)
		claim = route_set_claim(routes, key, instance, input, outputs);
	if (claim == NULL)
		return;
	claim->early = true;
	routes->early_count++;
}

void routes_end_adopted(struct routes *routes, const struct route_key *key, unsigned instance)
{
	struct route *route = route_find(routes, key);
	const struct claim *claim = route ? route_find_claim(route, instance) : NULL;

	if (claim != NULL && claim->early)
		route_remove_claim(routes, route, instance);
}

void early_route_confirm(struct routes *routes, struct claim *claim)
{
	routes->early_count -= claim->early;
	claim->early = false;
}

void early_route_unwant(struct routes *routes, const struct claim *claim)
{
	uint64_t instance = (uint64_t)1 << claim->instance;

	if (claim->early)
		routes->early_refused |= instance;
	else
		routes->early_refused &= ~instance;
}

void early_route_forget_instance(struct routes *routes, unsigned instance)
{
	routes->early_refused &= ~((uint64_t)1 << instance);
}

bool early_route_drop(struct routes *routes, struct route *route)
{
	struct claim *claim, *next;
	bool dropped = false;

	LL_FOREACH_SAFE (route->claims, claim, next) {
		if (!claim->early)
			continue;
		route_remove_claim(routes, route, claim->instance);
		dropped = true;
	}
	return dropped;
}
