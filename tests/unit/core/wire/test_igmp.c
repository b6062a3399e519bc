/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The IGMP codec: known packets, round trips, malformed messages by name, every truncation.
 */
#include "core/wire/igmp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/craft.h"
#include "support/golden.h"

/* Decodes a message that lies alone on the heap, and reads all of it. */
static enum drop decode(const uint8_t *bytes, size_t size, struct message *message)
{
	uint8_t *copy = heap_copy(bytes, size);
	struct packet packet = {.family = FAMILY_IPV4, .payload = copy, .payload_size = size};
	enum drop drop = igmp_decode(&packet, message);
	struct message walk = *message;
	struct record record;
	unsigned sum = 0;

	while (drop == DROP_NONE && message->kind == MESSAGE_REPORT && message_next_record(&walk, &record))
		for (size_t i = 0; i < record.source_count * 4; i++)
			sum += record.sources[i];
	if (drop == DROP_NONE && message->kind == MESSAGE_QUERY)
		for (size_t i = 0; i < message->query.source_count * 4; i++)
			sum += message->query.sources[i];
	assert_true(sum < UINT32_MAX);
	free(copy);
	return drop;
}

/* A message as hex text, its checksum put right. */
static size_t read_message(const char *hex, uint8_t *bytes)
{
	size_t size = golden_read(hex, bytes);

	if (size >= 4) {
		wire_put16(bytes + 2, 0);
		wire_put16(bytes + 2, wire_checksum(0, bytes, size));
	}
	return size;
}

static size_t message_of(const char *golden, uint8_t *message)
{
	uint8_t packet[128];
	size_t size = golden_read(golden, packet) - PACKET_HEADER_IPV4;

	memcpy(message, packet + PACKET_HEADER_IPV4, size);
	return size;
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
		{"1100000000000000", VERSION_1, "0.0.0.0", 10000, false, 0, 0, 0},
		{"1164000000000000", VERSION_2, "0.0.0.0", 10000, false, 0, 0, 0},
		{"11ff000000000000", VERSION_2, "0.0.0.0", 25500, false, 0, 0, 0},
		{"110a0000ef010203", VERSION_2, "239.1.2.3", 1000, false, 0, 0, 0},
		{"1164000000000000027d0000", VERSION_3, "0.0.0.0", 10000, false, 2, 125000, 0},
		{"1100000000000000027d0000", VERSION_3, "0.0.0.0", 0, false, 2, 125000, 0},
		{"11ff000000000000f7ff0000", VERSION_3, "0.0.0.0", 3174400, false, 7, 31744000, 0},
		{"110a0000ef0102030a000000", VERSION_3, "239.1.2.3", 1000, true, 2, 0, 0},
		{"110a0000ef010203020000020a0000010a000002", VERSION_3, "239.1.2.3", 1000, false, 2, 0, 2},
		{"110a0000ef010203020000010a0000010a0000020a", VERSION_3, "239.1.2.3", 1000, false, 2, 0,
	         1}, /* more behind */
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		uint8_t bytes[64];
		size_t size = read_message(rows[i].hex, bytes);
		struct addr group = addr_of(rows[i].group);
		struct message message;

		assert_int_equal(decode(bytes, size, &message), DROP_NONE);
		assert_int_equal(message.kind, MESSAGE_QUERY);
		assert_int_equal(message.family, FAMILY_IPV4);
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
		enum record_type types[3];
		size_t sources[3];
		size_t records;
	} rows[] = {
		{"12000000ef010203", VERSION_1, {IS_EX}, {0}, 1},
		{"16000000ef010203", VERSION_2, {IS_EX}, {0}, 1},
		{"16640000ef010203", VERSION_2, {IS_EX}, {0}, 1}, /* the code is not looked at */
		{"16000000ef01020300000000",
	         VERSION_2,
	         {IS_EX},
	         {0},
	         1}, /* RFC 2236 section 2.5: longer is fine */
		{"17000000ef010203", VERSION_2, {TO_IN}, {0}, 1},
		{"2200000000000000", VERSION_3, {0}, {0}, 0},
		{"220000000000000103000001ef0102030a000001", VERSION_3, {TO_IN}, {1}, 1},
		{"220000000000000203000001ef0102030a00000106000000ef010203",
	         VERSION_3,
	         {TO_IN, BLOCK},
	         {1, 0},
	         2},
		{"220000000000000201020000ef010203ffffffffffffffff05000000ef010203",
	         VERSION_3,
	         {IS_IN, ALLOW},
	         {0, 0},
	         2},
		{"2200000000000001ff000000ef010203", VERSION_3, {0xff}, {0}, 1}, /* the caller skips it */
		{"22ff0000ffff000001000000ef010203",
	         VERSION_3,
	         {0},
	         {0},
	         0}, /* reserved fields, data behind */
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		uint8_t bytes[64];
		size_t size = read_message(rows[i].hex, bytes), count = 0;
		struct packet packet = {.family = FAMILY_IPV4, .payload = bytes, .payload_size = size};
		struct addr group = addr_of("239.1.2.3");
		struct message message;
		struct record record;

		assert_int_equal(decode(bytes, size, &message), DROP_NONE);
		assert_int_equal(igmp_decode(&packet, &message), DROP_NONE);
		assert_int_equal(message.kind, MESSAGE_REPORT);
		assert_int_equal(message.report.version, rows[i].version);
		for (; message_next_record(&message, &record); count++) {
			assert_int_equal(record.type, rows[i].types[count]);
			assert_int_equal(record.source_count, rows[i].sources[count]);
			assert_true(addr_equal(&record.group, &group));
		}
		assert_int_equal(count, rows[i].records);
	}
}

