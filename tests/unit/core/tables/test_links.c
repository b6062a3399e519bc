/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of links: the life of a link, and what its instance is informed of.
 */
#include "core/tables/links_vif_ports.h"

#include <errno.h>
#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/craft.h"

#include "unit/core/tables/links_world.h"

static void life_of_a_link(void **state)
{
	struct world world;
	struct link_change *change = &world.views[0][0].change;
	struct addr addr = addr_of("10.0.0.1"), local = addr_of("fe80::1");

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth0", settings_of(VERSION_3, VERSION_3));
	expect(&world, "");
	assert_true(links_interface(world.links, 7, "eth0", false, true, 1500));
	assert_true(links_interface(world.links, 8, "eth1", true, true, 1500));
	/* It is told of while down, with its vifs. */
	expect(&world, " add0:0(eth0) add1:0(eth0) tell0:0(eth0)");
	assert_int_equal(change->role, ROLE_DOWNSTREAM);
	assert_int_equal(change->mtu, 1500);
	assert_int_equal(change->settings.robustness, 2);
	/* IPv6 needs a link-local address, IPv4 none. */
	links_interface(world.links, 7, "eth0", true, true, 1500);
	expect(&world, " tell0:0(eth0 4)");
	assert_true(addr_is_unspecified(&change->family[FAMILY_IPV4].address));
	address(&world, 7, "2001:db8::1", true);
	expect(&world, "");
	address(&world, 7, "fe80::2", true);
	address(&world, 7, "fe80::1", true);
	address(&world, 7, "10.0.0.1", true);
	address(&world, 7, "10.0.0.2", true);
	expect(&world, " tell0:0(eth0 4 6)");
	assert_true(addr_equal(&change->family[FAMILY_IPV4].address, &addr));
	assert_true(addr_equal(&change->family[FAMILY_IPV6].address, &local));
	/* The same again is no news. */
	links_interface(world.links, 7, "eth0", true, true, 1500);
	address(&world, 7, "10.0.0.2", true);
	expect(&world, "");
	links_interface(world.links, 7, "eth0", true, true, 9000);
	expect(&world, " tell0:0(eth0 4 6)");
	assert_int_equal(change->mtu, 9000);
	address(&world, 7, "10.0.0.1", false);
	expect(&world, " tell0:0(eth0 4 6)");
	links_interface(world.links, 7, "eth0", false, true, 9000);
	expect(&world, " tell0:0(eth0)");
	links_interface_gone(world.links, 7);
	expect(&world, " del0:0(eth0) del1:0(eth0) tell0:0(eth0 gone)");
	/* The id is used again only after it was given back. */
	assert_true(links_interface(world.links, 9, "eth0", true, true, 1500));
	expect(&world, " add0:0(eth0) add1:0(eth0) tell0:1(eth0 4)");
	links_interface_gone(world.links, 9);
	expect(&world, " del0:0(eth0) del1:0(eth0) tell0:1(eth0 gone)");
	give_back(&world, 0, 0);
	assert_true(links_interface(world.links, 9, "eth0", true, true, 1500));
	expect(&world, " add0:0(eth0) add1:0(eth0) tell0:0(eth0 4)");
	links_interface_gone(world.links, 123);
	address(&world, 123, "10.0.0.9", true);
	expect(&world, "");
	close_world(&world);
}

static void missing_names(void **state)
{
	struct world world;
	size_t cursor = 0;
	unsigned instance;
	const char *pattern;

	(void)state;
	open_world(&world);
	assert_false(links_next_missing(world.links, &cursor, &instance, &pattern));
	add_name(&world, 0, ROLE_UPSTREAM, "eth0", settings_of(VERSION_3, VERSION_NONE));
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth1", settings_of(VERSION_3, VERSION_NONE));
	add_name(&world, 1, ROLE_DOWNSTREAM, "tun*", settings_of(VERSION_3, VERSION_NONE));
	add_name(&world, 2, ROLE_UPSTREAM, "ppp0", settings_of(VERSION_3, VERSION_NONE));
	assert_true(links_interface(world.links, 1, "eth1", true, true, 1500));
	cursor = 0;
	assert_true(links_next_missing(world.links, &cursor, &instance, &pattern));
	assert_int_equal(instance, 0);
	assert_string_equal(pattern, "eth0");
	assert_true(links_next_missing(world.links, &cursor, &instance, &pattern));
	assert_int_equal(instance, 1);
	assert_string_equal(pattern, "tun*");
	assert_true(links_next_missing(world.links, &cursor, &instance, &pattern));
	assert_string_equal(pattern, "ppp0");
	assert_false(links_next_missing(world.links, &cursor, &instance, &pattern));
	assert_false(links_next_missing(world.links, &cursor, &instance, &pattern));
	links_interface_gone(world.links, 1);
	assert_true(links_interface(world.links, 2, "tun7", true, true, 1500));
	cursor = 0;
	for (int i = 0; i < 3; i++) {
		static const char *const patterns[] = {"eth0", "eth1", "ppp0"};

		assert_true(links_next_missing(world.links, &cursor, &instance, &pattern));
		assert_string_equal(pattern, patterns[i]);
	}
	assert_false(links_next_missing(world.links, &cursor, &instance, &pattern));
	close_world(&world);
}

