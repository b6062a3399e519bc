/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of routes: when the counters of entries are read, and what they show.
 */
#include "core/tables/routes.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/craft.h"

#include "unit/core/tables/routes_world.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packet_intervals),
		cmocka_unit_test(all_counters_are_read_at_once_if_need_be),
		cmocka_unit_test(readings_in_order),
		cmocka_unit_test(another_reading_interval),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
