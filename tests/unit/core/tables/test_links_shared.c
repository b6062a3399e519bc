/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of links: interfaces that several instances name.
 */
#include "core/tables/links.h"
#include "core/tables/links_vif_ports.h"

#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "support/craft.h"

#include "unit/core/tables/links_world.h"

/* One vif for all instances, in the families that one of them serves. */
static void instances_share_an_interface(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth0", settings_of(VERSION_3, VERSION_NONE));
	add_name(&world, 1, ROLE_UPSTREAM, "eth*", settings_of(VERSION_NONE, VERSION_3));
	add_name(&world, 2, ROLE_UPSTREAM, "tun0", settings_of(VERSION_2, VERSION_NONE));
	assert_true(links_interface(world.links, 7, "eth0", true, true, 1500));
	address(&world, 7, "fe80::1", true);
	expect(&world, " add0:0(eth0) add1:0(eth0) tell1:0(eth0 6) tell0:0(eth0 4)");
	assert_true(links_interface(world.links, 8, "tun0", true, true, 1500));
	expect(&world, " add0:1(tun0) tell2:0(tun0 4)");
	assert_int_equal(links_vif(world.links, 2, 0, FAMILY_IPV4), 1);
	assert_int_equal(links_vif(world.links, 2, 0, FAMILY_IPV6), LINKS_NO_VIF);
	assert_int_equal(links_vif(world.links, 2, 1, FAMILY_IPV4), LINKS_NO_VIF);
	assert_int_equal(links_vifs(world.links, 2, UINT64_MAX, FAMILY_IPV4), 1u << 1);
	assert_int_equal(links_vifs(world.links, 0, 1, FAMILY_IPV4), 1u << 0);
	assert_int_equal(links_vifs(world.links, 2, UINT64_MAX, FAMILY_IPV6), 0);
	assert_int_equal(links_vifs(world.links, 2, 0, FAMILY_IPV4), 0);
	assert_string_equal(links_vif_name(world.links, 0, FAMILY_IPV4, 1), "tun0");
	assert_string_equal(links_vif_name(world.links, 0, FAMILY_IPV4, 5), "?");
	assert_string_equal(links_vif_name(world.links, 0, FAMILY_IPV4, 99), "?");
	close_world(&world);
}

/* A name wins over a pattern, whichever instance comes first; of two patterns the first instance's counts,
 * which is said once. In the family that they do not share, there is no conflict. */
static void instances_compete(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_DOWNSTREAM, "e*", settings_of(VERSION_3, VERSION_NONE));
	add_name(&world, 1, ROLE_DOWNSTREAM, "et*", settings_of(VERSION_3, VERSION_3));
	add_name(&world, 2, ROLE_UPSTREAM, "eth0", settings_of(VERSION_3, VERSION_NONE));
	assert_true(links_interface(world.links, 1, "eth0", true, true, 1500));
	address(&world, 1, "fe80::1", true);
	expect(&world, " add0:0(eth0) add1:0(eth0) tell2:0(eth0 4) tell1:0(eth0 6)");
	assert_true(links_interface(world.links, 2, "eth1", true, true, 1500));
	address(&world, 2, "fe80::2", true);
	expect(&world, " conflict0>1(eth1) add0:1(eth1) add1:1(eth1) tell1:1(eth1 6) tell0:0(eth1 4)");
	assert_int_equal(links_vif(world.links, 1, 1, FAMILY_IPV4), LINKS_NO_VIF);
	assert_int_equal(links_vif(world.links, 1, 1, FAMILY_IPV6), 1);
	assert_int_equal(world.views[1][1].change.settings.version[FAMILY_IPV4], VERSION_NONE);
	assert_true(links_interface(world.links, 3, "eth2", true, true, 1500));
	expect(&world, " add0:2(eth2) add1:2(eth2) tell1:2(eth2) tell0:1(eth2 4)");
	close_world(&world);
}

/* What goes out on a shared upstream link is the union; from different tables it cannot be shared. */
static void upstream_links_are_shared_in_one_table(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	world.tables[2] = 1;
	links_set_table(world.links, 2, 1);
	add_name(&world, 0, ROLE_UPSTREAM, "ppp*", settings_of(VERSION_3, VERSION_NONE));
	add_name(&world, 1, ROLE_UPSTREAM, "ppp0", settings_of(VERSION_3, VERSION_NONE));
	add_name(&world, 2, ROLE_UPSTREAM, "ppp?", settings_of(VERSION_3, VERSION_NONE));
	assert_true(links_interface(world.links, 1, "ppp0", true, true, 1500));
	expect(&world, " add0:0(ppp0) tell1:0(ppp0 4) tell0:0(ppp0 4)");
	assert_true(links_interface(world.links, 2, "ppp1", true, true, 1500));
	expect(&world, " conflict0>2(ppp1) add0:1(ppp1) tell0:1(ppp1 4)");
	close_world(&world);
}