static void a_link_may_have_another_source(void **state)
{
	struct link_settings settings = settings_of(VERSION_3, VERSION_3);
	struct world world;
	struct link_change *change = &world.views[0][0].change;
	struct addr own = addr_of("10.0.0.1"), other = addr_of("192.0.2.1"), local = addr_of("fe80::1");

	(void)state;
	open_world(&world);
	settings.source_address[FAMILY_IPV4] = other;
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth0", settings);
	assert_true(links_interface(world.links, 7, "eth0", true, true, 1500));
	address(&world, 7, "10.0.0.1", true);
	address(&world, 7, "fe80::1", true);
	expect(&world, " add0:0(eth0) add1:0(eth0) tell0:0(eth0 4 6)");
	assert_true(addr_equal(&change->family[FAMILY_IPV4].address, &other));
	assert_true(addr_equal(&change->family[FAMILY_IPV6].address, &local));
	/* Both are this router's own. */
	assert_int_equal(change->addresses.address_count[FAMILY_IPV4], 2);
	assert_true(addr_equal(&change->addresses.addresses[FAMILY_IPV4][0], &own));
	assert_true(addr_equal(&change->addresses.addresses[FAMILY_IPV4][1], &other));
	assert_int_equal(change->addresses.address_count[FAMILY_IPV6], 1);
	expect(&world, "");
	close_world(&world);
}

static void the_largest_threshold_of_a_vif_counts(void **state)
{
	struct link_settings settings = settings_of(VERSION_3, VERSION_NONE);
	struct world world;

	(void)state;
	open_world(&world);
	assert_int_equal(links_threshold(world.links, 0, FAMILY_IPV4, 0), 1);
	settings.ttl_threshold = 7;
	add_name(&world, 0, ROLE_UPSTREAM, "eth0", settings);
	settings.ttl_threshold = 9;
	add_name(&world, 1, ROLE_UPSTREAM, "eth0", settings);
	assert_true(links_interface(world.links, 7, "eth0", true, true, 1500));
	turn(&world);
	assert_int_equal(links_threshold(world.links, 0, FAMILY_IPV4, 0), 9);
	assert_int_equal(links_threshold(world.links, 0, FAMILY_IPV6, 0), 1);
	close_world(&world);
}

static void refused_news_is_told_again(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_UPSTREAM, "eth0", settings_of(VERSION_3, VERSION_NONE));
	assert_true(links_interface(world.links, 7, "eth0", true, true, 1500));
	world.refuse_tells = true;
	expect(&world, " add0:0(eth0)");
	expect(&world, "");
	links_interface(world.links, 7, "eth0", true, true, 1400);
	expect(&world, "");
	assert_int_equal(world.refused, 3);
	world.refuse_tells = false;
	/* The newest state, once. */
	expect(&world, " tell0:0(eth0 4)");
	assert_int_equal(world.views[0][0].change.mtu, 1400);
	world.refuse_tells = true;
	links_interface_gone(world.links, 7);
	expect(&world, " del0:0(eth0)");
	assert_true(links_interface(world.links, 8, "eth0", true, true, 1500));
	/* The old number is not free before the instance knows. */
	expect(&world, " add0:1(eth0)");
	world.refuse_tells = false;
	expect(&world, " tell0:0(eth0 gone) tell0:1(eth0 4)");
	close_world(&world);
}

/* An instance hears nothing of what came and went before it could be told. */
static void short_lives_are_not_told(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_UPSTREAM, "eth0", settings_of(VERSION_3, VERSION_NONE));
	for (int i = 0; i < 100; i++) {
		assert_true(links_interface(world.links, 7 + i, "eth0", true, true, 1500));
		if (i % 2)
			links_interface_gone(world.links, 7 + i);
	}
	links_interface_gone(world.links, 105);
	expect(&world, "");
	assert_true(links_interface(world.links, 7, "eth0", true, true, 1500));
	world.refuse_tells = true;
	expect(&world, " add0:0(eth0)");
	links_interface_gone(world.links, 7);
	world.refuse_tells = false;
	expect(&world, " del0:0(eth0)");
	assert_true(links_interface(world.links, 8, "eth0", true, true, 1500));
	expect(&world, " add0:0(eth0) tell0:0(eth0 4)");
	close_world(&world);
}

