/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The MLD codec: known packets, round trips, malformed messages by name, every truncation.
 */
#include "core/wire/mld.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/craft.h"
#include "support/golden.h"

#define GROUP_HEX   "ff050000000000000000000000000002" /* ff05::2 */
#define NOBODY_HEX  "00000000000000000000000000000000" /* :: */
#define UNICAST_HEX "20010db8000000000000000000000001" /* 2001:db8::1 */
#define MAPPED_HEX  "00000000000000000000ffffef010203" /* ::ffff:239.1.2.3 */

static struct packet packet_of(const char *from, const uint8_t *message, size_t size)
{
	return (struct packet){
		.family = FAMILY_IPV6,
		.source = addr_of(from),
		.destination = addr_of("ff02::16"),
		.router_alert = true,
		.payload = message,
		.payload_size = size,
	};
}

static void fix_checksum(const struct packet *packet, uint8_t *message)
{
	if (packet->payload_size < 4)
		return;
	wire_put16(message + 2, 0);
	wire_put16(message + 2, wire_checksum(wire_icmp6_pseudo_sum(&packet->source, &packet->destination,
	                                                            packet->payload_size),
	                                      message, packet->payload_size));
}

/* Decodes the message where it lies alone on the heap, and reads all of it. */
static enum drop decode(const struct packet *given, struct message *message)
{
	uint8_t *copy = heap_copy(given->payload, given->payload_size);
	struct packet packet = *given;
	struct message walk;
	struct record record;
	unsigned sum = 0;
	enum drop drop;

	packet.payload = copy;
	drop = mld_decode(&packet, message);
	walk = *message;
	while (drop == DROP_NONE && message->kind == MESSAGE_REPORT && message_next_record(&walk, &record))
		for (size_t i = 0; i < record.source_count * 16; i++)
			sum += record.sources[i];
	if (drop == DROP_NONE && message->kind == MESSAGE_QUERY)
		for (size_t i = 0; i < message->query.source_count * 16; i++)
			sum += message->query.sources[i];
	assert_true(sum < UINT32_MAX);
	free(copy);
	return drop;
}

static enum drop decode_hex(const char *from, const char *hex, struct message *message)
{
	uint8_t bytes[256];
	struct packet packet = packet_of(from, bytes, golden_read(hex, bytes));

	fix_checksum(&packet, bytes);
	return decode(&packet, message);
}

static void known_queries(void **state)
{
	static const struct {
		const char *hex;
		enum version version;
		const char *group;
		uint32_t max_response;
		bool suppress;
		uint8_t robustness;
		uint32_t query_interval;
		size_t source_count;
	} rows[] = {
		{"8200000027100000" NOBODY_HEX, VERSION_2, "::", 10000, false, 0, 0, 0},
		{"82000000ffff0000" NOBODY_HEX, VERSION_2, "::", 65535, false, 0, 0, 0},
		{"8200000003e80000" GROUP_HEX, VERSION_2, "ff05::2", 1000, false, 0, 0, 0},
		{"8200000027100000" NOBODY_HEX "027d0000", VERSION_3, "::", 10000, false, 2, 125000, 0},
		{"82000000ffff0000" NOBODY_HEX "f7ff0000", VERSION_3, "::", 8387584, false, 7, 31744000, 0},
		{"8200000003e80000" GROUP_HEX "0a7d0000", VERSION_3, "ff05::2", 1000, true, 2, 125000, 0},
		{"8200000003e80000" GROUP_HEX "027d0001" UNICAST_HEX, VERSION_3, "ff05::2", 1000, false, 2,
	         125000, 1},
		{"8200000003e80000" GROUP_HEX "027d0000" UNICAST_HEX, VERSION_3, "ff05::2", 1000, false, 2,
	         125000, 0},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct addr group = addr_of(rows[i].group);
		struct message message;

		assert_int_equal(decode_hex("fe80::1", rows[i].hex, &message), DROP_NONE);
		assert_int_equal(message.kind, MESSAGE_QUERY);
		assert_int_equal(message.family, FAMILY_IPV6);
		assert_int_equal(message.query.version, rows[i].version);
		assert_true(addr_equal(&message.query.group, &group));
		assert_int_equal(message.query.max_response, rows[i].max_response);
		assert_int_equal(message.query.suppress, rows[i].suppress);
		assert_int_equal(message.query.robustness, rows[i].robustness);
		assert_int_equal(message.query.query_interval, rows[i].query_interval);
		assert_int_equal(message.query.source_count, rows[i].source_count);
	}
}

