/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Multicast routing sockets of both families on the real kernel: eth0 is vif 0, eth1 vif 1, eth2 vif 2.
 */
#include "kernel/join.h"
#include "kernel/mrt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/craft.h"
#include "support/lab.h"

#include <linux/mroute.h>
#include <linux/mroute6.h>

#define LINKS 3

static const char *const sources[FAMILIES] = {"10.77.0.9", "2001:db8:77::9"};
static const char *const groups[FAMILIES] = {"239.7.7.1", "ff3e::7:7:1"};

/* A UDP packet with TTL 9 and no data. */
static struct craft datagram(const struct addr *source, const struct addr *group)
{
	enum family family = addr_family(group);
	size_t header = family == FAMILY_IPV4 ? 20 : 40;
	struct craft craft = {.size = header + 8};
	uint8_t *udp = craft.bytes + header;
	uint32_t sum = 0;

	wire_put16(udp, 5001);
	wire_put16(udp + 2, 5001);
	wire_put16(udp + 4, 8);
	if (family == FAMILY_IPV4) {
		memcpy(craft.bytes, (uint8_t[]){0x45, 0, 0, 28, 0, 0, 0, 0, 9, 17}, 10);
		wire_put_addr(craft.bytes + 12, source, family);
		wire_put_addr(craft.bytes + 16, group, family);
		wire_put16(craft.bytes + 10, wire_checksum(0, craft.bytes, 20));
		return craft;
	}
	memcpy(craft.bytes, (uint8_t[]){0x60, 0, 0, 0, 0, 8, 17, 9}, 8);
	wire_put_addr(craft.bytes + 8, source, family);
	wire_put_addr(craft.bytes + 24, group, family);
	/* The pseudo header is that of ICMPv6 but for the protocol. */
	sum = wire_icmp6_pseudo_sum(source, group, 8) - 58 + 17;
	wire_put16(udp + 6, wire_checksum(sum, udp, 8));
	return craft;
}

static void put_datagram(int wire, const struct addr *source, const struct addr *group)
{
	struct craft packet = datagram(source, group);

	lab_put(wire, group, packet.bytes, packet.size);
}

static struct mrt *open_mrt(enum family family)
{
	struct mrt *mrt = NULL;

	assert_int_equal(mrt_open(&mrt, family, MRT_TABLE_DEFAULT), 0);
	assert_non_null(mrt);
	return mrt;
}

/* With all vifs, and a wire behind each. */
static struct mrt *open_with_vifs(enum family family, int wires[LINKS])
{
	struct mrt *mrt = open_mrt(family);

	for (int i = 0; i < LINKS; i++) {
		char name[16];

		snprintf(name, sizeof name, "eth%d", i);
		assert_int_equal(mrt_add_vif(mrt, (unsigned)i, lab_index(name)), 0);
		snprintf(name, sizeof name, "peer%d", i);
		wires[i] = lab_wire(name);
	}
	return mrt;
}

static void close_all(struct mrt *mrt, const int wires[LINKS])
{
	mrt_close(mrt);
	for (int i = 0; i < LINKS; i++)
		close(wires[i]);
}

/* Is it an upcall of a test's packet? */
static bool is_test_group(const struct addr *group)
{
	return memcmp(group->bytes, addr_of(groups[addr_family(group)]).bytes, 14) == 0;
}

/* The next upcall of a test's packet; false when none comes in that time. */
static bool take_upcall(struct mrt *mrt, struct mrt_upcall *upcall, int patience)
{
	int64_t until = lab_now() + patience;
	int64_t left;

	while ((left = until - lab_now()) > 0 && lab_wait(mrt_fd(mrt), (int)left)) {
		int count = mrt_receive(mrt, lab_now(), upcall, 1);

		assert_true(count >= 0);
		if (count == 1 && is_test_group(&upcall->group))
			return true;
	}
	return false;
}

static void expect_upcall(struct mrt *mrt, enum mrt_upcall_kind kind, unsigned vif, const struct addr *source,
                          const struct addr *group)
{
	struct mrt_upcall upcall;

	assert_true(take_upcall(mrt, &upcall, LAB_PATIENCE));
	assert_int_equal(upcall.kind, kind);
	assert_int_equal(upcall.vif, vif);
	assert_true(addr_equal(&upcall.source, source));
	assert_true(addr_equal(&upcall.group, group));
}

