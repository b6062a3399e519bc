/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Memberships in the kernel, seen from the other end of the link: which records each call makes it send.
 */
#include "kernel/join.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/craft.h"
#include "support/lab.h"

/* The first of many groups; each step takes new ones, so that repetitions of older reports do not matter. */
static const char *const first_groups[FAMILIES] = {"239.8.0.1", "ff3e::8:0:1"};
static const char *const first_sources[FAMILIES] = {"10.8.0.1", "2001:db8:8::1"};
static uint32_t groups_taken;

static struct addr new_group(enum family family)
{
	return nth_addr(first_groups[family], groups_taken++);
}

static struct addr source_of(enum family family, uint32_t n)
{
	return nth_addr(first_sources[family], n);
}

/* A filter with sources number from..to-1. */
static struct filter make_filter(enum filter_mode mode, enum family family, uint32_t from, uint32_t to,
                                 struct addr *list)
{
	for (uint32_t n = from; n < to; n++)
		list[n - from] = source_of(family, n);
	return (struct filter){mode, {list, to - from, to - from}};
}

/* Changes of sources: the repetition of an older one may be in the same record, or the kernel may even have
 * left out the record without it (a change that comes while its timer runs costs one of the repetitions). */
static bool count_fits(const struct record *record, enum record_type type, size_t expected)
{
	return record->source_count == expected ||
	       ((type == ALLOW || type == BLOCK) && record->source_count > expected);
}

static bool record_is(const struct record *record, enum family family, enum record_type type,
                      const struct addr *group, const struct filter *expected)
{
	if (record->type != type || !addr_equal(&record->group, group) ||
	    !count_fits(record, type, expected->sources.count))
		return false;
	/* The kernel lists sources in the order of joining, or backwards. */
	for (size_t i = 0; i < expected->sources.count; i++) {
		const uint8_t *at = record->sources;
		bool found = false;

		for (size_t j = 0; j < record->source_count; j++, at += addr_wire_size(family)) {
			struct addr source = wire_get_addr(at, family);

			found |= addr_equal(&source, &expected->sources.list[i]);
		}
		if (!found)
			return false;
	}
	return true;
}

/* Does the frame carry that record? */
static bool frame_has(const struct lab_frame *frame, enum record_type type, const struct addr *group,
                      const struct filter *expected)
{
	enum family family = addr_family(group);
	struct message message;
	struct packet packet;
	struct record record;

	if (wire_get16(frame->bytes + 12) != lab_type(family) ||
	    packet_parse(family, frame->bytes + 14, frame->size - 14, &packet) != DROP_NONE)
		return false;
	if ((family == FAMILY_IPV4 ? igmp_decode(&packet, &message) : mld_decode(&packet, &message)) !=
	            DROP_NONE ||
	    message.kind != MESSAGE_REPORT)
		return false;
	while (message_next_record(&message, &record))
		if (record_is(&record, family, type, group, expected))
			return true;
	return false;
}

/* Waits for a record with sources number from..to-1. */
static void expect_record(int wire, enum record_type type, const struct addr *group, uint32_t from,
                          uint32_t to)
{
	int64_t until = lab_now() + LAB_PATIENCE;
	struct addr list[128];
	struct filter expected = make_filter(FILTER_INCLUDE, addr_family(group), from, to, list);
	struct lab_frame frame;

	do
		if (!lab_take_frame(wire, &frame, until))
			fail_msg("no record %s with sources %u to %u", record_type_name(type), from, to);
	while (!frame_has(&frame, type, group, &expected));
}

static int new_socket(enum family family)
{
	int fd = join_socket(family);

	assert_true(fd >= 0);
	return fd;
}

static void groups_are_joined_and_left(void **state)
{
	(void)state;
	LAB_OR_SKIP();
	for (int family = 0; family < FAMILIES; family++) {
		int fd = new_socket(family), wire = lab_wire("peer0"), eth0 = lab_index("eth0");
		struct addr group = new_group(family);

		assert_int_equal(join_group(fd, eth0, &group), 0);
		expect_record(wire, TO_EX, &group, 0, 0);
		assert_int_equal(join_group(fd, eth0, &group), -EADDRINUSE);
		assert_int_equal(join_leave(fd, eth0, &group), 0);
		expect_record(wire, TO_IN, &group, 0, 0);
		assert_int_equal(join_leave(fd, eth0, &group), -EADDRNOTAVAIL);
		join_socket_close(fd);
		close(wire);
	}
}

static void closing_leaves(void **state)
{
	(void)state;
	LAB_OR_SKIP();
	for (int family = 0; family < FAMILIES; family++) {
		int fd = new_socket(family), wire = lab_wire("peer0");
		struct addr group = new_group(family);

		assert_int_equal(join_group(fd, lab_index("eth0"), &group), 0);
		expect_record(wire, TO_EX, &group, 0, 0);
		join_socket_close(fd);
		expect_record(wire, TO_IN, &group, 0, 0);
		close(wire);
	}
}

