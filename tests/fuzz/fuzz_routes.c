/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of routes: the input chooses claims, upcalls, counters, audits, and what the kernel refuses. The naive model is
 * that of the unit test. A second table with little memory gets random calls without a model.
 */
#include "fuzz_random.h"

#include <errno.h>

#define main unit_main
int unit_main(void);
#include "unit/core/tables/test_routes_random.c"

#define STEPS_MAX 2000

static void read_one(struct world *world)
{
	unsigned stream = random_below(&world->random, STREAMS);
	struct route_key key = key_of(stream);
	uint64_t packets = random_below(&world->random, 1000);
	struct routes_entry entry;

	assert(routes_packet_interval(world->routes, world->now, &key, packets) >= 0);
	routes_counted(world->routes, world->now, &key, packets);
	assert(routes_get_entry(world->routes, &key, &entry) ==
	       (world->kernel[stream].held || world->kernel[stream].lost));
	routes_note_copy(world->routes, &key);
	assert(!routes_note_copy(world->routes, &key));
}

static void ask_about(struct world *world)
{
	unsigned stream = random_below(&world->random, STREAMS), instance = 0, input = 0;
	struct route_key key = key_of(stream), last;

	assert(routes_first(world->routes, &key, &instance, &input) == is_wanted(world, stream));
	assert(!is_wanted(world, stream) || (routes_wanted_by(world->routes, &key) >> instance & 1) != 0);
	assert((routes_outputs(world->routes, &key) >> input & 1) == 0 || !is_wanted(world, stream));
	for (unsigned i = 0; i < INSTANCES; i++) {
		assert((routes_wanted_by(world->routes, &key) >> i & 1) == world->claims[stream][i].any);
		assert(!routes_serves(world->routes, &key, i) || world->claims[stream][i].any);
	}
	assert(routes_restored(world->routes, &last) == 0 || stream_of(&last) < STREAMS);
}

static void audit(struct world *world)
{
	unsigned stream = random_below(&world->random, STREAMS);
	const struct entry *entry = &world->kernel[stream];
	struct route_observed observed = {entry->held, true, entry->input, entry->outputs, UINT32_MAX};

	routes_audit(world->routes);
	if (random_percent(&world->random, 50))
		routes_audit(world->routes);
	if (!entry->changed && !entry->lost)
		check(world, tell(world, stream, &observed) == ROUTE_RIGHT, "a right entry is wrong");
}

static void step(struct world *world)
{
	switch (random_below(&world->random, 12)) {
	case 0:
		turn(world);
		break;
	case 1:
		world->now += random_below(&world->random, 40000);
		turn(world);
		read_counters(world);
		break;
	case 2:
		announce_pending(world);
		break;
	case 3:
		read_one(world);
		break;
	case 4:
		ask_about(world);
		break;
	case 5:
		audit(world);
		break;
	case 6:
		world->failure_percent = random_below(&world->random, 60);
		break;
	case 7:
		routes_upcalls_pending_at(world->routes, random_below(&world->random, 4),
		                          random_below(&world->random, INSTANCES));
		break;
	case 8:
		come_to_rest(world);
		break;
	default:
		something_happens(world);
	}
}

/* When all is removed, nothing is left. */
static void remove_all(struct world *world)
{
	struct route_key key;
	uint64_t instances;

	for (unsigned instance = 0; instance < INSTANCES; instance++) {
		routes_unwant_all(world->routes, instance);
		world->full[instance] = false;
		for (size_t i = 0; i < STREAMS; i++)
			world->claims[i][instance].any = false;
	}
	come_to_rest(world);
	assert(!routes_pull_reading(world->routes, MTIME_NEVER - 1, &key, &instances));
	assert(routes_count(world->routes) == 0 && routes_deadline(world->routes) == MTIME_NEVER);
	for (unsigned vif = 0; vif < ROUTES_VIFS; vif++)
		assert(!routes_vif_is_named(world->routes, vif));
}

static struct route_key any_key(struct random *random)
{
	return (struct route_key){nth_addr("10.0.0.1", random_below(random, 300)),
	                          nth_addr("239.1.0.1", random_below(random, 2))};
}