static void multicast_flag_is_told(void **state)
{
	struct world world;
	struct link_op op;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth1", settings_of(VERSION_3, VERSION_NONE));
	links_interface(world.links, 1, "eth1", true, true, 1500);
	expect(&world, " add0:0(eth1) tell0:0(eth1 4)");
	links_interface(world.links, 1, "eth1", true, false, 1500);
	assert_true(links_pull(world.links, world.now, is_free, &world, &op));
	assert_int_equal(op.kind, LINK_ANNOUNCE);
	assert_false(op.multicast);
	/* It is used all the same. */
	assert_true(op.change.family[FAMILY_IPV4].usable);
	links_done(world.links, world.now, &op, 0);
	expect(&world, "");
	close_world(&world);
}

static void instance_ends(void **state)
{
	struct world world;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth1", settings_of(VERSION_3, VERSION_NONE));
	add_name(&world, 1, ROLE_DOWNSTREAM, "eth2", settings_of(VERSION_3, VERSION_NONE));
	links_interface(world.links, 1, "eth1", true, true, 1500);
	links_interface(world.links, 2, "eth2", true, true, 1500);
	turn(&world);
	begin(&world);
	add_name(&world, 1, ROLE_DOWNSTREAM, "eth2", settings_of(VERSION_3, VERSION_NONE));
	links_forget_instance(world.links, 0);
	links_reconfigure_end(world.links, true);
	expect(&world, " del0:0(eth1) tell1:0(eth2 4)");
	/* Another in its place begins with the same ids and numbers. */
	memset(world.views[0], 0, sizeof world.views[0]);
	begin(&world);
	add_name(&world, 0, ROLE_DOWNSTREAM, "eth1", settings_of(VERSION_3, VERSION_NONE));
	add_name(&world, 1, ROLE_DOWNSTREAM, "eth2", settings_of(VERSION_3, VERSION_NONE));
	links_reconfigure_end(world.links, true);
	expect(&world, " add0:0(eth1) tell0:0(eth1 4) tell1:0(eth2 4)");
	/* The same instance with another worker. */
	links_forget_instance(world.links, 1);
	memset(world.views[1], 0, sizeof world.views[1]);
	expect(&world, " tell1:0(eth2 4)");
	close_world(&world);
}

/* An instance that could not be told for lack of memory is told after a while, without other news. */
static void told_again_when_there_is_memory(void **state)
{
	struct link_op op;
	struct world world;

	(void)state;
	open_world(&world);
	add_name(&world, 0, ROLE_UPSTREAM, "eth0", settings_of(VERSION_3, VERSION_NONE));
	assert_true(links_interface(world.links, 7, "eth0", true, true, 1500));
	for (int i = 0; i < 2; i++) {
		while (links_pull(world.links, world.now, is_free, &world, &op))
			links_done(world.links, world.now, &op,
			           op.kind == LINK_ANNOUNCE ? -ENOMEM : add_vif(&world, &op));
		assert_int_equal(links_deadline(world.links), world.now + RETRY);
		world.now += RETRY;
	}
	expect(&world, " tell0:0(eth0 4)");
	assert_true(links_deadline(world.links) == MTIME_NEVER);
	close_world(&world);
}

/* The first call says where it is. */
static void another_attachment_is_noticed(void **state)
{
	static const struct {
		struct link_attachment attachment;
		bool changed;
	} rows[] = {
		{{1, {2, 0, 0, 0, 0, 1}}, false}, {{1, {2, 0, 0, 0, 0, 1}}, false},
		{{2, {2, 0, 0, 0, 0, 1}}, true},  {{2, {2, 0, 0, 0, 0, 2}}, true},
		{{2, {2, 0, 0, 0, 0, 2}}, false}, {{0, {0}}, true},
	};
	struct links *links = links_new();

	(void)state;
	assert_false(links_attachment(links, 5, &rows[2].attachment));
	for (int round = 0; round < 2; round++) {
		assert_true(links_interface(links, 5, "eth0", true, true, 1500));
		for (size_t i = 0; i < LENGTH(rows); i++)
			assert_int_equal(links_attachment(links, 5, &rows[i].attachment), rows[i].changed);
		links_interface_gone(links, 5);
	}
	links_free(links);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_attachment_is_noticed),
		cmocka_unit_test(told_again_when_there_is_memory),
		cmocka_unit_test(life_of_a_link),
		cmocka_unit_test(missing_names),
		cmocka_unit_test(refused_news_is_told_again),
		cmocka_unit_test(the_largest_threshold_of_a_vif_counts),
		cmocka_unit_test(a_link_may_have_another_source),
		cmocka_unit_test(short_lives_are_not_told),
		cmocka_unit_test(multicast_flag_is_told),
		cmocka_unit_test(instance_ends),
	};

	links_free(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
