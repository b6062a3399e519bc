/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/wire/igmp.h"

#define TYPE_QUERY      0x11
#define TYPE_V1_REPORT  0x12
#define TYPE_V2_REPORT  0x16
#define TYPE_V2_LEAVE   0x17
#define TYPE_V3_REPORT  0x22
#define MESSAGE_MIN     8
#define QUERY_V3_MIN    12
#define V1_MAX_RESPONSE 10000 /* RFC 2236 section 4: code 0 stands for 10 seconds */

/* RFC 9776 section 7.1: the version follows from the length and the code. */
static enum drop decode_query(const struct packet *packet, struct query *query)
{
	const uint8_t *at = packet->payload;
	size_t size = packet->payload_size;

	query->group = addr_from_ipv4(at + 4);
	if (!addr_is_unspecified(&query->group) && !addr_is_multicast(&query->group))
		return DROP_GROUP;
	if (size == MESSAGE_MIN) {
		query->version = at[1] == 0 ? VERSION_1 : VERSION_2;
		query->max_response = at[1] == 0 ? V1_MAX_RESPONSE : at[1] * 100u;
		return DROP_NONE;
	}
	if (size < QUERY_V3_MIN)
		return DROP_LENGTH;
	query->version = VERSION_3;
	query->max_response = message_value8(at[1]) * 100;
	query->suppress = at[8] & 0x08;
	query->robustness = at[8] & 0x07;
	query->query_interval = message_value8(at[9]) * MTIME_SECOND;
	query->source_count = wire_get16(at + 10);
	query->sources = at + QUERY_V3_MIN;
	return query->source_count * 4 > size - QUERY_V3_MIN ? DROP_LENGTH : DROP_NONE;
}

static enum drop decode_single(const struct packet *packet, struct report *report, enum version version,
                               enum record_type type)
{
	report->version = version;
	report->single = (struct record){.type = type, .group = addr_from_ipv4(packet->payload + 4)};
	report->left = 1;
	return addr_is_multicast(&report->single.group) ? DROP_NONE : DROP_GROUP;
}

static enum drop decode_v3_report(const struct packet *packet, struct report *report)
{
	report->version = VERSION_3;
	report->left = wire_get16(packet->payload + 6);
	report->records = (struct wire){packet->payload + MESSAGE_MIN, packet->payload_size - MESSAGE_MIN};
	return message_records_fit(report->records, report->left, FAMILY_IPV4) ? DROP_NONE : DROP_LENGTH;
}

enum drop igmp_decode(const struct packet *packet, struct message *message)
{
	*message = (struct message){.kind = MESSAGE_REPORT, .family = FAMILY_IPV4};
	if (packet->payload_size < MESSAGE_MIN)
		return DROP_LENGTH;
	if (wire_checksum(0, packet->payload, packet->payload_size) != 0)
		return DROP_CHECKSUM;
	switch (packet->payload[0]) {
	case TYPE_QUERY:
		message->kind = MESSAGE_QUERY;
		return decode_query(packet, &message->query);
	case TYPE_V1_REPORT:
		return decode_single(packet, &message->report, VERSION_1, IS_EX);
	case TYPE_V2_REPORT:
		return decode_single(packet, &message->report, VERSION_2, IS_EX);
	case TYPE_V2_LEAVE:
		return decode_single(packet, &message->report, VERSION_2, TO_IN);
	case TYPE_V3_REPORT:
		return decode_v3_report(packet, &message->report);
	default:
		return DROP_TYPE;
	}
}

static size_t finish(uint8_t *message, size_t size)
{
	wire_put16(message + 2, wire_checksum(0, message, size));
	return size;
}

size_t igmp_encode_query(uint8_t *message, const struct query *query, const struct addr *sources)
{
	memset(message, 0, QUERY_V3_MIN);
	message[0] = TYPE_QUERY;
	wire_put_addr(message + 4, &query->group, FAMILY_IPV4);
	if (query->version == VERSION_1)
		return finish(message, MESSAGE_MIN);
	if (query->version == VERSION_2) {
		uint32_t tenths = query->max_response / 100;

		/* 0 would make it a version 1 query. */
		message[1] = (uint8_t)(tenths < 1 ? 1 : tenths > 255 ? 255 : tenths);
		return finish(message, MESSAGE_MIN);
	}
	message[1] = message_code8(query->max_response / 100);
	message[8] =
		(uint8_t)((query->suppress ? 0x08 : 0) | (query->robustness <= 7 ? query->robustness : 0));
	message[9] = message_code8(query->query_interval / MTIME_SECOND);
	wire_put16(message + 10, (uint16_t)query->source_count);
	for (size_t i = 0; i < query->source_count; i++)
		wire_put_addr(message + QUERY_V3_MIN + 4 * i, &sources[i], FAMILY_IPV4);
	return finish(message, QUERY_V3_MIN + 4 * query->source_count);
}

static size_t encode_single(uint8_t *message, uint8_t type, const struct addr *group)
{
	memset(message, 0, MESSAGE_MIN);
	message[0] = type;
	wire_put_addr(message + 4, group, FAMILY_IPV4);
	return finish(message, MESSAGE_MIN);
}

size_t igmp_encode_report(uint8_t *message, enum version version, const struct addr *group)
{
	return encode_single(message, version == VERSION_1 ? TYPE_V1_REPORT : TYPE_V2_REPORT, group);
}

size_t igmp_encode_leave(uint8_t *message, const struct addr *group)
{
	return encode_single(message, TYPE_V2_LEAVE, group);
}

size_t igmp_finish_report(struct report_writer *writer)
{
	writer->message[0] = TYPE_V3_REPORT;
	return finish(writer->message, writer->size);
}
