/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Forwarding entries: stories one by one, then random claims against a kernel in small that fails at times
 * and loses entries.
 */
#include "core/tables/routes.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "support/craft.h"
#include "support/fail.h"

#include "support/random.h"

#define MEMORY    ((size_t)1 << 20)
#define READING   30000
#define RETRY     1000
#define STREAMS   12
#define INSTANCES 3

struct entry {
	bool held;
	bool changed; /* by somebody, likewise */
	bool lost;    /* somebody took it away, and the table has not written it since */
	unsigned input;
	uint32_t outputs;
	mtime read_at; /* when its counters are due */
};

struct claim {
	bool any;
	bool assumed;
	unsigned since; /* serial: the oldest decides the input */
	unsigned input;
	uint32_t outputs;
};

struct world {
	struct routes *routes;
	mtime now;
	uint64_t seed;
	struct entry kernel[STREAMS];
	struct claim claims[STREAMS][INSTANCES];
	unsigned arrival[STREAMS]; /* the vif by which it came last */
	bool moved[STREAMS];       /* from where the first claim had it */
	bool full[INSTANCES];      /* has refused what was assumed of it */
	unsigned serial;
	int set_result;
	unsigned failure_percent;
	uint64_t failures;
	struct random random;
	char text[1024];
};

static void check(const struct world *world, bool condition, const char *what)
{
	if (!condition)
		fail_msg("seed %llu: %s; operations:%s", (unsigned long long)world->seed, what, world->text);
}

static void open_world(struct world *world)
{
	*world = (struct world){.routes = routes_new(MEMORY, READING, 42), .now = 1000};
	assert_non_null(world->routes);
}

static void close_world(struct world *world)
{
	routes_free(world->routes);
}

static struct route_key key_of(unsigned stream)
{
	return (struct route_key){nth_addr("10.0.0.1", stream), nth_addr("239.1.0.1", stream % 3)};
}

static unsigned stream_of(const struct route_key *key)
{
	for (unsigned stream = 0; stream < STREAMS; stream++) {
		struct route_key one = key_of(stream);

		if (memcmp(&one, key, sizeof one) == 0)
			return stream;
	}
	abort();
}

static bool is_wanted(const struct world *world, unsigned stream)
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

static void arrives(struct world *world, unsigned stream, unsigned input)
{
	struct route_key key = key_of(stream);

	routes_arrives(world->routes, &key, input);
	if (!is_wanted(world, stream))
		return;
	world->arrival[stream] = input;
	world->moved[stream] = true;
}

static void want(struct world *world, unsigned stream, unsigned instance, unsigned input, uint32_t outputs)
{
	struct route_key key = key_of(stream);
	struct claim *claim = &world->claims[stream][instance];

	note_arrival(world, stream, input);
	assert_true(routes_want(world->routes, &key, instance, input, outputs));
	*claim = (struct claim){true, false, claim->any ? claim->since : world->serial++, input, outputs};
}

static void unwant(struct world *world, unsigned stream, unsigned instance)
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

static void drop_assumed(struct world *world, unsigned stream)
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

static void turn(struct world *world)
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

static void expect(struct world *world, const char *operations)
{
	world->text[0] = 0;
	turn(world);
	assert_string_equal(world->text, operations);
}

static void life_of_an_entry(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	expect(&world, "");
	assert_int_equal(routes_deadline(world.routes), MTIME_NEVER);
	want(&world, 0, 0, 1, 1u << 2);
	assert_int_equal(routes_vif_uses(world.routes, 1), 0);
	/* Only claimed for: the number is taken all the same. */
	assert_true(routes_vif_is_named(world.routes, 1) && routes_vif_is_named(world.routes, 2));
	assert_false(routes_vif_is_named(world.routes, 3));
	expect(&world, " 0:1>4");
	assert_int_equal(routes_vif_uses(world.routes, 1), 1);
	assert_int_equal(routes_vif_uses(world.routes, 2), 1);
	assert_int_equal(routes_vif_uses(world.routes, 31), 0);
	/* The same claim is no change; of many the newest counts. */
	want(&world, 0, 0, 1, 1u << 2);
	expect(&world, "");
	want(&world, 0, 0, 1, 1u << 3);
	want(&world, 0, 0, 1, 0);
	want(&world, 0, 0, 1, 1u << 2);
	expect(&world, "");
	want(&world, 0, 0, 1, 1u << 2 | 1u << 31);
	expect(&world, " 0:1>80000004");
	/* A negative entry; another input. */
	want(&world, 0, 0, 1, 0);
	expect(&world, " 0:1>0");
	want(&world, 0, 0, 5, 1u << 1 | 1u << 5);
	expect(&world, " 0:5>2");
	unwant(&world, 0, 0);
	expect(&world, " 0:delete");
	assert_int_equal(routes_count(world.routes), 0);
	assert_int_equal(routes_deadline(world.routes), MTIME_NEVER);
	/* Wished and not claimed before anything was done. */
	want(&world, 0, 0, 1, 1u << 2);
	unwant(&world, 0, 0);
	unwant(&world, 0, 1);
	unwant(&world, 1, 0);
	expect(&world, "");
	assert_int_equal(routes_count(world.routes), 0);
	close_world(&world);
}

/* Deleted and wanted again in one turn: the entry stays as it is. */
static void wanted_again_is_not_written(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	want(&world, 0, 0, 1, 4);
	expect(&world, " 0:1>4");
	unwant(&world, 0, 0);
	want(&world, 0, 0, 1, 4);
	expect(&world, "");
	close_world(&world);
}

