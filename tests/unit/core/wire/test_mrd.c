/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The codec of router discovery: packets as scapy makes them, malformed messages, every truncation.
 */
#include "core/wire/mrd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/craft.h"
#include "support/golden.h"

#define HOP_BY_HOP "3a00050200000100"

/* From 10.0.0.1 and fe80::1: every 20 s, query interval 125 s, robustness 2. */
static const struct {
	enum family family;
	enum mrd_type type;
	const char *hex;
} goldens[] = {
	{FAMILY_IPV4, MRD_ADVERTISEMENT, "46c00020000040000102f9ac0a000001e000006a940400003014cf6c007d0002"},
	{FAMILY_IPV4, MRD_SOLICITATION, "46c0001c000040000102fa180a000001e0000002940400003100ceff"},
	{FAMILY_IPV4, MRD_TERMINATION, "46c0001c000040000102f9b00a000001e000006a940400003200cdff"},
	{FAMILY_IPV6, MRD_ADVERTISEMENT,
         "6000000000100001fe800000000000000000000000000001ff02000000000000000000000000006a" HOP_BY_HOP
         "97146a3b007d0002"},
	{FAMILY_IPV6, MRD_SOLICITATION,
         "60000000000c0001fe800000000000000000000000000001ff020000000000000000000000000002" HOP_BY_HOP
         "98006a3a"},
	{FAMILY_IPV6, MRD_TERMINATION,
         "60000000000c0001fe800000000000000000000000000001ff02000000000000000000000000006a" HOP_BY_HOP
         "990068d2"},
};

static struct craft golden_of(size_t i)
{
	struct craft craft;

	craft.size = golden_read(goldens[i].hex, craft.bytes);
	return craft;
}

static enum drop decode(enum family family, const struct craft *craft, enum mrd_type *type)
{
	uint8_t *copy = heap_copy(craft->bytes, craft->size);
	struct packet packet;
	enum drop drop;

	assert_int_equal(packet_parse(family, copy, craft->size, &packet), DROP_NONE);
	assert_true(mrd_is_message(&packet));
	drop = mrd_decode(&packet, type);
	free(copy);
	return drop;
}

static void known_messages_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(goldens); i++) {
		struct craft craft = golden_of(i);
		enum mrd_type type;

		assert_int_equal(decode(goldens[i].family, &craft, &type), DROP_NONE);
		assert_int_equal(type, goldens[i].type);
	}
}

static void messages_are_written_as_scapy_does(void **state)
{
	static const struct mrd_advertisement advertisement = {
		.advertisement_interval = 20, .query_interval = 125999, .robustness = 2};

	(void)state;
	for (size_t i = 0; i < LENGTH(goldens); i++) {
		enum family family = goldens[i].family;
		struct addr source = addr_of(family == FAMILY_IPV4 ? "10.0.0.1" : "fe80::1");
		struct craft craft = golden_of(i), built;
		uint8_t *message = built.bytes + packet_header_size(family);
		size_t size;

		if (goldens[i].type == MRD_SOLICITATION)
			continue;
		memset(built.bytes, 0xff, sizeof built.bytes);
		size = goldens[i].type == MRD_ADVERTISEMENT
		               ? mrd_encode_advertisement(message, &source, &advertisement)
		               : mrd_encode_termination(message, &source);
		assert_true(size <= MRD_MESSAGE_MAX);
		built.size = packet_finish(family, built.bytes, &source, &mrd_all_snoopers[family], size);
		assert_int_equal(built.size, craft.size);
		assert_memory_equal(built.bytes, craft.bytes, craft.size);
	}
}

/* The fields have 16 bits. */
static void largest_values_fit(void **state)
{
	static const struct mrd_advertisement advertisement = {
		.advertisement_interval = 180, .query_interval = UINT32_MAX, .robustness = 255};
	struct addr source = addr_of("10.0.0.1");
	uint8_t message[MRD_MESSAGE_MAX];

	(void)state;
	assert_int_equal(mrd_encode_advertisement(message, &source, &advertisement), 8);
	assert_int_equal(message[1], 180);
	assert_int_equal(wire_get16(message + 4), UINT16_MAX);
	assert_int_equal(wire_get16(message + 6), 255);
	assert_int_equal(wire_checksum(0, message, 8), 0);
}

static void malformed_messages_are_dropped(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(goldens); i++) {
		enum family family = goldens[i].family;
		size_t header = packet_header_size(family), whole = golden_of(i).size - header;
		struct craft craft = golden_of(i);
		enum mrd_type type;

		craft.bytes[header + 3] ^= 1;
		assert_int_equal(decode(family, &craft, &type), DROP_CHECKSUM);
		for (size_t size = 4; size < whole; size++) {
			craft = golden_of(i);
			craft_resize(&craft, family, size);
			assert_int_equal(decode(family, &craft, &type), DROP_LENGTH);
		}
		/* Octets behind the message only count in the checksum. */
		craft = golden_of(i);
		memset(craft.bytes + craft.size, 0x55, 8);
		craft_resize(&craft, family, whole + 8);
		assert_int_equal(decode(family, &craft, &type), DROP_NONE);
	}
}

static void senders_are_checked(void **state)
{
	static const struct {
		enum family family;
		const char *source;
		bool router_alert;
		enum drop drop;
	} rows[] = {
		{FAMILY_IPV4, "10.0.0.5", true, DROP_NONE},
		{FAMILY_IPV4, "0.0.0.0", true, DROP_NONE}, /* a switch without an address */
		{FAMILY_IPV4, "10.0.0.5", false, DROP_ROUTER_ALERT},
		{FAMILY_IPV6, "fe80::5", true, DROP_NONE},
		{FAMILY_IPV6, "::", true, DROP_NONE},
		{FAMILY_IPV6, "fe80::5", false, DROP_ROUTER_ALERT},
		{FAMILY_IPV6, "2001:db8::5", true, DROP_SOURCE_ADDRESS},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		enum family family = rows[i].family;
		uint8_t message[4] = {family == FAMILY_IPV4 ? 0x31 : 152};
		struct packet packet = {.family = family,
		                        .source = addr_of(rows[i].source),
		                        .destination = family == FAMILY_IPV4 ? addr_of("224.0.0.2")
		                                                             : mld_all_routers,
		                        .router_alert = rows[i].router_alert,
		                        .payload = message,
		                        .payload_size = sizeof message};
		uint32_t partial =
			family == FAMILY_IPV4
				? 0
				: wire_icmp6_pseudo_sum(&packet.source, &packet.destination, sizeof message);
		enum mrd_type type;

		wire_put16(message + 2, wire_checksum(partial, message, sizeof message));
		assert_int_equal(mrd_decode(&packet, &type), rows[i].drop);
	}
}

static void other_messages_are_none(void **state)
{
	(void)state;
	for (int family = 0; family < FAMILIES; family++) {
		struct packet packet = {.family = (enum family)family};
		uint8_t first = family == FAMILY_IPV4 ? 0x30 : 151;

		assert_false(mrd_is_message(&packet)); /* empty */
		for (int type = 0; type <= UINT8_MAX; type++) {
			uint8_t message = (uint8_t)type;

			packet.payload = &message;
			packet.payload_size = 1;
			assert_int_equal(mrd_is_message(&packet), type >= first && type <= first + 2);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_messages_are_read),
		cmocka_unit_test(messages_are_written_as_scapy_does),
		cmocka_unit_test(largest_values_fit),
		cmocka_unit_test(malformed_messages_are_dropped),
		cmocka_unit_test(senders_are_checked),
		cmocka_unit_test(other_messages_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
