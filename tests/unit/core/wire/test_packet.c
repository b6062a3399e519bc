/* SPDX-License-Identifier: BSD-2-Clause
 *
 * IP headers: malformed ones by name, every truncation, headers built and read again.
 */
#include "core/wire/packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/craft.h"
#include "support/golden.h"

#define CHANGES 8

/* One byte of a good packet, and what it becomes. */
struct change {
	uint16_t at;
	uint8_t to;
};

static struct craft read_golden(const char *hex)
{
	struct craft craft = {0};

	craft.size = golden_read(hex, craft.bytes);
	return craft;
}

static enum drop parse(enum family family, const struct craft *craft, struct packet *packet)
{
	uint8_t *copy = heap_copy(craft->bytes, craft->size);
	enum drop drop = packet_parse(family, copy, craft->size, packet);

	if (drop == DROP_NONE)
		assert_in_range((uintptr_t)packet->payload + packet->payload_size, (uintptr_t)copy,
		                (uintptr_t)copy + craft->size);
	free(copy);
	return drop;
}

static void good_packets(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(golden_packets); i++) {
		struct craft craft = read_golden(golden_packets[i].hex);
		enum family family = golden_packets[i].family;
		struct packet packet;

		assert_int_equal(parse(family, &craft, &packet), DROP_NONE);
		assert_int_equal(packet.family, family);
		assert_true(packet.router_alert);
		assert_int_equal(packet.payload_size, craft.size - packet_header_size(family));
	}
}

static void fields_of_a_good_packet(void **state)
{
	struct craft craft = read_golden(GOLDEN_V3_REPORT);
	struct addr from = addr_of("10.0.0.5"), to = addr_of("224.0.0.22");
	struct packet packet;

	(void)state;
	assert_int_equal(packet_parse(FAMILY_IPV4, craft.bytes, craft.size, &packet), DROP_NONE);
	assert_true(addr_equal(&packet.source, &from));
	assert_true(addr_equal(&packet.destination, &to));
	assert_ptr_equal(packet.payload, craft.bytes + 24);
	craft = read_golden(GOLDEN_MLD2_REPORT);
	from = addr_of("fe80::1"), to = addr_of("ff02::16");
	assert_int_equal(packet_parse(FAMILY_IPV6, craft.bytes, craft.size, &packet), DROP_NONE);
	assert_true(addr_equal(&packet.source, &from));
	assert_true(addr_equal(&packet.destination, &to));
	assert_ptr_equal(packet.payload, craft.bytes + 48);
}

static void packets_of_the_other_family(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(golden_packets); i++) {
		struct craft craft = read_golden(golden_packets[i].hex);
		enum family other = golden_packets[i].family == FAMILY_IPV4 ? FAMILY_IPV6 : FAMILY_IPV4;
		struct packet packet;

		assert_int_equal(parse(other, &craft, &packet), DROP_IP_HEADER);
	}
}

/* The header's checksum is put right after the change unless it says otherwise. */
static void malformed_ipv4(void **state)
{
	static const struct {
		const char *what;
		struct change changes[CHANGES];
		bool keep_checksum;
		enum drop drop;
	} rows[] = {
		{"version 5", {{0, 0x56}}, false, DROP_IP_HEADER},
		{"version 6", {{0, 0x66}}, false, DROP_IP_HEADER},
		{"header of 16 bytes", {{0, 0x44}}, false, DROP_IP_HEADER},
		{"header of 0 bytes", {{0, 0x40}}, false, DROP_IP_HEADER},
		{"header longer than the packet", {{0, 0x4f}}, false, DROP_IP_HEADER},
		{"total length below the header", {{3, 23}}, false, DROP_IP_HEADER},
		{"total length 0", {{2, 0}, {3, 0}}, false, DROP_IP_HEADER},
		{"total length above what came", {{3, 0x39}}, false, DROP_IP_HEADER},
		{"total length 65535", {{2, 0xff}, {3, 0xff}}, false, DROP_IP_HEADER},
		{"UDP", {{9, 17}}, false, DROP_IP_HEADER},
		{"ICMP", {{9, 1}}, false, DROP_IP_HEADER},
		{"header checksum", {{10, 0}}, true, DROP_IP_CHECKSUM},
		{"a bit of the source", {{15, 0}}, true, DROP_IP_CHECKSUM},
		{"first fragment", {{6, 0x20}}, false, DROP_FRAGMENT},
		{"a later fragment", {{7, 1}}, false, DROP_FRAGMENT},
		{"the last fragment", {{6, 0x1f}, {7, 0xff}}, false, DROP_FRAGMENT},
		{"TTL 0", {{8, 0}}, false, DROP_TTL},
		{"TTL 2", {{8, 2}}, false, DROP_TTL},
		{"TTL 255", {{8, 255}}, false, DROP_TTL},
		{"option of length 0", {{21, 0}}, false, DROP_IP_HEADER},
		{"option of length 1", {{21, 1}}, false, DROP_IP_HEADER},
		{"option past the header", {{21, 5}}, false, DROP_IP_HEADER},
		{"option without length", {{20, 1}, {21, 1}, {22, 1}, {23, 148}}, false, DROP_IP_HEADER},
		{"no-operation, then an option past the header",
	         {{20, 1}, {21, 7}, {22, 4}},
	         false,
	         DROP_IP_HEADER},
		{"no fragment, but DF", {{6, 0x40}}, false, DROP_NONE},
		{"the reserved flag", {{6, 0x80}}, false, DROP_NONE},
		{"other TOS", {{1, 0}}, false, DROP_NONE},
		{"shorter total length: padding behind", {{3, 0x28}}, false, DROP_NONE},
		{"total length of the header alone", {{3, 0x18}}, false, DROP_NONE},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct craft craft = read_golden(GOLDEN_V3_REPORT);
		struct packet packet;
		enum drop drop;

		for (size_t n = 0; n < CHANGES && (n == 0 || rows[i].changes[n].at != 0); n++)
			craft.bytes[rows[i].changes[n].at] = rows[i].changes[n].to;
		if (!rows[i].keep_checksum)
			craft_fix_ipv4(&craft);
		drop = parse(FAMILY_IPV4, &craft, &packet);
		if (drop != rows[i].drop)
			fail_msg("%s: %s", rows[i].what, drop_name(drop));
	}
}

