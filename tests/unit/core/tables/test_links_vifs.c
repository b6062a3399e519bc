/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of links: numbers of vifs and of links, and what happens when they run out.
 */
#include "core/tables/links.h"

#include <errno.h>
#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "support/craft.h"

#include "unit/core/tables/links_world.h"

/* A link too many waits, which is said once, until another goes. */
static void table_is_full(void **state)
{
	struct world world;
	char name[LINK_NAME_SIZE];

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_DOWNSTREAM, "e*", settings_of(VERSION_3, VERSION_NONE));
	for (int i = 1; i <= LINKS_VIFS; i++) {
		snprintf(name, sizeof name, "e%d", i);
		assert_true(links_interface(world.links, i, name, true, true, 1500));
		turn(&world);
	}
	assert_true(links_interface(world.links, 99, "extra", true, true, 1500));
	expect(&world, " full0(extra) tell0:32(extra)");
	world.now += RETRY;
	expect(&world, "");
	links_interface_gone(world.links, 7);
	expect(&world, " del0:6(e7) tell0:6(e7 gone)");
	world.now += RETRY;
	expect(&world, " add0:6(extra) tell0:32(extra 4)");
	close_world(&world);
}

static void failed_vif_is_tried_again(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_UPSTREAM, "eth0", settings_of(VERSION_3, VERSION_NONE));
	assert_int_equal(links_deadline(world.links), MTIME_NEVER);
	assert_true(links_interface(world.links, 7, "eth0", true, true, 1500));
	world.add_result = -ENOBUFS;
	expect(&world, " add0:0(eth0) tell0:0(eth0)");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(links_deadline(world.links), world.now + RETRY);
		world.now += RETRY - 1;
		expect(&world, "");
		links_interface(world.links, 7, "eth0", true, true, 1500);
		expect(&world, "");
		world.now++;
		expect(&world, " add0:0(eth0)");
	}
	/* Not only then: also when the interface comes up. */
	links_interface(world.links, 7, "eth0", false, true, 1500);
	expect(&world, "");
	world.add_result = 0;
	links_interface(world.links, 7, "eth0", true, true, 1500);
	expect(&world, " add0:0(eth0) tell0:0(eth0 4)");
	assert_int_equal(links_deadline(world.links), MTIME_NEVER);
	close_world(&world);
}

/* Nothing is left of a failure when the interface has gone, also while its instance cannot be told. */
static void failed_vif_of_an_interface_that_goes(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_UPSTREAM, "eth0", settings_of(VERSION_3, VERSION_NONE));
	assert_true(links_interface(world.links, 7, "eth0", true, true, 1500));
	world.add_result = -ENOBUFS;
	expect(&world, " add0:0(eth0) tell0:0(eth0)");
	links_interface_gone(world.links, 7);
	world.refuse_tells = true;
	expect(&world, "");
	assert_int_equal(links_deadline(world.links), MTIME_NEVER);
	world.refuse_tells = false;
	expect(&world, " tell0:0(eth0 gone)");
	close_world(&world);
}

/* Routes name a vif for a while after it went: another number is taken. */
static void number_with_routes_is_not_used(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_UPSTREAM, "eth*", settings_of(VERSION_3, VERSION_NONE));
	for (int i = 0; i < 3; i++)
		world.vifs[0][FAMILY_IPV4][i].uses = 1;
	assert_true(links_interface(world.links, 7, "eth0", true, true, 1500));
	expect(&world, " add0:3(eth0) tell0:0(eth0 4)");
	world.vifs[0][FAMILY_IPV4][1].uses = 0;
	assert_true(links_interface(world.links, 8, "eth1", true, true, 1500));
	expect(&world, " add0:1(eth1) tell0:1(eth1 4)");
	/* All of them: it waits. */
	for (int i = 0; i < LINKS_VIFS; i++)
		world.vifs[0][FAMILY_IPV4][i].uses = 1;
	assert_true(links_interface(world.links, 9, "eth2", true, true, 1500));
	expect(&world, " tell0:2(eth2)");
	world.vifs[0][FAMILY_IPV4][8].uses = 0;
	assert_int_equal(links_deadline(world.links), world.now + RETRY);
	world.now += RETRY;
	expect(&world, " add0:8(eth2) tell0:2(eth2 4)");
	close_world(&world);
}