static void claims_of_several_instances(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	want(&world, 0, 0, 1, 1u << 2);
	want(&world, 0, 1, 1, 1u << 3 | 1u << 1);
	expect(&world, " 0:1>c");
	/* Another input: it does not count until the first one goes. */
	want(&world, 0, 2, 4, 1u << 5);
	expect(&world, "");
	unwant(&world, 0, 1);
	expect(&world, " 0:1>4");
	want(&world, 0, 0, 4, 1u << 2);
	expect(&world, " 0:4>24");
	unwant(&world, 0, 0);
	expect(&world, " 0:4>20");
	/* A negative claim takes nothing from the others. */
	want(&world, 0, 1, 4, 0);
	expect(&world, "");
	unwant(&world, 0, 2);
	expect(&world, " 0:4>0");
	unwant(&world, 0, 1);
	expect(&world, " 0:delete");
	close_world(&world);
}

/* What one instance sends upstream arrives there for another one with the same upstream link. */
static void stream_of_one_instance_reaches_another(void **state)
{
	struct route_key key = key_of(0);
	unsigned instance, input;
	struct world world;

	(void)state;
	open_world(&world);
	want(&world, 0, 0, 1, 1u << 4);
	expect(&world, " 0:1>10");
	assert_int_equal(routes_outputs(world.routes, &key), 1u << 4);
	assert_false(routes_serves(world.routes, &key, 1));
	want(&world, 0, 1, 4, 1u << 2);
	expect(&world, " 0:1>14");
	assert_true(routes_serves(world.routes, &key, 1));
	/* Through another one; and never back. */
	want(&world, 0, 2, 2, 1u << 3 | 1u << 1);
	expect(&world, " 0:1>1c");
	unwant(&world, 0, 1);
	expect(&world, " 0:1>10");
	assert_false(routes_serves(world.routes, &key, 2));
	unwant(&world, 0, 2);
	/* The source moves to the other instance: its claim counts, though it is younger. */
	want(&world, 0, 1, 4, 1u << 2);
	expect(&world, " 0:1>14");
	arrives(&world, 0, 2);
	expect(&world, "");
	want(&world, 0, 1, 2, 1u << 4);
	expect(&world, " 0:2>10");
	assert_true(routes_first(world.routes, &key, &instance, &input));
	assert_int_equal(instance, 1);
	assert_int_equal(input, 2);
	assert_false(routes_serves(world.routes, &key, 0));
	want(&world, 0, 0, 4, 1u << 1);
	expect(&world, " 0:2>12");
	/* The instance that had it goes. */
	unwant(&world, 0, 1);
	expect(&world, " 0:4>2");
	arrives(&world, 1, 3);
	expect(&world, "");
	close_world(&world);
}

/* An instance begins to use a vif by which streams arrive or leave. */
static void streams_of_a_vif(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	want(&world, 0, 0, 1, 1u << 4);
	want(&world, 1, 0, 4, 1u << 2);
	want(&world, 2, 0, 3, 1u << 2);
	want(&world, 3, 0, 4, 1u << 2);
	want(&world, 3, 1, 4, 0);
	turn(&world);
	{
		struct route_key key;
		unsigned input, count = 0;
		uint64_t instances;

		routes_upcalls_pending_at(world.routes, 4, 1);
		for (; routes_pull_pending_upcall(world.routes, &key, &input, &instances); count++) {
			assert_true(instances == 2);
			assert_int_equal(stream_of(&key), count);
			assert_int_equal(input, count == 0 ? 1 : 4);
		}
		assert_int_equal(count, 2);
	}
	close_world(&world);
}

/* How often packets come, by the readings of counters. */
static void packet_intervals(void **state)
{
	struct route_key key = key_of(0), none = key_of(1);
	struct routes *routes;
	struct world world;

	(void)state;
	open_world(&world);
	routes = world.routes;
	want(&world, 0, 0, 1, 4);
	turn(&world);
	/* One packet says little. */
	assert_int_equal(routes_packet_interval(routes, 1001, &key, 1), 150);
	assert_int_equal(routes_packet_interval(routes, 3000, &key, 1), 2000);
	assert_int_equal(routes_packet_interval(routes, 3000, &none, 100), 150);
	assert_int_equal(routes_packet_interval(routes, 2000, &key, 11), 100);
	/* The last two readings count, older ones do not. */
	routes_counted(routes, 11000, &key, 11);
	assert_int_equal(routes_packet_interval(routes, 12000, &key, 1101), 10);
	routes_counted(routes, 21000, &key, 1011);
	routes_counted(routes, 31000, &key, 1111);
	assert_int_equal(routes_packet_interval(routes, 31000, &key, 1111), 101);
	/* An entry that was made again. */
	routes_counted(routes, 41000, &key, 5);
	assert_int_equal(routes_packet_interval(routes, 41500, &key, 11), 100);
	routes_counted(routes, 41000, &none, 5);
	assert_true(routes_note_copy(routes, &key));
	assert_false(routes_note_copy(routes, &key));
	assert_false(routes_note_copy(routes, &none));
	close_world(&world);
}

