/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of links: names and addresses that change, and dumps that replace lost news.
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

/* Another name is another link; its addresses stay, and come with no further news. */
static void renamed(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth*", settings_of(VERSION_3, VERSION_3));
	add_name(&world, 1, ROLE_DOWNSTREAM, "lan", settings_of(VERSION_3, VERSION_3));
	assert_true(links_interface(world.links, 7, "eth0", true, true, 1500));
	address(&world, 7, "fe80::1", true);
	address(&world, 7, "10.0.0.1", true);
	expect(&world, " add0:0(eth0) add1:0(eth0) tell0:0(eth0 4 6)");
	assert_true(links_interface(world.links, 7, "lan", true, true, 1500));
	expect(&world, " del0:0(eth0) del1:0(eth0) tell0:0(eth0 gone)"
	               " add0:0(lan) add1:0(lan) tell1:0(lan 4 6)");
	assert_true(addr_equal(&world.views[1][0].change.family[FAMILY_IPV4].address,
	                       &(struct addr){{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 0, 0, 1}}));
	address(&world, 7, "fe80::1", false);
	expect(&world, " tell1:0(lan 4)");
	/* Within the same pattern, too. */
	assert_true(links_interface(world.links, 7, "eth5", true, true, 1500));
	assert_true(links_interface(world.links, 7, "eth6", true, true, 1500));
	expect(&world,
	       " del0:0(lan) del1:0(lan) tell1:0(lan gone) add0:0(eth6) add1:0(eth6) tell0:1(eth6 4)");
	close_world(&world);
}

/* The name is there anew, the old interface's end was not heard of. */
static void replaced_under_the_same_name(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_UPSTREAM, "ppp0", settings_of(VERSION_3, VERSION_NONE));
	assert_true(links_interface(world.links, 7, "ppp0", true, true, 1500));
	expect(&world, " add0:0(ppp0) tell0:0(ppp0 4)");
	assert_true(links_interface(world.links, 9, "ppp0", true, true, 1500));
	expect(&world, " del0:0(ppp0) tell0:0(ppp0 gone) add0:0(ppp0) tell0:1(ppp0 4)");
	links_interface_gone(world.links, 7);
	expect(&world, "");
	close_world(&world);
}

static void dump_removes_what_it_does_not_tell(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth*", settings_of(VERSION_3, VERSION_3));
	assert_true(links_interface(world.links, 1, "eth1", true, true, 1500));
	assert_true(links_interface(world.links, 2, "eth2", true, true, 1500));
	address(&world, 1, "fe80::1", true);
	address(&world, 1, "10.0.0.1", true);
	turn(&world);
	links_dump_begin(world.links);
	links_interface(world.links, 1, "eth1", true, true, 1500);
	links_interface(world.links, 3, "eth3", true, true, 1500);
	address(&world, 1, "10.0.0.1", true);
	expect(&world, " add0:2(eth3) add1:2(eth3) tell0:2(eth3 4)");
	links_dump_end(world.links);
	expect(&world, " tell0:0(eth1 4) del0:1(eth2) del1:1(eth2) tell0:1(eth2 gone)");
	links_dump_begin(world.links);
	links_dump_end(world.links);
	turn(&world);
	for (unsigned id = 0; id < LINKS_MAX; id++)
		assert_false(world.views[0][id].known);
	close_world(&world);
}

/* A dump tells another name: what is left of the old one must not take the address from the new one. */
static void dump_with_a_rename(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth*", settings_of(VERSION_NONE, VERSION_3));
	assert_true(links_interface(world.links, 1, "eth1", true, true, 1500));
	address(&world, 1, "fe80::1", true);
	expect(&world, " add1:0(eth1) tell0:0(eth1 6)");
	links_dump_begin(world.links);
	links_interface(world.links, 1, "eth9", true, true, 1500);
	address(&world, 1, "fe80::1", true);
	links_dump_end(world.links);
	expect(&world, " del1:0(eth1) tell0:0(eth1 gone) add1:0(eth9) tell0:1(eth9 6)");
	close_world(&world);
}

static const char *const first_addresses[FAMILIES] = {"10.0.0.1", "fe80::1"};