/* How many packets to that group come out of the wire in that time; stops at `enough`. */
static int count_frames(int wire, const struct addr *group, int enough, int patience)
{
	int64_t until = lab_now() + patience;
	enum family family = addr_family(group);
	size_t at = 14 + (family == FAMILY_IPV4 ? 16 : 24);
	struct lab_frame frame;
	int count = 0;

	while (count < enough && lab_take_frame(wire, &frame, until))
		count +=
			wire_get16(frame.bytes + 12) == lab_type(family) &&
			memcmp(frame.bytes + at, addr_wire_bytes(group, family), addr_wire_size(family)) == 0;
	return count;
}

#define QUIET 100 /* milliseconds in which what must not happen does not */

static void second_owner_is_told(void **state)
{
	(void)state;
	LAB_OR_SKIP();
	for (int family = 0; family < FAMILIES; family++) {
		struct mrt *mrt = open_mrt(family), *second = NULL;

		assert_int_equal(mrt_open(&second, family, MRT_TABLE_DEFAULT), -EADDRINUSE);
		mrt_close(mrt);
		mrt_close(open_mrt(family));
	}
}

static void other_table_has_an_owner_of_its_own(void **state)
{
	(void)state;
	LAB_OR_SKIP();
	for (int family = 0; family < FAMILIES; family++) {
		struct mrt *mrt = open_mrt(family), *other = NULL, *third = NULL;

		int result = mrt_open(&other, family, 100);

		if (result == -ENOPROTOOPT) {
			print_message("family %d: the kernel has no tables to choose from\n", family);
			mrt_close(mrt);
			continue;
		}
		assert_int_equal(result, 0);
		assert_int_equal(mrt_open(&third, family, 100), -EADDRINUSE);
		assert_int_equal(mrt_add_vif(mrt, 0, lab_index("eth0")), 0);
		assert_int_equal(mrt_add_vif(other, 0, lab_index("eth0")), 0);
		mrt_close(other);
		mrt_close(mrt);
	}
}

static int table_setting(enum family family, int fd, bool pim)
{
	int value = -1;
	socklen_t size = sizeof value;
	int name = family == FAMILY_IPV4 ? (pim ? MRT_PIM : MRT_ASSERT) : (pim ? MRT6_PIM : MRT6_ASSERT);

	assert_int_equal(
		getsockopt(fd, family == FAMILY_IPV4 ? IPPROTO_IP : IPPROTO_IPV6, name, &value, &size), 0);
	return value;
}

static void settings_of_the_table_are_made_and_cleared(void **state)
{
	(void)state;
	LAB_OR_SKIP();
	for (int family = 0; family < FAMILIES; family++) {
		struct mrt *mrt = open_mrt(family);
		int fd, on = 1;

		assert_int_equal(table_setting(family, mrt_fd(mrt), true), 1);
		assert_int_equal(table_setting(family, mrt_fd(mrt), false), 1);
		mrt_close(mrt);
		fd = family == FAMILY_IPV4 ? socket(AF_INET, SOCK_RAW, IPPROTO_IGMP)
		                           : socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
		assert_int_equal(setsockopt(fd, family == FAMILY_IPV4 ? IPPROTO_IP : IPPROTO_IPV6, MRT_INIT,
		                            &on, sizeof on),
		                 0);
		assert_int_equal(table_setting(family, fd, true), 0);
		assert_int_equal(table_setting(family, fd, false), 0);
		close(fd);
	}
}

static bool has_vif(enum family family, int vif, const char *name)
{
	return lab_holds("grep -q '^ *%d %s ' /proc/net/ip%s_mr_vif", vif, name,
	                 family == FAMILY_IPV4 ? "" : "6");
}

static void vifs_come_and_go(void **state)
{
	(void)state;
	LAB_OR_SKIP();
	for (int family = 0; family < FAMILIES; family++) {
		struct mrt *mrt = open_mrt(family);

		lab_add_pair(8);
		lab_run("ip link set eth8 down");
		assert_int_equal(mrt_add_vif(mrt, 31, lab_index("eth8")), 0);
		assert_int_equal(mrt_add_vif(mrt, 0, lab_index("eth0")), 0);
		assert_true(has_vif(family, 31, "eth8"));
		assert_true(has_vif(family, 0, "eth0"));
		assert_int_equal(mrt_add_vif(mrt, 0, lab_index("eth1")), -EADDRINUSE);
		assert_int_equal(mrt_del_vif(mrt, 0), 0);
		assert_false(has_vif(family, 0, "eth0"));
		assert_int_equal(mrt_del_vif(mrt, 0), -EADDRNOTAVAIL);
		/* The kernel takes the vif of a deleted interface away itself. */
		lab_del_pair(8);
		assert_false(has_vif(family, 31, "eth8"));
		assert_int_equal(mrt_del_vif(mrt, 31), -EADDRNOTAVAIL);
		assert_true(mrt_add_vif(mrt, 5, 9999) < 0);
		mrt_close(mrt);
	}
}

