/* SPDX-License-Identifier: BSD-2-Clause
 *
 * IGMP: the input as a whole packet, as it is and with its checksums put right; and as the message alone.
 * What is accepted is encoded and decoded again.
 */
#include "fuzz.h"

static void again(const struct message *message, size_t size)
{
	uint8_t *buffer = malloc(size + 16);
	struct packet packet = {.family = FAMILY_IPV4, .payload = buffer};
	struct message back;

	assert(buffer != NULL);
	if (message->kind == MESSAGE_QUERY) {
		struct addr *sources =
			fuzz_sources(message->query.sources, message->query.source_count, FAMILY_IPV4);

		packet.payload_size = igmp_encode_query(buffer, &message->query, sources);
		free(sources);
	} else if (message->report.version == VERSION_3) {
		struct report_writer writer;

		fuzz_rewrite(*message, buffer, size + 16, &writer);
		packet.payload_size = igmp_finish_report(&writer);
	} else if (message->report.single.type == TO_IN) {
		packet.payload_size = igmp_encode_leave(buffer, &message->report.single.group);
	} else {
		packet.payload_size =
			igmp_encode_report(buffer, message->report.version, &message->report.single.group);
	}
	assert(packet.payload_size <= size + 16);
	assert(igmp_decode(&packet, &back) == DROP_NONE && back.kind == message->kind);
	if (back.kind == MESSAGE_QUERY)
		fuzz_compare_queries(&message->query, &back.query, FAMILY_IPV4);
	else
		fuzz_compare_reports(*message, back);
	free(buffer);
}

static enum drop decode(const struct packet *packet)
{
	struct message message;
	enum drop drop = igmp_decode(packet, &message);

	assert(drop < DROP_CAUSES && (drop == DROP_NONE || drop_name(drop)[0] != 0));
	if (drop != DROP_NONE)
		return drop;
	fuzz_walk(message);
	again(&message, packet->payload_size);
	return DROP_NONE;
}

static void try_packet(const uint8_t *data, size_t size)
{
	struct packet packet;

	if (packet_parse(FAMILY_IPV4, data, size, &packet) != DROP_NONE)
		return;
	assert(packet.payload >= data && packet.payload + packet.payload_size <= data + size);
	decode(&packet);
}

static void fix_message(uint8_t *message, size_t size)
{
	if (size < 4)
		return;
	wire_put16(message + 2, 0);
	wire_put16(message + 2, wire_checksum(0, message, size));
}

static void fix_packet(uint8_t *data, size_t size)
{
	size_t header = size > 0 ? (size_t)(data[0] & 0x0f) * 4 : 0;

	if (header < 20 || size < header)
		return;
	data[0] = (uint8_t)(0x40 | (data[0] & 0x0f));
	wire_put16(data + 2, (uint16_t)size);
	wire_put16(data + 6, 0);
	data[8] = 1;
	data[9] = 2;
	wire_put16(data + 10, 0);
	wire_put16(data + 10, wire_checksum(0, data, header));
	fix_message(data + header, size - header);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = fuzz_copy(data, size);
	struct packet packet = {.family = FAMILY_IPV4, .payload = copy, .payload_size = size};

	try_packet(copy, size);
	fix_packet(copy, size);
	try_packet(copy, size);
	if (size > 0)
		memcpy(copy, data, size);
	fix_message(copy, size);
	assert(size < 4 || decode(&packet) != DROP_CHECKSUM);
	free(copy);
	return 0;
}
