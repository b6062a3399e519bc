/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Packet sockets of links on real links: what passes the filter, what goes out, what a link that goes down or
 * away does to them.
 */
#include "kernel/link_socket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/craft.h"
#include "support/lab.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>

/* Packets made here come from these addresses, with a number as the last byte. The kernel sends some of its own. */
static const char *const sources[FAMILIES] = {"10.119.0.0", "fe80::77:0"};
static const char *const groups[FAMILIES] = {"239.1.2.3", "ff3e::4444:5555"};

static struct craft numbered(enum family family, struct craft craft, uint8_t number)
{
	/* The last byte of the source address. */
	craft.bytes[family == FAMILY_IPV4 ? 15 : 23] = number;
	if (family == FAMILY_IPV4)
		craft_fix_ipv4(&craft);
	else
		craft_fix_ipv6(&craft);
	return craft;
}

/* The number of a packet made here; -1 of another one. */
static int number_of(enum family family, const uint8_t *packet)
{
	struct addr own = addr_of(sources[family]);
	size_t last = addr_wire_size(family) - 1;
	const uint8_t *source = packet + (family == FAMILY_IPV4 ? 12 : 8);

	/* All but the last byte: the kernel's own reports come from link-local addresses, too. */
	return memcmp(source, addr_wire_bytes(&own, family), last) == 0 ? source[last] : -1;
}

static struct craft report(enum family family, uint8_t number)
{
	return numbered(family, craft_old(sources[family], VERSION_2, groups[family], false), number);
}

static int receive(struct link_socket *link, struct link_packet *packets, size_t max)
{
	static struct link_room *room;

	if (room == NULL)
		room = link_room_new();
	assert_non_null(room);
	return link_socket_receive(link_socket_fd(link), room, packets, max);
}

static struct link_socket *open_on(const char *name, enum family family)
{
	struct link_socket *link = NULL;

	assert_int_equal(link_socket_open(&link, lab_index(name), family, -1), 0);
	assert_non_null(link);
	return link;
}

/* Reads until packet number `last` comes; returns the set of numbers that came. */
static uint64_t take_until(struct link_socket *link, enum family family, int last)
{
	int64_t until = lab_now() + LAB_PATIENCE;
	uint64_t seen = 0;

	while (!(seen >> last & 1)) {
		struct link_packet packets[LINK_SOCKET_BATCH];
		int count = receive(link, packets, LINK_SOCKET_BATCH);

		assert_true(count >= 0);
		assert_true(lab_now() < until);
		for (int i = 0; i < count; i++) {
			int number = number_of(family, packets[i].data);

			if (number < 0)
				continue;
			/* Each once and in order. */
			assert_int_equal(seen >> number, 0);
			assert_false(packets[i].truncated);
			seen |= (uint64_t)1 << number;
		}
		if (count == 0)
			lab_wait(link_socket_fd(link), LAB_PATIENCE);
	}
	return seen;
}

/* The filter: a table of frames, and which of them are to be seen. */

#define CASES_MAX 40

struct filter_test {
	enum family family;
	int wire;
	uint8_t count;
	uint64_t expected;
	const char *names[CASES_MAX];
	uint8_t own_mac[ETH_ALEN];
};

static void try_frame(struct filter_test *test, const char *name, bool expected, const uint8_t *mac, int vlan,
                      uint16_t type, const struct craft *packet)
{
	struct lab_frame frame = lab_frame_of(mac, vlan, type, packet->bytes, packet->size);

	test->names[test->count] = name;
	test->expected |= (uint64_t)expected << test->count;
	test->count++;
	lab_put_frame(test->wire, &frame);
}

static void try_packet(struct filter_test *test, const char *name, bool expected, struct craft packet)
{
	struct addr group = addr_of(groups[test->family]);
	uint8_t mac[ETH_ALEN];

	packet = numbered(test->family, packet, test->count);
	lab_group_mac(&group, mac);
	try_frame(test, name, expected, mac, -1, lab_type(test->family), &packet);
}

