/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of routes: operations that fail, and entries that the kernel or another process changes.
 */
#include "core/tables/routes.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/craft.h"
#include "support/fail.h"

#include "unit/core/tables/routes_world.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(failed_entry_is_tried_again),
		cmocka_unit_test(entry_that_is_deleted_already),
		cmocka_unit_test(lost_entry_is_set_again),
		cmocka_unit_test(changed_entry_is_put_right),
		cmocka_unit_test(vifs_that_are_gone_are_not_compared),
		cmocka_unit_test(audit_knows_how_old_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