static void families_without_a_table_have_no_vifs(void **state)
{
	struct world world = {.links = links_new(), .by_hand = true};

	(void)state;
	add_name(&world, 0, ROLE_UPSTREAM, "eth0", settings_of(VERSION_3, VERSION_3));
	assert_true(links_interface(world.links, 7, "eth0", true, true, 1500));
	address(&world, 7, "fe80::1", true);
	expect(&world, " tell0:0(eth0)");
	links_enable_table(world.links, 0, FAMILY_IPV6);
	expect(&world, " add1:0(eth0) tell0:0(eth0 6)");
	close_world(&world);
}

/* A name without wildcards wins over patterns, the first pattern over later ones. */
static void names_and_patterns(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth*", settings_of(VERSION_2, VERSION_NONE));
	add_name(&world, 0, ROLE_UPSTREAM, "eth[12]", settings_of(VERSION_3, VERSION_NONE));
	add_name(&world, 0, ROLE_UPSTREAM, "eth3", settings_of(VERSION_1, VERSION_NONE));
	for (int i = 1; i <= 4; i++) {
		char name[LINK_NAME_SIZE];

		snprintf(name, sizeof name, i == 4 ? "xeth%d" : "eth%d", i);
		assert_true(links_interface(world.links, i, name, true, true, 1500));
	}
	expect(&world,
	       " add0:0(eth1) tell0:0(eth1 4) add0:1(eth2) tell0:1(eth2 4) add0:2(eth3) tell0:2(eth3 4)");
	assert_int_equal(world.views[0][0].change.role, ROLE_DOWNSTREAM);
	assert_int_equal(world.views[0][0].change.settings.version[FAMILY_IPV4], VERSION_2);
	assert_int_equal(world.views[0][2].change.role, ROLE_UPSTREAM);
	assert_int_equal(world.views[0][2].change.settings.version[FAMILY_IPV4], VERSION_1);
	close_world(&world);
}

/* The ids of the first instance's links at a vif, as bits. */
static unsigned ids_at(const struct world *world, enum family family, unsigned vif, bool usable)
{
	struct links_vif_port port = {0};
	unsigned ids = 0;

	while (links_next_vif_port(world->links, 0, family, vif, usable, &port))
		if (port.instance == 0)
			ids |= 1u << port.id;
	return ids;
}

/* A packet by a vif is for the links that were announced, in the families that they serve. */
static void links_of_a_vif(void **state)
{
	struct links_port port;
	struct world world;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth0", settings_of(VERSION_3, VERSION_NONE));
	add_name(&world, 1, ROLE_DOWNSTREAM, "eth0", settings_of(VERSION_NONE, VERSION_3));
	assert_true(links_interface(world.links, 7, "eth0", true, true, 1500));
	world.refuse_tells = true;
	turn(&world);
	/* Not announced yet. */
	assert_int_equal(ids_at(&world, FAMILY_IPV4, 0, false), 0);
	assert_int_equal(ids_at(&world, FAMILY_IPV4, 0, true), 0);
	world.refuse_tells = false;
	turn(&world);
	assert_int_equal(ids_at(&world, FAMILY_IPV4, 0, false), 1);
	assert_int_equal(ids_at(&world, FAMILY_IPV4, 0, true), 1);
	assert_int_equal(ids_at(&world, FAMILY_IPV6, 0, false), 0);
	assert_int_equal(ids_at(&world, FAMILY_IPV4, 1, false), 0);
	assert_int_equal(ids_at(&world, FAMILY_IPV4, LINKS_VIFS, false), 0);
	/* Down: known, but not usable. */
	assert_true(links_interface(world.links, 7, "eth0", false, true, 1500));
	turn(&world);
	assert_int_equal(ids_at(&world, FAMILY_IPV4, 0, true), 0);
	assert_int_equal(ids_at(&world, FAMILY_IPV4, 0, false), 1);
	assert_true(links_find_port(world.links, 0, 0, &port));
	assert_int_equal(port.ifindex, 7);
	assert_false(links_find_port(world.links, 0, 1, &port));
	assert_false(links_find_port(world.links, LINKS_INSTANCES, 0, &port));
	assert_false(links_find_port(world.links, 0, LINKS_MAX, &port));
	/* About to leave, and that is not announced yet. */
	world.refuse_tells = true;
	begin(&world);
	add_name(&world, 1, ROLE_DOWNSTREAM, "eth0", settings_of(VERSION_3, VERSION_3));
	links_reconfigure_end(world.links, true);
	turn(&world);
	assert_int_equal(ids_at(&world, FAMILY_IPV4, 0, false), 0);
	assert_false(links_find_port(world.links, 0, 0, &port));
	world.refuse_tells = false;
	turn(&world);
	assert_false(links_find_port(world.links, 0, 0, &port));
	close_world(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instances_share_an_interface),
		cmocka_unit_test(instances_compete),
		cmocka_unit_test(upstream_links_are_shared_in_one_table),
		cmocka_unit_test(families_without_a_table_have_no_vifs),
		cmocka_unit_test(names_and_patterns),
		cmocka_unit_test(links_of_a_vif),
	};

	links_free(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
