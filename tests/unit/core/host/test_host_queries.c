/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The host side upstream: queries, and queriers of older versions.
 */
#include "core/host/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/fake_joins.h"

#include "unit/core/host/host_world.h"

/* A query of an older version is heard: its forms until it has not been heard for long enough. */
static void older_querier(void **state)
{
	struct world world;

	(void)state;
	open_world(&world, FAMILY_IPV4);
	want(&world, 0, 0, EX, 0);
	want(&world, 0, 1, EX, 0);
	expect(&world, " TO_EX 0{} TO_EX 1{}");
	assert_int_equal(status_of(&world).version, VERSION_3);
	assert_true(status_of(&world).older_until == 0);
	assert_true(status_of(&world).query_received_at == MTIME_NEVER);
	hear_query(&world, VERSION_2, false);
	assert_int_equal(status_of(&world).version, VERSION_3);
	hear_query(&world, VERSION_2, true);
	assert_int_equal(status_of(&world).version, VERSION_2);
	assert_true(status_of(&world).older_until == world.now + OLDER);
	assert_int_equal(status_of(&world).queries_received, 2);
	assert_true(status_of(&world).query_received_at == world.now);
	/* The kernel answers the query. */
	expect(&world, "");
	want(&world, 0, 2, EX, 0);
	expect(&world, " report2 2");
	want(&world, 0, 3, IN, 1);
	expect(&world, " report2 3");
	/* The kernel says so at once. */
	want(&world, 0, 0, IN, 0);
	expect(&world, "");
	/* Sources are nothing to it. */
	want(&world, 0, 1, IN, 3);
	expect(&world, "");
	want(&world, 0, 3, IN, 2);
	want(&world, 0, 1, EX, 4);
	expect(&world, "");
	/* But not of a group that it has not reported itself yet. */
	want(&world, 0, 3, IN, 0);
	expect(&world, " leave2 3");
	hear_query(&world, VERSION_1, true);
	/* Version 1 is not followed, except by the kernel, whose leaves are missing then. */
	assert_int_equal(status_of(&world).version, VERSION_2);
	assert_true(host_ignores_version_1(world.host, world.now));
	want(&world, 0, 2, IN, 0);
	want(&world, 0, 4, EX, 0);
	expect(&world, " leave2 2 report2 4");
	world.now += OLDER - 1;
	hear_query(&world, VERSION_2, true);
	assert_true(host_ignores_version_1(world.host, world.now));
	world.now += 1;
	assert_false(host_ignores_version_1(world.host, world.now));
	assert_int_equal(status_of(&world).version, VERSION_2);
	want(&world, 0, 5, EX, 0);
	expect(&world, " report2 5 report2 4"); /* the repetition is the reporter's, too */
	world.now += OLDER - 2;
	assert_int_equal(status_of(&world).version, VERSION_2);
	world.now += 1;
	assert_int_equal(status_of(&world).version, VERSION_3);
	want(&world, 0, 5, IN, 0);
	expect(&world, " TO_IN 5{}");
	want(&world, 0, 6, IN, 5);
	expect(&world, " ALLOW 6{ac}");
	close_world(&world);
}

static void older_querier_ipv6(void **state)
{
	struct world world;

	(void)state;
	open_world(&world, FAMILY_IPV6);
	want(&world, 0, 0, EX, 0);
	expect(&world, " TO_EX 0{}");
	hear_query(&world, VERSION_2, true);
	/* The kernel says both at once. */
	want(&world, 0, 0, IN, 0);
	expect(&world, "");
	want(&world, 0, 1, IN, 1);
	expect(&world, "");
	want(&world, 0, 2, EX, 0);
	want(&world, 0, 2, IN, 0);
	expect(&world, "");
	world.now += OLDER;
	want(&world, 0, 1, IN, 0);
	expect(&world, " BLOCK 1{a}");
	close_world(&world);
}

/* Older versions, groups that the kernel keeps: what is sent beside the kernel's own messages. */
static void kernel_sends_older_leaves_and_dones(void **state)
{
	static const struct {
		enum family family;
		enum version version;
		mtime after; /* the join */
		const char *join, *leave;
	} rows[] = {
		{FAMILY_IPV4, VERSION_2, 0, " report2 0", " leave2 0"},
		{FAMILY_IPV4, VERSION_2, 99, " report2 0", " leave2 0"},
		{FAMILY_IPV4, VERSION_2, 100, " report2 0", ""},
		{FAMILY_IPV4, VERSION_2, 1000, " report2 0", ""},
		{FAMILY_IPV6, VERSION_2, 0, "", ""},
		{FAMILY_IPV6, VERSION_2, 1000, "", ""},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct world world;

		open_world(&world, rows[i].family);
		hear_query(&world, rows[i].version, true);
		for (int again = 0; again < 2; again++) {
			want(&world, 0, 0, EX, 0);
			expect(&world, rows[i].join);
			world.now += rows[i].after;
			expect(&world, "");
			want(&world, 0, 0, IN, 0);
			expect(&world, rows[i].leave);
			world.now += 1000;
			expect(&world, "");
		}
		close_world(&world);
	}
}

