/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/tables/early_routes.h"
#include "core/tables/routes_rows.h"

#define INTERVAL_UNKNOWN 150 /* milliseconds between packets of a stream that has just begun */

void routes_lost(struct routes *routes, const struct route_key *key)
{
	struct route *route = route_find(routes, key);

	if (route == NULL || !route->held)
		return;
	/* The entry may be there: a packet that found no entry just before the entry was made starts to wait
	 * just after. The kernel asks. It does not release that packet when the entry is only written again,
	 * and does not ask about the stream while the packet waits, for 10 s. So the entry is deleted and
	 * made again. */
	route->asked = true;
	route_mark(routes, route);
}

static bool is_right(const struct route *route, const struct route_observed *observed)
{
	bool input_is_known = (observed->vifs >> route->held_input & 1) != 0;

	return observed->present && (!input_is_known || observed->input == route->held_input) &&
	       ((observed->outputs ^ route->held_outputs) & observed->vifs) == 0;
}

enum route_verdict routes_observe(struct routes *routes, const struct route_key *key,
                                  const struct route_observed *observed)
{
	struct route *route = route_find(routes, key);

	if (route == NULL)
		return observed->present ? ROUTE_STRANGE : ROUTE_RIGHT;
	/* The kernel builds a part of an audit while the part before is read. */
	if (!route->held || (observed->audited && routes->audit_part - route->written <= 1))
		return ROUTE_RIGHT;
	route->wrong = route->rewrite = !is_right(route, observed);
	if (route->wrong)
		route_mark(routes, route);
	return route->wrong ? ROUTE_WRONG : ROUTE_RIGHT;
}

void routes_rewrite(struct routes *routes, unsigned vif)
{
	for (struct index_node *node = routes->index.oldest; node != NULL; node = node->newer) {
		struct route *route = (struct route *)node;

		if (!route->held || (route->held_outputs >> vif & 1) == 0)
			continue;
		route->rewrite = true;
		route_mark(routes, route);
	}
}

uint64_t routes_restored(const struct routes *routes, struct route_key *last)
{
	*last = routes->restored_key;
	return routes->restored;
}

void routes_audit(struct routes *routes)
{
	routes->audit_part++;
}

void routes_read_all(struct routes *routes)
{
	routes->readings_left = routes->index.count;
}

uint32_t routes_outputs(const struct routes *routes, const struct route_key *key)
{
	const struct route *route = route_find(routes, key);

	if (route == NULL || route->claims == NULL)
		return 0;
	return route_vifs(route) & ~((uint32_t)1 << route_input(route));
}

void routes_yield(struct routes *routes, const struct route_key *key, unsigned vif, bool yielded)
{
	struct route *route = route_find(routes, key);

	if (route == NULL || (route->yielded >> vif & 1) == yielded)
		return;
	route->yielded ^= (uint32_t)1 << vif;
	route_mark(routes, route);
}

uint32_t routes_yielded(const struct routes *routes, const struct route_key *key)
{
	const struct route *route = route_find(routes, key);

	return route != NULL ? route->yielded : 0;
}

bool routes_note_copy(struct routes *routes, const struct route_key *key)
{
	struct route *route = route_find(routes, key);
	bool first = route != NULL && !route->copied;

	if (first)
		route->copied = true;
	return first;
}

void routes_arrives(struct routes *routes, const struct route_key *key, unsigned vif)
{
	struct route *route = route_find(routes, key);

	if (route == NULL || route->claims == NULL || route->arrival == vif)
		return;
	route->left = route->arrival;
	route->arrival = (uint8_t)vif;
	route_mark(routes, route);
}

void routes_set_home(struct routes *routes, const struct route_key *key, unsigned vif)
{
	struct route *route = route_find(routes, key);

	if (route != NULL)
		route->home = (uint8_t)vif;
}

void routes_counted(struct routes *routes, mtime now, const struct route_key *key, uint64_t packets)
{
	struct route *route = route_find(routes, key);

	if (route == NULL)
		return;
	/* Only if packets were counted: repeated upcalls alone would keep a stream that has ended alive. */
	if (route->upcalls_pending != 0 && (uint32_t)packets != route->counts[1].packets)
		route_set_pending(routes, route, route->upcalls_pending, true);
	route->counts[0] = route->counts[1];
	route->counts[1] = (struct route_count){.at = now, .packets = (uint32_t)packets};
	/* Smaller counters are those of an entry that was made again. */
	if (route->counts[0].packets > route->counts[1].packets)
		route->counts[0] = route->counts[1];
}

mtime routes_packet_interval(const struct routes *routes, mtime now, const struct route_key *key,
                             uint64_t packets)
{
	const struct route *route = route_find(routes, key);
	uint32_t count = route != NULL ? (uint32_t)packets - route->counts[0].packets : 0;
	mtime time = route != NULL ? now - route->counts[0].at : 0;

	if (count > 1)
		return time / (count - 1);
	return time > INTERVAL_UNKNOWN ? time : INTERVAL_UNKNOWN;
}

static uint64_t claimants(const struct route *route)
{
	const struct claim *claim;
	uint64_t instances = 0;

	LL_FOREACH (route->claims, claim)
		instances |= (uint64_t)1 << claim->instance;
	return instances;
}

uint64_t routes_wanted_by(const struct routes *routes, const struct route_key *key)
{
	const struct route *route = route_find(routes, key);

	return route != NULL ? claimants(route) : 0;
}

bool routes_pull_reading(struct routes *routes, mtime now, struct route_key *key, uint64_t *instances)
{
	struct route *route = routes->readings;

	if (route == NULL || (route->read_at > now && routes->readings_left == 0))
		return false;
	if (routes->readings_left > 0)
		routes->readings_left--;
	/* Not for an early reading: the instance's own claim may still be on its way. */
	if (route->read_at <= now)
		early_route_drop(routes, route);
	route->read_at = now + routes->reading_interval;
	DL_DELETE(routes->readings, route);
	DL_APPEND(routes->readings, route);
	*key = route->key;
	*instances = claimants(route);
	return true;
}