static void known_reports(void **state)
{
	static const struct {
		const char *hex;
		enum version version;
		enum record_type type;
		size_t sources;
		bool any;
	} rows[] = {
		{"8300000000000000" GROUP_HEX, VERSION_2, IS_EX, 0, true},
		{"8300000000000000" GROUP_HEX "00000000", VERSION_2, IS_EX, 0, true},
		{"8400000000000000" GROUP_HEX, VERSION_2, TO_IN, 0, true},
		{"8f00000000000000", VERSION_3, 0, 0, false},
		{"8f0000000000000102000000" GROUP_HEX, VERSION_3, IS_EX, 0, true},
		{"8f0000000000000105000001" GROUP_HEX UNICAST_HEX, VERSION_3, ALLOW, 1, true},
		{"8f0000000000000105010000" GROUP_HEX "ffffffff", VERSION_3, ALLOW, 0, true},
		{"8f00000000000001ff000000" GROUP_HEX, VERSION_3, 0xff, 0, true},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		uint8_t bytes[256];
		struct packet packet = packet_of("fe80::1", bytes, golden_read(rows[i].hex, bytes));
		struct addr group = addr_of("ff05::2");
		struct message message;
		struct record record;

		fix_checksum(&packet, bytes);
		assert_int_equal(mld_decode(&packet, &message), DROP_NONE);
		assert_int_equal(message.report.version, rows[i].version);
		assert_int_equal(message_next_record(&message, &record), rows[i].any);
		if (!rows[i].any)
			continue;
		assert_int_equal(record.type, rows[i].type);
		assert_int_equal(record.source_count, rows[i].sources);
		assert_true(addr_equal(&record.group, &group));
		assert_false(message_next_record(&message, &record));
	}
}

static void malformed_messages(void **state)
{
	static const struct {
		const char *what, *hex;
		enum drop drop;
	} rows[] = {
		{"nothing", "", DROP_LENGTH},
		{"a byte", "83", DROP_LENGTH},
		{"seven bytes", "83000000000000", DROP_LENGTH},
		{"unknown type", "0000000000000000" GROUP_HEX, DROP_TYPE},
		{"echo request", "8000000000000000" GROUP_HEX, DROP_TYPE},
		{"router solicitation", "8500000000000000", DROP_TYPE},
		{"report of 23 bytes", "8300000000000000ff0500000000000000000000000000", DROP_LENGTH},
		{"report of 8 bytes", "8300000000000000", DROP_LENGTH},
		{"report for a unicast address", "8300000000000000" UNICAST_HEX, DROP_GROUP},
		{"report for ::", "8300000000000000" NOBODY_HEX, DROP_GROUP},
		{"report for a v4-mapped group", "8300000000000000" MAPPED_HEX, DROP_GROUP},
		{"done of a unicast address", "8400000000000000" UNICAST_HEX, DROP_GROUP},
		{"done of a v4-mapped group", "8400000000000000" MAPPED_HEX, DROP_GROUP},
		{"done of 20 bytes", "8400000000000000ff0500000000000000000000", DROP_LENGTH},
		{"query of 23 bytes", "8200000000000000ff0500000000000000000000000000", DROP_LENGTH},
		{"query of 25 bytes", "8200000000000000" GROUP_HEX "02", DROP_LENGTH},
		{"query of 27 bytes", "8200000000000000" GROUP_HEX "027d00", DROP_LENGTH},
		{"query for a unicast address", "8200000000000000" UNICAST_HEX, DROP_GROUP},
		{"query for a v4-mapped group", "8200000000000000" MAPPED_HEX, DROP_GROUP},
		{"query for v4-mapped 0.0.0.0", "820000000000000000000000000000000000ffff00000000",
	         DROP_GROUP},
		{"query with a source too few", "8200000003e80000" GROUP_HEX "027d0002" UNICAST_HEX,
	         DROP_LENGTH},
		{"query with 65535 sources", "8200000003e80000" GROUP_HEX "027dffff" UNICAST_HEX,
	         DROP_LENGTH},
		{"report without its record", "8f00000000000001", DROP_LENGTH},
		{"report with a record too few", "8f0000000000000202000000" GROUP_HEX, DROP_LENGTH},
		{"report with 65535 records", "8f0000000000ffff02000000" GROUP_HEX, DROP_LENGTH},
		{"record with a source too few", "8f0000000000000102000002" GROUP_HEX UNICAST_HEX,
	         DROP_LENGTH},
		{"record with 65535 sources", "8f000000000000010200ffff" GROUP_HEX UNICAST_HEX, DROP_LENGTH},
		{"record without its auxiliary data", "8f0000000000000102010000" GROUP_HEX, DROP_LENGTH},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct message message;
		enum drop drop = decode_hex("fe80::1", rows[i].hex, &message);

		if (drop != rows[i].drop)
			fail_msg("%s: %s", rows[i].what, drop_name(drop));
	}
}