static void sources_are_allowed_and_blocked(void **state)
{
	(void)state;
	LAB_OR_SKIP();
	for (int family = 0; family < FAMILIES; family++) {
		int fd = new_socket(family), wire = lab_wire("peer0"), eth0 = lab_index("eth0");
		struct addr group = new_group(family), a = source_of(family, 0), b = source_of(family, 1);

		assert_int_equal(join_source(fd, eth0, &group, &a), 0);
		expect_record(wire, ALLOW, &group, 0, 1);
		assert_int_equal(join_source(fd, eth0, &group, &b), 0);
		expect_record(wire, ALLOW, &group, 1, 2);
		assert_int_equal(join_leave_source(fd, eth0, &group, &a), 0);
		expect_record(wire, BLOCK, &group, 0, 1);
		assert_int_equal(join_leave_source(fd, eth0, &group, &b), 0);
		expect_record(wire, BLOCK, &group, 1, 2);
		/* With its last source the membership is gone. */
		assert_int_equal(join_leave(fd, eth0, &group), -EADDRNOTAVAIL);
		join_socket_close(fd);
		close(wire);
	}
}

static void filters_are_replaced_in_one_step(void **state)
{
	(void)state;
	LAB_OR_SKIP();
	for (int family = 0; family < FAMILIES; family++) {
		int fd = new_socket(family), wire = lab_wire("peer0"), eth0 = lab_index("eth0");
		struct addr group = new_group(family), list[8], a = source_of(family, 0);
		struct filter filter = make_filter(FILTER_EXCLUDE, family, 0, 3, list);

		assert_int_equal(join_source(fd, eth0, &group, &a), 0);
		expect_record(wire, ALLOW, &group, 0, 1);
		assert_int_equal(join_set_filter(fd, eth0, &group, &filter), 0);
		expect_record(wire, TO_EX, &group, 0, 3);
		/* A source join is not understood then; only EXCLUDE{} would let it change the mode. */
		assert_int_equal(join_source(fd, eth0, &group, &a), -EINVAL);
		filter = make_filter(FILTER_INCLUDE, family, 2, 5, list);
		assert_int_equal(join_set_filter(fd, eth0, &group, &filter), 0);
		expect_record(wire, TO_IN, &group, 2, 5);
		filter = make_filter(FILTER_EXCLUDE, family, 0, 0, list);
		assert_int_equal(join_set_filter(fd, eth0, &group, &filter), 0);
		expect_record(wire, TO_EX, &group, 0, 0);
		/* INCLUDE{} leaves. */
		filter.mode = FILTER_INCLUDE;
		assert_int_equal(join_set_filter(fd, eth0, &group, &filter), 0);
		expect_record(wire, TO_IN, &group, 0, 0);
		assert_int_equal(join_set_filter(fd, eth0, &group, &filter), -EADDRNOTAVAIL);
		filter = make_filter(FILTER_INCLUDE, family, 0, 1, list);
		assert_int_equal(join_set_filter(fd, eth0, &group, &filter), -EINVAL);
		join_socket_close(fd);
		close(wire);
	}
}

static void limits_are_those_of_the_kernel(void **state)
{
	(void)state;
	LAB_OR_SKIP();
	lab_run("echo 7 >/proc/sys/net/ipv4/igmp_max_memberships && echo 4 >/proc/sys/net/ipv4/igmp_max_msf");
	assert_int_equal(join_groups_max(FAMILY_IPV4), 7);
	assert_int_equal(join_groups_max(FAMILY_IPV6), 128);
	assert_int_equal(join_sources_max(FAMILY_IPV4), 4);
	/* The setting shows in the first namespace alone. */
	assert_int_equal(join_sources_max(FAMILY_IPV6), 64);
	for (int family = 0; family < FAMILIES; family++) {
		unsigned groups = join_groups_max(family);
		unsigned sources = join_sources_max(family);
		int fd = new_socket(family), eth0 = lab_index("eth0");
		struct addr list[128], group;
		struct filter filter;

		assert_true(sources < LENGTH(list));
		for (unsigned i = 0; i < groups; i++) {
			group = new_group(family);
			assert_int_equal(join_group(fd, eth0, &group), 0);
		}
		filter = make_filter(FILTER_EXCLUDE, family, 0, sources, list);
		assert_int_equal(join_set_filter(fd, eth0, &group, &filter), 0);
		filter = make_filter(FILTER_EXCLUDE, family, 0, sources + 1, list);
		assert_int_equal(join_set_filter(fd, eth0, &group, &filter), -ENOBUFS);
		group = new_group(family);
		assert_int_equal(join_group(fd, eth0, &group), family == FAMILY_IPV4 ? -ENOBUFS : 0);
		join_socket_close(fd);
	}
	lab_run("echo 0 >/proc/sys/net/ipv4/igmp_max_memberships");
	assert_int_equal(join_groups_max(FAMILY_IPV4), 1);
	lab_run("echo 20 >/proc/sys/net/ipv4/igmp_max_memberships && echo 10 "
	        ">/proc/sys/net/ipv4/igmp_max_msf");
}

