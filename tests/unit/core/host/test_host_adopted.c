/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The host side upstream: what an earlier run has reported is not reported again, and left when nobody wants it.
 */
#include "core/host/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/fake_joins.h"

#include "unit/core/host/host_world.h"

static const uint8_t memberships[] = {MEMBERSHIP_KERNEL, MEMBERSHIP_USER, MEMBERSHIP_AUTO};

static void open_with_membership(struct world *world, enum family family, uint8_t membership)
{
	struct link_settings own = settings;
	struct host_limits limits = {
		.groups_per_socket = 4, .sources_per_filter = FAKE_SOURCES, .memory_max = MEMORY};

	own.upstream_membership = membership;
	own.kernel_groups_max = 100;
	open_with(world, family, &limits, &own);
}

static void adopt(struct world *world, unsigned group, enum filter_mode mode, unsigned mask)
{
	struct addr list[FAKE_SOURCES], name = fake_group(world->family, group);
	struct filter filter = fake_filter(world->family, mode, mask, list);

	assert_true(host_adopt(world->host, world->now, &name, &filter));
	world->reported[group] = fake_passing_filter(&filter);
}

static void nothing_is_reported_while_it_is_wanted(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(memberships); i++)
		for (enum family family = FAMILY_IPV4; family < FAMILIES; family++) {
			struct world world;

			open_with_membership(&world, family, memberships[i]);
			adopt(&world, 0, EX, 0);
			adopt(&world, 1, IN, 3);
			expect(&world, "");
			/* Less than before, at first: the instances still learn what hosts want. */
			want(&world, 0, 0, IN, 1);
			want(&world, 0, 1, IN, 1);
			expect(&world, "");
			want(&world, 0, 0, EX, 0);
			want(&world, 0, 1, IN, 3);
			expect(&world, "");
			host_adoption_end(world.host, world.now);
			expect(&world, "");
			if (memberships[i] != MEMBERSHIP_USER)
				check_settled(&world);
			close_world(&world);
		}
}

static void what_nobody_wants_is_left_at_the_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(memberships); i++) {
		struct world world;

		open_with_membership(&world, FAMILY_IPV4, memberships[i]);
		adopt(&world, 0, EX, 0);
		adopt(&world, 1, IN, 3);
		want(&world, 0, 1, IN, 1);
		expect(&world, "");
		host_adoption_end(world.host, world.now);
		expect(&world, " TO_IN 0{} BLOCK 1{b}");
		if (memberships[i] != MEMBERSHIP_USER)
			assert_int_equal(status_of(&world).groups, 1);
		close_world(&world);
	}
}

/* More than before is reported at once, and only that. */
static void what_is_new_is_reported(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(memberships); i++) {
		struct world world;

		open_with_membership(&world, FAMILY_IPV4, memberships[i]);
		adopt(&world, 0, IN, 1);
		want(&world, 0, 0, IN, 2);
		expect(&world, " ALLOW 0{b}");
		want(&world, 0, 1, EX, 0);
		expect(&world, " TO_EX 1{}");
		close_world(&world);
	}
}

/* An instance that has wanted a group and leaves it leaves it for the earlier run, too; not while another one wants it. */
static void a_leave_needs_no_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(memberships); i++) {
		struct world world;

		open_with_membership(&world, FAMILY_IPV4, memberships[i]);
		adopt(&world, 0, EX, 0);
		want(&world, 0, 0, EX, 0);
		want(&world, 1, 0, EX, 0);
		want(&world, 0, 0, IN, 0);
		expect(&world, "");
		want(&world, 1, 0, IN, 0);
		expect(&world, " TO_IN 0{}");
		host_adoption_end(world.host, world.now);
		expect(&world, "");
		close_world(&world);
	}
}

/* What an instance wants counts from when it covers what was wanted before. */
static void sources_that_an_instance_leaves_are_left(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(memberships); i++) {
		struct world world;

		open_with_membership(&world, FAMILY_IPV4, memberships[i]);
		adopt(&world, 0, IN, 3);
		want(&world, 0, 0, IN, 1);
		expect(&world, "");
		want(&world, 0, 0, IN, 3);
		expect(&world, "");
		want(&world, 0, 0, IN, 1);
		expect(&world, " BLOCK 0{b}");
		adopt(&world, 1, EX, 0);
		want(&world, 0, 1, EX, 0);
		want(&world, 0, 1, EX, 2);
		expect(&world, " BLOCK 1{b}");
		close_world(&world);
	}
}

/* Takes group 0 and source b away. */
static void take_away(void *context, const struct addr *group, struct filter *filter)
{
	const struct world *world = context;
	struct addr name = fake_group(world->family, 0), list[FAKE_SOURCES];
	struct filter less = fake_filter(world->family, IN, addr_equal(group, &name) ? 0 : 1, list);

	filter->mode = less.mode;
	filter->sources.count = 0;
	for (size_t i = 0; i < less.sources.count; i++)
		sources_append(&filter->sources, &less.sources.list[i]);
}

static void what_is_taken_away_is_left_at_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(memberships); i++)
		for (enum family family = FAMILY_IPV4; family < FAMILIES; family++) {
			struct world world;

			open_with_membership(&world, family, memberships[i]);
			adopt(&world, 0, EX, 0);
			adopt(&world, 1, IN, 3);
			want(&world, 0, 2, EX, 0);
			expect(&world, " TO_EX 2{}");
			host_adopted_narrow(world.host, world.now, take_away, &world);
			expect(&world, " TO_IN 0{} BLOCK 1{b}");
			host_adopted_narrow(world.host, world.now, take_away, &world);
			expect(&world, "");
			close_world(&world);
		}
}

/* Streams of a group that the host keeps come one after the other; the kernel's filter is exact. */
static void streams_are_merged(void **state)
{
	struct world world;

	(void)state;
	open_with_membership(&world, FAMILY_IPV4, MEMBERSHIP_USER);
	adopt(&world, 0, IN, 1);
	adopt(&world, 0, IN, 2);
	world.reported[0] = 3;
	want(&world, 0, 0, IN, 3);
	expect(&world, "");
	close_world(&world);
	open_with_membership(&world, FAMILY_IPV4, MEMBERSHIP_KERNEL);
	adopt(&world, 0, IN, 1);
	adopt(&world, 0, EX, 0);
	world.reported[0] = 1;
	want(&world, 0, 0, IN, 1);
	expect(&world, "");
	close_world(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_reported_while_it_is_wanted),
		cmocka_unit_test(what_nobody_wants_is_left_at_the_end),
		cmocka_unit_test(what_is_new_is_reported),
		cmocka_unit_test(a_leave_needs_no_end),
		cmocka_unit_test(streams_are_merged),
		cmocka_unit_test(sources_that_an_instance_leaves_are_left),
		cmocka_unit_test(what_is_taken_away_is_left_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
