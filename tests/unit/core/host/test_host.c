/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The host side upstream: what instances want becomes kernel memberships first, then reports.
 */
#include "core/host/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/fake_joins.h"

#include "unit/core/host/host_world.h"

/* RFC 9776 section 5.1: the record of each change; no state is INCLUDE{}. */
static const struct {
	enum filter_mode from_mode;
	unsigned from;
	enum filter_mode to_mode;
	unsigned to;
	const char *records;
} transitions[] = {
	{IN, 0, IN, 0, ""},
	{IN, 0, EX, 0, " TO_EX 0{}"},
	{IN, 0, EX, 3, " TO_EX 0{ab}"},
	{IN, 0, IN, 3, " ALLOW 0{ab}"},
	{IN, 3, IN, 3, ""},
	{IN, 3, IN, 7, " ALLOW 0{c}"},
	{IN, 7, IN, 3, " BLOCK 0{c}"},
	{IN, 3, IN, 6, " ALLOW 0{c} BLOCK 0{a}"},
	{IN, 3, IN, 0, " BLOCK 0{ab}"},
	{EX, 0, EX, 0, ""},
	{EX, 0, EX, 1, " BLOCK 0{a}"},
	{EX, 3, EX, 1, " ALLOW 0{b}"},
	{EX, 3, EX, 6, " ALLOW 0{a} BLOCK 0{c}"},
	{EX, 0, IN, 0, " TO_IN 0{}"},
	{EX, 3, IN, 0, " TO_IN 0{}"},
	{IN, 3, EX, 0, " TO_EX 0{}"},
	{IN, 3, EX, 6, " TO_EX 0{bc}"},
	{EX, 0, IN, 3, " TO_IN 0{ab}"},
	{EX, 3, IN, 6, " TO_IN 0{bc}"},
	/* Over several sockets it is one change. */
	{IN, 0, IN, 1023, " ALLOW 0{abcdefghij}"},
	{IN, 1023, IN, 0, " BLOCK 0{abcdefghij}"},
	{EX, 1, IN, 1023, " TO_IN 0{abcdefghij}"},
	/* What the kernel does not take is reported as it is held. */
	{IN, 0, EX, 31, " TO_EX 0{}"},
	{EX, 1, EX, 31, " ALLOW 0{a}"},
	{EX, 31, EX, 1, " BLOCK 0{a}"},
	{EX, 31, EX, 62, ""},
	{EX, 31, IN, 1, " TO_IN 0{a}"},
	{EX, 31, IN, 0, " TO_IN 0{}"},
};

static void report_of_each_change(void **state)
{
	(void)state;
	for (int family = 0; family < FAMILIES; family++)
		for (size_t i = 0; i < LENGTH(transitions); i++) {
			struct world world;

			open_world(&world, (enum family)family);
			want(&world, 0, 0, transitions[i].from_mode, transitions[i].from);
			turn(&world);
			check_settled(&world);
			want(&world, 0, 0, transitions[i].to_mode, transitions[i].to);
			expect(&world, transitions[i].records);
			check_settled(&world);
			expect(&world, "");
			close_world(&world);
		}
}

/* Of a group nothing is reported before the kernel has done its part; changes before that make one. */
static void operations_come_first(void **state)
{
	struct world world;
	struct join_op op;

	(void)state;
	open_world(&world, FAMILY_IPV4);
	want(&world, 0, 0, EX, 0);
	send_all(&world);
	assert_string_equal(world.text, "");
	assert_true(host_pull_join(world.host, world.now, &op));
	assert_int_equal(op.kind, JOIN_GROUP);
	assert_int_equal(fake_operate(&world.fake, &op), 0);
	host_join_done(world.host, world.now, &op, 0);
	expect(&world, " TO_EX 0{}");
	want(&world, 0, 0, IN, 0);
	send_all(&world);
	assert_string_equal(world.text, " TO_EX 0{}");
	assert_true(host_pull_join(world.host, world.now, &op));
	assert_int_equal(op.kind, JOIN_LEAVE);
	assert_int_equal(fake_operate(&world.fake, &op), 0);
	host_join_done(world.host, world.now, &op, 0);
	/* Joined and left, then left and joined, before the report could go. */
	want(&world, 0, 0, EX, 0);
	join_all(&world);
	want(&world, 0, 0, IN, 3);
	want(&world, 0, 0, IN, 1);
	want(&world, 0, 1, EX, 0);
	want(&world, 0, 1, IN, 0);
	turn(&world);
	check_settled(&world);
	close_world(&world);
}

