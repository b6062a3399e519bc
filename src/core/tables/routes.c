/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/tables/early_routes.h"
#include "core/tables/routes_rows.h"

#include <assert.h>
#include <stdlib.h>

#define RETRY_INTERVAL (1 * MTIME_SECOND)

struct routes *routes_new(size_t memory_max, mtime reading_interval, uint64_t seed)
{
	struct routes *routes = calloc(1, sizeof *routes);

	if (routes == NULL)
		return NULL;
	routes->reading_interval = reading_interval;
	routes->seed = seed;
	routes->pool = pool_new(memory_max);
	if (routes->pool != NULL)
		return routes;
	free(routes);
	return NULL;
}

void routes_free(struct routes *routes)
{
	if (routes == NULL)
		return;
	index_fini(&routes->index);
	pool_free(routes->pool);
	free(routes);
}

size_t routes_memory(size_t count)
{
	size_t each = sizeof(struct route) + sizeof(struct claim);

	return count < SIZE_MAX / each ? count * each : SIZE_MAX;
}

void routes_set_memory_max(struct routes *routes, size_t memory_max)
{
	pool_limit(routes->pool, memory_max);
}

void routes_set_reading_interval(struct routes *routes, mtime now, mtime reading_interval)
{
	struct route *route;

	if (reading_interval < routes->reading_interval)
		DL_FOREACH (routes->readings, route)
			route->read_at = mtime_min(route->read_at, now + reading_interval);
	routes->reading_interval = reading_interval;
}

static void set_held(struct routes *routes, mtime now, struct route *route, unsigned input, uint32_t outputs)
{
	if (route->held) {
		route_count_vifs(routes->uses, route->held_input, route->held_outputs, -1);
		/* A deleted entry that is written again starts with new counters. */
		if (route->rewrite) {
			DL_DELETE(routes->readings, route);
			route->held = false;
		}
	}
	if (!route->held) {
		route->held = true;
		route->counts[0] = route->counts[1] = (struct route_count){.at = now};
		route->read_at = now + routes->reading_interval;
		DL_APPEND(routes->readings, route);
	}
	if (route->wrong) {
		routes->restored++;
		routes->restored_key = route->key;
	}
	route->rewrite = route->wrong = false;
	route->written = routes->audit_part;
	route->held_input = (uint8_t)input;
	route->held_outputs = outputs;
	route_count_vifs(routes->uses, route->held_input, route->held_outputs, 1);
}

static void clear_held(struct routes *routes, struct route *route)
{
	if (!route->held)
		return;
	route_count_vifs(routes->uses, route->held_input, route->held_outputs, -1);
	route->held = route->rewrite = route->wrong = route->asked = false;
	DL_DELETE(routes->readings, route);
}

bool routes_adopt(struct routes *routes, mtime now, const struct route_key *key, unsigned input,
                  uint32_t outputs, uint64_t packets)
{
	struct route *route = route_get(routes, key);

	if (route == NULL || route->held || route->claims != NULL)
		return false;
	route->ask_again = false; /* there is an entry */
	set_held(routes, now, route, input, outputs);
	/* What it counted before gives no interval between its packets. */
	routes_counted(routes, now, key, packets);
	routes_counted(routes, now, key, packets);
	route_mark(routes, route);
	return true;
}

bool routes_want(struct routes *routes, const struct route_key *key, unsigned instance, unsigned input,
                 uint32_t outputs)
{
	struct claim *claim = route_set_claim(routes, key, instance, input, outputs);

	if (claim == NULL)
		return false;
	early_route_confirm(routes, claim);
	return true;
}

void routes_unwant(struct routes *routes, const struct route_key *key, unsigned instance)
{
	struct route *route = route_find(routes, key);
	struct claim *claim = route ? route_find_claim(route, instance) : NULL;

	if (claim == NULL)
		return;
	early_route_unwant(routes, claim);
	route_remove_claim(routes, route, instance);
}

void routes_unwant_all(struct routes *routes, unsigned instance)
{
	struct index_node *node, *next;

	early_route_forget_instance(routes, instance);
	for (node = routes->index.oldest; node != NULL; node = next) {
		next = node->newer;
		route_remove_claim(routes, (struct route *)node, instance);
		route_forget_pending(routes, (struct route *)node, instance);
	}
}