/* One call that needs memory, of a table that has too little. */
static void claim_at_limit(struct routes *routes, struct random *random, mtime now)
{
	struct route_key key = any_key(random);
	unsigned instance = random_below(random, ROUTES_INSTANCES), vif = random_below(random, ROUTES_VIFS);
	uint32_t outputs = (uint32_t)random_next(random) << 16 | (uint32_t)random_next(random);

	switch (random_below(random, 9)) {
	case 0:
		routes_unwant(routes, &key, instance);
		break;
	case 1:
		routes_upcall_pending(routes, &key, instance, vif);
		break;
	case 2:
		routes_ask_again(routes, &key, vif);
		break;
	case 3:
		routes_unwant_all(routes, instance);
		break;
	case 4:
		for (uint32_t i = 0; i < ROUTES_ASSUMED_MAX + 2; i++)
			routes_assume(routes, &(struct route_key){nth_addr("10.0.0.1", i), key.group},
			              instance, vif, outputs);
		break;
	case 5:
		routes_read_all(routes);
		break;
	case 6:
		routes_yield(routes, &key, vif, instance & 1);
		assert((routes_yielded(routes, &key) >> vif & 1) <= (instance & 1));
		routes_set_home(routes, &key, vif);
		break;
	case 7:
		outputs &= ~((uint32_t)1 << vif);
		if (routes_adopt(routes, now, &key, vif, outputs, random_next(random)))
			routes_adopt_claim(routes, &key, instance, vif, outputs);
		routes_adopt_claim(routes, &key, instance, vif, outputs);
		if ((outputs & 1) != 0)
			routes_end_adopted(routes, &key, instance);
		break;
	default:
		routes_want(routes, &key, instance, vif, outputs);
	}
}

static void serve(struct routes *routes, struct random *random, mtime now)
{
	struct route_key key;
	struct route_op op;
	uint64_t instances;
	unsigned input, count = 0;

	while (routes_pull(routes, now, &op)) {
		assert(op.input < ROUTES_VIFS && (op.outputs >> op.input & 1) == 0);
		routes_done(routes, now, &op, random_percent(random, 20) ? -ENOMEM : 0);
		assert(count++ < 10000);
	}
	while (routes_pull_pending_upcall(routes, &key, &input, &instances))
		assert(instances != 0 && count++ < 20000);
	while (routes_pull_reading(routes, now, &key, &instances))
		assert(count++ < 30000);
	if (random_percent(random, 10))
		routes_set_reading_interval(routes, now, 1000 + random_below(random, 60000));
}

static void with_little_memory(struct random *random)
{
	size_t memory = 4096 + 256 * (size_t)random_below(random, 256);
	struct routes *routes = routes_new(memory, READING, 7);
	struct route_op op;
	mtime now = 1000;

	assert(routes != NULL);
	for (int steps = 0; steps < STEPS_MAX && !fuzz_random_is_over(); steps++) {
		claim_at_limit(routes, random, now);
		if (random_percent(random, 30))
			serve(routes, random, now += random_below(random, 2000));
	}
	for (unsigned instance = 0; instance < ROUTES_INSTANCES; instance++)
		routes_unwant_all(routes, instance);
	/* The input is over: the kernel refuses each operation that may fail. */
	for (int turns = 0; turns < 3; turns++)
		serve(routes, random, now += RETRY);
	while (routes_pull(routes, now, &op))
		routes_done(routes, now, &op, 0);
	assert(routes_count(routes) == 0);
	for (unsigned vif = 0; vif < ROUTES_VIFS; vif++)
		assert(!routes_vif_is_named(routes, vif));
	routes_free(routes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world world;

	fuzz_random_open(data, size);
	if (random_percent(&world.random, 30)) {
		with_little_memory(&world.random);
		return 0;
	}
	open_world(&world);
	for (int steps = 0; steps < STEPS_MAX && !fuzz_random_is_over(); steps++)
		step(&world);
	come_to_rest(&world);
	remove_all(&world);
	close_world(&world);
	return 0;
}