static void instance_goes(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	for (unsigned stream = 0; stream < STREAMS; stream++) {
		want(&world, stream, 0, 0, 2);
		if (stream % 2)
			want(&world, stream, 1, 0, 4);
	}
	turn(&world);
	assert_int_equal(routes_vif_uses(world.routes, 0), STREAMS);
	routes_unwant_all(world.routes, 0);
	turn(&world);
	assert_int_equal(routes_count(world.routes), STREAMS / 2);
	assert_int_equal(routes_vif_uses(world.routes, 1), 0);
	assert_int_equal(routes_vif_uses(world.routes, 2), STREAMS / 2);
	routes_unwant_all(world.routes, 1);
	routes_unwant_all(world.routes, 1);
	turn(&world);
	assert_int_equal(routes_count(world.routes), 0);
	assert_int_equal(routes_vif_uses(world.routes, 0), 0);
	close_world(&world);
}

/* A claim that there may be no memory for. */
static void claim(struct world *world, unsigned stream, unsigned instance, uint32_t outputs)
{
	struct route_key key = key_of(stream);

	routes_want(world->routes, &key, instance, 1, outputs);
	world->claims[stream][instance] = (struct claim){.any = true, .input = 1, .outputs = outputs};
}

static void check_entries(struct world *world)
{
	for (unsigned stream = 0; stream < STREAMS; stream++) {
		const struct entry *entry = &world->kernel[stream];
		uint32_t outputs = 0;
		bool any = false;

		for (unsigned instance = 0; instance < INSTANCES; instance++) {
			any |= world->claims[stream][instance].any;
			if (world->claims[stream][instance].any)
				outputs |= world->claims[stream][instance].outputs;
		}
		check(world, entry->held == any && (!any || (entry->input == 1 && entry->outputs == outputs)),
		      "another entry than is wanted");
	}
}

/* What could not be stored is wanted again later: the workers are made to say it again. */
static unsigned with_failures(const void *context, unsigned from, unsigned to)
{
	struct world world;
	unsigned count;

	(void)context;
	open_world(&world);
	world.seed = from;
	fail_between(from, to);
	for (unsigned stream = 0; stream < STREAMS; stream++) {
		struct route_key key = key_of(stream);

		routes_assume(world.routes, &key, 0, 1, 8);
		claim(&world, stream, stream % INSTANCES, 4);
		if (stream % 3 == 0)
			claim(&world, stream, (stream + 1) % INSTANCES, 16);
		if (stream % 4 == 0)
			routes_upcall_pending(world.routes, &key, (stream + 2) % INSTANCES, 1);
		turn(&world);
		routes_unwant(world.routes, &key, 0);
		world.claims[stream][0].any = false;
		routes_ask_again(world.routes, &key, 1);
	}
	turn(&world);
	for (unsigned stream = 0; stream < STREAMS; stream += 2)
		unwant(&world, stream, stream % INSTANCES);
	turn(&world);
	count = fail_end();
	for (unsigned stream = 0; stream < STREAMS; stream++)
		for (unsigned instance = 0; instance < INSTANCES; instance++)
			if (world.claims[stream][instance].any)
				want(&world, stream, instance, 1, world.claims[stream][instance].outputs);
	turn(&world);
	check_entries(&world);
	close_world(&world);
	return count;
}

static void every_allocation_may_fail(void **state)
{
	(void)state;
	fail_everywhere(with_failures, NULL);
}

static void failed_entry_is_tried_again(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	world.set_result = -ENOBUFS;
	want(&world, 0, 0, 1, 4);
	expect(&world, " 0:1>4");
	assert_int_equal(routes_vif_uses(world.routes, 1), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(routes_deadline(world.routes), world.now + RETRY);
		world.now += RETRY - 1;
		expect(&world, "");
		world.now++;
		expect(&world, " 0:1>4");
	}
	assert_int_equal(routes_failures(world.routes), 4);
	world.set_result = 0;
	world.now += RETRY;
	expect(&world, " 0:1>4");
	assert_int_equal(routes_deadline(world.routes), world.now + READING);
	/* Over an entry that is there: the kernel keeps that, and so do the books. */
	world.set_result = -ENOMEM;
	want(&world, 0, 0, 1, 8);
	expect(&world, " 0:1>8");
	assert_int_equal(routes_vif_uses(world.routes, 2), 1);
	assert_int_equal(routes_vif_uses(world.routes, 3), 0);
	want(&world, 0, 0, 1, 4);
	expect(&world, "");
	assert_int_equal(routes_deadline(world.routes), world.now - RETRY + RETRY + READING);
	/* A new claim is tried at once; one taken back is not tried any more. */
	want(&world, 0, 0, 1, 8);
	expect(&world, " 0:1>8");
	want(&world, 0, 0, 1, 16);
	expect(&world, " 0:1>10");
	unwant(&world, 0, 0);
	expect(&world, " 0:delete");
	assert_int_equal(routes_deadline(world.routes), MTIME_NEVER);
	want(&world, 0, 0, 1, 8);
	expect(&world, " 0:1>8");
	unwant(&world, 0, 0);
	world.now += RETRY;
	expect(&world, "");
	assert_int_equal(routes_count(world.routes), 0);
	close_world(&world);
}

/* Whatever error a deletion has, the entry is not there any more. */
static void entry_that_is_deleted_already(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	want(&world, 0, 0, 1, 4);
	turn(&world);
	world.kernel[0].held = false;
	unwant(&world, 0, 0);
	expect(&world, " 0:delete");
	assert_int_equal(routes_count(world.routes), 0);
	assert_int_equal(routes_vif_uses(world.routes, 1), 0);
	close_world(&world);
}

static void lose(struct world *world, unsigned stream)
{
	struct route_key key = key_of(stream);

	world->kernel[stream].lost |= world->kernel[stream].held;
	world->kernel[stream].held = false;
	routes_lost(world->routes, &key);
}

