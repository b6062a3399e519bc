/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/routes.h"

#include "core/index.h"
#include "core/pool.h"

#include <assert.h>
#include <stdlib.h>

#include <utlist.h>

#define RETRY_INTERVAL (1 * MTIME_SECOND)
#define REMINDERS_MAX  4096 /* rows that are looked at for one group */

/* One instance's wish. */
struct wish {
	struct wish *next;
	uint8_t instance;
	uint8_t input;
	bool assumed; /* the instance has not told it */
	uint32_t outputs;
};

struct route {
	struct index_node node; /* first */
	struct route_key key;
	struct wish *wishes; /* the oldest first: its input counts */
	bool rewrite;        /* somebody may have taken the entry away: write or delete it whatever is held */
	bool wrong;          /* so the kernel has told */
	bool asked;          /* the kernel keeps packets for want of an entry: only a new one lets them go */
	bool held;           /* the kernel has an entry, as below */
	bool dirty;
	bool ask_again; /* set a negative entry and delete it */
	uint8_t ask_input;
	uint8_t held_input;
	uint32_t held_outputs;
	uint32_t written; /* in which part of the audits */
	struct route *dirty_prev, *dirty_next;
	struct route *prev, *next; /* in order of read_at, while held */
	mtime read_at;
	struct route *retry_prev, *retry_next; /* in order of retry_at */
	mtime retry_at;                        /* 0: not waiting */
	uint64_t untold;                       /* set of instances that do not know of the stream */
	uint8_t untold_input;
	bool untold_due;                         /* to be told now */
	struct route *untold_prev, *untold_next; /* of those that are due, or of those that are not */
};

struct routes {
	struct pool *pool;
	uint64_t seed;
	mtime reading_interval;
	struct index index; /* by source and group */
	struct route *dirty;
	struct route *readings;
	struct route *retries;
	struct route *untold[2];    /* [due] */
	size_t uses[ROUTES_VIFS];   /* entries held that name it */
	size_t wished[ROUTES_VIFS]; /* wishes that name it */
	size_t readings_left;       /* to be read before they are due */
	size_t assumed;             /* wishes that are */
	uint64_t full;              /* set of instances that refused a stream and have given up none since */
	uint32_t audit_part;
	uint64_t restored;
	struct route_key restored_key;
	uint64_t failures;
};

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

static struct route *find(const struct routes *routes, const struct route_key *key)
{
	struct index_node *node = index_find(&routes->index, key_hash(routes, key));

	for (; node != NULL; node = index_find_next(node))
		if (memcmp(&((struct route *)node)->key, key, sizeof *key) == 0)
			break;
	return (struct route *)node;
}

static struct route *get(struct routes *routes, const struct route_key *key)
{
	struct route *route = find(routes, key);

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

static void mark(struct routes *routes, struct route *route)
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

static void set_untold(struct routes *routes, struct route *route, uint64_t untold, bool due)
{
	if (route->untold != 0)
		DL_DELETE2(routes->untold[route->untold_due], route, untold_prev, untold_next);
	route->untold = untold;
	route->untold_due = due;
	if (route->untold != 0)
		DL_APPEND2(routes->untold[due], route, untold_prev, untold_next);
}

static void release(struct routes *routes, struct route *route)
{
	if (route->wishes != NULL || route->held || route->dirty || route->retry_at != 0)
		return;
	if (route->untold != 0 && route->untold_due)
		return;
	/* Who was to be told with the next reading is asked by the kernel, with the next packet. */
	set_untold(routes, route, 0, false);
	index_remove(&routes->index, &route->node);
	pool_give(routes->pool, route, sizeof *route);
}

static struct wish *find_wish(const struct route *route, unsigned instance)
{
	struct wish *wish;

