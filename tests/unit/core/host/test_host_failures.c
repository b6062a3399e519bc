/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The host side upstream: joins that the kernel refuses, and memory that is short.
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

static const int errors[] = {ENOBUFS, ENOMEM, ENODEV, EINVAL, EMFILE};

static void refused_joins_rest(void **state)
{
	struct world world;

	(void)state;
	for (size_t i = 0; i < LENGTH(errors); i++) {
		open_world(&world, FAMILY_IPV4);
		world.fake.fail = -errors[i];
		world.fake.fail_kinds = 1u << JOIN_GROUP;
		world.fake.fail_to = UINT32_MAX;
		want(&world, 0, 0, EX, 0);
		want(&world, 0, 1, EX, 0);
		/* The others go on. */
		want(&world, 0, 2, IN, 1);
		expect(&world, " ALLOW 2{a}");
		assert_int_equal(status_of(&world).failing, 2);
		assert_int_equal(status_of(&world).last_error, errors[i]);
		for (int round = 0; round < 3; round++) {
			unsigned operations = world.fake.operations;

			assert_true(host_deadline(world.host) == world.now + RETRY);
			world.now += RETRY - 1;
			expect(&world, "");
			assert_int_equal(world.fake.operations, operations);
			world.now++;
			expect(&world, "");
			assert_true(world.fake.operations > operations);
		}
		world.fake.fail = 0;
		world.now += RETRY;
		expect(&world, " TO_EX 0{} TO_EX 1{}");
		check_settled(&world);
		assert_true(host_deadline(world.host) == MTIME_NEVER);
		close_world(&world);
	}
}

/* Not only after a rest: a new want and a link that comes up are tried at once. */
static void refused_join_is_tried_at_once(void **state)
{
	struct world world;

	(void)state;
	open_world(&world, FAMILY_IPV6);
	world.fake.fail = -ENODEV;
	world.fake.fail_kinds = 0x1f;
	world.fake.fail_to = UINT32_MAX;
	want(&world, 0, 0, EX, 0);
	want(&world, 0, 1, EX, 0);
	want(&world, 0, 2, EX, 0);
	expect(&world, "");
	assert_int_equal(status_of(&world).failing, 3);
	world.fake.fail = 0;
	want(&world, 1, 1, IN, 1);
	expect(&world, " TO_EX 1{}");
	want(&world, 0, 0, IN, 0);
	expect(&world, "");
	assert_int_equal(status_of(&world).failing, 1);
	assert_int_equal(status_of(&world).groups, 2);
	set_usable(&world, false);
	assert_true(host_deadline(world.host) == MTIME_NEVER);
	set_usable(&world, true);
	expect(&world, " TO_EX 2{}");
	check_settled(&world);
	close_world(&world);
}

/* The kernel takes a shorter list than its setting says: EXCLUDE{} is held and reported, until the want changes.
 */
static void refused_list_becomes_a_superset(void **state)
{
	struct world world;

	(void)state;
	open_world(&world, FAMILY_IPV4);
	world.fake.sources_max = 2;
	want(&world, 0, 0, EX, 7);
	expect(&world, " TO_EX 0{}");
	check_settled(&world);
	assert_int_equal(status_of(&world).supersets, 1);
	assert_int_equal(status_of(&world).failing, 0);
	/* It is tried again, without a word while the kernel refuses it still. */
	world.now = host_deadline(world.host);
	expect(&world, "");
	assert_int_equal(status_of(&world).supersets, 1);
	world.fake.sources_max = 10;
	world.now = host_deadline(world.host);
	expect(&world, " BLOCK 0{abc}");
	assert_int_equal(status_of(&world).supersets, 0);
	world.fake.sources_max = 2;
	want(&world, 0, 0, EX, 15);
	expect(&world, " ALLOW 0{abc}");
	assert_int_equal(status_of(&world).supersets, 1);
	want(&world, 0, 0, EX, 3);
	expect(&world, " BLOCK 0{ab}");
	check_settled(&world);
	want(&world, 0, 0, EX, 1023);
	turn(&world);
	check_settled(&world);
	forget(&world);
	assert_int_equal(status_of(&world).supersets, 0);
	want(&world, 0, 0, IN, 0);
	set_usable(&world, true);
	turn(&world);
	assert_int_equal(status_of(&world).supersets, 0);
	close_world(&world);
}

static void memory_is_limited(void **state)
{
	static struct addr list[200];
	struct filter filter = {.mode = FILTER_INCLUDE, .sources = {.list = list, .count = LENGTH(list)}};
	struct filter all = {.mode = FILTER_EXCLUDE}, none = {.mode = FILTER_INCLUDE};
	struct world world;
	struct addr group;
	uint32_t count = 0, more = 0;

	(void)state;
	for (uint32_t i = 0; i < LENGTH(list); i++)
		list[i] = nth_addr("10.0.0.1", i);
	open_with(&world, FAMILY_IPV4, &(struct host_limits){5, 4, 100000}, &settings);
	while (group = nth_addr("239.0.0.1", count), host_want(world.host, world.now, 0, &group, &filter, 0))
		assert_true(++count < 1000);
	assert_true(count > 10);
	/* The refused one left nothing behind, and takes no part in the merge. */
	assert_int_equal(status_of(&world).groups, count);
	/* A want that there is no more memory for stays what it was. */
	group = nth_addr("239.0.0.1", 0);
	assert_true(host_want(world.host, world.now, 0, &group, &all, 0));
	while (group = nth_addr("239.0.0.1", count + more),
	       host_want(world.host, world.now, 0, &group, &filter, 0))
		assert_true(++more < 1000);
	group = nth_addr("239.0.0.1", 0);
	assert_false(host_want(world.host, world.now, 0, &group, &filter, 0));
	assert_int_equal(status_of(&world).groups, count + more);
	for (uint32_t i = 0; i < count + more; i++) {
		group = nth_addr("239.0.0.1", i);
		assert_true(host_want(world.host, world.now, 0, &group, &none, 0));
	}
	expect(&world, "");
	assert_int_equal(status_of(&world).groups, 0);
	close_world(&world);
}

