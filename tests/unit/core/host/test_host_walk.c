/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The host side upstream: walks over its memberships.
 */
#include "core/host/host.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "support/fake_joins.h"

#include "unit/core/host/host_world.h"

static void check_walk(struct host_walk *walk, const char *expected)
{
	char text[256] = "";
	struct host_group group;

	while (host_walk_next(walk, &group)) {
		const char *state = group.refused ? "refused" : group.joining ? "joining" : "joined";

		sprintf(text + strlen(text), " %u %s %s %zu", fake_number(&group.group, true), state,
		        filter_mode_name(group.wanted.mode), group.wanted.sources.count);
	}
	assert_string_equal(text, expected);
	assert_null(walk->host);
}

static void walks_tell_what_is_wanted_and_how_far_it_is(void **state)
{
	struct host_walk walk;
	struct world world;

	(void)state;
	open_world(&world, FAMILY_IPV4);
	host_walk_begin(world.host, &walk);
	check_walk(&walk, "");
	want(&world, 0, 0, EX, 0);
	want(&world, 0, 1, IN, 3);
	want(&world, 1, 1, IN, 4);
	host_walk_begin(world.host, &walk);
	check_walk(&walk, " 0 joining EXCLUDE 0 1 joining INCLUDE 3");
	turn(&world);
	world.fake.fail = -ENOBUFS;
	world.fake.fail_kinds = 1u << JOIN_GROUP;
	world.fake.fail_to = UINT32_MAX;
	want(&world, 0, 2, EX, 0);
	turn(&world);
	host_walk_begin(world.host, &walk);
	check_walk(&walk, " 0 joined EXCLUDE 0 1 joined INCLUDE 3 2 refused EXCLUDE 0");
	close_world(&world);
}

static void walks_go_over_both_providers(void **state)
{
	struct host_walk walk;
	struct host_group group;
	struct world world;

	(void)state;
	open_auto(&world, FAMILY_IPV4, &(struct host_limits){5, 4, MEMORY}, 2);
	for (unsigned i = 0; i < 4; i++)
		want(&world, 0, i, EX, 0);
	turn(&world);
	host_walk_begin(world.host, &walk);
	for (unsigned i = 0; i < 4; i++) {
		assert_true(host_walk_next(&walk, &group));
		assert_int_equal(fake_number(&group.group, true), i);
		assert_int_equal(group.kept_here, i >= 2);
	}
	assert_false(host_walk_next(&walk, &group));
	close_world(&world);
}

static void walks_go_on_while_groups_come_and_go(void **state)
{
	struct host_walk walk, other;
	struct host_group group;
	struct world world;

	(void)state;
	open_world(&world, FAMILY_IPV4);
	for (unsigned i = 0; i < 4; i++)
		want(&world, 0, i, EX, 0);
	turn(&world);
	host_walk_begin(world.host, &walk);
	host_walk_begin(world.host, &other);
	assert_true(host_walk_next(&walk, &group));
	/* The next two of one walk go, and another one comes. */
	want(&world, 0, 1, IN, 0);
	want(&world, 0, 2, IN, 0);
	turn(&world);
	want(&world, 0, 4, EX, 0);
	turn(&world);
	check_walk(&walk, " 3 joined EXCLUDE 0 4 joined EXCLUDE 0");
	check_walk(&other, " 0 joined EXCLUDE 0 3 joined EXCLUDE 0 4 joined EXCLUDE 0");
	host_walk_begin(world.host, &walk);
	host_walk_begin(world.host, &other);
	host_walk_end(&other);
	close_world(&world); /* in the middle of a walk, which is over then */
	assert_null(walk.host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walks_tell_what_is_wanted_and_how_far_it_is),
		cmocka_unit_test(walks_go_over_both_providers),
		cmocka_unit_test(walks_go_on_while_groups_come_and_go),
	};

	host_free(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
