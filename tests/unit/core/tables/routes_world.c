/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit/core/tables/routes_world.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

void check(const struct world *world, bool condition, const char *what)
{
	if (!condition)
		fail_msg("seed %llu: %s; operations:%s", (unsigned long long)world->seed, what, world->text);
}

void open_world(struct world *world)
{
	*world = (struct world){.routes = routes_new(MEMORY, READING, 42), .now = 1000};
	assert_non_null(world->routes);
}

void close_world(struct world *world)
{
	routes_free(world->routes);
}

struct route_key key_of(unsigned stream)
{
	return (struct route_key){nth_addr("10.0.0.1", stream), nth_addr("239.1.0.1", stream % 3)};
}

unsigned stream_of(const struct route_key *key)
{
	for (unsigned stream = 0; stream < STREAMS; stream++) {
		struct route_key one = key_of(stream);

		if (memcmp(&one, key, sizeof one) == 0)
			return stream;
	}
	abort();
}

bool is_wanted(const struct world *world, unsigned stream)
{
	for (unsigned instance = 0; instance < INSTANCES; instance++)
		if (world->claims[stream][instance].any)
			return true;
	return false;
}

/* A claim comes: the first one tells where the stream arrives. */
static void note_arrival(struct world *world, unsigned stream, unsigned input)
{
	if (is_wanted(world, stream))
		return;
	world->arrival[stream] = input;
	world->moved[stream] = false;
}

void arrives(struct world *world, unsigned stream, unsigned input)
{
	struct route_key key = key_of(stream);

	routes_arrives(world->routes, &key, input);
	if (!is_wanted(world, stream))
		return;
	world->arrival[stream] = input;
	world->moved[stream] = true;
}

void want(struct world *world, unsigned stream, unsigned instance, unsigned input, uint32_t outputs)
{
	struct route_key key = key_of(stream);
	struct claim *claim = &world->claims[stream][instance];

	note_arrival(world, stream, input);
	assert_true(routes_want(world->routes, &key, instance, input, outputs));
	*claim = (struct claim){true, false, claim->any ? claim->since : world->serial++, input, outputs};
}

void unwant(struct world *world, unsigned stream, unsigned instance)
{
	struct route_key key = key_of(stream);

	routes_unwant(world->routes, &key, instance);
	if (world->claims[stream][instance].any)
		world->full[instance] = world->claims[stream][instance].assumed;
	world->claims[stream][instance].any = false;
}

static int set_entry(struct world *world, const struct route_op *op, struct entry *entry)
{
	check(world,
	      !entry->held || entry->changed || entry->input != op->input || entry->outputs != op->outputs,
	      "an entry that is right is written again");
	check(world, !(op->outputs >> op->input & 1), "packets sent back where they came from");
	if (world->set_result != 0 || random_percent(&world->random, world->failure_percent)) {
		world->failures++;
		return world->set_result ? world->set_result : -ENOBUFS;
	}
	if (!entry->held || entry->changed)
		entry->read_at = world->now + READING;
	entry->lost = entry->changed = false;
	entry->held = true;
	entry->input = op->input;
	entry->outputs = op->outputs;
	return 0;
}

void drop_assumed(struct world *world, unsigned stream)
{
	for (unsigned instance = 0; instance < INSTANCES; instance++)
		world->claims[stream][instance].any &= !world->claims[stream][instance].assumed;
}

static int perform(struct world *world, const struct route_op *op)
{
	struct entry *entry = &world->kernel[stream_of(&op->key)];
	size_t length = strlen(world->text);

	if (length > sizeof world->text - 64)
		length = 0;
	if (op->kind == ROUTE_SET)
		sprintf(world->text + length, " %u:%u>%x", stream_of(&op->key), op->input, op->outputs);
	else
		sprintf(world->text + length, " %u:delete", stream_of(&op->key));
	if (op->kind == ROUTE_SET)
		return set_entry(world, op, entry);
	entry->lost = entry->changed = false;
	if (!entry->held)
		return -ENOENT;
	entry->held = false;
	return 0;
}

/* Each vif is counted as often as entries name it. */
static void check_uses(const struct world *world)
{
	for (unsigned vif = 0; vif < ROUTES_VIFS; vif++) {
		size_t uses = 0;

		for (size_t i = 0; i < STREAMS; i++) {
			const struct entry *entry = &world->kernel[i];

			uses += (entry->held || entry->lost) &&
			        (entry->input == vif || entry->outputs >> vif & 1);
		}
		check(world, routes_vif_uses(world->routes, vif) == uses, "the uses of a vif are miscounted");
	}
}

void turn(struct world *world)
{
	struct route_op op;

	for (int count = 0; routes_pull(world->routes, world->now, &op); count++) {
		int result = perform(world, &op);

		if (op.kind == ROUTE_SET && result != 0)
			drop_assumed(world, stream_of(&op.key));
		routes_done(world->routes, world->now, &op, result);
		check_uses(world);
		check(world, count < 1000, "an endless loop");
	}
	check(world, routes_failures(world->routes) == world->failures, "failures are miscounted");
}

void expect(struct world *world, const char *operations)
{
	world->text[0] = 0;
	turn(world);
	assert_string_equal(world->text, operations);
}

void lose(struct world *world, unsigned stream)
{
	struct route_key key = key_of(stream);

	world->kernel[stream].lost |= world->kernel[stream].held;
	world->kernel[stream].held = false;
	routes_lost(world->routes, &key);
}

enum route_verdict tell(struct world *world, unsigned stream, const struct route_observed *observed)
{
	struct route_key key = key_of(stream);

	return routes_observe(world->routes, &key, observed);
}

void ask_again(struct world *world, unsigned stream, unsigned input)
{
	struct route_key key = key_of(stream);

	assert_true(routes_ask_again(world->routes, &key, input));
}

void expect_reading(struct world *world, unsigned stream, uint64_t instances)
{
	struct route_key key, expected = key_of(stream);
	uint64_t observed;

	assert_true(routes_pull_reading(world->routes, world->now, &key, &observed));
	assert_memory_equal(&key, &expected, sizeof key);
	assert_true(observed == instances);
}

void expect_pending(struct world *world, unsigned stream, unsigned input, uint64_t instances)
{
	struct route_key key;
	unsigned told_input;
	uint64_t observed;

	assert_true(routes_pull_pending_upcall(world->routes, &key, &told_input, &observed));
	assert_int_equal(stream_of(&key), stream);
	assert_int_equal(told_input, input);
	assert_int_equal(observed, instances);
}

void expect_nothing_pending(struct world *world)
{
	struct route_key key;
	unsigned input;
	uint64_t instances;

	assert_false(routes_pull_pending_upcall(world->routes, &key, &input, &instances));
}

void assume(struct world *world, unsigned stream, unsigned instance, unsigned input, uint32_t outputs)
{
	struct route_key key = key_of(stream);
	struct claim *claim = &world->claims[stream][instance];

	routes_assume(world->routes, &key, instance, input, outputs);
	if (claim->any || world->full[instance])
		return;
	note_arrival(world, stream, input);
	*claim = (struct claim){true, true, world->serial++, input, outputs};
}