static void more_interfaces_than_vifs(void **state)
{
	struct world world;
	unsigned usable = 0;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_DOWNSTREAM, "tun*", settings_of(VERSION_3, VERSION_NONE));
	for (int i = 0; i < LINKS_VIFS + 8; i++) {
		char name[LINK_NAME_SIZE];

		snprintf(name, sizeof name, "tun%d", i);
		assert_true(links_interface(world.links, 100 + i, name, true, true, 1500));
	}
	turn(&world);
	for (unsigned id = 0; id < LINKS_MAX; id++)
		usable += world.views[0][id].change.family[FAMILY_IPV4].usable;
	assert_int_equal(usable, LINKS_VIFS);
	world.now += RETRY;
	expect(&world, "");
	/* One goes: its number is given to another, but not before the instance knows. */
	links_interface_gone(world.links, 110);
	world.refuse_tells = true;
	expect(&world, " del0:10(tun10)");
	for (int i = 0; i < 3; i++) {
		struct link_op op;

		world.now += RETRY;
		assert_true(links_pull(world.links, world.now, is_free, &world, &op));
		assert_int_equal(op.kind, LINK_ANNOUNCE);
		links_done(world.links, world.now, &op, -EAGAIN);
		/* The end of the pass: whoever refused is left alone until the next one. */
		assert_false(links_pull(world.links, world.now, is_free, &world, &op));
	}
	world.refuse_tells = false;
	world.now += RETRY;
	expect(&world, " tell0:10(tun10 gone) add0:10(tun32) tell0:32(tun32 4)");
	close_world(&world);
}

/* In the order of the table the one that waits comes first. */
static void waiting_interface_takes_no_number_too_early(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth*", settings_of(VERSION_3, VERSION_NONE));
	for (int i = 0; i < LINKS_VIFS; i++)
		world.vifs[0][FAMILY_IPV4][i].uses = 1;
	assert_true(links_interface(world.links, 1, "eth1", true, true, 1500));
	expect(&world, " tell0:0(eth1)");
	world.vifs[0][FAMILY_IPV4][4].uses = 0;
	assert_true(links_interface(world.links, 2, "eth2", true, true, 1500));
	expect(&world, " add0:4(eth2) tell0:1(eth2 4)");
	links_interface_gone(world.links, 2);
	world.refuse_tells = true;
	expect(&world, " del0:4(eth2)");
	world.now += RETRY;
	expect(&world, "");
	world.refuse_tells = false;
	expect(&world, " tell0:1(eth2 gone)");
	world.now += RETRY;
	expect(&world, " add0:4(eth1) tell0:0(eth1 4)");
	close_world(&world);
}

static void more_links_than_ids(void **state)
{
	struct world world;
	char name[LINK_NAME_SIZE];

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_UPSTREAM, "ppp*", settings_of(VERSION_3, VERSION_NONE));
	add_name(&world, 1, ROLE_UPSTREAM, "ppp6?", settings_of(VERSION_3, VERSION_NONE));
	for (int i = 0; i < LINKS_MAX + 2; i++) {
		snprintf(name, sizeof name, "ppp%d", i);
		assert_int_equal(links_interface(world.links, 100 + i, name, true, true, 1500),
		                 i < LINKS_MAX);
	}
	turn(&world);
	assert_true(world.views[0][LINKS_MAX - 1].known);
	assert_string_equal(world.views[1][5].change.name, "ppp65");
	/* As soon as an id is given back, one of them gets it. */
	links_interface_gone(world.links, 103);
	turn(&world);
	assert_true(world.views[0][3].given_up);
	give_back(&world, 0, 3);
	turn(&world);
	assert_string_equal(world.views[0][3].change.name, "ppp64");
	links_interface_gone(world.links, 165);
	turn(&world);
	links_interface_gone(world.links, 110);
	turn(&world);
	give_back(&world, 0, 10);
	expect(&world, "");
	close_world(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_is_full),
		cmocka_unit_test(failed_vif_is_tried_again),
		cmocka_unit_test(failed_vif_of_an_interface_that_goes),
		cmocka_unit_test(number_with_routes_is_not_used),
		cmocka_unit_test(more_interfaces_than_vifs),
		cmocka_unit_test(waiting_interface_takes_no_number_too_early),
		cmocka_unit_test(more_links_than_ids),
	};

	links_free(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