static void wishes_are_merged(void **state)
{
	struct world world;

	(void)state;
	open_world(&world, FAMILY_IPV6);
	want(&world, 0, 0, IN, 3);
	expect(&world, " ALLOW 0{ab}");
	want(&world, 1, 0, IN, 6);
	expect(&world, " ALLOW 0{c}");
	want(&world, 2, 0, EX, 12);
	expect(&world, " TO_EX 0{d}");
	want(&world, 0, 0, IN, 0);
	expect(&world, "");
	want(&world, 1, 0, IN, 8);
	expect(&world, " ALLOW 0{d} BLOCK 0{c}");
	check_settled(&world);
	want(&world, 0, 5, EX, 0);
	expect(&world, " TO_EX 5{}");
	/* An instance goes, twice. */
	memset(world.wants[2], 0, sizeof world.wants[2]);
	host_unwant_all(world.host, world.now, 2);
	host_unwant_all(world.host, world.now, 2);
	expect(&world, " TO_IN 0{d}");
	memset(world.wants[1], 0, sizeof world.wants[1]);
	host_unwant_all(world.host, world.now, 1);
	expect(&world, " BLOCK 0{d}");
	check_settled(&world);
	host_unwant_all(world.host, world.now, 0);
	expect(&world, " TO_IN 5{}");
	assert_int_equal(status_of(&world).groups, 0);
	close_world(&world);
}

/* As many groups in a packet as its MTU allows; any one is decoded, and no group is reported twice. */
static void many_groups(struct world *world, uint32_t mtu, unsigned packets)
{
	static const struct filter all = {.mode = FILTER_EXCLUDE};
	struct addr destination;
	struct join_op op;
	uint8_t buffer[9216];
	bool heard[300] = {false};
	unsigned count = 0;
	size_t size;

	world->link.mtu = mtu;
	host_set_link(world->host, world->now, &world->link);
	for (uint32_t i = 0; i < LENGTH(heard); i++) {
		struct addr group = nth_addr(fake_first(world->family, true), i);

		assert_true(host_want(world->host, world->now, 0, &group, &all, 0));
	}
	while (host_pull_join(world->host, world->now, &op))
		host_join_done(world->host, world->now, &op, 0);
	for (; host_pull_packet(world->host, world->now, buffer, &size, &destination); count++) {
		struct message message;
		struct record record;

		read_packet(world, buffer, size, &destination, &message);
		while (message_next_record(&message, &record)) {
			size_t place = 0;
			struct addr group = nth_addr(fake_first(world->family, true), 0);

			while (!addr_equal(&group, &record.group) && ++place < LENGTH(heard))
				group = nth_addr(fake_first(world->family, true), (uint32_t)place);
			assert_true(place < LENGTH(heard));
			assert_false(heard[place]);
			heard[place] = true;
			assert_int_equal(record.type, TO_EX);
		}
	}
	for (size_t i = 0; i < LENGTH(heard); i++)
		assert_true(heard[i]);
	assert_int_equal(count, packets);
	assert_int_equal(status_of(world).reports_sent, packets);
}

static void reports_are_packed(void **state)
{
	static const struct {
		enum family family;
		uint32_t mtu;
		unsigned packets;
	} rows[] = {
		/* (MTU - IP header - 8) / (4 + address) records each. */
		{FAMILY_IPV4, 1500, 2},  {FAMILY_IPV4, 576, 5},  {FAMILY_IPV4, 9000, 1},
		{FAMILY_IPV4, 65536, 1}, {FAMILY_IPV6, 1500, 5}, {FAMILY_IPV6, 1280, 5},
		{FAMILY_IPV6, 9000, 1},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct world world;

		open_world(&world, rows[i].family);
		many_groups(&world, rows[i].mtu, rows[i].packets);
		close_world(&world);
	}
}