/* The kernel's structure for IPv6 has 16 bits for the interface. */
static void large_interface_index(void **state)
{
	(void)state;
	LAB_OR_SKIP();
	lab_run("ip link add eth9 index 70000 type veth peer name peer9");
	for (int family = 0; family < FAMILIES; family++) {
		struct mrt *mrt = open_mrt(family);

		assert_int_equal(mrt_add_vif(mrt, 1, 70000), family == FAMILY_IPV4 ? 0 : -EOVERFLOW);
		mrt_close(mrt);
	}
	lab_del_pair(9);
}

static void unknown_stream_makes_an_upcall_and_a_route_ends_it(void **state)
{
	(void)state;
	LAB_OR_SKIP();
	for (int family = 0; family < FAMILIES; family++) {
		struct addr source = addr_of(sources[family]), group = addr_of(groups[family]);
		struct mrt_upcall upcall;
		struct mrt_counters counters;
		int wires[LINKS];
		struct mrt *mrt = open_with_vifs(family, wires);

		assert_int_equal(mrt_route_counters(mrt, &source, &group, &counters), -EADDRNOTAVAIL);
		put_datagram(wires[0], &source, &group);
		expect_upcall(mrt, MRT_UPCALL_NOCACHE, 0, &source, &group);

		/* The packet that asked is sent on, then the later ones. */
		assert_int_equal(mrt_set_route(mrt, &source, &group, 0, 1 << 1 | 1 << 2), 0);
		put_datagram(wires[0], &source, &group);
		assert_int_equal(count_frames(wires[1], &group, 2, LAB_PATIENCE), 2);
		assert_int_equal(count_frames(wires[2], &group, 2, LAB_PATIENCE), 2);
		assert_false(take_upcall(mrt, &upcall, QUIET));

		/* One outgoing vif less; the counters go on. */
		assert_int_equal(mrt_set_route(mrt, &source, &group, 0, 1 << 2), 0);
		for (int i = 0; i < 3; i++)
			put_datagram(wires[0], &source, &group);
		assert_int_equal(count_frames(wires[2], &group, 3, LAB_PATIENCE), 3);
		assert_int_equal(count_frames(wires[1], &group, 1, QUIET), 0);
		assert_int_equal(mrt_route_counters(mrt, &source, &group, &counters), 0);
		assert_int_equal(counters.packets, 5);
		assert_int_equal(counters.bytes, 5 * datagram(&source, &group).size);
		assert_int_equal(counters.wrong_vif, 0);

		/* Without the entry it begins anew. */
		assert_int_equal(mrt_del_route(mrt, &source, &group), 0);
		assert_int_equal(mrt_del_route(mrt, &source, &group), -ENOENT);
		assert_int_equal(mrt_route_counters(mrt, &source, &group, &counters), -EADDRNOTAVAIL);
		put_datagram(wires[0], &source, &group);
		expect_upcall(mrt, MRT_UPCALL_NOCACHE, 0, &source, &group);
		close_all(mrt, wires);
	}
}

static void negative_entry_drops_without_an_upcall(void **state)
{
	(void)state;
	LAB_OR_SKIP();
	for (int family = 0; family < FAMILIES; family++) {
		struct addr source = addr_of(sources[family]), group = addr_of(groups[family]);
		struct mrt_counters counters;
		struct mrt_upcall upcall;
		int wires[LINKS];
		struct mrt *mrt = open_with_vifs(family, wires);

		assert_int_equal(mrt_set_route(mrt, &source, &group, 1, 0), 0);
		put_datagram(wires[1], &source, &group);
		assert_false(take_upcall(mrt, &upcall, QUIET));
		assert_int_equal(count_frames(wires[0], &group, 1, QUIET), 0);
		assert_int_equal(mrt_route_counters(mrt, &source, &group, &counters), 0);
		assert_int_equal(counters.packets, 1);
		close_all(mrt, wires);
	}
}