static void lost_entry_is_set_again(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	lose(&world, 3);
	want(&world, 0, 0, 1, 4);
	lose(&world, 0);
	expect(&world, " 0:1>4");
	/* Perhaps it was asked for before it was set: so it counts until it is deleted, and what waits in the
	 * kernel is given free by a new entry only. */
	lose(&world, 0);
	assert_int_equal(routes_vif_uses(world.routes, 1), 1);
	expect(&world, " 0:delete 0:1>4");
	lose(&world, 0);
	unwant(&world, 0, 0);
	expect(&world, " 0:delete");
	assert_int_equal(routes_count(world.routes), 0);
	/* Lost with its deletion under way. */
	want(&world, 0, 0, 1, 4);
	turn(&world);
	unwant(&world, 0, 0);
	lose(&world, 0);
	expect(&world, " 0:delete");
	assert_int_equal(routes_count(world.routes), 0);
	close_world(&world);
}

static enum route_verdict tell(struct world *world, unsigned stream, const struct route_observed *observed)
{
	struct route_key key = key_of(stream);

	return routes_observe(world->routes, &key, observed);
}

static uint64_t restored(struct world *world, unsigned *stream)
{
	struct route_key key;
	uint64_t count = routes_restored(world->routes, &key);

	if (count > 0)
		*stream = stream_of(&key);
	return count;
}

/* The kernel tells of every change; what differs from what was written is written again, once. */
static void changed_entry_is_put_right(void **state)
{
	struct route_observed right = {.present = true, .input = 1, .outputs = 4, .vifs = UINT32_MAX},
			      other = right;
	struct world world;
	unsigned stream = 0;

	(void)state;
	open_world(&world);
	want(&world, 0, 0, 1, 4);
	want(&world, 2, 0, 1, 4);
	expect(&world, " 0:1>4 2:1>4");
	assert_int_equal(tell(&world, 0, &right), ROUTE_RIGHT);
	expect(&world, "");
	/* Another outgoing link, another incoming one, none at all. */
	world.kernel[0].changed = true;
	other.outputs = 6;
	assert_int_equal(tell(&world, 0, &other), ROUTE_WRONG);
	expect(&world, " 0:1>4");
	world.kernel[0].changed = true;
	other.input = 2;
	other.outputs = 4;
	assert_int_equal(tell(&world, 0, &other), ROUTE_WRONG);
	expect(&world, " 0:1>4");
	assert_int_equal(restored(&world, &stream), 2);
	assert_int_equal(stream, 0);
	world.kernel[2].held = false;
	assert_int_equal(tell(&world, 2, &(struct route_observed){.present = false}), ROUTE_WRONG);
	assert_int_equal(restored(&world, &stream), 2);
	expect(&world, " 2:1>4");
	assert_int_equal(restored(&world, &stream), 3);
	assert_int_equal(stream, 2);
	/* The last word counts. */
	assert_int_equal(tell(&world, 0, &other), ROUTE_WRONG);
	assert_int_equal(tell(&world, 0, &right), ROUTE_RIGHT);
	expect(&world, "");
	/* What others made; what is gone, and should be. */
	assert_int_equal(tell(&world, 5, &right), ROUTE_STRANGE);
	assert_int_equal(tell(&world, 5, &(struct route_observed){.present = false}), ROUTE_RIGHT);
	/* Not written yet: it will be. */
	want(&world, 5, 0, 1, 4);
	assert_int_equal(tell(&world, 5, &other), ROUTE_RIGHT);
	expect(&world, " 5:1>4");
	assert_int_equal(restored(&world, &stream), 3);
	close_world(&world);
}

/* The kernel does not tell vifs whose interface is gone. */
static void vifs_that_are_gone_are_not_compared(void **state)
{
	struct route_observed observed = {.present = true, .input = 1, .outputs = 4, .vifs = UINT32_MAX};
	struct world world;

	(void)state;
	open_world(&world);
	want(&world, 0, 0, 1, 4 | 8);
	expect(&world, " 0:1>c");
	assert_int_equal(tell(&world, 0, &observed), ROUTE_WRONG);
	observed.vifs = ~(uint32_t)8;
	assert_int_equal(tell(&world, 0, &observed), ROUTE_RIGHT);
	observed.input = 32;
	assert_int_equal(tell(&world, 0, &observed), ROUTE_WRONG);
	observed.vifs = ~(uint32_t)(8 | 2);
	assert_int_equal(tell(&world, 0, &observed), ROUTE_RIGHT);
	expect(&world, "");
	close_world(&world);
}

/* A part of an audit is as old as the reading of the part before it. */
static void audit_knows_how_old_it_is(void **state)
{
	struct route_observed old = {
		.present = true, .audited = true, .input = 1, .outputs = 2, .vifs = UINT32_MAX};
	struct world world;

	(void)state;
	open_world(&world);
	want(&world, 0, 0, 1, 4);
	turn(&world);
	routes_audit(world.routes); /* begun */
	want(&world, 1, 0, 1, 4);
	turn(&world);
	routes_audit(world.routes); /* the first part read */
	assert_int_equal(tell(&world, 1, &old), ROUTE_RIGHT);
	assert_int_equal(tell(&world, 0, &old), ROUTE_WRONG);
	want(&world, 2, 0, 1, 4);
	world.kernel[0].changed = true;
	expect(&world, " 0:1>4 2:1>4");
	routes_audit(world.routes); /* the second */
	assert_int_equal(tell(&world, 0, &old), ROUTE_RIGHT);
	assert_int_equal(tell(&world, 2, &old), ROUTE_RIGHT);
	assert_int_equal(tell(&world, 1, &old), ROUTE_WRONG);
	close_world(&world);
}

