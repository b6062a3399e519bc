/* SPDX-License-Identifier: BSD-2-Clause
 *
 * MLD: the input as a whole packet, as it is and with its checksum put right; and as the message alone. What
 * is accepted is encoded and decoded again.
 */
#include "fuzz.h"

#define IPV6_HEADER 40

static const struct addr sender = {{0xfe, 0x80, [15] = 1}};

static void again(const struct message *message, size_t size)
{
	uint8_t *buffer = malloc(size + 32);
	struct packet packet = {
		.family = FAMILY_IPV6, .source = sender, .router_alert = true, .payload = buffer};
	struct message back;

	assert(buffer != NULL);
	packet.destination = mld_v2_routers;
	if (message->kind == MESSAGE_QUERY) {
		struct addr *sources =
			fuzz_sources(message->query.sources, message->query.source_count, FAMILY_IPV6);

		packet.payload_size =
			mld_encode_query(buffer, &message->query, sources, &sender, &packet.destination);
		free(sources);
	} else if (message->report.version == VERSION_3) {
		struct report_writer writer;

		fuzz_rewrite(*message, buffer, size + 32, &writer);
		packet.payload_size = mld_finish_report(&writer, &sender);
	} else if (message->report.single.type == TO_IN) {
		packet.destination = mld_all_routers;
		packet.payload_size = mld_encode_done(buffer, &message->report.single.group, &sender);
	} else {
		packet.destination = message->report.single.group;
		packet.payload_size = mld_encode_report(buffer, &message->report.single.group, &sender);
	}
	assert(packet.payload_size <= size + 32);
	assert(mld_decode(&packet, &back) == DROP_NONE && back.kind == message->kind);
	if (back.kind == MESSAGE_QUERY)
		fuzz_compare_queries(&message->query, &back.query, FAMILY_IPV6);
	else
		fuzz_compare_reports(*message, back);
	free(buffer);
}

static enum drop decode(const struct packet *packet)
{
	struct message message;
	enum drop drop = mld_decode(packet, &message);

	assert(drop < DROP_CAUSES && (drop == DROP_NONE || drop_name(drop)[0] != 0));
	if (drop != DROP_NONE)
		return drop;
	fuzz_walk(message);
	again(&message, packet->payload_size);
	return DROP_NONE;
}

static void fix_message(const struct packet *packet, uint8_t *message)
{
	uint32_t pseudo = wire_icmp6_pseudo_sum(&packet->source, &packet->destination, packet->payload_size);

	if (packet->payload_size < 4)
		return;
	wire_put16(message + 2, 0);
	wire_put16(message + 2, wire_checksum(pseudo, message, packet->payload_size));
}

static void try_packet(uint8_t *data, size_t size, bool fix)
{
	struct packet packet;

	if (packet_parse(FAMILY_IPV6, data, size, &packet) != DROP_NONE)
		return;
	assert(packet.payload >= data && packet.payload + packet.payload_size <= data + size);
	assert(addr_family(&packet.source) == FAMILY_IPV6);
	if (fix)
		fix_message(&packet, data + (packet.payload - data));
	decode(&packet);
}

static void fix_header(uint8_t *data, size_t size)
{
	if (size < IPV6_HEADER)
		return;
	data[0] = 0x60;
	wire_put16(data + 4, (uint16_t)(size - IPV6_HEADER));
	data[7] = 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = fuzz_copy(data, size);
	struct packet packet = {.family = FAMILY_IPV6,
	                        .source = sender,
	                        .router_alert = true,
	                        .payload = copy,
	                        .payload_size = size};

	packet.destination = mld_v2_routers;
	try_packet(copy, size, false);
	fix_header(copy, size);
	try_packet(copy, size, true);
	if (size > 0)
		memcpy(copy, data, size);
	fix_message(&packet, copy);
	assert(size < 4 || decode(&packet) != DROP_CHECKSUM);
	free(copy);
	return 0;
}