/* What both families have in common. */
static void try_addresses(struct filter_test *test)
{
	static const uint8_t broadcast[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	static const uint8_t multicast[] = {0x01, 0, 0x5e, 9, 9, 9};
	static const uint8_t other[] = {0x02, 0, 0, 0, 0, 0x55};
	uint16_t type = lab_type(test->family);
	struct craft packet;

	packet = report(test->family, test->count);
	try_frame(test, "to this host", true, test->own_mac, -1, type, &packet);
	packet = report(test->family, test->count);
	try_frame(test, "to another host", false, other, -1, type, &packet);
	packet = report(test->family, test->count);
	try_frame(test, "broadcast", true, broadcast, -1, type, &packet);
	packet = report(test->family, test->count);
	try_frame(test, "to a group that nobody joined", true, multicast, -1, type, &packet);
	packet = report(test->family, test->count);
	try_frame(test, "of VLAN 0", true, multicast, 0, type, &packet);
	packet = report(test->family, test->count);
	try_frame(test, "of VLAN 0 with priority", true, multicast, 7 << 13, type, &packet);
	packet = report(test->family, test->count);
	try_frame(test, "of VLAN 100", false, multicast, 100, type, &packet);
	packet = report(test->family, test->count);
	try_frame(test, "of VLAN 4095 with priority", false, multicast, 0xefff, type, &packet);
	packet = report(test->family, test->count);
	try_frame(test, "of another Ethernet type", false, multicast, -1, 0x88b5, &packet);
}

static void end_filter_test(struct filter_test *test, struct link_socket *link)
{
	uint64_t seen;

	try_packet(test, "the last one", true, report(test->family, 0));
	seen = take_until(link, test->family, test->count - 1);
	for (uint8_t i = 0; i < test->count; i++)
		if ((seen ^ test->expected) >> i & 1)
			print_error("%s: %s\n", test->names[i], seen >> i & 1 ? "was seen" : "was not seen");
	assert_true(seen == test->expected);
}

static void begin_filter_test(struct filter_test *test, enum family family)
{
	struct ifreq request = {.ifr_name = "eth0"};

	*test = (struct filter_test){.family = family, .wire = lab_wire("peer0")};
	assert_int_equal(ioctl(test->wire, SIOCGIFHWADDR, &request), 0);
	memcpy(test->own_mac, request.ifr_hwaddr.sa_data, ETH_ALEN);
}

/* A version 2 report behind an IPv4 header with that many bytes of options. */
static struct craft with_ipv4_options(size_t size)
{
	struct craft plain = report(FAMILY_IPV4, 0), craft = {.size = 20 + size + 8};

	memcpy(craft.bytes, plain.bytes, 20);
	craft.bytes[0] = (uint8_t)(0x40 | (20 + size) / 4);
	memset(craft.bytes + 20, 1, size);
	memcpy(craft.bytes + 20 + size, plain.bytes + PACKET_HEADER_IPV4, 8);
	wire_put16(craft.bytes + 2, (uint16_t)craft.size);
	return craft;
}

/* Puts a number in and leaves checksums, which the filter does not look at, as they are. */
static void try_raw(struct filter_test *test, const char *name, bool expected, struct craft packet)
{
	struct addr group = addr_of(groups[test->family]);
	uint8_t mac[ETH_ALEN];

	packet.bytes[test->family == FAMILY_IPV4 ? 15 : 23] = test->count;
	lab_group_mac(&group, mac);
	try_frame(test, name, expected, mac, -1, lab_type(test->family), &packet);
}

static void igmp_passes_and_nothing_else(void **state)
{
	struct link_socket *link;
	struct filter_test test;
	struct craft packet;

	(void)state;
	LAB_OR_SKIP();
	link = open_on("eth0", FAMILY_IPV4);
	begin_filter_test(&test, FAMILY_IPV4);
	try_packet(&test, "version 1 report", true, craft_old(sources[0], VERSION_1, groups[0], false));
	try_packet(&test, "version 2 report", true, craft_old(sources[0], VERSION_2, groups[0], false));
	try_packet(&test, "leave", true, craft_old(sources[0], VERSION_2, groups[0], true));
	try_packet(&test, "version 3 report", true, craft_record(sources[0], IS_EX, groups[0], NULL));
	try_packet(&test, "query", true,
	           craft_query(sources[0], (struct query){.version = VERSION_3}, NULL, NULL));
	try_raw(&test, "without options", true, with_ipv4_options(0));
	try_raw(&test, "with 40 bytes of options", true, with_ipv4_options(40));
	packet = report(FAMILY_IPV4, 0);
	packet.bytes[9] = 17;
	try_raw(&test, "UDP", false, packet);
	packet.bytes[9] = 0;
	try_raw(&test, "protocol 0", false, packet);
	packet.bytes[9] = 103;
	try_raw(&test, "PIM", false, packet);
	packet = report(FAMILY_IPV4, 0);
	packet.bytes[24 + 2] ^= 0xff;
	try_raw(&test, "with a wrong checksum", true, packet);
	try_addresses(&test);
	end_filter_test(&test, link);
	close(test.wire);
	link_socket_close(link);
}

/* The message of a version 1 report behind a hop-by-hop header of that many bytes (0: none) that names
 * `next`. */
static struct craft with_hop_by_hop(size_t size, uint8_t next, uint8_t type)
{
	struct craft plain = report(FAMILY_IPV6, 0), craft = {.size = 40 + size + 24};
	uint8_t *header = craft.bytes + 40;

	memcpy(craft.bytes, plain.bytes, 40);
	wire_put16(craft.bytes + 4, (uint16_t)(size + 24));
	craft.bytes[6] = size > 0 ? 0 : next;
	for (size_t at = 2; at < size;) {
		/* PadN as long as they may be, then Pad1. */
		size_t pad = size - at > 257 ? 257 : size - at;

		header[at] = pad > 1;
		if (pad > 1)
			header[at + 1] = (uint8_t)(pad - 2);
		at += pad;
	}
	if (size > 0) {
		header[0] = next;
		header[1] = (uint8_t)(size / 8 - 1);
	}
	memcpy(header + size, plain.bytes + PACKET_HEADER_IPV6, 24);
	header[size] = type;
	return craft;
}

static void mld_passes_and_nothing_else(void **state)
{
	static const size_t sizes[] = {0, 8, 16, 24, 40, 64, 256, 1024};
	struct link_socket *link;
	struct filter_test test;
	struct craft packet;

	(void)state;
	LAB_OR_SKIP();
	link = open_on("eth0", FAMILY_IPV6);
	begin_filter_test(&test, FAMILY_IPV6);
	try_packet(&test, "version 1 report", true, craft_old(sources[1], VERSION_2, groups[1], false));
	try_packet(&test, "done", true, craft_old(sources[1], VERSION_2, groups[1], true));
	try_packet(&test, "version 2 report", true, craft_record(sources[1], IS_EX, groups[1], NULL));
	try_packet(&test, "query", true,
	           craft_query(sources[1], (struct query){.version = VERSION_3}, NULL, NULL));
	for (size_t i = 0; i < LENGTH(sizes); i++)
		try_raw(&test, "behind a hop-by-hop header of some length", true,
		        with_hop_by_hop(sizes[i], 58, (uint8_t[]){130, 131, 132, 143}[i % 4]));
	for (size_t size = 0; size <= 16; size += 8) {
		try_raw(&test, "echo request", false, with_hop_by_hop(size, 58, 128));
		try_raw(&test, "neighbour solicitation", false, with_hop_by_hop(size, 58, 135));
		try_raw(&test, "UDP", false, with_hop_by_hop(size, 17, 131));
	}
	try_raw(&test, "solicitation of router discovery", true, with_hop_by_hop(8, 58, 152));
	try_raw(&test, "advertisement of another router", false, with_hop_by_hop(8, 58, 151));
	try_raw(&test, "termination of another router", false, with_hop_by_hop(8, 58, 153));
	try_raw(&test, "type before the first", false, with_hop_by_hop(8, 58, 129));
	try_raw(&test, "type behind the last", false, with_hop_by_hop(8, 58, 144));
	packet = with_hop_by_hop(8, 58, 143);
	packet.bytes[41] = 200;
	try_raw(&test, "hop-by-hop header that runs past the end", false, packet);
	packet.size = 40;
	try_raw(&test, "header alone", false, packet);
	try_addresses(&test);
	end_filter_test(&test, link);
	close(test.wire);
	link_socket_close(link);
}

static void sockets_of_the_families_are_apart(void **state)
{
	struct link_socket *links[FAMILIES];
	struct link_packet packets[LINK_SOCKET_BATCH];
	int wire;

	(void)state;
	LAB_OR_SKIP();
	wire = lab_wire("peer0");
	for (int family = 0; family < FAMILIES; family++)
		links[family] = open_on("eth0", family);
	for (int family = 0; family < FAMILIES; family++) {
		struct addr group = addr_of(groups[family]);
		struct craft packet = report(family, 1);

		lab_put(wire, &group, packet.bytes, packet.size);
		assert_true(take_until(links[family], family, 1) == 2);
		assert_int_equal(receive(links[!family], packets, LINK_SOCKET_BATCH), 0);
	}
	for (int family = 0; family < FAMILIES; family++)
		link_socket_close(links[family]);
	close(wire);
}

static void received_packet_is_whole(void **state)
{
	(void)state;
	LAB_OR_SKIP();
	for (int family = 0; family < FAMILIES; family++) {
		struct link_socket *link = open_on("eth0", family);
		struct addr group = addr_of(groups[family]);
		struct craft packet = report(family, 1);
		struct link_packet received = {0};
		int wire = lab_wire("peer0"), count = 0;

		lab_put(wire, &group, packet.bytes, packet.size);
		do {
			assert_true(lab_wait(link_socket_fd(link), LAB_PATIENCE));
			count = receive(link, &received, 1);
		} while (count == 0 || number_of(family, received.data) < 0);
		assert_int_equal(count, 1);
		assert_int_equal(received.length, packet.size);
		assert_memory_equal(received.data, packet.bytes, packet.size);
		close(wire);
		link_socket_close(link);
	}
}

static void long_packet_is_cut_and_marked(void **state)
{
	struct addr group = addr_of(groups[FAMILY_IPV4]);
	struct link_packet received = {0};
	struct craft start = report(FAMILY_IPV4, 1);
	uint8_t packet[LINK_SOCKET_PACKET_MAX + 100] = {0};
	struct link_socket *link;
	int wire;

	(void)state;
	LAB_OR_SKIP();
	lab_run("ip link set eth0 mtu 12000 && ip link set peer0 mtu 12000");
	link = open_on("eth0", FAMILY_IPV4);
	wire = lab_wire("peer0");
	memcpy(packet, start.bytes, start.size);
	lab_put(wire, &group, packet, sizeof packet);
	lab_put(wire, &group, packet, LINK_SOCKET_PACKET_MAX);
	for (int i = 0; i < 2; i++) {
		do
			assert_true(lab_wait(link_socket_fd(link), LAB_PATIENCE));
		while (receive(link, &received, 1) == 0 || number_of(FAMILY_IPV4, received.data) < 0);
		assert_int_equal(received.truncated, i == 0);
		assert_int_equal(received.length, LINK_SOCKET_PACKET_MAX);
	}
	close(wire);
	link_socket_close(link);
	lab_run("ip link set eth0 mtu 1500 && ip link set peer0 mtu 1500");
}

/* Larger than the frames of the laboratory. */
static void put_long(int wire, const struct addr *group, const uint8_t *packet, size_t size)
{
	static uint8_t frame[ETH_HLEN + LINK_SOCKET_LONG_MAX];

	lab_group_mac(group, frame);
	frame[ETH_ALEN] = 2;
	wire_put16(frame + 2 * ETH_ALEN, lab_type(addr_family(group)));
	memcpy(frame + ETH_HLEN, packet, size);
	assert_int_equal(send(wire, frame, ETH_HLEN + size, 0), (ssize_t)(ETH_HLEN + size));
}

/* A link that went down in between does not hold it up. */
static void long_packet_comes_whole_where_it_is_asked_for(void **state)
{
	struct addr group = addr_of(groups[FAMILY_IPV4]);
	struct link_room *room = link_room_new();
	struct link_packet received[LINK_SOCKET_BATCH];
	struct craft start = report(FAMILY_IPV4, 1);
	static uint8_t packet[LINK_SOCKET_LONG_MAX];
	struct link_socket *link;
	int wire, count, size = 0;

	(void)state;
	LAB_OR_SKIP();
	lab_run("ip link set eth0 mtu 65535 && ip link set peer0 mtu 65535");
	link = open_on("eth0", FAMILY_IPV4);
	lab_run("ip link set eth0 down && ip link set eth0 up");
	lab_await_up(0);
	wire = lab_wire("peer0");
	memcpy(packet, start.bytes, start.size);
	packet[sizeof packet - 1] = 77;
	lab_put(wire, &group, packet, start.size);
	put_long(wire, &group, packet, sizeof packet);
	while (size < LINK_SOCKET_LONG_MAX) {
		assert_true(lab_wait(link_socket_fd(link), LAB_PATIENCE));
		count = link_socket_receive_long(link_socket_fd(link), room, received, LINK_SOCKET_BATCH);
		assert_true(count >= 0);
		if (count > 0) {
			size = (int)received[count - 1].length;
			assert_false(received[count - 1].truncated);
		}
		if (size == LINK_SOCKET_LONG_MAX)
			assert_memory_equal(received[count - 1].data, packet, sizeof packet);
		link_room_release(room);
	}
	assert_int_equal(link_socket_receive_long(link_socket_fd(link), room, received, LINK_SOCKET_BATCH),
	                 0);
	close(wire);
	link_socket_close(link);
	link_room_free(room);
	lab_run("ip link set eth0 mtu 1500 && ip link set peer0 mtu 1500");
}

#define MANY 200 /* more than one batch */

/* Waits for a frame sent from here and returns its number. */
static int take_sent(int wire, enum family family, struct lab_frame *frame)
{
	int64_t until = lab_now() + LAB_PATIENCE;
	int number;

	do
		assert_true(lab_take_frame(wire, frame, until));
	while ((number = number_of(family, frame->bytes + 14)) < 0);
	return number;
}

static void sent_packets_go_out_in_order_to_the_groups_address(void **state)
{
	(void)state;
	LAB_OR_SKIP();
	for (int family = 0; family < FAMILIES; family++) {
		static struct craft packets[MANY];
		struct link_send sends[MANY];
		struct link_socket *link = open_on("eth0", family);
		int wire = lab_wire("peer0");

		for (uint8_t i = 0; i < MANY; i++) {
			packets[i] = report(family, i);
			sends[i] = (struct link_send){packets[i].bytes, packets[i].size,
			                              nth_addr(groups[family], i)};
		}
		assert_int_equal(link_socket_send(link, sends, MANY), MANY);
		for (int i = 0; i < MANY; i++) {
			uint8_t mac[ETH_ALEN];
			struct lab_frame frame;

			assert_int_equal(take_sent(wire, family, &frame), i);
			lab_group_mac(&sends[i].destination, mac);
			assert_memory_equal(frame.bytes, mac, ETH_ALEN);
			assert_int_equal(wire_get16(frame.bytes + 12), lab_type(family));
			assert_int_equal(frame.size, 14 + packets[i].size);
			assert_memory_equal(frame.bytes + 14, packets[i].bytes, packets[i].size);
		}
		assert_int_equal(link_socket_send(link, NULL, 0), 0);
		close(wire);
		link_socket_close(link);
	}
}

static void group_addresses_are_mapped_as_the_standards_say(void **state)
{
	static const struct {
		const char *group;
		uint8_t mac[ETH_ALEN];
	} rows[] = {
		{"224.0.0.1", {0x01, 0x00, 0x5e, 0, 0, 1}},
		{"224.0.0.22", {0x01, 0x00, 0x5e, 0, 0, 0x16}},
		{"239.255.255.250", {0x01, 0x00, 0x5e, 0x7f, 0xff, 0xfa}},
		{"232.129.2.3", {0x01, 0x00, 0x5e, 0x01, 2, 3}},
		{"ff02::1", {0x33, 0x33, 0, 0, 0, 1}},
		{"ff02::16", {0x33, 0x33, 0, 0, 0, 0x16}},
		{"ff3e::89ab:cdef", {0x33, 0x33, 0x89, 0xab, 0xcd, 0xef}},
	};

	(void)state;
	LAB_OR_SKIP();
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct addr group = addr_of(rows[i].group);
		enum family family = addr_family(&group);
		struct link_socket *link = open_on("eth0", family);
		struct craft packet = report(family, 1);
		struct link_send send = {packet.bytes, packet.size, group};
		int wire = lab_wire("peer0");
		struct lab_frame frame;

		assert_int_equal(link_socket_send(link, &send, 1), 1);
		take_sent(wire, family, &frame);
		assert_memory_equal(frame.bytes, rows[i].mac, ETH_ALEN);
		close(wire);
		link_socket_close(link);
	}
}