static void source_on_a_wrong_vif_is_told(void **state)
{
	(void)state;
	LAB_OR_SKIP();
	for (int family = 0; family < FAMILIES; family++) {
		struct addr source = addr_of(sources[family]), group = addr_of(groups[family]);
		struct mrt_counters counters;
		int wires[LINKS];
		struct mrt *mrt = open_with_vifs(family, wires);

		/* Neither the incoming vif nor an outgoing one. */
		assert_int_equal(mrt_set_route(mrt, &source, &group, 0, 1 << 1), 0);
		put_datagram(wires[2], &source, &group);
		expect_upcall(mrt, MRT_UPCALL_WRONGVIF, 2, &source, &group);
		assert_int_equal(mrt_route_counters(mrt, &source, &group, &counters), 0);
		assert_int_equal(counters.wrong_vif, 1);
		/* Followed there. */
		assert_int_equal(mrt_set_route(mrt, &source, &group, 2, 1 << 1), 0);
		put_datagram(wires[2], &source, &group);
		assert_int_equal(count_frames(wires[1], &group, 1, LAB_PATIENCE), 1);
		close_all(mrt, wires);
	}
}

/* Vif 31 is the last bit of the set. */
static void last_vif_can_be_an_outgoing_one(void **state)
{
	(void)state;
	LAB_OR_SKIP();
	for (int family = 0; family < FAMILIES; family++) {
		struct addr source = addr_of(sources[family]), group = addr_of(groups[family]);
		struct mrt *mrt = open_mrt(family);
		int from = lab_wire("peer0"), to = lab_wire("peer1");

		assert_int_equal(mrt_add_vif(mrt, 30, lab_index("eth0")), 0);
		assert_int_equal(mrt_add_vif(mrt, 31, lab_index("eth1")), 0);
		assert_int_equal(mrt_set_route(mrt, &source, &group, 30, UINT32_C(1) << 31), 0);
		put_datagram(from, &source, &group);
		assert_int_equal(count_frames(to, &group, 1, LAB_PATIENCE), 1);
		mrt_close(mrt);
		close(from);
		close(to);
	}
}

static void reports_do_not_reach_the_socket(void **state)
{
	(void)state;
	LAB_OR_SKIP();
	for (int family = 0; family < FAMILIES; family++) {
		struct addr source = addr_of(sources[family]), group = addr_of(groups[family]);
		const char *from = family == FAMILY_IPV4 ? sources[0] : "fe80::9";
		struct craft report = craft_old(from, VERSION_2, groups[family], false);
		struct craft query = craft_query(from, (struct query){.version = VERSION_3}, NULL, NULL);
		struct addr all = addr_from_ipv6(query.bytes + 24);
		struct mrt_upcall upcalls[4];
		int wires[LINKS], arrivals = lab_wire("eth0");
		struct mrt *mrt = open_with_vifs(family, wires);

		if (family == FAMILY_IPV4)
			all = addr_from_ipv4(query.bytes + 16);
		while (mrt_receive(mrt, lab_now(), upcalls, LENGTH(upcalls)) > 0)
			;
		for (int i = 0; i < 1000; i++) {
			lab_put(wires[0], &group, report.bytes, report.size);
			lab_put(wires[0], &all, query.bytes, query.size);
			lab_await(arrivals, 2);
		}
		assert_false(lab_wait(mrt_fd(mrt), QUIET));
		put_datagram(wires[0], &source, &group);
		expect_upcall(mrt, MRT_UPCALL_NOCACHE, 0, &source, &group);
		close(arrivals);
		close_all(mrt, wires);
	}
}

/* The same packet with an IPv4 header without options. */
static struct craft without_options(struct craft craft)
{
	size_t header = 4 * (craft.bytes[0] & 15u);

	craft.bytes[0] = 0x45;
	wire_put16(craft.bytes + 2, (uint16_t)(craft.size -= header - 20));
	memmove(craft.bytes + 20, craft.bytes + header, craft.size - 20);
	wire_put16(craft.bytes + 10, 0);
	wire_put16(craft.bytes + 10, wire_checksum(0, craft.bytes, 20));
	return craft;
}