/* The number of the address that the instance knows; -1: none. */
static int known_address(const struct world *world, enum family family)
{
	const struct addr *told = &world->views[0][0].change.family[family].address;

	for (uint32_t i = 0; i < MANY; i++) {
		struct addr addr = nth_addr(first_addresses[family], i);

		if (addr_equal(told, &addr))
			return (int)i;
	}
	assert_true(addr_is_unspecified(told));
	return -1;
}

static void set_address(struct world *world, enum family family, uint32_t number, bool present)
{
	struct addr addr = nth_addr(first_addresses[family], number);
	struct interface_address is = interface_address(&addr);

	assert_true(links_address(world->links, 1, &is, present));
}

/* A thousand addresses of each family, in either order: each family has its own, and keeps one to the
 * last. */
static void many_addresses(void **state)
{
	(void)state;
	for (int order = 0; order < 4; order++) {
		enum family first = order & 1 ? FAMILY_IPV6 : FAMILY_IPV4, second = !first;
		bool descending = order & 2;
		struct world world;

		open_world(&world);
		add_name(&world, 0, ROLE_DOWNSTREAM, "eth0", settings_of(VERSION_3, VERSION_3));
		assert_true(links_interface(world.links, 1, "eth0", true, true, 1500));
		for (uint32_t i = 0; i < MANY; i++)
			set_address(&world, first, i, true);
		for (uint32_t i = 0; i < MANY; i++)
			set_address(&world, second, i, true);
		expect(&world, " add0:0(eth0) add1:0(eth0) tell0:0(eth0 4 6)");
		assert_int_equal(known_address(&world, FAMILY_IPV4), 0);
		assert_int_equal(known_address(&world, FAMILY_IPV6), 0);
		/* A dump that has them all changes nothing. */
		links_dump_begin(world.links);
		assert_true(links_interface(world.links, 1, "eth0", true, true, 1500));
		for (uint32_t i = 0; i < MANY; i++) {
			set_address(&world, FAMILY_IPV4, i, true);
			set_address(&world, FAMILY_IPV6, i, true);
		}
		links_dump_end(world.links);
		expect(&world, "");
		/* One after the other goes; the first that is left serves. */
		for (uint32_t i = 0; i < MANY; i++) {
			uint32_t number = descending ? MANY - 1 - i : i;
			int next = i == MANY - 1 ? -1 : descending ? 0 : (int)i + 1;

			set_address(&world, FAMILY_IPV4, number, false);
			set_address(&world, FAMILY_IPV6, number, false);
			world.text[0] = 0;
			assert_true(turn(&world));
			assert_int_equal(known_address(&world, FAMILY_IPV4), next);
			assert_int_equal(known_address(&world, FAMILY_IPV6), next);
		}
		close_world(&world);
	}
}

/* A dump lacks the first 998 of a thousand. */
static void many_addresses_that_a_dump_lacks(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth0", settings_of(VERSION_3, VERSION_3));
	assert_true(links_interface(world.links, 1, "eth0", true, true, 1500));
	for (uint32_t i = 0; i < MANY; i++)
		for (int family = 0; family < FAMILIES; family++)
			set_address(&world, family, i, true);
	expect(&world, " add0:0(eth0) add1:0(eth0) tell0:0(eth0 4 6)");
	links_dump_begin(world.links);
	assert_true(links_interface(world.links, 1, "eth0", true, true, 1500));
	for (uint32_t i = MANY - 2; i < MANY; i++)
		for (int family = 0; family < FAMILIES; family++)
			set_address(&world, family, i, true);
	links_dump_end(world.links);
	expect(&world, " tell0:0(eth0 4 6)");
	assert_int_equal(known_address(&world, FAMILY_IPV4), MANY - 2);
	assert_int_equal(known_address(&world, FAMILY_IPV6), MANY - 2);
	close_world(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(renamed),
		cmocka_unit_test(replaced_under_the_same_name),
		cmocka_unit_test(dump_removes_what_it_does_not_tell),
		cmocka_unit_test(dump_with_a_rename),
		cmocka_unit_test(many_addresses),
		cmocka_unit_test(many_addresses_that_a_dump_lacks),
	};

	links_free(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