/* What an instance wants, whether or not there is memory for it. */
static void try_want(struct world *world, unsigned instance, unsigned group, enum filter_mode mode,
                     unsigned mask)
{
	struct addr list[FAKE_SOURCES], address = fake_group(world->family, group);
	struct filter filter = fake_filter(world->family, mode, mask, list);

	host_want(world->host, world->now, instance, &address, &filter,
	          links_of(instance, group, mode, mask));
	world->wants[instance][group] = fake_passing(mode, mask);
}

static void elapse(struct world *world, mtime time)
{
	turn(world);
	world->now += time;
	turn(world);
}

static void live_through_failures(struct world *world)
{
	for (unsigned group = 0; group < 6; group++)
		try_want(world, 0, group, EX, 0);
	try_want(world, 0, 6, IN, 3);
	try_want(world, 1, 6, IN, 12);
	try_want(world, 2, 6, EX, 1);
	elapse(world, 100);
	try_want(world, 1, 0, IN, 7);
	try_want(world, 0, 7, IN, 1023);
	try_want(world, 0, 8, EX, 31);
	elapse(world, 1500);
	try_want(world, 0, 8, EX, 3);
	try_want(world, 0, 6, IN, 0);
	try_want(world, 2, 6, IN, 6);
	try_want(world, 0, 7, IN, 5);
	elapse(world, 3000);
	set_usable(world, false);
	try_want(world, 0, 9, EX, 0);
	try_want(world, 0, 1, IN, 0);
	elapse(world, 10);
	set_usable(world, true);
	host_unwant_all(world->host, world->now, 1);
	memset(world->wants[1], 0, sizeof world->wants[1]);
	elapse(world, 1000);
	forget(world);
	try_want(world, 1, 10, IN, 9);
	set_usable(world, true);
	elapse(world, 1000);
	try_want(world, 0, 10, EX, 2);
	try_want(world, 0, 2, IN, 0);
	elapse(world, 1000);
}

/* The owner has the workers say again what they want; what the host itself could not do it does by itself. */
static void recover(struct world *world)
{
	for (unsigned instance = 0; instance < INSTANCES; instance++)
		for (unsigned group = 0; group < FAKE_GROUPS; group++) {
			unsigned passing = world->wants[instance][group];
			bool exclude = passing & FAKE_OTHERS;

			want(world, instance, group, exclude ? EX : IN,
			     exclude ? FAKE_ALL & ~passing : passing);
		}
	for (int i = 0; i < 5; i++)
		elapse(world, 10000);
}

struct failure_case {
	enum family family;
	enum membership_provider membership;
	uint32_t leave_hold;
};

static unsigned with_failures(const void *context, unsigned from, unsigned to)
{
	const struct failure_case *row = context;
	struct link_settings own = settings;
	struct world world;
	unsigned count;

	own.upstream_membership = (uint8_t)row->membership;
	own.kernel_groups_max = 4;
	own.leave_hold = row->leave_hold;
	open_with(&world, row->family, &(struct host_limits){5, 4, MEMORY}, &own);
	world.link.mtu = 9000;
	host_set_link(world.host, world.now, &world.link);
	world.answers = row->membership != MEMBERSHIP_KERNEL;
	world.seed = from;
	fail_between(from, to);
	live_through_failures(&world);
	count = fail_end();
	recover(&world);
	check_settled(&world);
	check(&world, host_deadline(world.host) == MTIME_NEVER, "something is left to do");
	close_world(&world);
	return count;
}

static void every_allocation_may_fail(void **state)
{
	static const struct failure_case rows[] = {
		{FAMILY_IPV4, MEMBERSHIP_KERNEL, 0}, {FAMILY_IPV6, MEMBERSHIP_KERNEL, 500},
		{FAMILY_IPV4, MEMBERSHIP_USER, 500}, {FAMILY_IPV6, MEMBERSHIP_USER, 0},
		{FAMILY_IPV4, MEMBERSHIP_AUTO, 0},   {FAMILY_IPV6, MEMBERSHIP_AUTO, 500},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++)
		fail_everywhere(with_failures, &rows[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_joins_rest),
		cmocka_unit_test(refused_join_is_tried_at_once),
		cmocka_unit_test(refused_list_becomes_a_superset),
		cmocka_unit_test(memory_is_limited),
		cmocka_unit_test(every_allocation_may_fail),
	};

	host_free(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
