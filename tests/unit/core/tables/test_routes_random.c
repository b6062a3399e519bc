/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of routes: random claims against a kernel that fails at times and loses entries.
 */
#include "core/tables/routes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/craft.h"

#include "support/random.h"

#include "unit/core/tables/routes_world.h"

static void announce_pending(struct world *world)
{
	struct route_key key;
	unsigned input;
	uint64_t instances;

	while (routes_pull_pending_upcall(world->routes, &key, &input, &instances)) {
		unsigned stream = stream_of(&key);

		for (unsigned i = 0; i < INSTANCES; i++)
			check(world,
			      !(instances >> i & 1) || !world->claims[stream][i].any ||
			              world->moved[stream] ||
			              world->claims[stream][i].input != world->arrival[stream],
			      "an instance that wants a stream learns of it");
	}
}

static void be_refused(struct world *world, unsigned stream, unsigned instance)
{
	struct route_key key = key_of(stream);

	assert_true(routes_upcall_pending(world->routes, &key, instance, random_below(&world->random, 4)));
	if (random_percent(&world->random, 50))
		routes_retry_upcalls(world->routes, instance, &key.group);
}

/* Where the stream goes, whoever sends it there: an output may be another instance's input. */
static uint32_t follow(const struct claim claims[INSTANCES], unsigned input)
{
	uint32_t vifs = 1u << input;

	for (unsigned round = 0; round < INSTANCES; round++)
		for (unsigned i = 0; i < INSTANCES; i++)
			if (claims[i].any && vifs >> claims[i].input & 1)
				vifs |= claims[i].outputs;
	return vifs & ~(1u << input);
}

static void check_stream(const struct world *world, unsigned stream)
{
	const struct entry *entry = &world->kernel[stream];
	bool from_arrival = false, from_input = false;

	for (size_t i = 0; i < INSTANCES; i++) {
		const struct claim *claim = &world->claims[stream][i];

		from_arrival |= claim->any && claim->input == world->arrival[stream];
		from_input |= claim->any && claim->input == entry->input;
	}
	check(world, entry->held == is_wanted(world, stream), "an entry too many, or one is missing");
	check(world, !entry->changed, "an entry that others changed is left so");
	if (!entry->held)
		return;
	check(world, from_arrival ? entry->input == world->arrival[stream] : from_input, "a wrong input");
	check(world, entry->outputs == follow(world->claims[stream], entry->input), "wrong outputs");
}

/* A number is free if, and only if, no claim and no entry names the vif. */
static void check_named_vifs(const struct world *world)
{
	uint32_t named = 0;

	for (size_t i = 0; i < STREAMS; i++) {
		if (world->kernel[i].held)
			named |= world->kernel[i].outputs | 1u << world->kernel[i].input;
		for (size_t j = 0; j < INSTANCES; j++)
			if (world->claims[i][j].any)
				named |= world->claims[i][j].outputs | 1u << world->claims[i][j].input;
	}
	for (unsigned vif = 0; vif < ROUTES_VIFS; vif++)
		check(world, routes_vif_is_named(world->routes, vif) == (named >> vif & 1),
		      "a vif is named, or not");
}

static void come_to_rest(struct world *world)
{
	unsigned failure_percent = world->failure_percent;
	size_t wanted = 0;

	world->failure_percent = 0;
	world->now += RETRY;
	turn(world);
	announce_pending(world);
	for (unsigned stream = 0; stream < STREAMS; stream++) {
		check_stream(world, stream);
		wanted += world->kernel[stream].held;
	}
	check(world, routes_count(world->routes) == wanted, "forgotten rows");
	check_named_vifs(world);
	world->failure_percent = failure_percent;
}

/* Each entry's counters are read when they are due, the earliest first. */
static void read_counters(struct world *world)
{
	struct route_key key;
	uint64_t instances;

	while (routes_pull_reading(world->routes, world->now, &key, &instances)) {
		struct entry *entry = &world->kernel[stream_of(&key)];

		check(world, entry->lost || (entry->held && entry->read_at <= world->now),
		      "a reading that is not due");
		drop_assumed(world, stream_of(&key));
		for (unsigned i = 0; i < INSTANCES; i++)
			check(world, (instances >> i & 1) == world->claims[stream_of(&key)][i].any,
			      "a reading for the wrong instances");
		entry->read_at = world->now + READING;
	}
	for (size_t i = 0; i < STREAMS; i++)
		check(world, !world->kernel[i].held || world->kernel[i].read_at > world->now,
		      "a reading that was due");
}

/* Somebody changes an entry or takes it away, and perhaps undoes it; the kernel tells of each. */
static void meddle(struct world *world, unsigned stream)
{
	struct entry *entry = &world->kernel[stream], before = *entry;
	struct route_observed observed = {.present = random_percent(&world->random, 60), .vifs = UINT32_MAX};

	if (!entry->held)
		return;
	observed.input = random_below(&world->random, 3);
	observed.outputs = (uint32_t)random_next(&world->random) & 0xf;
	tell(world, stream, &observed);
	if (random_percent(&world->random, 20)) {
		observed = (struct route_observed){true, false, before.input, before.outputs, UINT32_MAX};
		check(world, tell(world, stream, &observed) == ROUTE_RIGHT,
		      "not right when all is as it was");
		entry->changed = false;
		return;
	}
	if (observed.present && observed.input == entry->input && observed.outputs == entry->outputs) {
		entry->changed = false;
		return;
	}
	entry->changed = observed.present;
	entry->lost |= !observed.present;
	entry->held = observed.present;
}

static void something_happens(struct world *world)
{
	unsigned stream = random_below(&world->random, STREAMS);
	unsigned instance = random_below(&world->random, INSTANCES);

	switch (random_below(&world->random, 16)) {
	case 15:
	case 14:
		assume(world, stream, instance, random_below(&world->random, 3),
		       (uint32_t)random_next(&world->random) & 0xf);
		break;
	case 13:
		be_refused(world, stream, instance);
		break;
	case 12:
		meddle(world, stream);
		break;
	case 0:
	case 1:
		unwant(world, stream, instance);
		break;
	case 2:
		lose(world, stream);
		break;
	case 3:
		ask_again(world, stream, random_below(&world->random, 4));
		break;
	case 4:
		arrives(world, stream, random_below(&world->random, 3));
		if (random_percent(&world->random, 90))
			break;
		routes_unwant_all(world->routes, instance);
		world->full[instance] = false;
		for (size_t i = 0; i < STREAMS; i++)
			world->claims[i][instance].any = false;
		break;
	default:
		want(world, stream, instance, random_below(&world->random, 3),
		     (uint32_t)random_next(&world->random) & 0xf);
	}
}

static void random_wishes(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct world world;

		open_world(&world);
		world.seed = world.random.state = seed;
		world.failure_percent = seed % 2 ? 30 : 0;
		for (int step = 0; step < 300; step++) {
			something_happens(&world);
			world.now += random_below(&world.random, 400);
			if (random_percent(&world.random, 50)) {
				turn(&world);
				read_counters(&world);
				if (random_percent(&world.random, 30))
					announce_pending(&world);
			}
			if (random_percent(&world.random, 10))
				come_to_rest(&world);
		}
		come_to_rest(&world);
		close_world(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_wishes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