/* RFC 9777 sections 5.1.14 and 5.2.14: who may send what. */
static void senders(void **state)
{
	static const struct {
		const char *from;
		enum drop query, report;
	} rows[] = {
		{"fe80::1", DROP_NONE, DROP_NONE},
		{"febf::1", DROP_NONE, DROP_NONE},
		{"::", DROP_SOURCE_ADDRESS, DROP_UNSPECIFIED},
		{"2001:db8::1", DROP_SOURCE_ADDRESS, DROP_SOURCE_ADDRESS},
		{"::1", DROP_SOURCE_ADDRESS, DROP_SOURCE_ADDRESS},
		{"fec0::1", DROP_SOURCE_ADDRESS, DROP_SOURCE_ADDRESS},
		{"ff02::1", DROP_SOURCE_ADDRESS, DROP_SOURCE_ADDRESS},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct message message;

		assert_int_equal(decode_hex(rows[i].from, "8200000027100000" NOBODY_HEX, &message),
		                 rows[i].query);
		assert_int_equal(decode_hex(rows[i].from, "8300000000000000" GROUP_HEX, &message),
		                 rows[i].report);
		assert_int_equal(decode_hex(rows[i].from, "8400000000000000" GROUP_HEX, &message),
		                 rows[i].report);
		assert_int_equal(decode_hex(rows[i].from, "8f0000000000000102000000" GROUP_HEX, &message),
		                 rows[i].report);
	}
}

static const char *const all_golden[] = {GOLDEN_MLD2_QUERY, GOLDEN_MLD1_REPORT, GOLDEN_MLD1_DONE,
                                         GOLDEN_MLD2_REPORT};

static void without_router_alert(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(all_golden); i++) {
		uint8_t bytes[256];
		size_t size = golden_read(all_golden[i], bytes);
		struct packet packet;
		struct message message;

		assert_int_equal(packet_parse(FAMILY_IPV6, bytes, size, &packet), DROP_NONE);
		assert_int_equal(decode(&packet, &message), DROP_NONE);
		packet.router_alert = false;
		assert_int_equal(decode(&packet, &message), DROP_ROUTER_ALERT);
	}
}

static void no_single_bit_changes_unseen(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(all_golden); i++) {
		uint8_t bytes[256];
		size_t size = golden_read(all_golden[i], bytes);
		struct message message;

		/* The message, and the addresses of the header, which the checksum covers too. */
		for (size_t bit = 8 * 8; bit < size * 8; bit++) {
			struct packet packet;

			if (bit >= (size_t)40 * 8 && bit < (size_t)PACKET_HEADER_IPV6 * 8)
				continue;
			bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
			assert_int_equal(packet_parse(FAMILY_IPV6, bytes, size, &packet), DROP_NONE);
			assert_int_equal(decode(&packet, &message), DROP_CHECKSUM);
			bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
}

/* With a checksum that is right. A query is one of MLDv1 at exactly 24 bytes; nothing else is valid
 * shortened. */
static void truncations(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(all_golden); i++) {
		uint8_t bytes[256];
		size_t size = golden_read(all_golden[i], bytes);
		struct packet packet;
		struct message message;

		assert_int_equal(packet_parse(FAMILY_IPV6, bytes, size, &packet), DROP_NONE);
		while (packet.payload_size-- > 0) {
			fix_checksum(&packet, bytes + PACKET_HEADER_IPV6);
			if (packet.payload_size == 24 && bytes[PACKET_HEADER_IPV6] == 130)
				assert_int_equal(decode(&packet, &message), DROP_NONE);
			else
				assert_int_equal(decode(&packet, &message), DROP_LENGTH);
		}
	}
}

