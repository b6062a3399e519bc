/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The host side upstream: leave_hold, which keeps what is left for a moment.
 */
#include "core/host/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/fake_joins.h"

#include "unit/core/host/host_world.h"

static void what_is_left_is_held_for_a_moment(void **state)
{
	static const uint8_t memberships[] = {MEMBERSHIP_KERNEL, MEMBERSHIP_USER};

	(void)state;
	for (size_t i = 0; i < LENGTH(memberships); i++) {
		struct world world;

		open_holding(&world, memberships[i]);
		want(&world, 0, 0, EX, 0);
		expect(&world, " TO_EX 0{}");
		/* Left for good. */
		want(&world, 0, 0, IN, 0);
		expect(&world, "");
		assert_int_equal(host_deadline(world.host), world.now + HOLD);
		pass(&world, HOLD - 1);
		expect(&world, "");
		pass(&world, 1);
		expect(&world, " TO_IN 0{}");
		assert_int_equal(status_of(&world).groups, 0);
		assert_int_equal(host_deadline(world.host), MTIME_NEVER);
		/* Left, and come back to: nobody hears of it; and what is left again is held anew. */
		want(&world, 0, 1, IN, 1);
		expect(&world, " ALLOW 1{a}");
		want(&world, 0, 1, IN, 0);
		pass(&world, 1000);
		want(&world, 0, 1, IN, 1);
		expect(&world, "");
		want(&world, 0, 1, IN, 0);
		pass(&world, HOLD - 1);
		expect(&world, "");
		pass(&world, 1);
		expect(&world, " BLOCK 1{a}");
		close_world(&world);
	}
}

static void only_the_last_of_several_wishes_is_worth_holding(void **state)
{
	struct world world;

	(void)state;
	open_holding(&world, MEMBERSHIP_KERNEL);
	want(&world, 0, 0, EX, 0);
	want(&world, 1, 0, IN, 1);
	expect(&world, " TO_EX 0{}");
	want(&world, 0, 0, IN, 0);
	pass(&world, HOLD);
	expect(&world, " TO_IN 0{a}");
	/* A change of the filter is no leave. */
	want(&world, 1, 0, IN, 3);
	expect(&world, " ALLOW 0{b}");
	close_world(&world);
}

/* An instance that ends, and an interface that goes, leave nothing behind to be held. */
static void ends_end_holds(void **state)
{
	struct world world;

	(void)state;
	open_holding(&world, MEMBERSHIP_KERNEL);
	want(&world, 0, 0, EX, 0);
	want(&world, 0, 1, EX, 0);
	turn(&world);
	want(&world, 0, 0, IN, 0);
	host_unwant_all(world.host, world.now, 0);
	expect(&world, " TO_IN 1{} TO_IN 0{}");
	want(&world, 0, 0, EX, 0);
	turn(&world);
	want(&world, 0, 0, IN, 0);
	forget(&world);
	world.link.usable = true;
	host_set_link(world.host, world.now, &world.link);
	expect(&world, "");
	assert_int_equal(status_of(&world).groups, 0);
	pass(&world, HOLD);
	expect(&world, "");
	close_world(&world);
}

static void holds_without_memory_end_at_once(void **state)
{
	struct link_settings own = settings;
	struct world world;
	bool full = false;

	(void)state;
	own.leave_hold = HOLD;
	own.upstream_membership = MEMBERSHIP_USER;
	own.robustness = 1;
	open_with(&world, FAMILY_IPV4, &(struct host_limits){5, 4, (size_t)40 << 10}, &own);
	/* Each hold that ended before its time stays in the queue. */
	for (int i = 0; i < 2000; i++) {
		want(&world, 0, 0, EX, 0);
		send_all(&world);
		want(&world, 0, 0, IN, 0);
		world.text[0] = 0;
		send_all(&world);
		full |= strcmp(world.text, " TO_IN 0{}") == 0;
	}
	assert_true(full);
	pass(&world, HOLD);
	turn(&world);
	assert_int_equal(status_of(&world).groups, 0);
	close_world(&world);
}

/* Hosts that zap without end leave holds behind that nobody waits for: those take no memory from others. */
static void holds_have_a_limit(void **state)
{
	struct link_settings own = settings;
	struct world world;
	bool full = false;

	(void)state;
	own.leave_hold = HOLD;
	own.upstream_membership = MEMBERSHIP_USER;
	own.robustness = 1;
	open_with(&world, FAMILY_IPV4, &(struct host_limits){5, 4, (size_t)16 << 20}, &own);
	for (int i = 0; i < 70000; i++) {
		want(&world, 0, 0, EX, 0);
		send_all(&world);
		want(&world, 0, 0, IN, 0);
		world.text[0] = 0;
		send_all(&world);
		if (world.text[0] != 0)
			assert_true(i >= 65535);
		full |= world.text[0] != 0;
	}
	assert_true(full);
	pass(&world, HOLD);
	turn(&world);
	assert_int_equal(status_of(&world).groups, 0);
	want(&world, 0, 0, EX, 0);
	turn(&world);
	want(&world, 0, 0, IN, 0);
	expect(&world, "");
	close_world(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_left_is_held_for_a_moment),
		cmocka_unit_test(only_the_last_of_several_wishes_is_worth_holding),
		cmocka_unit_test(ends_end_holds),
		cmocka_unit_test(holds_without_memory_end_at_once),
		cmocka_unit_test(holds_have_a_limit),
	};

	host_free(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
