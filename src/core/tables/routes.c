/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/tables/routes_inside.h"

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

void routes_set_reading_interval(struct routes *routes, mtime now, mtime reading_interval)
{
	struct route *route;

	if (reading_interval < routes->reading_interval)
		DL_FOREACH (routes->readings, route)
			route->read_at = mtime_min(route->read_at, now + reading_interval);
	routes->reading_interval = reading_interval;
}

static uint32_t key_hash(const struct routes *routes, const struct route_key *key)
{
	return addr_pair_hash(&key->source, &key->group, routes->seed);
}

struct route *route_find(const struct routes *routes, const struct route_key *key)
{
	struct index_node *node = index_find(&routes->index, key_hash(routes, key));

	for (; node != NULL; node = index_find_next(node))
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

static void count_uses(size_t uses[ROUTES_VIFS], unsigned input, uint32_t outputs, int by)
{
	uint32_t vifs = outputs | (uint32_t)1 << input;

	for (unsigned vif = 0; vif < ROUTES_VIFS; vif++)
		if (vifs >> vif & 1)
			uses[vif] += (size_t)by;
}

static void set_held(struct routes *routes, mtime now, struct route *route, unsigned input, uint32_t outputs)
{
	if (route->held) {
		count_uses(routes->uses, route->held_input, route->held_outputs, -1);
		/* Written anew its counters begin anew. */
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
	count_uses(routes->uses, route->held_input, route->held_outputs, 1);
}

static void clear_held(struct routes *routes, struct route *route)
{
	if (!route->held)
		return;
	count_uses(routes->uses, route->held_input, route->held_outputs, -1);
	route->held = route->rewrite = route->wrong = route->asked = false;
	DL_DELETE(routes->readings, route);
}

void route_release(struct routes *routes, struct route *route)
{
	if (route->claims != NULL || route->held || route->dirty || route->retry_at != 0)
		return;
	if (route->upcalls_pending != 0 && route->pending_due)
		return;
	/* Who was to be observed with the next reading is asked by the kernel, with the next packet. */
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

static const struct claim *find_wish_at(const struct route *route, unsigned input)
{
	const struct claim *claim;

	LL_FOREACH (route->claims, claim)
		if (claim->input == input)
			return claim;
	return NULL;
}

/* Where nobody wants it from the vif by which it arrives, the entry stays as it is. */
unsigned route_input(const struct route *route)
{
	if (find_wish_at(route, route->arrival) != NULL)
		return route->arrival;
	if (route->held && find_wish_at(route, route->held_input) != NULL)
		return route->held_input;
	return route->claims->input;
}

/* A stream that one instance sends by an upstream link arrives there for the others that have this link, as
 * it would if each of them were a router. */
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

static void set_assumed(struct routes *routes, struct claim *claim, bool assumed)
{
	routes->assumed += (size_t)assumed - (size_t)claim->assumed;
	claim->assumed = assumed;
}

/* NULL when memory is short. */
static struct claim *want(struct routes *routes, const struct route_key *key, unsigned instance,
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
		count_uses(routes->claimed, claim->input, claim->outputs, -1);
	if (route->upcalls_pending >> instance & 1)
		route_set_pending(routes, route, route->upcalls_pending & ~((uint64_t)1 << instance),
		                  route->pending_due);
	claim->input = (uint8_t)input;
	claim->outputs = outputs;
	if (is_new && route->claims == claim)
		route->arrival = claim->input;
	count_uses(routes->claimed, input, outputs, 1);
	route_mark(routes, route);
	return claim;
}

bool routes_want(struct routes *routes, const struct route_key *key, unsigned instance, unsigned input,
                 uint32_t outputs)
{
	struct claim *claim = want(routes, key, instance, input, outputs);

	if (claim == NULL)
		return false;
	set_assumed(routes, claim, false);
	return true;
}

void routes_assume(struct routes *routes, const struct route_key *key, unsigned instance, unsigned input,
                   uint32_t outputs)
{
	struct claim *claim = NULL;

	if (routes->assumed < ROUTES_ASSUMED_MAX && (routes->full >> instance & 1) == 0 &&
	    !routes_is_wanted_by(routes, key, instance))
		claim = want(routes, key, instance, input, outputs);
	if (claim != NULL)
		set_assumed(routes, claim, true);
}

static void remove_claim(struct routes *routes, struct route *route, unsigned instance)
{
	struct claim *claim = route_find_claim(route, instance);

	if (claim == NULL)
		return;
	if (route->claims->next != NULL)
		route_set_pending(routes, route, route->upcalls_pending | (uint64_t)1 << instance,
		                  route->pending_due);
	count_uses(routes->claimed, claim->input, claim->outputs, -1);
	set_assumed(routes, claim, false);
	LL_DELETE(route->claims, claim);
	pool_give(routes->pool, claim, sizeof *claim);
	route_mark(routes, route);
}

void routes_unwant(struct routes *routes, const struct route_key *key, unsigned instance)
{
	struct route *route = route_find(routes, key);
	struct claim *claim = route ? route_find_claim(route, instance) : NULL;

	if (claim == NULL)
		return;
	/* Without an entry the kernel asks again only after 10 s; with one that comes and goes, each time. */
	routes->full &= ~((uint64_t)1 << instance);
	routes->full |= (uint64_t)claim->assumed << instance;
	remove_claim(routes, route, instance);
}

bool route_drop_assumed(struct routes *routes, struct route *route)
{
	struct claim *claim, *next;
	bool dropped = false;

	LL_FOREACH_SAFE (route->claims, claim, next) {
		if (!claim->assumed)
			continue;
		remove_claim(routes, route, claim->instance);
		dropped = true;
	}
	return dropped;
}

void routes_unwant_all(struct routes *routes, unsigned instance)
{
	struct index_node *node, *next;

	routes->full &= ~((uint64_t)1 << instance);
	for (node = routes->index.oldest; node != NULL; node = next) {
		next = node->newer;
		remove_claim(routes, (struct route *)node, instance);
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
	*instance = find_wish_at(route, *input)->instance;
	return true;
}

bool routes_is_wanted_by(const struct routes *routes, const struct route_key *key, unsigned instance)
{
	const struct route *route = route_find(routes, key);

	return route != NULL && route_find_claim(route, instance) != NULL;
}

/* Never back to where it comes from. */
static void merge_claims(const struct route *route, struct route_op *op)
{
	op->input = route_input(route);
	op->outputs = route_vifs(route) & ~((uint32_t)1 << op->input);
}

/* What has to be done to an entry; false: it is right. */
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

/* An entry that cannot be deleted is not there (the kernel's -ENOENT): nothing else makes it fail. */
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

	assert(route != NULL && "operations are answered one by one");
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
	/* The kernel keeps what it had. */
	routes->failures++;
	/* An entry that never comes about is never read. */
	if (route_drop_assumed(routes, route))
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