static void all_counters_are_read_at_once_if_need_be(void **state)
{
	struct route_key key;
	struct world world;
	uint64_t instances;

	(void)state;
	open_world(&world);
	for (unsigned stream = 0; stream < 3; stream++)
		want(&world, stream, 0, 1, 4);
	turn(&world);
	assert_false(routes_pull_reading(world.routes, world.now, &key, &instances));
	routes_read_all(world.routes);
	for (unsigned stream = 0; stream < 3; stream++) {
		assert_true(routes_deadline(world.routes) <= world.now);
		assert_true(routes_pull_reading(world.routes, world.now, &key, &instances));
		assert_int_equal(stream_of(&key), stream);
	}
	assert_false(routes_pull_reading(world.routes, world.now, &key, &instances));
	assert_int_equal(routes_deadline(world.routes), world.now + READING);
	close_world(&world);
}

static void ask_again(struct world *world, unsigned stream, unsigned input)
{
	struct route_key key = key_of(stream);

	assert_true(routes_ask_again(world->routes, &key, input));
}

/* A negative entry, set and deleted: so that the next packet asks anew. */
static void asking_again(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	ask_again(&world, 0, 7);
	expect(&world, " 0:7>0 0:delete");
	assert_int_equal(routes_count(world.routes), 0);
	assert_int_equal(routes_vif_uses(world.routes, 7), 0);
	/* Twice is once. */
	ask_again(&world, 0, 7);
	ask_again(&world, 0, 7);
	expect(&world, " 0:7>0 0:delete");
	/* It cannot be set: the kernel asks by itself when its own patience ends. */
	world.set_result = -ENOBUFS;
	ask_again(&world, 0, 7);
	expect(&world, " 0:7>0");
	assert_int_equal(routes_count(world.routes), 0);
	assert_int_equal(routes_deadline(world.routes), MTIME_NEVER);
	world.set_result = 0;
	/* A claim that comes meanwhile is set itself. */
	ask_again(&world, 0, 7);
	want(&world, 0, 0, 7, 4);
	expect(&world, " 0:7>4");
	ask_again(&world, 0, 7);
	expect(&world, "");
	unwant(&world, 0, 0);
	expect(&world, " 0:delete");
	/* A claim that went meanwhile. */
	want(&world, 0, 0, 7, 4);
	ask_again(&world, 0, 7);
	unwant(&world, 0, 0);
	expect(&world, "");
	assert_int_equal(routes_count(world.routes), 0);
	/* An entry that was taken away while its deletion was under way. */
	want(&world, 0, 0, 7, 4);
	turn(&world);
	unwant(&world, 0, 0);
	lose(&world, 0);
	ask_again(&world, 0, 7);
	expect(&world, " 0:delete 0:7>0 0:delete");
	close_world(&world);
}

static void expect_reading(struct world *world, unsigned stream, uint64_t instances)
{
	struct route_key key, expected = key_of(stream);
	uint64_t observed;

	assert_true(routes_pull_reading(world->routes, world->now, &key, &observed));
	assert_memory_equal(&key, &expected, sizeof key);
	assert_true(observed == instances);
}

static void expect_no_reading(struct world *world)
{
	struct route_key key;
	uint64_t observed;

	assert_false(routes_pull_reading(world->routes, world->now, &key, &observed));
}

static void readings_in_order(void **state)
{
	struct world world;
	mtime start = 1000;

	(void)state;
	open_world(&world);
	expect_no_reading(&world);
	for (unsigned stream = 0; stream < 3; stream++) {
		world.now = start + 10 * stream;
		want(&world, stream, stream, 1, 4);
		turn(&world);
	}
	want(&world, 1, 0, 1, 8);
	want(&world, 1, 2, 6, 8);
	turn(&world);
	assert_int_equal(routes_deadline(world.routes), start + READING);
	expect_no_reading(&world);
	world.now = start + READING + 10;
	expect_reading(&world, 0, 1);
	expect_reading(&world, 1, 7);
	expect_no_reading(&world);
	/* A change of the entry does not put its reading off; the next one is an interval away. */
	want(&world, 2, 2, 1, 16);
	turn(&world);
	assert_int_equal(routes_deadline(world.routes), start + READING + 20);
	world.now = start + READING + 20;
	expect_reading(&world, 2, 4);
	expect_no_reading(&world);
	assert_int_equal(routes_deadline(world.routes), start + READING + 10 + READING);
	/* What is not held is not read. */
	unwant(&world, 0, 0);
	lose(&world, 1);
	turn(&world);
	world.now += 1;
	assert_int_equal(routes_deadline(world.routes), start + READING + 20 + READING);
	/* An earlier retry comes first. */
	world.set_result = -ENOBUFS;
	want(&world, 5, 0, 1, 4);
	turn(&world);
	assert_int_equal(routes_deadline(world.routes), world.now + RETRY);
	close_world(&world);
}

