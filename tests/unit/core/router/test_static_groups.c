/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Static groups: members that never leave downstream, and joins without members upstream.
 */
#include "core/policy/group_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/engine.h"

enum { UP2 = DOWN3 };

/* The link gets these static groups, one a line: "GROUPS [from SOURCE]". NULL: none. */
static void keep(uint8_t link, const char *text)
{
	struct group_map_entry entries[8];
	char copy[512], *rest;
	struct group_map *map = NULL;
	size_t count = 0;

	snprintf(copy, sizeof copy, "%s", text ? text : "");
	for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest), count++) {
		char *from = strstr(line, " from ");

		if (from != NULL)
			*from = '\0';
		assert_null(range_parse(line, &entries[count].groups));
		entries[count].source = from ? addr_of(from + 6) : addr_unspecified(FAMILY_IPV6);
	}
	if (count > 0)
		map = group_map_new(entries, count);
	engine.links[link].settings.static_groups = map;
	give_link(link);
	group_map_release(map);
}

static void it_is_a_member(void **state)
{
	(void)state;
	keep(DOWN1, "239.1.1.1\n232.1.1.1 from 10.9.9.1\n232.1.1.1 from 10.9.9.2\nff1e::1\nff3e::1 from "
	            "2001:db8::1");
	assert_string_equal(membership_of("239.1.1.1"), "EXCLUDE{}");
	assert_string_equal(membership_of("232.1.1.1"), "INCLUDE{10.9.9.1 10.9.9.2}");
	assert_string_equal(membership_of("ff1e::1"), "EXCLUDE{}");
	assert_string_equal(membership_of("ff3e::1"), "INCLUDE{2001:db8::1}");
	assert_int_equal(open_links_of("239.1.1.1"), 1 << DOWN1);
	upcall(UP, "10.9.9.1", "239.1.1.1");
	upcall(UP, "10.9.9.1", "232.1.1.1");
	upcall(UP, "10.9.9.3", "232.1.1.1");
	upcall(UP, "2001:db8::1", "ff3e::1");
	assert_string_equal(route_of("10.9.9.1", "239.1.1.1"), "0 -> 1");
	assert_string_equal(route_of("10.9.9.1", "232.1.1.1"), "0 -> 1");
	assert_string_equal(route_of("10.9.9.3", "232.1.1.1"), "0 ->");
	assert_string_equal(route_of("2001:db8::1", "ff3e::1"), "0 -> 1");
}

