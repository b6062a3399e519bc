/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/wire/packet.h"

#define MTU_MIN                  576 /* also of a link whose MTU is not known */
#define MTU_MAX                  9000
#define IPV4_HEADER_MIN          20
#define IPV6_HEADER              40
#define PROTOCOL_IGMP            2
#define PROTOCOL_ICMP6           58
#define PROTOCOL_HOP_BY_HOP      0
#define PROTOCOL_FRAGMENT        44
#define OPTION_IPV4_END          0
#define OPTION_IPV4_NOP          1
#define OPTION_IPV4_ROUTER_ALERT 148
#define OPTION_IPV6_PAD1         0
#define OPTION_IPV6_ROUTER_ALERT 5

/* The options of an IPv4 header; false when one runs past the header. */
static bool ipv4_options(const uint8_t *options, size_t size, bool *router_alert)
{
	struct wire wire = {options, size};

	while (wire.left > 0 && *wire.at != OPTION_IPV4_END) {
		size_t length = *wire.at == OPTION_IPV4_NOP ? 1 : wire.left > 1 ? wire.at[1] : 0;

		if (length == 0 || length > wire.left || (*wire.at != OPTION_IPV4_NOP && length < 2))
			return false;
		if (*wire.at == OPTION_IPV4_ROUTER_ALERT && length == 4)
			*router_alert = true;
		wire_take(&wire, length);
	}
	return true;
}

static enum drop parse_ipv4(const uint8_t *data, size_t size, struct packet *packet)
{
	size_t header, total;

	if (size < IPV4_HEADER_MIN || data[0] >> 4 != 4)
		return DROP_IP_HEADER;
	header = (size_t)(data[0] & 0x0f) * 4;
	total = wire_get16(data + 2);
	if (header < IPV4_HEADER_MIN || total < header || total > size || data[9] != PROTOCOL_IGMP)
		return DROP_IP_HEADER;
	if (wire_checksum(0, data, header) != 0)
		return DROP_IP_CHECKSUM;
	if (wire_get16(data + 6) & 0x3fff)
		return DROP_FRAGMENT;
	if (data[8] != 1)
		return DROP_TTL;
	if (!ipv4_options(data + IPV4_HEADER_MIN, header - IPV4_HEADER_MIN, &packet->router_alert))
		return DROP_IP_HEADER;
	packet->source = addr_from_ipv4(data + 12);
	packet->destination = addr_from_ipv4(data + 16);
	packet->payload = data + header;
	packet->payload_size = total - header;
	return DROP_NONE;
}

/* The options of a hop-by-hop header; false when one runs past it. */
static bool ipv6_options(const uint8_t *options, size_t size, bool *router_alert)
{
	struct wire wire = {options, size};

	while (wire.left > 0) {
		size_t length = *wire.at == OPTION_IPV6_PAD1 ? 1 : wire.left > 1 ? (size_t)wire.at[1] + 2 : 0;

		if (length == 0 || length > wire.left)
			return false;
		if (*wire.at == OPTION_IPV6_ROUTER_ALERT && length == 4 && wire_get16(wire.at + 2) == 0)
			*router_alert = true;
		wire_take(&wire, length);
	}
	return true;
}

static enum drop parse_ipv6(const uint8_t *data, size_t size, struct packet *packet)
{
	struct wire wire = {data, size};
	const uint8_t *header = wire_take(&wire, IPV6_HEADER);
	uint8_t next;

	if (header == NULL || header[0] >> 4 != 6 || wire_get16(header + 4) > wire.left)
		return DROP_IP_HEADER;
	wire.left = wire_get16(header + 4);
	next = header[6];
	if (next == PROTOCOL_HOP_BY_HOP) {
		const uint8_t *options = wire.at;
		size_t length = wire.left >= 2 ? ((size_t)options[1] + 1) * 8 : 0;

		if (length == 0 || wire_take(&wire, length) == NULL)
			return DROP_IP_HEADER;
		if (!ipv6_options(options + 2, length - 2, &packet->router_alert))
			return DROP_IP_HEADER;
		next = options[0];
	}
	if (next == PROTOCOL_FRAGMENT)
		return DROP_FRAGMENT;
	if (next != PROTOCOL_ICMP6)
		return DROP_IP_HEADER;
	if (header[7] != 1)
		return DROP_TTL;
	packet->source = addr_from_ipv6(header + 8);
	packet->destination = addr_from_ipv6(header + 24);
	packet->payload = wire.at;
	packet->payload_size = wire.left;
	/* The core takes a v4-mapped address for IPv4; none is valid in a packet. */
	if (addr_family(&packet->source) != FAMILY_IPV6 || addr_family(&packet->destination) != FAMILY_IPV6)
		return DROP_IP_HEADER;
	return DROP_NONE;
}

enum drop packet_parse(enum family family, const uint8_t *data, size_t size, struct packet *packet)
{
	*packet = (struct packet){.family = family};
	return family == FAMILY_IPV4 ? parse_ipv4(data, size, packet) : parse_ipv6(data, size, packet);
}

size_t packet_header_size(enum family family)
{
	return family == FAMILY_IPV4 ? PACKET_HEADER_IPV4 : PACKET_HEADER_IPV6;
}

size_t packet_size_max(uint32_t mtu)
{
	return mtu < MTU_MIN ? MTU_MIN : mtu > MTU_MAX ? MTU_MAX : mtu;
}

static void build_ipv4(uint8_t *header, const struct addr *source, const struct addr *destination,
                       size_t total)
{
	static const uint8_t fixed[PACKET_HEADER_IPV4] = {
		[0] = 0x46, [1] = 0xc0,          [6] = 0x40,
		[8] = 1,    [9] = PROTOCOL_IGMP, [20] = OPTION_IPV4_ROUTER_ALERT,
		[21] = 4,
	};

	memcpy(header, fixed, sizeof fixed);
	wire_put16(header + 2, (uint16_t)total);
	wire_put_addr(header + 12, source, FAMILY_IPV4);
	wire_put_addr(header + 16, destination, FAMILY_IPV4);
	wire_put16(header + 10, wire_checksum(0, header, sizeof fixed));
}

static void build_ipv6(uint8_t *header, const struct addr *source, const struct addr *destination,
                       size_t payload)
{
	/* Router Alert with value 0 (MLD), padded by PadN to eight bytes. */
	static const uint8_t hop_by_hop[8] = {PROTOCOL_ICMP6, 0, OPTION_IPV6_ROUTER_ALERT, 2, 0, 0, 1, 0};

	memset(header, 0, IPV6_HEADER);
	header[0] = 0x60;
	wire_put16(header + 4, (uint16_t)(payload + sizeof hop_by_hop));
	header[6] = PROTOCOL_HOP_BY_HOP;
	header[7] = 1;
	wire_put_addr(header + 8, source, FAMILY_IPV6);
	wire_put_addr(header + 24, destination, FAMILY_IPV6);
	memcpy(header + IPV6_HEADER, hop_by_hop, sizeof hop_by_hop);
}

size_t packet_finish(enum family family, uint8_t *buffer, const struct addr *source,
                     const struct addr *destination, size_t payload_size)
{
	size_t total = packet_header_size(family) + payload_size;

	if (family == FAMILY_IPV4)
		build_ipv4(buffer, source, destination, total);
	else
		build_ipv6(buffer, source, destination, payload_size);
	return total;
}
