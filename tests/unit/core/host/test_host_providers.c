/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The host side upstream: which memberships the kernel keeps, and which are kept here.
 */
#include "core/host/host.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "support/fail.h"
#include "support/fake_joins.h"

#include "unit/core/host/host_world.h"

/* Without kernel memberships nothing is joined; the reports are all. */
static void user_memberships(void **state)
{
	struct link_settings user = settings;
	struct world world;

	(void)state;
	user.upstream_membership = MEMBERSHIP_USER;
	open_with(&world, FAMILY_IPV4, &(struct host_limits){5, 4, MEMORY}, &user);
	want(&world, 0, 0, EX, 1023);
	want(&world, 0, 1, IN, 3);
	expect(&world, " TO_EX 0{abcdefghij} ALLOW 1{ab}");
	/* And once more, robustness being 2. */
	while (host_deadline(world.host) <= world.now + 10000) {
		world.now = host_deadline(world.host);
		turn(&world);
	}
	assert_int_equal(times_in(world.text, " TO_EX 0{abcdefghij}"), 2);
	assert_int_equal(times_in(world.text, " ALLOW 1{ab}"), 2);
	assert_int_equal(world.fake.operations, 0);
	close_world(&world);
}

/* A host that cannot be made leaves nothing behind. One that cannot take over everything is given up; the old
 * one is as it was. */
static unsigned take_over_with_failures(const void *context, unsigned from, unsigned to)
{
	struct link_settings own = settings;
	struct world world;
	struct host *host;
	unsigned count;
	bool copied;

	(void)context;
	open_world(&world, FAMILY_IPV4);
	for (unsigned group = 0; group < 6; group++) {
		want(&world, 0, group, EX, 0);
		want(&world, 1, group, IN, 3);
	}
	turn(&world);
	own.upstream_membership = MEMBERSHIP_USER;
	fail_between(from, to);
	host = host_new(FAMILY_IPV4, &(struct host_limits){5, 4, MEMORY}, &own, 99);
	copied = host != NULL && host_copy_wants(world.host, world.now, host);
	count = fail_end();
	assert_true(copied || from < count);
	if (copied) {
		struct host_status status;

		host_get_status(host, world.now, &status);
		assert_int_equal(status.groups, 6);
	}
	host_free(host);
	expect(&world, "");
	check_settled(&world);
	close_world(&world);
	return count;
}

static void taking_over_may_fail(void **state)
{
	(void)state;
	fail_everywhere(take_over_with_failures, NULL);
}

/* The kernel keeps what was kept here, and the other way round: in between both want it. */
static void another_host_takes_over(void **state)
{
	static const enum membership_provider from[] = {MEMBERSHIP_KERNEL, MEMBERSHIP_USER, MEMBERSHIP_AUTO};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct link_settings own = settings;
		struct world old, world;

		own.upstream_membership = (uint8_t)from[i];
		own.kernel_groups_max = 1;
		open_with(&old, FAMILY_IPV4, &(struct host_limits){5, 4, MEMORY}, &own);
		want(&old, 0, 0, EX, 3);
		want(&old, 1, 0, IN, 1);
		want(&old, 2, 1, IN, 3);
		turn(&old);
		own.upstream_membership = (uint8_t)from[(i + 1) % 3];
		open_with(&world, FAMILY_IPV4, &(struct host_limits){5, 4, MEMORY}, &own);
		assert_true(host_copy_wants(old.host, old.now, world.host));
		expect(&world, " TO_EX 0{b} ALLOW 1{ab}");
		/* The wants are the instances' still. */
		host_unwant_all(world.host, world.now, 0);
		expect(&world, " TO_IN 0{a}");
		close_world(&old);
		close_world(&world);
	}
}

static void pass_seconds(struct world *world, unsigned seconds)
{
	mtime end = world->now + seconds * MTIME_SECOND;

	while (host_deadline(world->host) <= end) {
		world->now = host_deadline(world->host);
		turn(world);
	}
	world->now = end;
}

/* The kernel keeps the first groups: it repeats and answers for these. Those beyond are repeated and answered
 * for here. A place that becomes free is taken by the next new group. */