static void links_that_are_down_or_gone(void **state)
{
	(void)state;
	LAB_OR_SKIP();
	for (int family = 0; family < FAMILIES; family++) {
		int fd = new_socket(family), eth1;
		struct addr group = new_group(family);

		lab_add_pair(1);
		lab_run("ip link set eth1 down");
		eth1 = lab_index("eth1");
		assert_int_equal(join_group(fd, eth1, &group), 0);
		lab_del_pair(1);
		/* A group of a deleted interface can be left. */
		assert_int_equal(join_leave(fd, eth1, &group), 0);
		assert_int_equal(join_group(fd, eth1, &group), -ENODEV);
		join_socket_close(fd);
	}
}

/* Datagrams to a group that was joined: none waits, whoever sends them. */
static void nothing_is_received(void **state)
{
	(void)state;
	LAB_OR_SKIP();
	for (int family = 0; family < FAMILIES; family++) {
		int fd = new_socket(family);
		int all = 1;
		socklen_t size = sizeof all;
		char byte;
		struct addr group = new_group(family);

		assert_int_equal(join_group(fd, lab_index("eth0"), &group), 0);
		assert_int_equal(recv(fd, &byte, 1, 0), -1);
		assert_int_equal(errno, EAGAIN);
		assert_int_equal(family == FAMILY_IPV4
		                         ? getsockopt(fd, IPPROTO_IP, IP_MULTICAST_ALL, &all, &size)
		                         : getsockopt(fd, IPPROTO_IPV6, 29, &all, &size),
		                 0);
		assert_int_equal(all, 0);
		join_socket_close(fd);
	}
}

/* Puts a query on the wire and waits until the kernel has taken notice. */
static void put_query(int wire, enum version version)
{
	struct query query = {.version = version, .max_response = 10000};
	struct craft packet = craft_query("10.1.0.2", query, NULL, NULL);
	struct addr all = addr_of("224.0.0.1");
	int64_t until = lab_now() + LAB_PATIENCE;

	lab_put(wire, &all, packet.bytes, packet.size);
	while (join_host_version(FAMILY_IPV4, "eth0") != version)
		assert_true(lab_now() < until);
}

static void version_is_that_of_the_querier(void **state)
{
	int wire;

	(void)state;
	LAB_OR_SKIP();
	wire = lab_wire("peer0");
	assert_int_equal(join_host_version(FAMILY_IPV4, "eth0"), VERSION_3);
	assert_int_equal(join_host_version(FAMILY_IPV4, "no-such-link"), VERSION_3);
	put_query(wire, VERSION_2);
	put_query(wire, VERSION_1);
	assert_int_equal(join_host_version(FAMILY_IPV4, "peer0"), VERSION_3);
	/* A long name leaves no room before the colon; a name that is the beginning of another one is not
	 * it. */
	lab_run("ip link add eth0-fifteen-ch type veth peer name other && ip link set eth0-fifteen-ch up");
	lab_run("echo 2 >/proc/sys/net/ipv4/conf/eth0-fifteen-ch/force_igmp_version");
	assert_int_equal(join_host_version(FAMILY_IPV4, "eth0-fifteen-ch"), VERSION_2);
	assert_int_equal(join_host_version(FAMILY_IPV4, "eth0-fifteen"), VERSION_3);
	lab_run("ip link del eth0-fifteen-ch");
	close(wire);
}

static void forced_version_of_mld(void **state)
{
	(void)state;
	LAB_OR_SKIP();
	assert_int_equal(join_host_version(FAMILY_IPV6, "eth0"), VERSION_3);
	assert_int_equal(join_host_version(FAMILY_IPV6, "no-such-link"), VERSION_3);
	lab_run("echo 1 >/proc/sys/net/ipv6/conf/eth0/force_mld_version");
	assert_int_equal(join_host_version(FAMILY_IPV6, "eth0"), VERSION_2);
	lab_run("echo 2 >/proc/sys/net/ipv6/conf/eth0/force_mld_version");
	assert_int_equal(join_host_version(FAMILY_IPV6, "eth0"), VERSION_3);
	lab_run("echo 0 >/proc/sys/net/ipv6/conf/eth0/force_mld_version");
	lab_run("echo 1 >/proc/sys/net/ipv6/conf/all/force_mld_version");
	assert_int_equal(join_host_version(FAMILY_IPV6, "eth0"), VERSION_2);
	lab_run("echo 0 >/proc/sys/net/ipv6/conf/all/force_mld_version");
}

static int set_up(void **state)
{
	lab_open(state);
	if (lab_is_open) {
		lab_add_pair(0);
		lab_run("ip addr add 10.1.0.1/24 dev eth0");
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_are_joined_and_left),
		cmocka_unit_test(closing_leaves),
		cmocka_unit_test(sources_are_allowed_and_blocked),
		cmocka_unit_test(filters_are_replaced_in_one_step),
		cmocka_unit_test(limits_are_those_of_the_kernel),
		cmocka_unit_test(links_that_are_down_or_gone),
		cmocka_unit_test(nothing_is_received),
		cmocka_unit_test(forced_version_of_mld),
		/* The last one: the kernel remembers queriers. */
		cmocka_unit_test(version_is_that_of_the_querier),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