/* Own reports of the kernel, looped or not, and what is sent from here. */
static void own_packets_are_not_seen(void **state)
{
	(void)state;
	LAB_OR_SKIP();
	for (int family = 0; family < FAMILIES; family++) {
		struct addr group = addr_of(groups[family]);
		struct link_socket *link = open_on("eth0", family), *other = open_on("eth0", family);
		struct craft own = report(family, 1), last = report(family, 2);
		struct link_send send = {own.bytes, own.size, group};
		int wire = lab_wire("peer0");

		assert_int_equal(link_socket_send(link, &send, 1), 1);
		lab_put(wire, &group, last.bytes, last.size);
		assert_true(take_until(link, family, 2) == 4);
		assert_true(take_until(other, family, 2) == 4);
		close(wire);
		link_socket_close(link);
		link_socket_close(other);
	}
}

static bool is_member(const char *name, enum family family, const char *group)
{
	if (family == FAMILY_IPV4)
		return lab_holds("ip -4 maddr show dev %s | grep -q 'inet  %s$'", name, group);
	return lab_holds("ip -6 maddr show dev %s | grep -q 'inet6 %s$'", name, group);
}

static bool is_all_multicast(const char *name)
{
	return lab_holds("ip -d link show %s | grep -q 'allmulti 1'", name);
}

