/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of routes: streams that several instances want, or pass on to each other.
 */
#include "core/tables/routes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/craft.h"

#include "unit/core/tables/routes_world.h"

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

/* Of two instances on a link one was observed of a stream and the other's channel was full. */
static void instances_that_could_not_be_told(void **state)
{
	struct route_key key = key_of(0), other = key_of(1);
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
	/* The row of a stream that was given up stays until the kernel's entry was looked after. */
	want(&world, 1, 0, 1, 4);
	unwant(&world, 1, 0);
	assert_true(routes_upcall_pending(world.routes, &other, 1, 3));
	expect_pending(&world, 1, 3, 2);
	assert_int_equal(routes_count(world.routes), 2);
	expect(&world, "");
	assert_int_equal(routes_count(world.routes), 1);
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
	assert_int_equal(routes_wanted_by(world.routes, &key), 1 << 1 | 1 << 2);
	turn(&world);
	unwant(&world, 0, 1);
	unwant(&world, 0, 2);
	assert_false(routes_first(world.routes, &key, &instance, &input));
	close_world(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(claims_of_several_instances),
		cmocka_unit_test(stream_of_one_instance_reaches_another),
		cmocka_unit_test(streams_of_a_vif),
		cmocka_unit_test(instance_goes),
		cmocka_unit_test(instances_that_could_not_be_told),
		cmocka_unit_test(given_up_while_others_want_it),
		cmocka_unit_test(first_wish_and_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
