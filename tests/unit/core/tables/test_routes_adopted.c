/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of routes: entries that an earlier run has left in the kernel.
 */
#include "core/tables/routes.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/craft.h"

#include "unit/core/tables/routes_world.h"

static struct route_key adopt(struct world *world, unsigned stream, unsigned input, uint32_t outputs)
{
	struct route_key key = key_of(stream);

	world->kernel[stream] = (struct entry){
		.held = true, .input = input, .outputs = outputs, .read_at = world->now + READING};
	assert_true(routes_adopt(world->routes, world->now, &key, input, outputs, 1000));
	return key;
}

static void give_claim(struct world *world, unsigned stream, unsigned instance, unsigned input,
                       uint32_t outputs)
{
	struct route_key key = key_of(stream);

	routes_adopt_claim(world->routes, &key, instance, input, outputs);
	world->claims[stream][instance] = (struct claim){
		.any = true, .assumed = true, .since = ++world->serial, .input = input, .outputs = outputs};
	world->arrival[stream] = input;
}

static void what_is_claimed_again_is_not_written(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	adopt(&world, 0, 1, 4);
	give_claim(&world, 0, 0, 1, 4);
	expect(&world, "");
	want(&world, 0, 0, 1, 4);
	expect(&world, "");
	assert_true(routes_vif_is_named(world.routes, 1) && routes_vif_is_named(world.routes, 2));
	close_world(&world);
}

static void an_instance_corrects_its_claim(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	adopt(&world, 0, 1, 12);
	give_claim(&world, 0, 0, 1, 12);
	give_claim(&world, 0, 1, 1, 12);
	expect(&world, "");
	want(&world, 0, 0, 1, 4);
	expect(&world, "");
	want(&world, 0, 1, 1, 0);
	expect(&world, " 0:1>4");
	close_world(&world);
}

static void what_nobody_claims_is_deleted(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	adopt(&world, 0, 1, 4);
	expect(&world, " 0:delete");
	/* An instance that never answers. */
	adopt(&world, 1, 1, 4);
	give_claim(&world, 1, 0, 1, 4);
	expect(&world, "");
	world.now += READING;
	expect_reading(&world, 1, 0);
	drop_assumed(&world, 1);
	expect(&world, " 1:delete");
	close_world(&world);
}

/* The packets of the earlier run say nothing about the time between packets. */
static void counters_go_on(void **state)
{
	struct world world;
	struct route_key key;

	(void)state;
	open_world(&world);
	key = adopt(&world, 0, 1, 4);
	give_claim(&world, 0, 0, 1, 4);
	world.now += 1000;
	assert_int_equal(routes_packet_interval(world.routes, world.now, &key, 1011), 100);
	close_world(&world);
}

static void a_known_route_is_not_adopted(void **state)
{
	struct world world;
	struct route_key key = key_of(0);

	(void)state;
	open_world(&world);
	want(&world, 0, 0, 1, 4);
	expect(&world, " 0:1>4");
	assert_false(routes_adopt(world.routes, world.now, &key, 2, 8, 0));
	routes_adopt_claim(world.routes, &key, 0, 2, 8);
	key = key_of(1);
	routes_adopt_claim(world.routes, &key, 0, 2, 8);
	expect(&world, "");
	close_world(&world);
}

/* The kernel should have asked about the stream again. */
static void an_entry_ends_a_question(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	ask_again(&world, 0, 1);
	adopt(&world, 0, 1, 4);
	world.set_result = -ENOMEM;
	expect(&world, " 0:delete");
	assert_int_equal(routes_count(world.routes), 0);
	world.set_result = 0;
	close_world(&world);
}

/* For lack of room. What it has answered stays. */
static void claims_without_an_answer_end(void **state)
{
	struct route_key keys[2];
	struct world world;

	(void)state;
	open_world(&world);
	for (unsigned stream = 0; stream < 2; stream++) {
		keys[stream] = adopt(&world, stream, 1, 12);
		give_claim(&world, stream, 0, 1, 12);
	}
	want(&world, 0, 0, 1, 12);
	for (unsigned stream = 0; stream < 2; stream++)
		routes_end_adopted(world.routes, &keys[stream], 0);
	world.claims[1][0].any = false;
	expect(&world, " 1:delete");
	routes_end_adopted(world.routes, &keys[1], 0);
	expect(&world, "");
	close_world(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_claimed_again_is_not_written),
		cmocka_unit_test(an_instance_corrects_its_claim),
		cmocka_unit_test(what_nobody_claims_is_deleted),
		cmocka_unit_test(counters_go_on),
		cmocka_unit_test(a_known_route_is_not_adopted),
		cmocka_unit_test(an_entry_ends_a_question),
		cmocka_unit_test(claims_without_an_answer_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