static void link_comes_and_goes(void **state)
{
	struct world world;

	(void)state;
	open_world(&world, FAMILY_IPV4);
	set_usable(&world, false);
	want(&world, 0, 0, EX, 0);
	want(&world, 1, 1, IN, 31);
	expect(&world, "");
	assert_true(host_deadline(world.host) == MTIME_NEVER);
	set_usable(&world, true);
	expect(&world, " TO_EX 0{} ALLOW 1{abcde}");
	check_settled(&world);
	/* Down and up: the kernel keeps the memberships, and tells of them itself. */
	set_usable(&world, false);
	want(&world, 0, 2, EX, 0);
	want(&world, 0, 0, IN, 0);
	expect(&world, "");
	set_usable(&world, true);
	turn(&world);
	check_settled(&world);
	/* Gone: everything is joined anew. */
	forget(&world);
	want(&world, 0, 3, IN, 1);
	want(&world, 0, 2, IN, 0);
	expect(&world, "");
	set_usable(&world, true);
	turn(&world);
	check_settled(&world);
	forget(&world);
	forget(&world);
	set_usable(&world, true);
	expect(&world, " ALLOW 1{abcde} ALLOW 3{a}");
	check_settled(&world);
	close_world(&world);
}

/* What is joined is announced when the link returns, when its address is another one, and on demand; whoever
 * keeps it.
 */
static void the_state_is_announced(void **state)
{
	static const enum membership_provider memberships[] = {MEMBERSHIP_KERNEL, MEMBERSHIP_USER,
	                                                       MEMBERSHIP_AUTO};

	(void)state;
	for (size_t i = 0; i < FAMILIES * LENGTH(memberships); i++) {
		struct link_settings own = settings;
		struct world world;

		own.upstream_membership = memberships[i / FAMILIES];
		own.kernel_groups_max = 1;
		open_with(&world, (enum family)(i % FAMILIES), &(struct host_limits){5, 4, MEMORY}, &own);
		want(&world, 0, 0, EX, 0);
		want(&world, 0, 1, IN, 3);
		turn(&world);
		world.now += 20000;
		turn(&world);
		for (int cause = 0; cause < 3; cause++) {
			world.now += 20000;
			if (cause == 0) {
				set_usable(&world, false);
				set_usable(&world, true);
			} else if (cause == 1) {
				world.link.address.bytes[15]++;
				host_set_link(world.host, world.now, &world.link);
			} else {
				host_announce(world.host, world.now);
			}
			for (int copy = 0; copy < 2; copy++) {
				turn(&world);
				world.now += 2;
				expect(&world, " IS_EX 0{} IS_IN 1{ab}");
				world.now += 1000;
			}
			expect(&world, "");
		}
		/* Nothing else of the link is a reason. */
		world.link.mtu = 1400;
		host_set_link(world.host, world.now, &world.link);
		world.now += 2;
		expect(&world, "");
		set_usable(&world, false);
		host_announce(world.host, world.now);
		expect(&world, "");
		close_world(&world);
	}
}

/* What comes and goes while the link is down leaves nothing behind. */
static void nothing_piles_up_while_the_link_is_down(void **state)
{
	static const struct filter all = {.mode = FILTER_EXCLUDE}, none = {.mode = FILTER_INCLUDE};
	struct world world;

	(void)state;
	open_world(&world, FAMILY_IPV4);
	set_usable(&world, false);
	for (uint32_t i = 0; i < 200000; i++) {
		struct addr group = nth_addr("239.0.0.1", i);

		assert_true(host_want(world.host, world.now, i % 2, &group, &all, 0));
		if (i % 3 == 0)
			host_unwant_all(world.host, world.now, i % 2);
		else
			assert_true(host_want(world.host, world.now, i % 2, &group, &none, 0));
	}
	assert_int_equal(status_of(&world).groups, 0);
	set_usable(&world, true);
	expect(&world, "");
	close_world(&world);
}

