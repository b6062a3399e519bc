/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of routes: the life of an entry, limits.
 */
#include "core/tables/routes.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/craft.h"

#include "unit/core/tables/routes_world.h"

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

static void entries_of_a_changed_output_are_written_again(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	want(&world, 0, 0, 1, 1u << 2);
	want(&world, 1, 0, 2, 1u << 3);
	turn(&world);
	world.text[0] = '\0';
	routes_rewrite(world.routes, 1);
	expect(&world, "");
	world.kernel[0].changed = true; /* as the world sees it */
	routes_rewrite(world.routes, 2);
	expect(&world, " 0:1>4");
	expect(&world, "");
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
	/* Room for a number of routes is there, and not for twice as many. */
	routes_set_memory_max(routes, routes_memory(10000));
	for (; key.source = nth_addr("10.0.0.1", again), routes_want(routes, &key, 0, 1, 4); again++)
		;
	assert_in_range(again, 9000, 11000);
	assert_true(routes_memory(SIZE_MAX) == SIZE_MAX);
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

/* A vif number is free once no claim and no entry names it, however often the claims changed before. */
static void vif_numbers_become_free(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	for (unsigned round = 0; round < 3; round++) {
		want(&world, 0, 0, 1, 1u << 2);
		want(&world, 0, 0, 3, 1u << 4);
		want(&world, 0, 1, 3, 1u << 5);
		assume(&world, 1, 0, 6, 1u << 7);
		want(&world, 1, 0, 6, 1u << 8);
		for (unsigned vif = 0; vif < ROUTES_VIFS; vif++)
			assert_int_equal(routes_vif_is_named(world.routes, vif), 0x178 >> vif & 1);
		turn(&world);
		unwant(&world, 0, 0);
		unwant(&world, 0, 1);
		unwant(&world, 1, 0);
		/* The entries are still there. */
		assert_true(routes_vif_is_named(world.routes, 3) && routes_vif_is_named(world.routes, 8));
		turn(&world);
		for (unsigned vif = 0; vif < ROUTES_VIFS; vif++)
			assert_false(routes_vif_is_named(world.routes, vif));
	}
	close_world(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(life_of_an_entry),
		cmocka_unit_test(entries_of_a_changed_output_are_written_again),
		cmocka_unit_test(vif_numbers_become_free),
		cmocka_unit_test(wanted_again_is_not_written),
		cmocka_unit_test(asking_again),
		cmocka_unit_test(memory_is_limited),
		cmocka_unit_test(where_an_entry_sends_to),
	};

	routes_free(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
