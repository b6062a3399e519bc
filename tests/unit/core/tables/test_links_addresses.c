/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of links: interfaces that the configuration names by their addresses or alternative names.
 */
#include "core/tables/links.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "unit/core/tables/links_world.h"

static void open_with_interfaces(struct world *world, const char *pattern)
{
	open_world(world);
	add_name(world, 0, ROLE_DOWNSTREAM, pattern, settings_of(VERSION_3, VERSION_NONE));
	assert_true(links_interface(world->links, 1, "br-a", true, true, 1500));
	assert_true(links_interface(world->links, 2, "br-b", true, true, 1500));
	expect(world, "");
}

static void addresses_appear_disappear_and_move(void **state)
{
	static const struct {
		const char *pattern, *inside, *also_inside, *outside;
	} rows[] = {
		{"@172.20.0.0/16", "172.20.0.0", "172.20.255.255", "172.21.0.0"},
		{"@172.20.1.1/32", "172.20.1.1", "172.20.1.1", "172.20.1.0"},
		{"@172.20.1.1", "172.20.1.1", "172.20.1.1", "172.20.1.2"},
		{"@0.0.0.0/0", "0.0.0.1", "255.255.255.254", "fd00::1"},
		{"@fd00:1::/32", "fd00:1::", "fd00:1:ffff::1", "fd00:2::1"},
		{"@fe80::/10", "fe80::1", "febf::1", "fec0::1"},
		{"@::/0", "fd00::1", "2001:db8::1", "10.0.0.1"},
		{"@10.0.0.4-10.0.0.6", "10.0.0.4", "10.0.0.6", "10.0.0.7"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct world world;

		open_with_interfaces(&world, rows[i].pattern);
		address(&world, 1, rows[i].outside, true);
		expect(&world, "");
		address(&world, 1, rows[i].inside, true);
		expect(&world, " add0:0(br-a) tell0:0(br-a 4)");
		assert_true(links_match(world.links, rows[i].pattern, "br-a"));
		assert_false(links_match(world.links, rows[i].pattern, "br-b"));
		assert_false(links_match(world.links, rows[i].pattern, "br-c"));
		/* It leaves and returns between two turns. */
		address(&world, 1, rows[i].inside, false);
		address(&world, 1, rows[i].inside, true);
		turn(&world);
		assert_int_equal(links_vif(world.links, 0, 0, FAMILY_IPV4), 0);
		/* It moves. */
		address(&world, 2, rows[i].also_inside, true);
		address(&world, 1, rows[i].inside, false);
		turn(&world);
		turn(&world);
		assert_false(links_match(world.links, rows[i].pattern, "br-a"));
		assert_true(links_match(world.links, rows[i].pattern, "br-b"));
		/* A dump no longer has it. */
		links_dump_begin(world.links);
		links_interface(world.links, 2, "br-b", true, true, 1500);
		links_dump_end(world.links);
		turn(&world);
		assert_false(links_match(world.links, rows[i].pattern, "br-b"));
		close_world(&world);
	}
}

/* The kernel does not announce the addresses again. */
static void a_renamed_interface_keeps_its_addresses(void **state)
{
	struct world world;

	(void)state;
	open_with_interfaces(&world, "@172.20.0.0/16");
	address(&world, 1, "172.20.0.1", true);
	turn(&world);
	assert_true(links_interface(world.links, 1, "lan", true, true, 1500));
	turn(&world);
	assert_true(links_match(world.links, "@172.20.0.0/16", "lan"));
	close_world(&world);
}

static void a_name_has_priority_over_addresses(void **state)
{
	struct world world;

	(void)state;
	open_with_interfaces(&world, "@172.20.0.0/16");
	add_name(&world, 1, ROLE_DOWNSTREAM, "br-a", settings_of(VERSION_3, VERSION_NONE));
	assert_true(links_interface(world.links, 3, "br-c", true, true, 1500));
	address(&world, 1, "172.20.0.1", true);
	address(&world, 3, "172.20.0.2", true);
	expect(&world, " add0:0(br-a) tell1:0(br-a 4) add0:1(br-c) tell0:0(br-c 4)");
	close_world(&world);
}

static void alternative_names_count_as_names(void **state)
{
	struct world world;
	size_t cursor = 0;
	unsigned instance;
	const char *pattern;

	(void)state;
	open_with_interfaces(&world, "an-altname-of-22-chars");
	add_name(&world, 1, ROLE_UPSTREAM, "enx*", settings_of(VERSION_3, VERSION_NONE));
	assert_true(links_altnames(world.links, 1, "enp1s0\0an-altname-of-22-chars\0"));
	assert_true(links_altnames(world.links, 2, "enx020000000001\0"));
	assert_true(links_altnames(world.links, 99, "enx020000000002\0"));
	expect(&world, " add0:0(br-a) tell0:0(br-a 4) add0:1(br-b) tell1:0(br-b 4)");
	assert_false(links_next_missing(world.links, &cursor, &instance, &pattern));
	assert_true(links_altnames(world.links, 1, ""));
	turn(&world);
	cursor = 0;
	assert_true(links_next_missing(world.links, &cursor, &instance, &pattern));
	assert_string_equal(pattern, "an-altname-of-22-chars");
	close_world(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_appear_disappear_and_move),
		cmocka_unit_test(a_renamed_interface_keeps_its_addresses),
		cmocka_unit_test(a_name_has_priority_over_addresses),
		cmocka_unit_test(alternative_names_count_as_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
