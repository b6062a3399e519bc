/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/tables/routes_inside.h"

#define INTERVAL_UNKNOWN 150  /* milliseconds between packets of a stream that has just begun */
#define RETRIES_MAX      4096 /* rows that are looked at for one group */

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
	route_mark(routes, route); /* it may be there for that alone */
}

void routes_lost(struct routes *routes, const struct route_key *key)
{
	struct route *route = route_find(routes, key);

	if (route == NULL || !route->held)
		return;
	/* Perhaps it is there after all: a packet that found no entry just before it came begins to wait just
	 * after. The kernel asks, but would not give that packet free when the entry is written again, and
	 * would not ask about the stream any more while it waits, 10 s long, should the entry be deleted
	 * meanwhile. */
	route->asked = true;
	route_mark(routes, route);
}

static bool is_right(const struct route *route, const struct route_observed *observed)
{
	bool input_is_told = (observed->vifs >> route->held_input & 1) != 0;

	return observed->present && (!input_is_told || observed->input == route->held_input) &&
	       ((observed->outputs ^ route->held_outputs) & observed->vifs) == 0;
}

enum route_verdict routes_observe(struct routes *routes, const struct route_key *key,
                                  const struct route_observed *observed)
{
	struct route *route = route_find(routes, key);

	if (route == NULL)
		return observed->present ? ROUTE_STRANGE : ROUTE_RIGHT;
	/* A part of an audit is put together when the part before it is read. */
	if (!route->held || (observed->audited && routes->audit_part - route->written <= 1))
		return ROUTE_RIGHT;
	route->wrong = route->rewrite = !is_right(route, observed);
	if (route->wrong)
		route_mark(routes, route);
	return route->wrong ? ROUTE_WRONG : ROUTE_RIGHT;
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

void routes_untold_at(struct routes *routes, unsigned vif, unsigned instance)
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

bool routes_serves(const struct routes *routes, const struct route_key *key, unsigned instance)
{
	const struct route *route = route_find(routes, key);

	return route != NULL && route_serves(route, instance);
}

uint32_t routes_outputs(const struct routes *routes, const struct route_key *key)
{
	const struct route *route = route_find(routes, key);

	if (route == NULL || route->claims == NULL)
		return 0;
	return route_vifs(route) & ~((uint32_t)1 << route_input(route));
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
	route->arrival = (uint8_t)vif;
	route_mark(routes, route);
}

void routes_counted(struct routes *routes, mtime now, const struct route_key *key, uint64_t packets)
{
	struct route *route = route_find(routes, key);

	if (route == NULL)
		return;
	/* Instances would keep a stream that has ended alive if they were observed of it again in turn. */
	if (route->upcalls_pending != 0 && (uint32_t)packets != route->counts[1].packets)
		route_set_pending(routes, route, route->upcalls_pending, true);
	route->counts[0] = route->counts[1];
	route->counts[1] = (struct route_count){.at = now, .packets = (uint32_t)packets};
	/* Of an entry that was made again. */
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

bool routes_pull_reading(struct routes *routes, mtime now, struct route_key *key, uint64_t *instances)
{
	struct route *route = routes->readings;
	const struct claim *claim;

	if (route == NULL || (route->read_at > now && routes->readings_left == 0))
		return false;
	if (routes->readings_left > 0)
		routes->readings_left--;
	/* Read ahead of time it may be so new that the instance's word is still on its way. */
	if (route->read_at <= now)
		route_drop_assumed(routes, route);
	route->read_at = now + routes->reading_interval;
	DL_DELETE(routes->readings, route);
	DL_APPEND(routes->readings, route);
	*key = route->key;
	*instances = 0;
	LL_FOREACH (route->claims, claim)
		*instances |= (uint64_t)1 << claim->instance;
	return true;
}