static void malformed_messages(void **state)
{
	static const struct {
		const char *what, *hex;
		enum drop drop;
	} rows[] = {
		{"nothing", "", DROP_LENGTH},
		{"a byte", "16", DROP_LENGTH},
		{"seven bytes", "16000000ef0102", DROP_LENGTH},
		{"unknown type", "00000000ef010203", DROP_TYPE},
		{"DVMRP", "13000000ef010203", DROP_TYPE},
		{"PIMv1", "14000000ef010203", DROP_TYPE},
		{"mtrace", "1f000000ef010203", DROP_TYPE},
		{"multicast router advertisement", "3000000000000000", DROP_TYPE},
		{"report for a unicast address", "160000000a000001", DROP_GROUP},
		{"report for 0.0.0.0", "1600000000000000", DROP_GROUP},
		{"v1 report for 240.0.0.0", "12000000f0000000", DROP_GROUP},
		{"leave of a unicast address", "170000000a000001", DROP_GROUP},
		{"query for a unicast address", "116400000a000001", DROP_GROUP},
		{"v3 query for a unicast address", "116400000a000001027d0000", DROP_GROUP},
		{"query of 9 bytes", "116400000000000000", DROP_LENGTH},
		{"query of 11 bytes", "1164000000000000027d00", DROP_LENGTH},
		{"query with a source too few", "110a0000ef010203020000020a000001", DROP_LENGTH},
		{"query with 3 bytes of a source", "110a0000ef010203020000010a0000", DROP_LENGTH},
		{"query with 65535 sources", "110a0000ef0102030200ffff0a000001", DROP_LENGTH},
		{"report without its record", "2200000000000001", DROP_LENGTH},
		{"report with a record too few", "220000000000000203000000ef010203", DROP_LENGTH},
		{"report with 65535 records", "220000000000ffff03000000ef010203", DROP_LENGTH},
		{"record without its group", "220000000000000103000000ef0102", DROP_LENGTH},
		{"record with a source too few", "220000000000000103000002ef0102030a000001", DROP_LENGTH},
		{"record with 65535 sources", "22000000000000010300ffffef0102030a000001", DROP_LENGTH},
		{"record without its auxiliary data", "220000000000000103010000ef010203", DROP_LENGTH},
		{"record with 1020 bytes of it", "220000000000000103ff0000ef01020300000000", DROP_LENGTH},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		uint8_t bytes[64];
		size_t size = read_message(rows[i].hex, bytes);
		struct message message;
		enum drop drop = decode(bytes, size, &message);

		if (drop != rows[i].drop)
			fail_msg("%s: %s", rows[i].what, drop_name(drop));
	}
}

static const char *const all_golden[] = {GOLDEN_V3_QUERY, GOLDEN_V2_REPORT, GOLDEN_V2_LEAVE,
                                         GOLDEN_V3_REPORT};

static void no_single_bit_changes_unseen(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(all_golden); i++) {
		uint8_t bytes[64];
		size_t size = message_of(all_golden[i], bytes);
		struct message message;

		assert_int_equal(decode(bytes, size, &message), DROP_NONE);
		for (size_t bit = 0; bit < size * 8; bit++) {
			bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
			assert_int_equal(decode(bytes, size, &message), DROP_CHECKSUM);
			bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
}

/* With a checksum that is right. A query is one of version 1 or 2 at exactly 8 bytes; nothing else is valid
 * shortened. */
static void truncations(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(all_golden); i++) {
		uint8_t bytes[64];
		size_t size = message_of(all_golden[i], bytes);
		struct message message;

		while (size-- > 0) {
			if (size >= 4) {
				wire_put16(bytes + 2, 0);
				wire_put16(bytes + 2, wire_checksum(0, bytes, size));
			}
			if (size == 8 && bytes[0] == 0x11)
				assert_int_equal(decode(bytes, size, &message), DROP_NONE);
			else
				assert_int_equal(decode(bytes, size, &message), DROP_LENGTH);
		}
	}
}