	LL_FOREACH (route->wishes, wish)
		if (wish->instance == instance)
			return wish;
	return NULL;
}

static void set_assumed(struct routes *routes, struct wish *wish, bool assumed)
{
	routes->assumed += (size_t)assumed - (size_t)wish->assumed;
	wish->assumed = assumed;
}

/* NULL when memory is short. */
static struct wish *want(struct routes *routes, const struct route_key *key, unsigned instance,
                         unsigned input, uint32_t outputs)
{
	struct route *route = get(routes, key);
	struct wish *wish = route ? find_wish(route, instance) : NULL;
	bool is_new = wish == NULL;

	assert(input < ROUTES_VIFS && instance < ROUTES_INSTANCES);
	if (route == NULL)
		return NULL;
	if (wish == NULL) {
		wish = pool_take(routes->pool, sizeof *wish);
		if (wish == NULL) {
			release(routes, route);
			return NULL;
		}
		wish->instance = (uint8_t)instance;
		LL_APPEND(route->wishes, wish);
	}
	if (!is_new)
		count_uses(routes->wished, wish->input, wish->outputs, -1);
	if (route->untold >> instance & 1)
		set_untold(routes, route, route->untold & ~((uint64_t)1 << instance), route->untold_due);
	wish->input = (uint8_t)input;
	wish->outputs = outputs;
	count_uses(routes->wished, input, outputs, 1);
	mark(routes, route);
	return wish;
}

bool routes_want(struct routes *routes, const struct route_key *key, unsigned instance, unsigned input,
                 uint32_t outputs)
{
	struct wish *wish = want(routes, key, instance, input, outputs);

	if (wish == NULL)
		return false;
	set_assumed(routes, wish, false);
	return true;
}

void routes_assume(struct routes *routes, const struct route_key *key, unsigned instance, unsigned input,
                   uint32_t outputs)
{
	struct wish *wish = NULL;

	if (routes->assumed < ROUTES_ASSUMED_MAX && (routes->full >> instance & 1) == 0 &&
	    !routes_is_wanted_by(routes, key, instance))
		wish = want(routes, key, instance, input, outputs);
	if (wish != NULL)
		set_assumed(routes, wish, true);
}

static void remove_wish(struct routes *routes, struct route *route, unsigned instance)
{
	struct wish *wish = find_wish(route, instance);

	if (wish == NULL)
		return;
	if (route->wishes->next != NULL)
		set_untold(routes, route, route->untold | (uint64_t)1 << instance, route->untold_due);
	count_uses(routes->wished, wish->input, wish->outputs, -1);
	set_assumed(routes, wish, false);
	LL_DELETE(route->wishes, wish);
	pool_give(routes->pool, wish, sizeof *wish);
	mark(routes, route);
}

void routes_unwant(struct routes *routes, const struct route_key *key, unsigned instance)
{
	struct route *route = find(routes, key);
	struct wish *wish = route ? find_wish(route, instance) : NULL;

	if (wish == NULL)
		return;
	/* Without an entry the kernel asks again only after 10 s; with one that comes and goes, each time. */
	routes->full &= ~((uint64_t)1 << instance);
	routes->full |= (uint64_t)wish->assumed << instance;
	remove_wish(routes, route, instance);
}

/* What instances have not told by now they do not want; false: there was nothing of that kind. */
static bool drop_assumed(struct routes *routes, struct route *route)
{
	struct wish *wish, *next;
	bool dropped = false;

	LL_FOREACH_SAFE (route->wishes, wish, next) {
		if (!wish->assumed)
			continue;
		remove_wish(routes, route, wish->instance);
		dropped = true;
	}
	return dropped;
}

static void forget_untold(struct routes *routes, struct route *route, unsigned instance)
{
	if ((route->untold >> instance & 1) == 0)
		return;
	set_untold(routes, route, route->untold & ~((uint64_t)1 << instance), route->untold_due);
	mark(routes, route); /* it may be there for that alone */
}

void routes_unwant_all(struct routes *routes, unsigned instance)
{
	struct index_node *node, *next;

	routes->full &= ~((uint64_t)1 << instance);
	for (node = routes->index.oldest; node != NULL; node = next) {
		next = node->newer;
		remove_wish(routes, (struct route *)node, instance);
		forget_untold(routes, (struct route *)node, instance);
	}
}

void routes_lost(struct routes *routes, const struct route_key *key)
{
	struct route *route = find(routes, key);

	if (route == NULL || !route->held)
		return;
	/* Perhaps it is there after all: a packet that found no entry just before it came begins to wait just
	 * after. The kernel asks, but would not give that packet free when the entry is written again, and
	 * would not ask about the stream any more while it waits, 10 s long, should the entry be deleted
	 * meanwhile.
	 */
	route->asked = true;
	mark(routes, route);
}

static bool is_right(const struct route *route, const struct route_told *told)
{
	bool input_is_told = (told->vifs >> route->held_input & 1) != 0;

	return told->present && (!input_is_told || told->input == route->held_input) &&
	       ((told->outputs ^ route->held_outputs) & told->vifs) == 0;
}

enum route_verdict routes_told(struct routes *routes, const struct route_key *key,
                               const struct route_told *told)
{
	struct route *route = find(routes, key);

	if (route == NULL)
		return told->present ? ROUTE_STRANGE : ROUTE_RIGHT;
	/* A part of an audit is put together when the part before it is read. */
	if (!route->held || (told->audited && routes->audit_part - route->written <= 1))
		return ROUTE_RIGHT;
	route->wrong = route->rewrite = !is_right(route, told);
	if (route->wrong)
		mark(routes, route);
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

bool routes_first(const struct routes *routes, const struct route_key *key, unsigned *instance,
                  unsigned *input)
{
	const struct route *route = find(routes, key);

	if (route == NULL || route->wishes == NULL)
		return false;
	*instance = route->wishes->instance;
	*input = route->wishes->input;
	return true;
}

bool routes_is_wanted_by(const struct routes *routes, const struct route_key *key, unsigned instance)
{
	const struct route *route = find(routes, key);

	return route != NULL && find_wish(route, instance) != NULL;
}

bool routes_untold(struct routes *routes, const struct route_key *key, unsigned instance, unsigned input)
{
	struct route *route = get(routes, key);

	if (route == NULL)
		return false;
	if (find_wish(route, instance) != NULL)
		return true;
	route->untold_input = (uint8_t)input;
	set_untold(routes, route, route->untold | (uint64_t)1 << instance, true);
	return true;
}

bool routes_pull_untold(struct routes *routes, struct route_key *key, unsigned *input, uint64_t *instances)
{
	struct route *route = routes->untold[true];

	if (route == NULL)
		return false;
	*key = route->key;
	*input = route->wishes != NULL ? route->wishes->input : route->untold_input;
	*instances = route->untold;
	set_untold(routes, route, 0, false);
	release(routes, route);
	return true;
}

void routes_remind(struct routes *routes, unsigned instance, const struct addr *group)
{
	struct route *route, *next;
	int left = REMINDERS_MAX;

	for (route = routes->untold[false]; route != NULL && left-- > 0; route = next) {
		next = route->untold_next;
		if ((route->untold >> instance & 1) && addr_equal(&route->key.group, group))
			set_untold(routes, route, route->untold, true);
	}
}

bool routes_ask_again(struct routes *routes, const struct route_key *key, unsigned input)
{
	struct route *route = get(routes, key);

	if (route == NULL)
		return false;
	if (route->wishes == NULL && (!route->held || route->asked)) {
		route->ask_again = true;
		route->ask_input = (uint8_t)input;
	}
	mark(routes, route);
	return true;
}

/* Input of the oldest wish, outputs of all that share it; never back to where it comes from. */
static void merge_wishes(const struct route *route, struct route_op *op)
{
	const struct wish *wish;

	op->input = route->wishes->input;
	op->outputs = 0;
	LL_FOREACH (route->wishes, wish)
		if (wish->input == op->input)
			op->outputs |= wish->outputs;
	op->outputs &= ~((uint32_t)1 << op->input);
}

/* What has to be done to an entry; false: it is right. */
static bool next_op(const struct route *route, struct route_op *op)
{
	*op = (struct route_op){.key = route->key};
	if (route->asked) {
		op->kind = ROUTE_DELETE;
		return true;
	}
	if (route->ask_again && route->wishes == NULL) {
		op->kind = ROUTE_SET;
		op->input = route->ask_input;
		return true;
	}
	if (route->wishes == NULL) {
		op->kind = ROUTE_DELETE;
		return route->held;
	}
	op->kind = ROUTE_SET;
	merge_wishes(route, op);
	return !route->held || route->rewrite || route->held_input != op->input ||
	       route->held_outputs != op->outputs;
}

bool routes_pull(struct routes *routes, mtime now, struct route_op *op)
{
	struct route *route;

	while (routes->retries != NULL && routes->retries->retry_at <= now)
		mark(routes, routes->retries);
	while ((route = routes->dirty) != NULL) {
		DL_DELETE2(routes->dirty, route, dirty_prev, dirty_next);
		route->dirty = false;
		if (next_op(route, op))
			return true;
		release(routes, route);
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
	if (route->wishes == NULL && !route->ask_again) {
		release(routes, route);
		return;
	}
	route->wrong = wrong;
	mark(routes, route);
}

void routes_done(struct routes *routes, mtime now, const struct route_op *op, int result)
{
	struct route *route = find(routes, &op->key);

	assert(route != NULL && "operations are answered one by one");
	if (op->kind == ROUTE_DELETE) {
		deleted(routes, route);
		return;
	}
	route->ask_again = false;
	if (result == 0) {
		set_held(routes, now, route, op->input, op->outputs);
		if (route->wishes == NULL)
			mark(routes, route);
		return;
	}
	/* The kernel keeps what it had. */
	routes->failures++;
	/* An entry that never comes about is never read. */
	if (drop_assumed(routes, route))
		return;
	if (route->wishes != NULL)
		retry_later(routes, now, route);
	else
		release(routes, route);
}

bool routes_pull_reading(struct routes *routes, mtime now, struct route_key *key, uint64_t *instances)
{
	struct route *route = routes->readings;
	const struct wish *wish;

	if (route == NULL || (route->read_at > now && routes->readings_left == 0))
		return false;
	if (routes->readings_left > 0)
		routes->readings_left--;
	/* Read ahead of time it may be so new that the instance's word is still on its way. */
	if (route->read_at <= now)
		drop_assumed(routes, route);
	route->read_at = now + routes->reading_interval;
	DL_DELETE(routes->readings, route);
	DL_APPEND(routes->readings, route);
	*key = route->key;
	*instances = 0;
	LL_FOREACH (route->wishes, wish)
		*instances |= (uint64_t)1 << wish->instance;
	if (route->untold != 0)
		set_untold(routes, route, route->untold, true);
	return true;
}

bool routes_sends_to(const struct routes *routes, const struct route_key *key, unsigned vif)
{
	const struct route *route = find(routes, key);

	return route != NULL && route->held && (route->held_outputs >> vif & 1) != 0;
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
	return routes->uses[vif] > 0 || routes->wished[vif] > 0;
}

size_t routes_count(const struct routes *routes)
{
	return routes->index.count;
}

uint64_t routes_failures(const struct routes *routes)
{
	return routes->failures;
}