static void another_reading_interval(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	world.now = 1000;
	want(&world, 0, 0, 1, 4);
	turn(&world);
	world.now = 1500;
	want(&world, 1, 0, 1, 4);
	turn(&world);
	/* A longer one holds from the next reading on. */
	routes_set_reading_interval(world.routes, world.now, 2 * READING);
	assert_int_equal(routes_deadline(world.routes), 1000 + READING);
	world.now = 1000 + READING;
	expect_reading(&world, 0, 1);
	assert_int_equal(routes_deadline(world.routes), 1500 + READING);
	/* A shorter one holds at once, but brings no reading forward that is due sooner. */
	world.now = 1400 + READING;
	routes_set_reading_interval(world.routes, world.now, 200);
	world.now = 1500 + READING;
	expect_reading(&world, 1, 1);
	expect_no_reading(&world);
	world.now = 1600 + READING;
	expect_reading(&world, 0, 1);
	world.now = 1700 + READING;
	expect_reading(&world, 1, 1);
	expect_no_reading(&world);
	assert_int_equal(routes_deadline(world.routes), 1800 + READING);
	close_world(&world);
}

static void expect_pending(struct world *world, unsigned stream, unsigned input, uint64_t instances)
{
	struct route_key key;
	unsigned told_input;
	uint64_t observed;

	assert_true(routes_pull_pending_upcall(world->routes, &key, &told_input, &observed));
	assert_int_equal(stream_of(&key), stream);
	assert_int_equal(told_input, input);
	assert_int_equal(observed, instances);
}

static void expect_nothing_pending(struct world *world)
{
	struct route_key key;
	unsigned input;
	uint64_t instances;

	assert_false(routes_pull_pending_upcall(world->routes, &key, &input, &instances));
}

static void assume(struct world *world, unsigned stream, unsigned instance, unsigned input, uint32_t outputs)
{
	struct route_key key = key_of(stream);
	struct claim *claim = &world->claims[stream][instance];

	routes_assume(world->routes, &key, instance, input, outputs);
	if (claim->any || world->full[instance])
		return;
	note_arrival(world, stream, input);
	*claim = (struct claim){true, true, world->serial++, input, outputs};
}

/* What an instance is going to want counts until it has observed what it wants. */
static void assumed_claim_is_confirmed_or_corrected(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	assume(&world, 0, 0, 1, 4);
	assert_true(routes_vif_is_named(world.routes, 2));
	expect(&world, " 0:1>4");
	want(&world, 0, 0, 1, 4);
	expect(&world, "");
	assume(&world, 1, 0, 1, 4);
	expect(&world, " 1:1>4");
	want(&world, 1, 0, 1, 8);
	expect(&world, " 1:1>8");
	/* Both come in one turn. */
	assume(&world, 2, 0, 1, 4);
	want(&world, 2, 0, 1, 0);
	expect(&world, " 2:1>0");
	/* What it has observed is better known than what it may want. */
	assume(&world, 1, 0, 1, 2);
	assume(&world, 2, 0, 1, 2);
	expect(&world, "");
	/* Of several instances each has its own. */
	assume(&world, 1, 1, 1, 16);
	assume(&world, 1, 2, 5, 4);
	expect(&world, " 1:1>18");
	world.now += READING;
	expect_reading(&world, 0, 1);
	expect_reading(&world, 1, 1);
	expect_reading(&world, 2, 1);
	expect(&world, " 1:1>8");
	close_world(&world);
}

/* An entry that comes and goes would let the kernel ask with each packet. */
static void nothing_is_assumed_of_an_instance_without_room(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	want(&world, 0, 0, 1, 4);
	assume(&world, 1, 0, 1, 4);
	expect(&world, " 0:1>4 1:1>4");
	unwant(&world, 1, 0);
	expect(&world, " 1:delete");
	assume(&world, 1, 0, 1, 4);
	unwant(&world, 1, 0);
	assume(&world, 1, 0, 1, 4);
	expect(&world, "");
	/* Of the others it is. */
	assume(&world, 1, 1, 1, 8);
	expect(&world, " 1:1>8");
	want(&world, 1, 1, 1, 8);
	expect(&world, "");
	/* A stream that was given up makes room. */
	unwant(&world, 0, 0);
	assume(&world, 1, 0, 1, 4);
	expect(&world, " 0:delete 1:1>c");
	/* Another instance may follow on one that goes. */
	unwant(&world, 1, 0);
	expect(&world, " 1:1>8");
	routes_unwant_all(world.routes, 0);
	world.full[0] = false;
	assume(&world, 1, 0, 1, 4);
	expect(&world, " 1:1>c");
	close_world(&world);
}

/* An instance that refuses a stream tells nothing. */
static void assumed_claim_ends_by_itself(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	assume(&world, 0, 0, 1, 4);
	expect(&world, " 0:1>4");
	/* A reading ahead of time may be ahead of the instance, too. */
	routes_read_all(world.routes);
	expect_reading(&world, 0, 1);
	expect(&world, "");
	world.now += READING;
	expect_reading(&world, 0, 0);
	assert_true(routes_deadline(world.routes) <= world.now);
	expect(&world, " 0:delete");
	assert_int_equal(routes_count(world.routes), 0);
	assert_false(routes_vif_is_named(world.routes, 1));
	/* While another wants it, the kernel does not ask again: so the instance is observed once more. */
	want(&world, 0, 1, 1, 8);
	assume(&world, 0, 0, 1, 4);
	expect(&world, " 0:1>c");
	world.now += READING;
	expect_reading(&world, 0, 2);
	expect(&world, " 0:1>8");
	routes_counted(world.routes, world.now, (struct route_key[]){key_of(0)}, 1);
	expect_pending(&world, 0, 1, 1);
	expect_nothing_pending(&world);
	/* With its instance. */
	assume(&world, 1, 0, 1, 4);
	expect(&world, " 1:1>4");
	routes_unwant_all(world.routes, 0);
	expect(&world, " 1:delete");
	close_world(&world);
}