static void link_is_a_member_of_the_routers_groups(void **state)
{
	static const char *const names[FAMILIES][2] = {{"224.0.0.2", "224.0.0.22"}, {"ff02::2", "ff02::16"}};

	(void)state;
	LAB_OR_SKIP();
	for (int family = 0; family < FAMILIES; family++) {
		struct link_socket *link = open_on("eth0", family);

		assert_true(is_member("eth0", family, names[family][0]));
		assert_true(is_member("eth0", family, names[family][1]));
		assert_true(is_all_multicast("eth0"));
		link_socket_close(link);
		assert_false(is_member("eth0", family, names[family][0]));
		assert_false(is_member("eth0", family, names[family][1]));
		assert_false(is_all_multicast("eth0"));
	}
}

static void works_again_after_the_link_was_down(void **state)
{
	(void)state;
	LAB_OR_SKIP();
	for (int family = 0; family < FAMILIES; family++) {
		struct addr group = addr_of(groups[family]);
		struct craft packet = report(family, 1);
		struct link_send send = {packet.bytes, packet.size, group};
		struct link_packet packets[LINK_SOCKET_BATCH];
		struct link_socket *link;
		struct lab_frame frame;
		int wire;

		/* Opened while it is down. */
		lab_add_pair(1);
		lab_run("ip link set eth1 down");
		link = open_on("eth1", family);
		assert_int_equal(receive(link, packets, LINK_SOCKET_BATCH), 0);
		assert_int_equal(link_socket_send(link, &send, 1), -ENETDOWN);
		lab_run("ip link set eth1 up");
		lab_await_up(1);
		wire = lab_wire("peer1");
		lab_put(wire, &group, packet.bytes, packet.size);
		assert_true(take_until(link, family, 1) == 2);

		/* Down and up, then read first. */
		lab_run("ip link set eth1 down");
		assert_true(receive(link, packets, LINK_SOCKET_BATCH) >= 0);
		lab_run("ip link set eth1 up");
		lab_await_up(1);
		lab_put(wire, &group, packet.bytes, packet.size);
		assert_true(take_until(link, family, 1) == 2);

		/* Down and up, then send first. */
		lab_run("ip link set eth1 down && ip link set eth1 up");
		lab_await_up(1);
		assert_int_equal(link_socket_send(link, &send, 1), 1);
		assert_int_equal(take_sent(wire, family, &frame), 1);

		/* Deleted. */
		lab_del_pair(1);
		/* What came before is still read. */
		for (int i = 0; i < 3; i++)
			assert_true(receive(link, packets, LINK_SOCKET_BATCH) >= 0);
		assert_int_equal(receive(link, packets, LINK_SOCKET_BATCH), 0);
		assert_true(link_socket_send(link, &send, 1) < 0);
		assert_int_equal(link_socket_drops(link), 0);
		close(wire);
		link_socket_close(link);
	}
}

