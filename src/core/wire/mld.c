/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/wire/mld.h"

#define TYPE_QUERY     130
#define TYPE_V1_REPORT 131
#define TYPE_V1_DONE   132
#define TYPE_V2_REPORT 143
#define HEADER_MIN     8
#define V1_MIN         24
#define QUERY_V2_MIN   28

const struct addr mld_all_nodes = {{0xff, 2, [15] = 1}};
const struct addr mld_all_routers = {{0xff, 2, [15] = 2}};
const struct addr mld_v2_routers = {{0xff, 2, [15] = 0x16}};

static bool is_unspecified(const struct addr *addr)
{
	return addr_family(addr) == FAMILY_IPV6 && addr_is_unspecified(addr);
}

/* A v4-mapped 224.0.0.0/4 is no IPv6 group. */
static bool is_multicast(const struct addr *addr)
{
	return addr_family(addr) == FAMILY_IPV6 && addr_is_multicast(addr);
}

/* RFC 9777 section 8.1: the version follows from the length. */
static enum drop decode_query(const struct packet *packet, struct query *query)
{
	const uint8_t *at = packet->payload;
	size_t size = packet->payload_size;

	if (size < V1_MIN)
		return DROP_LENGTH;
	query->group = addr_from_ipv6(at + 8);
	if (!is_unspecified(&query->group) && !is_multicast(&query->group))
		return DROP_GROUP;
	if (size == V1_MIN) {
		query->version = VERSION_2;
		query->max_response = wire_get16(at + 4);
		return DROP_NONE;
	}
	if (size < QUERY_V2_MIN)
		return DROP_LENGTH;
	query->version = VERSION_3;
	query->max_response = message_value16(wire_get16(at + 4));
	query->suppress = at[24] & 0x08;
	query->robustness = at[24] & 0x07;
	query->query_interval = message_value8(at[25]) * MTIME_SECOND;
	query->source_count = wire_get16(at + 26);
	query->sources = at + QUERY_V2_MIN;
	return query->source_count * 16 > size - QUERY_V2_MIN ? DROP_LENGTH : DROP_NONE;
}

static enum drop decode_single(const struct packet *packet, struct report *report, enum record_type type)
{
	if (packet->payload_size < V1_MIN)
		return DROP_LENGTH;
	report->version = VERSION_2;
	report->single = (struct record){.type = type, .group = addr_from_ipv6(packet->payload + 8)};
	report->left = 1;
	return is_multicast(&report->single.group) ? DROP_NONE : DROP_GROUP;
}

static enum drop decode_v2_report(const struct packet *packet, struct report *report)
{
	report->version = VERSION_3;
	report->left = wire_get16(packet->payload + 6);
	report->records = (struct wire){packet->payload + HEADER_MIN, packet->payload_size - HEADER_MIN};
	return message_records_fit(report->records, report->left, FAMILY_IPV6) ? DROP_NONE : DROP_LENGTH;
}

/* Only link-local addresses count (RFC 9777 sections 5.1.14 and 5.2.14), with Router Alert. Hosts report from
 * :: while their address is tentative, and again when it is ready (RFC 3590 section 4). */
static enum drop check_sender(const struct packet *packet, bool is_query)
{
	if (!packet->router_alert)
		return DROP_ROUTER_ALERT;
	if (addr_is_link_local(&packet->source))
		return DROP_NONE;
	return !is_query && addr_is_unspecified(&packet->source) ? DROP_UNSPECIFIED : DROP_SOURCE_ADDRESS;
}

enum drop mld_decode(const struct packet *packet, struct message *message)
{
	uint32_t pseudo = wire_icmp6_pseudo_sum(&packet->source, &packet->destination, packet->payload_size);
	enum drop drop;

	*message = (struct message){.kind = MESSAGE_REPORT, .family = FAMILY_IPV6};
	if (packet->payload_size < HEADER_MIN)
		return DROP_LENGTH;
	if (wire_checksum(pseudo, packet->payload, packet->payload_size) != 0)
		return DROP_CHECKSUM;
	drop = check_sender(packet, packet->payload[0] == TYPE_QUERY);
	if (drop != DROP_NONE)
		return drop;
	switch (packet->payload[0]) {
	case TYPE_QUERY:
		message->kind = MESSAGE_QUERY;
		return decode_query(packet, &message->query);
	case TYPE_V1_REPORT:
		return decode_single(packet, &message->report, IS_EX);
	case TYPE_V1_DONE:
		return decode_single(packet, &message->report, TO_IN);
	case TYPE_V2_REPORT:
		return decode_v2_report(packet, &message->report);
	default:
		return DROP_TYPE;
	}
}

static size_t finish(uint8_t *message, size_t size, const struct addr *source, const struct addr *destination)
{
	uint32_t pseudo = wire_icmp6_pseudo_sum(source, destination, size);

	wire_put16(message + 2, wire_checksum(pseudo, message, size));
	return size;
}

size_t mld_encode_query(uint8_t *message, const struct query *query, const struct addr *sources,
                        const struct addr *source, const struct addr *destination)
{
	memset(message, 0, QUERY_V2_MIN);
	message[0] = TYPE_QUERY;
	wire_put_addr(message + 8, &query->group, FAMILY_IPV6);
	if (query->version <= VERSION_2) {
		wire_put16(message + 4,
		           (uint16_t)(query->max_response > UINT16_MAX ? UINT16_MAX : query->max_response));
		return finish(message, V1_MIN, source, destination);
	}
	wire_put16(message + 4, message_code16(query->max_response));
	message[24] =
		(uint8_t)((query->suppress ? 0x08 : 0) | (query->robustness <= 7 ? query->robustness : 0));
	message[25] = message_code8(query->query_interval / MTIME_SECOND);
	wire_put16(message + 26, (uint16_t)query->source_count);
	for (size_t i = 0; i < query->source_count; i++)
		wire_put_addr(message + QUERY_V2_MIN + 16 * i, &sources[i], FAMILY_IPV6);
	return finish(message, QUERY_V2_MIN + 16 * query->source_count, source, destination);
}

static size_t encode_single(uint8_t *message, uint8_t type, const struct addr *group,
                            const struct addr *source, const struct addr *destination)
{
	memset(message, 0, V1_MIN);
	message[0] = type;
	wire_put_addr(message + 8, group, FAMILY_IPV6);
	return finish(message, V1_MIN, source, destination);
}

size_t mld_encode_report(uint8_t *message, const struct addr *group, const struct addr *source)
{
	return encode_single(message, TYPE_V1_REPORT, group, source, group);
}

size_t mld_encode_done(uint8_t *message, const struct addr *group, const struct addr *source)
{
	return encode_single(message, TYPE_V1_DONE, group, source, &mld_all_routers);
}

size_t mld_finish_report(struct report_writer *writer, const struct addr *source)
{
	writer->message[0] = TYPE_V2_REPORT;
	return finish(writer->message, writer->size, source, &mld_v2_routers);
}