/* Such an entry is never read, and so never tried again. */
static void assumed_claim_that_the_kernel_refuses(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	world.set_result = -ENOBUFS;
	assume(&world, 0, 0, 1, 4);
	expect(&world, " 0:1>4");
	assert_int_equal(routes_count(world.routes), 0);
	assert_int_equal(routes_deadline(world.routes), MTIME_NEVER);
	want(&world, 0, 1, 1, 8);
	assume(&world, 0, 0, 1, 4);
	expect(&world, " 0:1>c 0:1>8");
	assert_int_equal(routes_deadline(world.routes), world.now + RETRY);
	/* Told after all. */
	want(&world, 0, 0, 1, 4);
	world.set_result = 0;
	expect(&world, " 0:1>c");
	/* Over an entry that is there. */
	assume(&world, 0, 2, 1, 16);
	world.set_result = -ENOBUFS;
	expect(&world, " 0:1>1c");
	assert_int_equal(routes_vif_uses(world.routes, 4), 0);
	assert_false(routes_vif_is_named(world.routes, 4));
	close_world(&world);
}

static void assume_nth(struct routes *routes, uint32_t n)
{
	struct route_key key = {nth_addr("10.0.0.1", n), addr_of("239.1.1.1")};

	routes_assume(routes, &key, 0, 1, 4);
}

static void assumed_claims_are_limited(void **state)
{
	struct routes *routes = routes_new(MEMORY, READING, 1);
	struct route_key key = {nth_addr("10.0.0.1", 7), addr_of("239.1.1.1")};
	struct route_op op;

	(void)state;
	for (uint32_t n = 0; n < 2 * ROUTES_ASSUMED_MAX; n++)
		assume_nth(routes, n);
	assert_int_equal(routes_count(routes), ROUTES_ASSUMED_MAX);
	/* Each that is observed makes room for one more. */
	assert_true(routes_want(routes, &key, 0, 1, 4));
	assert_true(routes_want(routes, &key, 0, 1, 4));
	for (uint32_t n = 2 * ROUTES_ASSUMED_MAX; n < 3 * ROUTES_ASSUMED_MAX; n++)
		assume_nth(routes, n);
	assert_int_equal(routes_count(routes), ROUTES_ASSUMED_MAX + 1);
	routes_unwant_all(routes, 0);
	while (routes_pull(routes, 0, &op))
		routes_done(routes, 0, &op, 0);
	assert_int_equal(routes_count(routes), 0);
	for (uint32_t n = 0; n < 2 * ROUTES_ASSUMED_MAX; n++)
		assume_nth(routes, n);
	assert_int_equal(routes_count(routes), ROUTES_ASSUMED_MAX);
	routes_free(routes);
	/* Short of memory it does nothing. */
	routes = routes_new(0, READING, 1);
	assume_nth(routes, 0);
	assert_int_equal(routes_count(routes), 0);
	routes_free(routes);
}

static void memory_is_limited(void **state)
{
	struct routes *routes = routes_new(64 << 10, READING, 1);
	struct route_key key = {addr_of("10.0.0.1"), addr_of("239.1.1.1")};
	struct route_op op;
	uint32_t count = 0, again = 0;

	(void)state;
	assert_non_null(routes);
	for (; key.source = nth_addr("10.0.0.1", count), routes_want(routes, &key, 0, 1, 4); count++)
		assert_true(count < 10000);
	assert_true(count > 100);
	assert_int_equal(routes_count(routes), count);
	assert_false(routes_ask_again(routes, &key, 1));
	/* Those that are there go on working. */
	key.source = nth_addr("10.0.0.1", 0);
	assert_true(routes_want(routes, &key, 0, 1, 8));
	while (routes_pull(routes, 0, &op))
		routes_done(routes, 0, &op, 0);
	assert_int_equal(routes_vif_uses(routes, 1), count);
	assert_int_equal(routes_vif_uses(routes, 3), 1);
	/* And the memory of those that go is used again. */
	routes_unwant_all(routes, 0);
	while (routes_pull(routes, 0, &op))
		routes_done(routes, 0, &op, 0);
	assert_int_equal(routes_count(routes), 0);
	for (; key.source = nth_addr("10.0.0.1", again), routes_want(routes, &key, 0, 1, 4); again++)
		;
	assert_int_equal(again, count);
	routes_free(routes);
}

static void check_sends_to(const struct world *world, unsigned stream, uint32_t vifs)
{
	struct route_key key = key_of(stream);
	struct routes_entry entry = {.outputs = 0};

	assert_int_equal(routes_get_entry(world->routes, &key, &entry), vifs != 0);
	assert_int_equal(entry.outputs, vifs);
}

/* What the kernel holds counts, not what is wanted. */
static void where_an_entry_sends_to(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	want(&world, 0, 0, 1, 4);
	check_sends_to(&world, 0, 0);
	turn(&world);
	check_sends_to(&world, 0, 4);
	want(&world, 0, 0, 1, 8);
	check_sends_to(&world, 0, 4);
	turn(&world);
	check_sends_to(&world, 0, 8);
	lose(&world, 0);
	check_sends_to(&world, 0, 8);
	check_sends_to(&world, 7, 0);
	close_world(&world);
}