static void encodes_as_another_program_does(void **state)
{
	const struct addr from = addr_of("fe80::1"), group = addr_of("ff05::2"),
			  first = addr_of("ff05::1234"), second = addr_of("ff3e::1"),
			  source = addr_of("2001:db8::1");
	const struct query query = {
		.version = VERSION_3, .max_response = 10000, .robustness = 2, .query_interval = 125000};
	uint8_t expected[256], bytes[256];
	struct report_writer writer;
	size_t size;

	(void)state;
	size = golden_read(GOLDEN_MLD2_QUERY, expected) - PACKET_HEADER_IPV6;
	assert_int_equal(mld_encode_query(bytes, &query, NULL, &from, &mld_all_nodes), size);
	assert_memory_equal(bytes, expected + PACKET_HEADER_IPV6, size);
	size = golden_read(GOLDEN_MLD1_REPORT, expected) - PACKET_HEADER_IPV6;
	assert_int_equal(mld_encode_report(bytes, &group, &from), size);
	assert_memory_equal(bytes, expected + PACKET_HEADER_IPV6, size);
	size = golden_read(GOLDEN_MLD1_DONE, expected) - PACKET_HEADER_IPV6;
	assert_int_equal(mld_encode_done(bytes, &group, &from), size);
	assert_memory_equal(bytes, expected + PACKET_HEADER_IPV6, size);
	size = golden_read(GOLDEN_MLD2_REPORT, expected) - PACKET_HEADER_IPV6;
	report_writer_open(&writer, FAMILY_IPV6, bytes, sizeof bytes);
	assert_int_equal(report_writer_add(&writer, TO_EX, &first, NULL, 0), 0);
	assert_int_equal(report_writer_add(&writer, ALLOW, &second, &source, 1), 1);
	assert_int_equal(mld_finish_report(&writer, &from), size);
	assert_memory_equal(bytes, expected + PACKET_HEADER_IPV6, size);
}

static void queries_round_trip(void **state)
{
	static const struct {
		enum version version;
		uint32_t max_response, back;
	} rows[] = {
		{VERSION_2, 0, 0},
		{VERSION_2, 10000, 10000},
		{VERSION_2, 65535, 65535},
		{VERSION_2, 65536, 65535},
		{VERSION_1, 1000, 1000},
		{VERSION_3, 0, 0},
		{VERSION_3, 32767, 32767},
		{VERSION_3, 32769, 32768},
		{VERSION_3, 8387584, 8387584},
		{VERSION_3, 99999999, 8387584},
	};
	const struct addr from = addr_of("fe80::1"), group = addr_of("ff05::2");

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct query query = {
			.version = rows[i].version, .group = group, .max_response = rows[i].max_response};
		uint8_t bytes[28];
		struct packet packet =
			packet_of("fe80::1", bytes, mld_encode_query(bytes, &query, NULL, &from, &group));
		struct message message;

		packet.destination = group;
		assert_int_equal(decode(&packet, &message), DROP_NONE);
		assert_int_equal(message.query.version, rows[i].version == VERSION_3 ? VERSION_3 : VERSION_2);
		assert_int_equal(message.query.max_response, rows[i].back);
	}
}

static void v2_query_round_trip(void **state)
{
	const struct addr from = addr_of("fe80::1"), group = addr_of("ff05::2");
	struct addr sources[20];

	(void)state;
	for (size_t count = 0; count <= LENGTH(sources); count++) {
		struct query query = {
			.version = VERSION_3,
			.group = group,
			.max_response = 1000,
			.suppress = count % 2,
			.robustness = (uint8_t)count, /* above 7: told as 0 */
			.query_interval = 60000,
			.source_count = count,
		};
		uint8_t *bytes = heap_copy((uint8_t[28 + 16 * 20]){0}, 28 + 16 * count);
		struct packet packet = packet_of("fe80::1", bytes, 28 + 16 * count);
		struct message message;

		for (size_t i = 0; i < count; i++)
			sources[i] = nth_addr("2001:db8::1", (uint32_t)i * 300);
		packet.destination = group;
		assert_int_equal(mld_encode_query(bytes, &query, sources, &from, &group),
		                 packet.payload_size);
		assert_int_equal(mld_decode(&packet, &message), DROP_NONE);
		assert_int_equal(message.query.suppress, query.suppress);
		assert_int_equal(message.query.robustness, count <= 7 ? count : 0);
		assert_int_equal(message.query.query_interval, 60000);
		assert_int_equal(message.query.source_count, count);
		assert_memory_equal(message.query.sources, sources, count * 16);
		free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_queries),        cmocka_unit_test(known_reports),
		cmocka_unit_test(malformed_messages),   cmocka_unit_test(senders),
		cmocka_unit_test(without_router_alert), cmocka_unit_test(no_single_bit_changes_unseen),
		cmocka_unit_test(truncations),          cmocka_unit_test(encodes_as_another_program_does),
		cmocka_unit_test(queries_round_trip),   cmocka_unit_test(v2_query_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