/* To a group of which the kernel is a member, on eth0. */
static void upcalls_for_igmp_messages_are_marked(void **state)
{
	struct addr source = addr_of("10.77.0.9"), group = addr_of(groups[FAMILY_IPV4]);
	struct craft messages[] = {
		craft_old("10.77.0.9", VERSION_1, groups[FAMILY_IPV4], false),
		craft_old("10.77.0.9", VERSION_2, groups[FAMILY_IPV4], false),
		craft_query("10.77.0.9", (struct query){.version = VERSION_2}, groups[FAMILY_IPV4], NULL),
		craft_query("10.77.0.9", (struct query){.version = VERSION_3}, groups[FAMILY_IPV4],
	                    "10.77.0.10"),
	};
	int wires[LINKS], member;
	struct mrt_upcall upcall;
	struct mrt *mrt;

	(void)state;
	LAB_OR_SKIP();
	mrt = open_with_vifs(FAMILY_IPV4, wires);
	member = join_socket(FAMILY_IPV4);
	assert_int_equal(join_group(member, lab_index("eth0"), &group), 0);
	for (size_t i = 0; i < 2 * LENGTH(messages); i++) {
		struct craft message = messages[i / 2];

		if (i % 2 == 1)
			message = without_options(message);
		lab_put(wires[0], &group, message.bytes, message.size);
		assert_true(take_upcall(mrt, &upcall, LAB_PATIENCE));
		assert_true(upcall.igmp);
		assert_true(addr_equal(&upcall.source, &source) && addr_equal(&upcall.group, &group));
		/* Answered, so that data asks again: it is none. */
		assert_int_equal(mrt_set_route(mrt, &source, &group, 0, 0), 0);
		assert_int_equal(mrt_del_route(mrt, &source, &group), 0);
		put_datagram(wires[0], &source, &group);
		assert_true(take_upcall(mrt, &upcall, LAB_PATIENCE));
		assert_false(upcall.igmp);
		assert_int_equal(mrt_set_route(mrt, &source, &group, 0, 0), 0);
		assert_int_equal(mrt_del_route(mrt, &source, &group), 0);
	}
	join_socket_close(member);
	close_all(mrt, wires);
}

/* Puts packets of that many streams on the wire of eth0 and sees them arrive. */
static void put_streams(int wire, enum family family, uint32_t count)
{
	struct addr group = addr_of(groups[family]);
	int arrivals = lab_wire("eth0");

	for (uint32_t i = 0; i < count; i++) {
		struct addr source = nth_addr(sources[family], i);

		put_datagram(wire, &source, &group);
		if (i % 100 == 99)
			lab_await(arrivals, 100);
	}
	close(arrivals);
}

static uint32_t stream_number(const struct mrt_upcall *upcall)
{
	struct addr first = addr_of(sources[addr_family(&upcall->source)]);

	return (uint32_t)wire_get16(upcall->source.bytes + 14) - wire_get16(first.bytes + 14);
}

#define STREAMS 5000

/* Reads with that `max` until the upcalls of so many streams have come, each once. */
static void take_streams(struct mrt *mrt, size_t max, int wanted)
{
	static bool seen[STREAMS];
	struct mrt_upcall upcalls[256];

	memset(seen, 0, sizeof seen);
	while (wanted > 0) {
		int count = mrt_receive(mrt, lab_now(), upcalls, max);

		assert_true(count >= 0 && (size_t)count <= max);
		for (int i = 0; i < count; i++) {
			uint32_t number = stream_number(&upcalls[i]);

			if (!is_test_group(&upcalls[i].group))
				continue;
			assert_true(number < STREAMS && !seen[number]);
			seen[number] = true;
			wanted--;
		}
		if (count == 0)
			assert_true(lab_wait(mrt_fd(mrt), LAB_PATIENCE));
	}
}

static void upcalls_of_thousands_of_streams_are_all_kept(void **state)
{
	(void)state;
	LAB_OR_SKIP();
	for (int family = 0; family < FAMILIES; family++) {
		int wires[LINKS];
		struct mrt *mrt = open_with_vifs(family, wires);

		put_streams(wires[0], family, STREAMS);
		take_streams(mrt, 256, STREAMS);
		close_all(mrt, wires);
	}
}

static void no_more_upcalls_are_read_than_asked_for(void **state)
{
	static const size_t sizes[] = {1, 63, 64, 65, 100};

	(void)state;
	LAB_OR_SKIP();
	for (int family = 0; family < FAMILIES; family++)
		for (size_t i = 0; i < LENGTH(sizes); i++) {
			int wires[LINKS];
			struct mrt *mrt = open_with_vifs(family, wires);
			struct mrt_upcall none;

			put_streams(wires[0], family, 300);
			assert_int_equal(mrt_receive(mrt, lab_now(), &none, 0), 0);
			take_streams(mrt, sizes[i], 300);
			close_all(mrt, wires);
		}
}

