/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of routes: entries that the owner makes before the instance requests them.
 */
#include "core/tables/routes.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/craft.h"

#include "unit/core/tables/routes_world.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(assumed_claim_is_confirmed_or_corrected),
		cmocka_unit_test(nothing_is_assumed_of_an_instance_without_room),
		cmocka_unit_test(assumed_claim_ends_by_itself),
		cmocka_unit_test(assumed_claim_that_the_kernel_refuses),
		cmocka_unit_test(assumed_claims_are_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