static void malformed_ipv6(void **state)
{
	static const struct {
		const char *what;
		struct change changes[CHANGES];
		enum drop drop;
	} rows[] = {
		{"version 4", {{0, 0x45}}, DROP_IP_HEADER},
		{"version 7", {{0, 0x70}}, DROP_IP_HEADER},
		{"payload above what came", {{5, 0x49}}, DROP_IP_HEADER},
		{"payload 65535", {{4, 0xff}, {5, 0xff}}, DROP_IP_HEADER},
		{"payload 0", {{5, 0}}, DROP_IP_HEADER},
		{"payload 1: no room for the hop-by-hop header", {{5, 1}}, DROP_IP_HEADER},
		{"payload 7: a part of the hop-by-hop header", {{5, 7}}, DROP_IP_HEADER},
		{"UDP", {{6, 17}}, DROP_IP_HEADER},
		{"UDP behind hop-by-hop", {{40, 17}}, DROP_IP_HEADER},
		{"a second hop-by-hop header", {{40, 0}}, DROP_IP_HEADER},
		{"routing header", {{40, 43}}, DROP_IP_HEADER},
		{"fragment", {{6, 44}}, DROP_FRAGMENT},
		{"fragment behind hop-by-hop", {{40, 44}}, DROP_FRAGMENT},
		{"hop-by-hop past the packet", {{41, 255}}, DROP_IP_HEADER},
		{"option past the header", {{43, 5}}, DROP_IP_HEADER},
		{"last option without length", {{46, 0}, {47, 1}}, DROP_IP_HEADER},
		{"hop limit 0", {{7, 0}}, DROP_TTL},
		{"hop limit 2", {{7, 2}}, DROP_TTL},
		{"hop limit 255", {{7, 255}}, DROP_TTL},
		{"v4-mapped source", {{8, 0}, {9, 0}, {18, 0xff}, {19, 0xff}}, DROP_IP_HEADER},
		{"v4-mapped destination", {{24, 0}, {25, 0}, {34, 0xff}, {35, 0xff}}, DROP_IP_HEADER},
		{"traffic class and flow label", {{0, 0x6f}, {1, 0xff}, {2, 0xff}, {3, 0xff}}, DROP_NONE},
		{"padding behind the packet", {{5, 0x40}}, DROP_NONE},
		{"four times Pad1 and Router Alert behind",
	         {{42, 0}, {43, 0}, {44, 5}, {45, 2}, {46, 0}, {47, 0}},
	         DROP_NONE},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct craft craft = read_golden(GOLDEN_MLD2_REPORT);
		struct packet packet;
		enum drop drop;

		for (size_t n = 0; n < CHANGES && (n == 0 || rows[i].changes[n].at != 0); n++)
			craft.bytes[rows[i].changes[n].at] = rows[i].changes[n].to;
		drop = parse(FAMILY_IPV6, &craft, &packet);
		if (drop != rows[i].drop)
			fail_msg("%s: %s", rows[i].what, drop_name(drop));
		if (drop == DROP_NONE)
			assert_true(packet.router_alert);
	}
}