static int open_tun(const char *name)
{
	struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	if (fd >= 0 && ioctl(fd, TUNSETIFF, &request) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* A link without link-layer addresses: packets come and go bare. */
static void tunnel_needs_no_link_layer_address(void **state)
{
	int tun;

	(void)state;
	LAB_OR_SKIP();
	tun = open_tun("tun0");
	if (tun < 0) {
		print_message("skipped: no /dev/net/tun\n");
		skip();
	}
	lab_run("ip link set tun0 up multicast on");
	for (int family = 0; family < FAMILIES; family++) {
		struct link_socket *link = open_on("tun0", family);
		struct craft in = report(family, 1), out = report(family, 2);
		struct link_send send = {out.bytes, out.size, addr_of(groups[family])};
		uint8_t bytes[2000] = {0};
		ssize_t size;

		assert_int_equal(write(tun, in.bytes, in.size), (ssize_t)in.size);
		assert_true(take_until(link, family, 1) == 2);
		assert_int_equal(link_socket_send(link, &send, 1), 1);
		do {
			assert_true(lab_wait(tun, LAB_PATIENCE));
			size = read(tun, bytes, sizeof bytes);
		} while (bytes[0] >> 4 != (family == FAMILY_IPV4 ? 4 : 6) || number_of(family, bytes) != 2);
		assert_int_equal(size, (ssize_t)out.size);
		assert_memory_equal(bytes, out.bytes, out.size);
		link_socket_close(link);
	}
	close(tun);
}

/* Puts that many reports on the wire of eth0 and sees them arrive. */
static void put_reports(int count)
{
	struct addr group = addr_of(groups[FAMILY_IPV4]);
	struct craft packet = report(FAMILY_IPV4, 1);
	int wire = lab_wire("peer0"), arrivals = lab_wire("eth0");

	for (int i = 0; i < count; i++) {
		lab_put(wire, &group, packet.bytes, packet.size);
		if (i % 100 == 99)
			lab_await(arrivals, 100);
	}
	close(wire);
	close(arrivals);
}

/* Reads until so many reports have come. */
static void take_reports(struct link_socket *link, int wanted)
{
	while (wanted > 0) {
		struct link_packet packets[LINK_SOCKET_BATCH];
		int count = receive(link, packets, 1000);

		assert_in_range(count, 0, LINK_SOCKET_BATCH);
		for (int i = 0; i < count; i++)
			wanted -= number_of(FAMILY_IPV4, packets[i].data) == 1;
		if (count == 0)
			assert_true(lab_wait(link_socket_fd(link), LAB_PATIENCE));
	}
}

static void full_buffer_is_counted(void **state)
{
	struct link_socket *link;
	uint32_t dropped;
	int size = 8192;

	(void)state;
	LAB_OR_SKIP();
	link = open_on("eth0", FAMILY_IPV4);
	assert_int_equal(link_socket_drops(link), 0);
	assert_int_equal(setsockopt(link_socket_fd(link), SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
	put_reports(500);
	dropped = link_socket_drops(link);
	/* The kernel's own packets may be among them. */
	assert_in_range(dropped, 300, 510);
	assert_int_equal(link_socket_drops(link), 0);
	take_reports(link, 490 - (int)dropped);
	link_socket_close(link);
}

static void buffer_holds_thousands(void **state)
{
	struct link_socket *link;

	(void)state;
	LAB_OR_SKIP();
	link = open_on("eth0", FAMILY_IPV4);
	put_reports(3000);
	assert_int_equal(link_socket_drops(link), 0);
	take_reports(link, 3000);
	link_socket_close(link);
}

/* Also what has come before and after the link was down. */
static void what_is_out_of_date_is_forgotten(void **state)
{
	struct link_packet packets[LINK_SOCKET_BATCH];
	struct link_socket *link;

	(void)state;
	LAB_OR_SKIP();
	link = open_on("eth0", FAMILY_IPV4);
	put_reports(200);
	lab_run("ip link set eth0 down && ip link set eth0 up");
	lab_await_up(0);
	put_reports(100);
	link_socket_discard(link);
	assert_int_equal(receive(link, packets, LINK_SOCKET_BATCH), 0);
	put_reports(100);
	take_reports(link, 100);
	link_socket_close(link);
}

static void missing_interface_is_an_error(void **state)
{
	struct link_socket *link;

	(void)state;
	LAB_OR_SKIP();
	for (int family = 0; family < FAMILIES; family++)
		assert_int_equal(link_socket_open(&link, 9999, family, -1), -ENODEV);
}

static int set_up(void **state)
{
	if (lab_open(state) == 0 && lab_is_open)
		lab_add_pair(0);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(igmp_passes_and_nothing_else),
		cmocka_unit_test(mld_passes_and_nothing_else),
		cmocka_unit_test(sockets_of_the_families_are_apart),
		cmocka_unit_test(received_packet_is_whole),
		cmocka_unit_test(long_packet_is_cut_and_marked),
		cmocka_unit_test(long_packet_comes_whole_where_it_is_asked_for),
		cmocka_unit_test(sent_packets_go_out_in_order_to_the_groups_address),
		cmocka_unit_test(group_addresses_are_mapped_as_the_standards_say),
		cmocka_unit_test(own_packets_are_not_seen),
		cmocka_unit_test(link_is_a_member_of_the_routers_groups),
		cmocka_unit_test(works_again_after_the_link_was_down),
		cmocka_unit_test(tunnel_needs_no_link_layer_address),
		cmocka_unit_test(full_buffer_is_counted),
		cmocka_unit_test(buffer_holds_thousands),
		cmocka_unit_test(what_is_out_of_date_is_forgotten),
		cmocka_unit_test(missing_interface_is_an_error),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