static void closing_flushes(void **state)
{
	(void)state;
	LAB_OR_SKIP();
	for (int family = 0; family < FAMILIES; family++) {
		struct addr source = addr_of(sources[family]), group = addr_of(groups[family]);
		const char *suffix = family == FAMILY_IPV4 ? "" : "6";
		int wires[LINKS];
		struct mrt *mrt = open_with_vifs(family, wires);

		assert_int_equal(mrt_set_route(mrt, &source, &group, 0, 1 << 1), 0);
		assert_true(lab_holds("test $(wc -l </proc/net/ip%s_mr_cache) = 2", suffix));
		close_all(mrt, wires);
		assert_true(lab_holds("test $(wc -l </proc/net/ip%s_mr_cache) = 1", suffix));
		assert_true(lab_holds("test $(wc -l </proc/net/ip%s_mr_vif) = 1", suffix));
	}
}

/* As a process does that does not own the table. */
static void add_strange_route(enum family family)
{
	struct mfcctl route = {.mfcc_parent = 0};
	struct mf6cctl route6 = {.mf6cc_origin = {.sin6_family = AF_INET6}};
	int fd = family == FAMILY_IPV4 ? socket(AF_INET, SOCK_RAW, IPPROTO_IGMP)
	                               : socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
	int result;

	inet_pton(AF_INET, sources[FAMILY_IPV4], &route.mfcc_origin);
	inet_pton(AF_INET, groups[FAMILY_IPV4], &route.mfcc_mcastgrp);
	inet_pton(AF_INET6, sources[FAMILY_IPV6], &route6.mf6cc_origin.sin6_addr);
	inet_pton(AF_INET6, groups[FAMILY_IPV6], &route6.mf6cc_mcastgrp.sin6_addr);
	result = family == FAMILY_IPV4 ? setsockopt(fd, IPPROTO_IP, MRT_ADD_MFC, &route, sizeof route)
	                               : setsockopt(fd, IPPROTO_IPV6, MRT6_ADD_MFC, &route6, sizeof route6);
	assert_int_equal(result, 0);
	close(fd);
}

/* Such an entry outlives the owner. */
static void opening_flushes(void **state)
{
	(void)state;
	LAB_OR_SKIP();
	for (int family = 0; family < FAMILIES; family++) {
		const char *suffix = family == FAMILY_IPV4 ? "" : "6";
		int wires[LINKS];
		struct mrt *mrt = open_with_vifs(family, wires);

		add_strange_route(family);
		close_all(mrt, wires);
		assert_true(lab_holds("test $(wc -l </proc/net/ip%s_mr_cache) = 2", suffix));
		mrt = open_mrt(family);
		assert_true(lab_holds("test $(wc -l </proc/net/ip%s_mr_cache) = 1", suffix));
		mrt_close(mrt);
	}
}

static int set_up(void **state)
{
	lab_open(state);
	for (int i = 0; lab_is_open && i < LINKS; i++) {
		lab_add_pair(i);
		/* The hosts' ends stay silent: what arrives is what the test puts there. */
		lab_run("echo 1 >/proc/sys/net/ipv6/conf/peer%d/disable_ipv6", i);
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(second_owner_is_told),
		cmocka_unit_test(other_table_has_an_owner_of_its_own),
		cmocka_unit_test(settings_of_the_table_are_made_and_cleared),
		cmocka_unit_test(vifs_come_and_go),
		cmocka_unit_test(large_interface_index),
		cmocka_unit_test(unknown_stream_makes_an_upcall_and_a_route_ends_it),
		cmocka_unit_test(negative_entry_drops_without_an_upcall),
		cmocka_unit_test(source_on_a_wrong_vif_is_told),
		cmocka_unit_test(last_vif_can_be_an_outgoing_one),
		cmocka_unit_test(reports_do_not_reach_the_socket),
		cmocka_unit_test(upcalls_for_igmp_messages_are_marked),
		cmocka_unit_test(upcalls_of_thousands_of_streams_are_all_kept),
		cmocka_unit_test(no_more_upcalls_are_read_than_asked_for),
		cmocka_unit_test(closing_flushes),
		cmocka_unit_test(opening_flushes),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