bool routes_first(const struct routes *routes, const struct route_key *key, unsigned *instance,
                  unsigned *input)
{
	const struct route *route = route_find(routes, key);

	if (route == NULL || route->claims == NULL)
		return false;
	*input = route_input(route);
	*instance = route_find_claim_at(route, *input)->instance;
	return true;
}

/* The outputs never contain the input. */
static void merge_claims(const struct route *route, struct route_op *op)
{
	op->input = route_input(route);
	op->outputs = route_vifs(route) & ~((uint32_t)1 << op->input) & ~route->yielded;
}

/* The operation that an entry needs; false: it is right. */
static bool next_op(const struct route *route, struct route_op *op)
{
	*op = (struct route_op){.key = route->key};
	if (route->asked) {
		op->kind = ROUTE_DELETE;
		return true;
	}
	if (route->ask_again && route->claims == NULL) {
		op->kind = ROUTE_SET;
		op->input = route->ask_input;
		return true;
	}
	if (route->claims == NULL) {
		op->kind = ROUTE_DELETE;
		return route->held;
	}
	op->kind = ROUTE_SET;
	merge_claims(route, op);
	return !route->held || route->rewrite || route->held_input != op->input ||
	       route->held_outputs != op->outputs;
}

bool routes_pull(struct routes *routes, mtime now, struct route_op *op)
{
	struct route *route;

	while (routes->retries != NULL && routes->retries->retry_at <= now)
		route_mark(routes, routes->retries);
	while ((route = routes->dirty) != NULL) {
		DL_DELETE2(routes->dirty, route, dirty_prev, dirty_next);
		route->dirty = false;
		if (next_op(route, op))
			return true;
		route_release(routes, route);
	}
	return false;
}

static void retry_later(struct routes *routes, mtime now, struct route *route)
{
	route->retry_at = now + RETRY_INTERVAL;
	DL_APPEND2(routes->retries, route, retry_prev, retry_next);
}

/* If the kernel cannot delete an entry, the entry is not there (-ENOENT): there is no other cause. */
static void deleted(struct routes *routes, struct route *route)
{
	bool wrong = route->wrong;

	clear_held(routes, route);
	if (route->claims == NULL && !route->ask_again) {
		route_release(routes, route);
		return;
	}
	route->wrong = wrong;
	route_mark(routes, route);
}

void routes_done(struct routes *routes, mtime now, const struct route_op *op, int result)
{
	struct route *route = route_find(routes, &op->key);

	assert(route != NULL && "each operation is answered before the next pull");
	if (op->kind == ROUTE_DELETE) {
		deleted(routes, route);
		return;
	}
	route->ask_again = false;
	if (result == 0) {
		set_held(routes, now, route, op->input, op->outputs);
		if (route->claims == NULL)
			route_mark(routes, route);
		return;
	}
	/* The kernel keeps the old entry. */
	routes->failures++;
	/* The counters of an entry that never exists are never read, which would end its early claims. */
	if (early_route_drop(routes, route))
		return;
	if (route->claims != NULL)
		retry_later(routes, now, route);
	else
		route_release(routes, route);
}

bool routes_get_entry(const struct routes *routes, const struct route_key *key, struct routes_entry *entry)
{
	const struct route *route = route_find(routes, key);

	if (route == NULL || !route->held)
		return false;
	*entry = (struct routes_entry){.input = route->held_input,
	                               .outputs = route->held_outputs,
	                               .left = route->left,
	                               .home = route->home,
	                               .arrived = route->held_input == route->arrival};
	return true;
}

mtime routes_deadline(const struct routes *routes)
{
	mtime at = routes->readings ? routes->readings->read_at : MTIME_NEVER;

	if (routes->dirty != NULL || (routes->readings != NULL && routes->readings_left > 0))
		at = 0;
	return routes->retries ? mtime_min(at, routes->retries->retry_at) : at;
}

size_t routes_vif_uses(const struct routes *routes, unsigned vif)
{
	return routes->uses[vif];
}

bool routes_vif_is_named(const struct routes *routes, unsigned vif)
{
	return routes->uses[vif] > 0 || routes->claimed[vif] > 0;
}

size_t routes_count(const struct routes *routes)
{
	return routes->index.count;
}

uint64_t routes_failures(const struct routes *routes)
{
	return routes->failures;
}