static void kernel_keeps_the_first_groups(void **state)
{
	(void)state;
	for (int family = 0; family < FAMILIES; family++) {
		struct world world;

		open_auto(&world, (enum family)family, &(struct host_limits){5, 4, MEMORY}, 2);
		for (unsigned group = 0; group < 4; group++)
			want(&world, 0, group, EX, 0);
		expect(&world, " TO_EX 0{} TO_EX 1{} TO_EX 2{} TO_EX 3{}");
		assert_int_equal(world.fake.operations, 2);
		assert_int_equal(status_of(&world).groups, 4);
		assert_int_equal(status_of(&world).kept_here, 2);
		world.text[0] = 0;
		pass_seconds(&world, 2);
		assert_string_equal(world.text, " TO_EX 2{} TO_EX 3{}");
		world.text[0] = 0;
		hear_query(&world, VERSION_3, true);
		pass_seconds(&world, 11);
		assert_string_equal(world.text, " IS_EX 2{} IS_EX 3{}");

		want(&world, 0, 1, IN, 0);
		want(&world, 0, 3, IN, 0);
		want(&world, 0, 4, EX, 0);
		turn(&world);
		want(&world, 0, 5, EX, 0);
		pass_seconds(&world, 2);
		assert_int_equal(fake_held(&world.fake, 5), FAKE_ALL);
		assert_int_equal(status_of(&world).groups, 4);
		assert_int_equal(status_of(&world).kept_here, 2);
		check_settled(&world);
		close_world(&world);
	}
}

/* Where the kernel has no room, below its number too, a group is kept here; other failures are tried again.
 */
static void a_full_kernel_keeps_no_more(void **state)
{
	static const struct {
		int result;
		size_t kept_here;
	} cases[] = {{-ENOBUFS, 1}, {-ENOMEM, 1}, {-EMFILE, 1}, {-ENODEV, 0}};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct world world;

		open_auto(&world, FAMILY_IPV4, &(struct host_limits){5, 4, MEMORY}, 10);
		want(&world, 0, 0, EX, 0);
		turn(&world);
		world.fake.fail = cases[i].result;
		world.fake.fail_kinds = ~0u;
		world.fake.fail_from = 1;
		world.fake.fail_to = 100;
		want(&world, 0, 1, EX, 0);
		turn(&world);
		assert_int_equal(world.reported[1], cases[i].kept_here ? FAKE_ALL : 0);
		assert_int_equal(status_of(&world).kept_here, cases[i].kept_here);
		assert_int_equal(status_of(&world).failing, 1 - cases[i].kept_here);
		world.fake.fail = 0;
		pass_seconds(&world, 3);
		check_settled(&world);
		close_world(&world);
	}
}

static void note_left(struct world *world, const struct join_op *op)
{
	sprintf(world->text + strlen(world->text), " %u", fake_number(&op->group, true));
}

/* The kernel finds a membership by walking from the newest one. */
static void all_are_left_newest_first(void **state)
{
	struct world world;
	struct join_op op;

	(void)state;
	open_world(&world, FAMILY_IPV4);
	for (unsigned group = 0; group < 6; group++)
		want(&world, 0, group, EX, 0);
	turn(&world);
	host_unwant_all(world.host, world.now, 0);
	want(&world, 0, 7, EX, 0);
	memset(world.wants[0], 0, 7 * sizeof world.wants[0][0]);
	world.text[0] = 0;
	while (host_pull_join(world.host, world.now, &op)) {
		note_left(&world, &op);
		host_join_done(world.host, world.now, &op, fake_operate(&world.fake, &op));
	}
	assert_string_equal(world.text, " 5 4 3 2 1 0 7");
	turn(&world);
	check_settled(&world);
	close_world(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taking_over_may_fail),
		cmocka_unit_test(user_memberships),
		cmocka_unit_test(kernel_keeps_the_first_groups),
		cmocka_unit_test(a_full_kernel_keeps_no_more),
		cmocka_unit_test(all_are_left_newest_first),
		cmocka_unit_test(another_host_takes_over),
	};

	host_free(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