/* Queries about a group that nobody wants, then one about group 3. */
static void hear_queries(struct world *world, enum version version, unsigned before)
{
	struct upstream_query other = {
		.querier = addr_of(world->family == FAMILY_IPV4 ? "192.0.2.1" : "fe80::1"),
		.group = fake_group(world->family, 20),
		.max_response = 10000,
		.version = (uint8_t)version,
	};

	for (unsigned n = 0; n < before; n++)
		host_receive_query(world->host, world->now, &other, NULL);
	hear_query(world, version, false);
}

/* The kernel answers so many queries in a second, whatever they are about; those beyond are answered here. */
static void queries_that_the_kernel_drops_are_answered(void **state)
{
	static const struct {
		enum family family;
		enum version version;
		enum membership_provider membership;
		unsigned before; /* queries */
		const char *specific, *general;
	} rows[] = {
		{FAMILY_IPV6, VERSION_3, MEMBERSHIP_KERNEL, 31, "", " IS_IN 3{a} IS_EX 4{}"},
		{FAMILY_IPV6, VERSION_3, MEMBERSHIP_KERNEL, 30, "", ""},
		{FAMILY_IPV6, VERSION_3, MEMBERSHIP_KERNEL, 32, " IS_IN 3{a}",
	         " IS_IN 3{a} IS_IN 3{a} IS_EX 4{}"},
		{FAMILY_IPV6, VERSION_3, MEMBERSHIP_AUTO, 32, " IS_IN 3{a}",
	         " IS_IN 3{a} IS_IN 3{a} IS_EX 4{}"},
		{FAMILY_IPV6, VERSION_2, MEMBERSHIP_KERNEL, 31, " report2 3", " report2 3 report2 4"},
		{FAMILY_IPV6, VERSION_2, MEMBERSHIP_KERNEL, 30, "", ""},
		{FAMILY_IPV4, VERSION_3, MEMBERSHIP_KERNEL, 100, "", ""},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct link_settings own = settings;
		struct world world;

		own.upstream_membership = rows[i].membership;
		own.kernel_groups_max = 100;
		open_with(&world, rows[i].family, &(struct host_limits){5, 4, MEMORY}, &own);
		want(&world, 0, 3, IN, 1);
		want(&world, 0, 4, EX, 0);
		turn(&world);
		world.answers = true;
		for (int again = 0; again < 2; again++) {
			if (rows[i].version < VERSION_3)
				hear_query(&world, rows[i].version, true);
			hear_queries(&world, rows[i].version, rows[i].before);
			world.now += 10000;
			expect(&world, rows[i].specific);
		}
		hear_queries(&world, rows[i].version, rows[i].before);
		hear_query(&world, rows[i].version, true);
		world.now += 10000;
		expect(&world, rows[i].general);
		close_world(&world);
	}
}

/* The kernel had heard the older querier before we came. */
static void kernel_speaks_an_older_version(void **state)
{
	struct world world;

	(void)state;
	for (int version = VERSION_1; version <= VERSION_2; version++) {
		open_world(&world, FAMILY_IPV4);
		world.link.usable = false;
		host_set_link(world.host, world.now, &world.link);
		world.link.usable = true;
		world.link.kernel_version = (enum version)version;
		host_set_link(world.host, world.now, &world.link);
		want(&world, 0, 0, EX, 0);
		expect(&world, version == VERSION_1 ? " TO_EX 0{}" : " report2 0");
		world.now += OLDER;
		want(&world, 0, 0, IN, 0);
		expect(&world, " TO_IN 0{}");
		close_world(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(older_querier),
		cmocka_unit_test(older_querier_ipv6),
		cmocka_unit_test(kernel_sends_older_leaves_and_dones),
		cmocka_unit_test(queries_that_the_kernel_drops_are_answered),
		cmocka_unit_test(kernel_speaks_an_older_version),
	};

	host_free(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
