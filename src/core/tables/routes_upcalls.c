/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/tables/routes_rows.h"

#define RETRIES_MAX 4096 /* rows that are visited for one group */

bool routes_upcall_pending(struct routes *routes, const struct route_key *key, unsigned instance,
                           unsigned input)
{
	struct route *route = route_get(routes, key);

	if (route == NULL)
		return false;
	if (route_serves(route, instance))
		return true;
	route->pending_input = (uint8_t)input;
	route_set_pending(routes, route, route->upcalls_pending | (uint64_t)1 << instance, true);
	return true;
}

bool routes_pull_pending_upcall(struct routes *routes, struct route_key *key, unsigned *input,
                                uint64_t *instances)
{
	struct route *route = routes->upcalls_pending[true];

	if (route == NULL)
		return false;
	*key = route->key;
	*input = route->claims != NULL ? route_input(route) : route->pending_input;
	*instances = route->upcalls_pending;
	route_set_pending(routes, route, 0, false);
	route_release(routes, route);
	return true;
}

void routes_upcalls_pending_at(struct routes *routes, unsigned vif, unsigned instance)
{
	struct index_node *node;

	for (node = routes->index.oldest; node != NULL; node = node->newer) {
		struct route *route = (struct route *)node;

		if (route->claims != NULL && (route_vifs(route) >> vif & 1) != 0 &&
		    !route_serves(route, instance))
			route_set_pending(routes, route, route->upcalls_pending | (uint64_t)1 << instance,
			                  true);
	}
}

void routes_retry_upcalls(struct routes *routes, unsigned instance, const struct addr *group)
{
	struct route *route, *next;
	int left = RETRIES_MAX;

	for (route = routes->upcalls_pending[false]; route != NULL && left-- > 0; route = next) {
		next = route->pending_next;
		if ((route->upcalls_pending >> instance & 1) && addr_equal(&route->key.group, group))
			route_set_pending(routes, route, route->upcalls_pending, true);
	}
}

bool routes_ask_again(struct routes *routes, const struct route_key *key, unsigned input)
{
	struct route *route = route_get(routes, key);

	if (route == NULL)
		return false;
	if (route->claims == NULL && (!route->held || route->asked)) {
		route->ask_again = true;
		route->ask_input = (uint8_t)input;
	}
	route_mark(routes, route);
	return true;
}

bool routes_serves(const struct routes *routes, const struct route_key *key, unsigned instance)
{
	const struct route *route = route_find(routes, key);

	return route != NULL && route_serves(route, instance);
}