static void nothing_ends_it(void **state)
{
	struct query general = {
		.version = VERSION_3, .max_response = 100, .robustness = 2, .query_interval = 125000};

	(void)state;
	keep(DOWN1, "239.1.1.1\nff1e::1\nffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	upcall(UP, "10.9.9.1", "239.1.1.1");
	leave(DOWN1, "239.1.1.1");
	report(DOWN1, BLOCK, "239.1.1.1", "10.9.9.1");
	report(DOWN1, TO_IN, "239.1.1.1", "");
	leave(DOWN1, "ff1e::1");
	receive(DOWN1, craft_query("10.0.1.0", general, NULL, NULL));
	general.max_response = 1000;
	receive(DOWN1, craft_query("10.0.1.0", general, "239.1.1.1", NULL));
	for (int i = 0; i < 20; i++) {
		pass(30000);
		counters("10.9.9.1", "239.1.1.1", 100 + (uint64_t)i);
	}
	assert_string_equal(membership_of("239.1.1.1"), "EXCLUDE{}");
	assert_string_equal(membership_of("ff1e::1"), "EXCLUDE{}");
	assert_string_equal(route_of("10.9.9.1", "239.1.1.1"), "0 -> 1");
}

static void it_merges_with_hosts(void **state)
{
	(void)state;
	keep(DOWN1, "239.1.1.1 from 10.9.9.1\n239.2.1.1");
	upcall(UP, "10.9.9.2", "239.1.1.1");
	report(DOWN1, TO_IN, "239.1.1.1", "10.9.9.2");
	assert_string_equal(membership_of("239.1.1.1"), "INCLUDE{10.9.9.1 10.9.9.2}");
	assert_string_equal(route_of("10.9.9.2", "239.1.1.1"), "0 -> 1");
	report(DOWN1, TO_EX, "239.1.1.1", "10.9.9.1 10.9.9.3");
	assert_string_equal(membership_of("239.1.1.1"), "EXCLUDE{10.9.9.3}");
	assert_int_equal(open_links_of("239.1.1.1"), 0);
	leave(DOWN1, "239.1.1.1");
	pass(2000);
	assert_string_equal(membership_of("239.1.1.1"), "INCLUDE{10.9.9.1}");
	assert_string_equal(route_of("10.9.9.2", "239.1.1.1"), "0 ->");
	report(DOWN1, TO_EX, "239.2.1.1", "10.9.9.3");
	assert_string_equal(membership_of("239.2.1.1"), "EXCLUDE{}");
	join(DOWN2, "239.1.1.1");
	assert_string_equal(membership_of("239.1.1.1"), "EXCLUDE{}");
	leave(DOWN2, "239.1.1.1");
	pass(2000);
	assert_string_equal(membership_of("239.1.1.1"), "INCLUDE{10.9.9.1}");
}

static void hosts_of_a_static_group_leave_fast(void **state)
{
	(void)state;
	engine.links[DOWN1].settings.fast_leave = engine.links[DOWN1].settings.track_hosts = true;
	keep(DOWN1, "239.1.1.1 from 10.9.9.1");
	for (int i = 0; i < 3; i++) {
		report(DOWN1, TO_EX, "239.1.1.1", "");
		assert_string_equal(membership_of("239.1.1.1"), "EXCLUDE{}");
		report(DOWN1, TO_IN, "239.1.1.1", "");
		assert_string_equal(membership_of("239.1.1.1"), "INCLUDE{10.9.9.1}");
	}
}

static void it_returns_with_its_link(void **state)
{
	(void)state;
	keep(DOWN1, "239.1.1.1\nff1e::1");
	upcall(UP, "10.9.9.1", "239.1.1.1");
	link_down(DOWN1);
	assert_string_equal(membership_of("239.1.1.1"), "INCLUDE{}");
	assert_string_equal(membership_of("ff1e::1"), "INCLUDE{}");
	assert_string_equal(route_of("10.9.9.1", "239.1.1.1"), "0 ->");
	use_family(DOWN1, FAMILY_IPV4, true);
	use_family(DOWN1, FAMILY_IPV6, true);
	give_link(DOWN1);
	assert_string_equal(membership_of("239.1.1.1"), "EXCLUDE{}");
	assert_string_equal(membership_of("ff1e::1"), "EXCLUDE{}");
	assert_string_equal(route_of("10.9.9.1", "239.1.1.1"), "0 -> 1");
	link_gone(DOWN1);
	assert_string_equal(membership_of("239.1.1.1"), "INCLUDE{}");
}

static void a_link_without_an_address_keeps_it(void **state)
{
	(void)state;
	keep(DOWN1, "239.1.1.1");
	forget();
	engine.links[DOWN1].family[FAMILY_IPV4].address = addr_unspecified(FAMILY_IPV4);
	give_link(DOWN1);
	assert_string_equal(membership_of("239.1.1.1"), "never");
	upcall(UP, "10.9.9.1", "239.1.1.1");
	assert_string_equal(route_of("10.9.9.1", "239.1.1.1"), "0 -> 1");
}

static void a_reload_changes_only_what_differs(void **state)
{
	(void)state;
	keep(DOWN1, "239.1.1.0/30\n239.2.1.1");
	join(DOWN1, "239.2.1.1");
	upcall(UP, "10.9.9.1", "239.1.1.1");
	upcall(UP, "10.9.9.1", "239.1.1.2");
	upcall(UP, "10.9.9.1", "239.2.1.1");
	forget();
	keep(DOWN1, "239.1.1.2/31\n239.3.1.1\nff1e::1");
	assert_string_equal(route_of("10.9.9.1", "239.1.1.1"), "0 ->");
	assert_string_equal(membership_of("239.1.1.1"), "INCLUDE{}");
	assert_string_equal(route_of("10.9.9.1", "239.1.1.2"), "never");
	assert_string_equal(membership_of("239.3.1.1"), "EXCLUDE{}");
	assert_string_equal(membership_of("ff1e::1"), "EXCLUDE{}");
	/* A host still wants it. */
	assert_string_equal(route_of("10.9.9.1", "239.2.1.1"), "never");
	leave(DOWN1, "239.2.1.1");
	pass(2000);
	assert_string_equal(membership_of("239.2.1.1"), "INCLUDE{}");
	keep(DOWN1, "239.1.1.2 from 10.9.9.2");
	assert_string_equal(membership_of("239.1.1.2"), "INCLUDE{10.9.9.2}");
	assert_string_equal(route_of("10.9.9.1", "239.1.1.2"), "0 ->");
	keep(DOWN1, NULL);
	assert_string_equal(membership_of("239.1.1.2"), "INCLUDE{}");
	assert_string_equal(membership_of("ff1e::1"), "INCLUDE{}");
}

static void filters_apply(void **state)
{
	(void)state;
	give_filters(DOWN1, NULL, "deny 239.1.1.1 from 10.9.9.9");
	give_filters(UP, "deny 239.2.1.1", NULL);
	keep(DOWN1, "239.1.1.1\n239.2.1.1\n239.3.1.1 from 10.9.9.9");
	assert_string_equal(membership_of("239.1.1.1"), "EXCLUDE{10.9.9.9}");
	assert_string_equal(membership_of("239.2.1.1"), "never");
	give_filters(DOWN1, NULL, "deny all by 10.0.1.5");
	assert_string_equal(membership_of("239.3.1.1"), "INCLUDE{10.9.9.9}");
	join(DOWN1, "239.3.1.1");
	assert_string_equal(membership_of("239.3.1.1"), "INCLUDE{10.9.9.9}");
}

static void limits_do_not_count_it(void **state)
{
	(void)state;
	engine.links[DOWN1].settings.groups_max = 2;
	keep(DOWN1, "239.1.0.0/28");
	join(DOWN1, "239.2.1.1");
	join(DOWN1, "239.2.1.2");
	join(DOWN1, "239.1.0.1");
	join(DOWN1, "239.2.1.3");
	assert_string_equal(membership_of("239.1.0.15"), "EXCLUDE{}");
	assert_string_equal(membership_of("239.2.1.2"), "EXCLUDE{}");
	assert_string_equal(membership_of("239.2.1.3"), "never");
}

static void memory_bounds_it(void **state)
{
	struct instance_settings settings = usual_settings;

	(void)state;
	settings.memory_max = 256 << 10;
	engine_open(&settings);
	usual_links();
	keep(DOWN1, "239.1.0.0/20");
	assert_string_equal(membership_of("239.1.0.1"), "EXCLUDE{}");
	assert_string_equal(membership_of("239.1.15.255"), "never");
	keep(DOWN1, NULL);
	assert_string_equal(membership_of("239.1.0.1"), "INCLUDE{}");
	keep(DOWN1, "239.1.15.255");
	assert_string_equal(membership_of("239.1.15.255"), "EXCLUDE{}");
}

static void upstream_it_is_joined_without_members(void **state)
{
	(void)state;
	link_up(UP2, ROLE_UPSTREAM);
	engine.links[UP2].settings.order = 1;
	keep(UP2, "239.1.1.1\n232.1.1.1 from 10.9.9.1\nff1e::1");
	assert_string_equal(membership_on(UP2, "239.1.1.1"), "EXCLUDE{}");
	assert_string_equal(membership_on(UP2, "232.1.1.1"), "INCLUDE{10.9.9.1}");
	assert_string_equal(membership_on(UP2, "ff1e::1"), "EXCLUDE{}");
	assert_string_equal(membership_on(UP, "239.1.1.1"), "never");
	upcall(UP2, "10.9.9.1", "239.1.1.1");
	assert_string_equal(route_of("10.9.9.1", "239.1.1.1"), "3 ->");
	upcall(DOWN1, "10.0.1.5", "239.1.1.1");
	assert_string_equal(route_of("10.0.1.5", "239.1.1.1"), "1 -> 0 3");
	report(DOWN1, TO_IN, "232.1.1.1", "10.9.9.2");
	assert_string_equal(membership_on(UP, "232.1.1.1"), "INCLUDE{10.9.9.2}");
	assert_string_equal(membership_on(UP2, "232.1.1.1"), "INCLUDE{10.9.9.1 10.9.9.2}");
	give_filters(UP2, "deny 239.1.1.1", "deny all");
	assert_string_equal(membership_on(UP2, "239.1.1.1"), "INCLUDE{}");
	give_filters(UP2, NULL, NULL);
	assert_string_equal(membership_on(UP2, "239.1.1.1"), "EXCLUDE{}");
	keep(UP2, "239.1.1.2");
	assert_string_equal(membership_on(UP2, "239.1.1.1"), "INCLUDE{}");
	assert_string_equal(membership_on(UP2, "239.1.1.2"), "EXCLUDE{}");
	assert_string_equal(membership_on(UP2, "232.1.1.1"), "INCLUDE{10.9.9.2}");
}

static void upstream_it_returns_with_its_link(void **state)
{
	(void)state;
	keep(UP, "239.1.1.1");
	link_down(UP);
	assert_string_equal(membership_on(UP, "239.1.1.1"), "INCLUDE{}");
	use_family(UP, FAMILY_IPV4, true);
	give_link(UP);
	assert_string_equal(membership_on(UP, "239.1.1.1"), "EXCLUDE{}");
	link_down(UP);
	keep(UP, NULL);
	use_family(UP, FAMILY_IPV4, true);
	give_link(UP);
	assert_string_equal(membership_on(UP, "239.1.1.1"), "INCLUDE{}");
}

/* Where wants differ among upstream links, those that are down hear of what ends. */
static void what_ends_while_the_upstream_link_is_down_is_not_joined_again(void **state)
{
	(void)state;
	give_filters(UP, "deny 239.9.9.9", NULL);
	join(DOWN1, "239.1.1.1");
	join(DOWN1, "239.1.1.2");
	link_down(UP);
	assert_string_equal(membership_on(UP, "239.1.1.1"), "EXCLUDE{}");
	leave(DOWN1, "239.1.1.1");
	pass(2000);
	assert_string_equal(membership_on(UP, "239.1.1.1"), "INCLUDE{}");
	assert_string_equal(membership_on(UP, "239.1.1.2"), "EXCLUDE{}");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		engine_test(it_is_a_member),
		engine_test(nothing_ends_it),
		engine_test(it_merges_with_hosts),
		engine_test(hosts_of_a_static_group_leave_fast),
		engine_test(it_returns_with_its_link),
		engine_test(a_link_without_an_address_keeps_it),
		engine_test(a_reload_changes_only_what_differs),
		engine_test(filters_apply),
		engine_test(limits_do_not_count_it),
		engine_test(memory_bounds_it),
		engine_test(upstream_it_is_joined_without_members),
		engine_test(upstream_it_returns_with_its_link),
		engine_test(what_ends_while_the_upstream_link_is_down_is_not_joined_again),
	};

	return cmocka_run_group_tests_name("static_groups", tests, NULL, NULL);
}