/* Other settings while all goes on: what was reported stays reported. */
static void configured_under_way(void **state)
{
	struct link_settings user = settings;
	struct world world;

	(void)state;
	user.upstream_membership = MEMBERSHIP_USER;
	open_with(&world, FAMILY_IPV4, &(struct host_limits){5, 4, MEMORY}, &user);
	want(&world, 0, 0, EX, 0);
	expect(&world, " TO_EX 0{}");
	user.robustness = 4;
	host_configure(world.host, world.now, &user);
	expect(&world, "");
	want(&world, 0, 1, IN, 3);
	expect(&world, " ALLOW 1{ab}");
	while (host_deadline(world.host) <= world.now + 10000) {
		world.now = host_deadline(world.host);
		turn(&world);
	}
	assert_int_equal(times_in(world.text, " ALLOW 1{ab}"), 4);
	user.upstream_version[FAMILY_IPV4] = VERSION_2;
	host_configure(world.host, world.now, &user);
	assert_int_equal(status_of(&world).version, VERSION_2);
	user.upstream_version[FAMILY_IPV4] = VERSION_NONE;
	host_configure(world.host, world.now, &user);
	assert_int_equal(status_of(&world).version, VERSION_3);
	close_world(&world);
}

static void check_streams(const struct world *world, unsigned instance, unsigned group, uint64_t links)
{
	struct addr address = fake_group(world->family, group);

	assert_true(host_streams(world->host, instance, &address) == links);
}

/* Links change while the filter does not; and they end with the try_want, though it is held. */
static void links_are_kept_with_wishes(void **state)
{
	static const struct filter all = {.mode = FILTER_EXCLUDE};
	struct world world, other;
	struct addr group;

	(void)state;
	open_holding(&world, MEMBERSHIP_AUTO);
	check_streams(&world, 0, 0, 0);
	want(&world, 0, 0, EX, 0);
	want(&world, 1, 0, EX, 0);
	want(&world, 2, 0, EX, 3);
	expect(&world, " TO_EX 0{}");
	group = fake_group(world.family, 0);
	assert_true(host_want(world.host, world.now, 0, &group, &all, 6));
	expect(&world, "");
	check_streams(&world, 0, 0, 6);
	check_streams(&world, 1, 0, links_of(1, 0, EX, 0));
	check_streams(&world, 2, 0, 0);
	check_streams(&world, 3, 0, 0);
	check_streams(&world, 0, 1, 0);
	assert_true(host_want(world.host, world.now, 0, &group, &all, 0));
	check_streams(&world, 0, 0, 0);
	open_holding(&other, MEMBERSHIP_USER);
	assert_true(host_copy_wants(world.host, world.now, other.host));
	check_streams(&other, 1, 0, links_of(1, 0, EX, 0));
	close_world(&other);
	/* Held, taken up again, and over. */
	want(&world, 1, 0, IN, 0);
	pass(&world, HOLD - 1);
	expect(&world, "");
	check_streams(&world, 1, 0, 0);
	want(&world, 1, 0, EX, 0);
	pass(&world, HOLD);
	turn(&world);
	check_streams(&world, 1, 0, links_of(1, 0, EX, 0));
	host_unwant_all(world.host, world.now, 1);
	check_streams(&world, 1, 0, 0);
	/* The interface goes and the instance's members stay. */
	want(&world, 0, 0, EX, 0);
	forget(&world);
	check_streams(&world, 0, 0, links_of(0, 0, EX, 0));
	close_world(&world);
}

static void looking_ahead_changes_nothing(void **state)
{
	static const char *const groups[] = {"239.1.1.1", "239.9.9.9", "ff1e::9"};
	struct world world;

	(void)state;
	open_auto(&world, FAMILY_IPV4, &(struct host_limits){5, 4, MEMORY}, 1);
	for (unsigned group = 0; group < 3; group++)
		want(&world, 0, group, EX, 0);
	turn(&world);
	check_settled(&world);
	for (size_t i = 0; i < LENGTH(groups); i++) {
		struct addr group = addr_of(groups[i]);

		host_prefetch(world.host, &group, PREFETCH_FAR);
		host_prefetch(world.host, &group, PREFETCH_NEAR);
	}
	turn(&world);
	check_settled(&world);
	close_world(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(report_of_each_change),
		cmocka_unit_test(operations_come_first),
		cmocka_unit_test(wishes_are_merged),
		cmocka_unit_test(reports_are_packed),
		cmocka_unit_test(link_comes_and_goes),
		cmocka_unit_test(the_state_is_announced),
		cmocka_unit_test(nothing_piles_up_while_the_link_is_down),
		cmocka_unit_test(configured_under_way),
		cmocka_unit_test(links_are_kept_with_wishes),
		cmocka_unit_test(looking_ahead_changes_nothing),
	};

	host_free(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