static void encodes_as_another_program_does(void **state)
{
	const struct query query = {.version = VERSION_3,
	                            .group = addr_unspecified(FAMILY_IPV4),
	                            .max_response = 10000,
	                            .robustness = 2,
	                            .query_interval = 125000};
	struct addr group = addr_of("239.1.2.3"), ssm_group = addr_of("232.1.1.1"), sources[2];
	uint8_t expected[64], bytes[64];
	struct report_writer writer;

	(void)state;
	assert_int_equal(igmp_encode_query(bytes, &query, NULL), message_of(GOLDEN_V3_QUERY, expected));
	assert_memory_equal(bytes, expected, 12);
	assert_int_equal(igmp_encode_report(bytes, VERSION_2, &group),
	                 message_of(GOLDEN_V2_REPORT, expected));
	assert_memory_equal(bytes, expected, 8);
	assert_int_equal(igmp_encode_leave(bytes, &group), message_of(GOLDEN_V2_LEAVE, expected));
	assert_memory_equal(bytes, expected, 8);
	report_writer_open(&writer, FAMILY_IPV4, bytes, sizeof bytes);
	assert_int_equal(report_writer_add(&writer, TO_EX, &group, NULL, 0), 0);
	addrs_of("10.9.9.9 10.9.9.10", sources, 2);
	assert_int_equal(report_writer_add(&writer, ALLOW, &ssm_group, sources, 2), 2);
	assert_int_equal(igmp_finish_report(&writer), message_of(GOLDEN_V3_REPORT, expected));
	assert_memory_equal(bytes, expected, writer.size);
}

static void queries_round_trip(void **state)
{
	static const struct {
		enum version version;
		uint32_t max_response, back;
	} rows[] = {
		{VERSION_1, 10000, 10000}, {VERSION_1, 5000, 10000},      {VERSION_2, 10000, 10000},
		{VERSION_2, 100, 100},     {VERSION_2, 50, 100},          {VERSION_2, 0, 100},
		{VERSION_2, 25500, 25500}, {VERSION_2, 60000, 25500},     {VERSION_3, 10000, 10000},
		{VERSION_3, 12700, 12700}, {VERSION_3, 12900, 12800},     {VERSION_3, 0, 0},
		{VERSION_3, 99, 0},        {VERSION_3, 3174400, 3174400}, {VERSION_3, 9999999, 3174400},
	};
	static const struct addr *no_sources = NULL;

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct query query = {.version = rows[i].version,
		                      .group = addr_of("239.1.2.3"),
		                      .max_response = rows[i].max_response};
		struct message message;
		uint8_t bytes[12];

		assert_int_equal(decode(bytes, igmp_encode_query(bytes, &query, no_sources), &message),
		                 DROP_NONE);
		assert_int_equal(message.query.version, rows[i].version);
		assert_int_equal(message.query.max_response, rows[i].back);
		assert_true(addr_equal(&message.query.group, &query.group));
	}
}

static void v3_query_round_trip(void **state)
{
	struct addr sources[50];

	(void)state;
	for (size_t count = 0; count <= LENGTH(sources); count++) {
		struct query query = {
			.version = VERSION_3,
			.group = addr_of("239.1.2.3"),
			.max_response = 1000,
			.suppress = count % 2,
			.robustness = (uint8_t)count, /* above 7: told as 0 */
			.query_interval = 60000,
			.source_count = count,
		};
		uint8_t *bytes = heap_copy((uint8_t[12 + 4 * 50]){0}, 12 + 4 * count);
		struct packet packet = {.family = FAMILY_IPV4, .payload = bytes};
		struct message message;

		for (size_t i = 0; i < count; i++)
			sources[i] = nth_addr("10.0.0.1", (uint32_t)i * 300);
		packet.payload_size = igmp_encode_query(bytes, &query, sources);
		assert_int_equal(packet.payload_size, 12 + 4 * count);
		assert_int_equal(igmp_decode(&packet, &message), DROP_NONE);
		assert_int_equal(message.query.suppress, query.suppress);
		assert_int_equal(message.query.robustness, count <= 7 ? count : 0);
		assert_int_equal(message.query.query_interval, 60000);
		assert_int_equal(message.query.source_count, count);
		for (size_t i = 0; i < count; i++)
			assert_memory_equal(message.query.sources + 4 * i, addr_ipv4_bytes(&sources[i]), 4);
		free(bytes);
	}
}

static void single_messages_round_trip(void **state)
{
	struct addr group = addr_of("239.255.0.1");
	struct message message;
	uint8_t bytes[8];

	(void)state;
	for (enum version version = VERSION_1; version <= VERSION_2; version++) {
		assert_int_equal(decode(bytes, igmp_encode_report(bytes, version, &group), &message),
		                 DROP_NONE);
		assert_int_equal(message.report.version, version);
		assert_int_equal(message.report.single.type, IS_EX);
		assert_true(addr_equal(&message.report.single.group, &group));
	}
	assert_int_equal(decode(bytes, igmp_encode_leave(bytes, &group), &message), DROP_NONE);
	assert_int_equal(message.report.version, VERSION_2);
	assert_int_equal(message.report.single.type, TO_IN);
	assert_true(addr_equal(&message.report.single.group, &group));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_queries),
		cmocka_unit_test(known_reports),
		cmocka_unit_test(malformed_messages),
		cmocka_unit_test(no_single_bit_changes_unseen),
		cmocka_unit_test(truncations),
		cmocka_unit_test(encodes_as_another_program_does),
		cmocka_unit_test(queries_round_trip),
		cmocka_unit_test(v3_query_round_trip),
		cmocka_unit_test(single_messages_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