/* Of two instances on a link one was observed of a stream and the other's channel was full. */
static void instances_that_could_not_be_told(void **state)
{
	struct route_key key = key_of(0);
	struct world world;

	(void)state;
	open_world(&world);
	assert_true(routes_upcall_pending(world.routes, &key, 1, 3));
	assert_true(routes_upcall_pending(world.routes, &key, 2, 3));
	expect(&world, "");
	expect_pending(&world, 0, 3, 6);
	expect_nothing_pending(&world);
	assert_int_equal(routes_count(world.routes), 0);
	/* Refused again, while the other one asks for the entry; who has asked meanwhile knows. */
	assert_true(routes_upcall_pending(world.routes, &key, 1, 3));
	assert_true(routes_upcall_pending(world.routes, &key, 2, 3));
	want(&world, 0, 0, 3, 1);
	want(&world, 0, 2, 3, 0);
	expect(&world, " 0:3>1");
	expect_pending(&world, 0, 3, 2);
	want(&world, 0, 1, 3, 4);
	assert_true(routes_upcall_pending(world.routes, &key, 1, 3));
	expect_nothing_pending(&world);
	expect(&world, " 0:3>5");
	/* One that has ended is observed nothing. */
	unwant(&world, 0, 1);
	assert_true(routes_upcall_pending(world.routes, &key, 1, 3));
	routes_unwant_all(world.routes, 1);
	expect_nothing_pending(&world);
	close_world(&world);
}

/* One of two gives up a stream that goes nowhere there; the entry stays for the other, so that the kernel
 * will not ask when somebody joins. */
static void given_up_while_others_want_it(void **state)
{
	struct route_key key = key_of(0);
	struct world world;
	struct addr other = addr_of("239.9.9.9");

	(void)state;
	open_world(&world);
	want(&world, 0, 0, 1, 4);
	want(&world, 0, 1, 1, 0);
	expect(&world, " 0:1>4");
	unwant(&world, 0, 1);
	expect(&world, "");
	expect_nothing_pending(&world);
	routes_retry_upcalls(world.routes, 1, &other);
	routes_retry_upcalls(world.routes, 0, &key.group);
	expect_nothing_pending(&world);
	routes_retry_upcalls(world.routes, 1, &key.group);
	expect_pending(&world, 0, 1, 2);
	want(&world, 0, 1, 1, 8);
	expect(&world, " 0:1>c");
	/* At the latest when more packets were counted; a stream that has ended is not kept alive. */
	unwant(&world, 0, 1);
	expect(&world, " 0:1>4");
	world.now += READING;
	expect_reading(&world, 0, 1);
	routes_counted(world.routes, world.now, &key, 0);
	expect_nothing_pending(&world);
	routes_counted(world.routes, world.now, &key, 7);
	expect_pending(&world, 0, 1, 2);
	/* When nobody wants it any more, the kernel asks. */
	want(&world, 0, 1, 1, 0);
	unwant(&world, 0, 1);
	unwant(&world, 0, 0);
	expect(&world, " 0:delete");
	routes_retry_upcalls(world.routes, 1, &key.group);
	expect_nothing_pending(&world);
	assert_int_equal(routes_count(world.routes), 0);
	close_world(&world);
}

static void first_wish_and_others(void **state)
{
	struct route_key key = key_of(0);
	unsigned instance, input;
	struct world world;

	(void)state;
	open_world(&world);
	assert_false(routes_first(world.routes, &key, &instance, &input));
	want(&world, 0, 2, 3, 4);
	want(&world, 0, 1, 1, 4);
	assert_true(routes_first(world.routes, &key, &instance, &input));
	assert_int_equal(instance, 2);
	assert_int_equal(input, 3);
	assert_true(routes_is_wanted_by(world.routes, &key, 1));
	assert_false(routes_is_wanted_by(world.routes, &key, 0));
	turn(&world);
	unwant(&world, 0, 1);
	unwant(&world, 0, 2);
	assert_false(routes_first(world.routes, &key, &instance, &input));
	close_world(&world);
}

/* The random test. */

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
			      "an instance that wants a stream is observed of it");
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
		cmocka_unit_test(life_of_an_entry),
		cmocka_unit_test(wanted_again_is_not_written),
		cmocka_unit_test(claims_of_several_instances),
		cmocka_unit_test(stream_of_one_instance_reaches_another),
		cmocka_unit_test(streams_of_a_vif),
		cmocka_unit_test(packet_intervals),
		cmocka_unit_test(instance_goes),
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(failed_entry_is_tried_again),
		cmocka_unit_test(entry_that_is_deleted_already),
		cmocka_unit_test(lost_entry_is_set_again),
		cmocka_unit_test(changed_entry_is_put_right),
		cmocka_unit_test(vifs_that_are_gone_are_not_compared),
		cmocka_unit_test(audit_knows_how_old_it_is),
		cmocka_unit_test(all_counters_are_read_at_once_if_need_be),
		cmocka_unit_test(instances_that_could_not_be_told),
		cmocka_unit_test(given_up_while_others_want_it),
		cmocka_unit_test(first_wish_and_others),
		cmocka_unit_test(asking_again),
		cmocka_unit_test(readings_in_order),
		cmocka_unit_test(another_reading_interval),
		cmocka_unit_test(assumed_claim_is_confirmed_or_corrected),
		cmocka_unit_test(nothing_is_assumed_of_an_instance_without_room),
		cmocka_unit_test(assumed_claim_ends_by_itself),
		cmocka_unit_test(assumed_claim_that_the_kernel_refuses),
		cmocka_unit_test(assumed_claims_are_limited),
		cmocka_unit_test(memory_is_limited),
		cmocka_unit_test(where_an_entry_sends_to),
		cmocka_unit_test(random_wishes),
	};

	routes_free(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