static void router_alert_is_seen(void **state)
{
	static const struct {
		enum family family;
		struct change changes[CHANGES];
		bool seen;
	} rows[] = {
		{FAMILY_IPV4, {{20, 148}}, true},
		{FAMILY_IPV4, {{20, 0}}, false},
		{FAMILY_IPV4, {{20, 1}, {21, 1}, {22, 1}, {23, 1}}, false},
		{FAMILY_IPV4, {{20, 68}}, false},
		{FAMILY_IPV6, {{42, 5}}, true},
		{FAMILY_IPV6, {{42, 1}}, false},
		{FAMILY_IPV6, {{45, 1}}, false}, /* value 1: RSVP */
		{FAMILY_IPV6, {{42, 0x1e}}, false},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		enum family family = rows[i].family;
		struct craft craft =
			read_golden(family == FAMILY_IPV4 ? GOLDEN_V3_REPORT : GOLDEN_MLD2_REPORT);
		struct packet packet;

		for (size_t n = 0; n < CHANGES && rows[i].changes[n].at != 0; n++)
			craft.bytes[rows[i].changes[n].at] = rows[i].changes[n].to;
		if (family == FAMILY_IPV4)
			craft_fix_ipv4(&craft);
		assert_int_equal(packet_parse(family, craft.bytes, craft.size, &packet), DROP_NONE);
		assert_int_equal(packet.router_alert, rows[i].seen);
	}
}

static void without_options(void **state)
{
	/* The smallest packets: an IPv4 header of 20 bytes, an IPv6 header with ICMPv6 right behind it. */
	struct craft ipv4 = read_golden("4500001c000000000102ce4a0a000005ef010203"
	                                "1600f8faef010203");
	struct craft ipv6 =
		read_golden("6000000000183a01fe800000000000000000000000000001ff050000000000000000000000000002"
	                    "8300801b00000000ff050000000000000000000000000002");
	struct packet packet;

	(void)state;
	wire_put16(ipv4.bytes + 10, 0);
	wire_put16(ipv4.bytes + 10, wire_checksum(0, ipv4.bytes, 20));
	assert_int_equal(parse(FAMILY_IPV4, &ipv4, &packet), DROP_NONE);
	assert_false(packet.router_alert);
	assert_int_equal(packet.payload_size, 8);
	assert_int_equal(parse(FAMILY_IPV6, &ipv6, &packet), DROP_NONE);
	assert_false(packet.router_alert);
	assert_int_equal(packet.payload_size, 24);
}

static void no_truncation_is_accepted(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(golden_packets); i++) {
		struct craft craft = read_golden(golden_packets[i].hex);
		struct packet packet;

		while (craft.size-- > 0)
			assert_int_equal(parse(golden_packets[i].family, &craft, &packet), DROP_IP_HEADER);
	}
}

/* The IP header agrees with the shorter size: what is left of the message is handed on as it is. */
static void truncated_message_is_handed_on(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(golden_packets); i++) {
		struct craft craft = read_golden(golden_packets[i].hex);
		size_t message = craft.size - packet_header_size(golden_packets[i].family);
		struct packet packet;

		while (message-- > 0) {
			craft_resize(&craft, golden_packets[i].family, message);
			assert_int_equal(parse(golden_packets[i].family, &craft, &packet), DROP_NONE);
			assert_int_equal(packet.payload_size, message);
		}
	}
}

static void no_single_bit_changes_an_ipv4_header_unseen(void **state)
{
	(void)state;
	for (size_t bit = 0; bit < (size_t)PACKET_HEADER_IPV4 * 8; bit++) {
		struct craft craft = read_golden(GOLDEN_V3_REPORT);
		struct packet packet;

		craft.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_not_equal(parse(FAMILY_IPV4, &craft, &packet), DROP_NONE);
	}
}

static void built_header_is_as_another_program_builds_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(golden_packets); i++) {
		struct craft craft = read_golden(golden_packets[i].hex), built = craft;
		enum family family = golden_packets[i].family;
		size_t header = packet_header_size(family);
		struct packet packet;

		assert_int_equal(packet_parse(family, craft.bytes, craft.size, &packet), DROP_NONE);
		memset(built.bytes, 0xee, header);
		assert_int_equal(packet_finish(family, built.bytes, &packet.source, &packet.destination,
		                               craft.size - header),
		                 craft.size);
		assert_memory_equal(built.bytes, craft.bytes, craft.size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_packets),
		cmocka_unit_test(fields_of_a_good_packet),
		cmocka_unit_test(packets_of_the_other_family),
		cmocka_unit_test(malformed_ipv4),
		cmocka_unit_test(malformed_ipv6),
		cmocka_unit_test(router_alert_is_seen),
		cmocka_unit_test(without_options),
		cmocka_unit_test(no_truncation_is_accepted),
		cmocka_unit_test(truncated_message_is_handed_on),
		cmocka_unit_test(no_single_bit_changes_an_ipv4_header_unseen),
		cmocka_unit_test(built_header_is_as_another_program_builds_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
