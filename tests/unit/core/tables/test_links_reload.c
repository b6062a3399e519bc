/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of links: a reload.
 */
#include "core/tables/links.h"

#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "support/craft.h"

#include "unit/core/tables/links_world.h"

static void reload_tells_the_difference(void **state)
{
	struct link_settings both = settings_of(VERSION_3, VERSION_3), changed = both;
	struct world world;

	(void)state;
	changed.query_interval = 30000;
	open_world(&world);
	add_name(&world, 0, ROLE_UPSTREAM, "eth0", both);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth1", both);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth2", both);
	for (int i = 0; i < 4; i++) {
		char name[8];

		snprintf(name, sizeof name, "eth%d", i);
		links_interface(world.links, i + 1, name, true, true, 1500);
	}
	turn(&world);
	/* The same again. */
	begin(&world);
	add_name(&world, 0, ROLE_UPSTREAM, "eth0", both);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth1", both);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth[2-3]", both);
	links_reconfigure_end(world.links, true);
	/* Downstream links have new elections. */
	expect(&world, " tell0:1(eth1 4) tell0:2(eth2 4) add0:3(eth3) add1:3(eth3) tell0:3(eth3 4)");
	assert_int_equal(world.views[0][1].change.elections, 1);
	/* Changed, gone, and another role; one that cannot be had. */
	begin(&world);
	add_name(&world, 0, ROLE_UPSTREAM, "eth0", both);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth1", changed);
	add_name(&world, 0, ROLE_UPSTREAM, "eth2", both);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth9", both);
	links_reconfigure_end(world.links, true);
	expect(&world, " tell0:1(eth1 4) tell0:2(eth2 4) tell0:3(eth3 gone) del0:3(eth3) del1:3(eth3)");
	assert_int_equal(world.views[0][1].change.settings.query_interval, 30000);
	assert_int_equal(world.views[0][2].change.role, ROLE_UPSTREAM);
	/* One family less, and it comes back. Its vif number is free when the instance has been told. */
	world.refuse_tells = true;
	begin(&world);
	add_name(&world, 0, ROLE_UPSTREAM, "eth0", both);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth1", settings_of(VERSION_NONE, VERSION_3));
	add_name(&world, 0, ROLE_UPSTREAM, "eth2", both);
	links_reconfigure_end(world.links, true);
	expect(&world, " del0:1(eth1)");
	begin(&world);
	add_name(&world, 0, ROLE_UPSTREAM, "eth0", both);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth1", changed);
	add_name(&world, 0, ROLE_UPSTREAM, "eth2", both);
	links_reconfigure_end(world.links, true);
	world.refuse_tells = false;
	expect(&world, " add0:3(eth1) tell0:1(eth1) tell0:1(eth1 4)");
	/* A bad one changes nothing. */
	begin(&world);
	add_name(&world, 0, ROLE_UPSTREAM, "eth7", both);
	links_reconfigure_end(world.links, false);
	expect(&world, "");
	close_world(&world);
}

static void link_that_leaves_and_returns_untold(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth1", settings_of(VERSION_3, VERSION_NONE));
	links_interface(world.links, 1, "eth1", true, true, 1500);
	expect(&world, " add0:0(eth1) tell0:0(eth1 4)");
	world.refuse_tells = true;
	begin(&world);
	links_reconfigure_end(world.links, true);
	expect(&world, "");
	world.refuse_tells = false;
	begin(&world);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth1", settings_of(VERSION_3, VERSION_NONE));
	links_reconfigure_end(world.links, true);
	expect(&world, " tell0:0(eth1 4)");
	close_world(&world);
}

/* An instance gets a family of its interface from an instance of another table: it has no vif until the new one is made. */
static void interface_moves_to_another_table(void **state)
{
	struct links_port port;
	struct world world;

	(void)state;
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++) {
		uint8_t ipv4 = family == FAMILY_IPV4 ? VERSION_3 : VERSION_NONE;

		open_world(&world);
		world.tables[1] = 1;
		links_set_table(world.links, 1, 1);
		add_name(&world, 0, ROLE_DOWNSTREAM, "eth1", settings_of(ipv4, VERSION_3 - ipv4));
		add_name(&world, 1, ROLE_DOWNSTREAM, "eth*", settings_of(VERSION_3, VERSION_3));
		links_interface(world.links, 1, "eth1", true, true, 1500);
		address(&world, 1, "fe80::1", true);
		turn(&world);
		assert_int_equal(links_vif(world.links, 0, 0, family), 0);
		assert_int_equal(links_vif(world.links, 1, 0, family), LINKS_NO_VIF);
		begin(&world);
		links_set_table(world.links, 1, 1);
		add_name(&world, 1, ROLE_DOWNSTREAM, "eth*", settings_of(VERSION_3, VERSION_3));
		links_reconfigure_end(world.links, true);
		assert_int_equal(links_vif(world.links, 1, 0, family), LINKS_NO_VIF);
		assert_int_equal(links_vifs(world.links, 1, 1, family), 0);
		assert_true(links_find_port(world.links, 1, 0, &port));
		assert_int_equal(port.vif[family], LINKS_NO_VIF);
		turn(&world);
		assert_int_equal(links_vif(world.links, 1, 0, family), 0);
		assert_true(world.views[1][0].change.family[family].usable);
		close_world(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reload_tells_the_difference),
		cmocka_unit_test(link_that_leaves_and_returns_untold),
		cmocka_unit_test(interface_moves_to_another_table),
	};

	links_free(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
