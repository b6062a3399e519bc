/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The IP header of an IGMP or MLD message: checked on reception, built for sending. Packet sockets neither
 * check nor add headers. Pure functions.
 */
#ifndef MCPROXY_CORE_WIRE_PACKET_H
#define MCPROXY_CORE_WIRE_PACKET_H

#include "core/wire/bytes.h"
#include "core/wire/drop.h"

struct packet {
	enum family family;
	struct addr source;
	struct addr destination;
	bool router_alert;      /* RFC 2113, RFC 2711 */
	const uint8_t *payload; /* the IGMP or ICMPv6 message */
	size_t payload_size;
};

/* Reads the IP header. DROP_NONE when the packet is valid so far: header, length and IPv4 checksum are right,
 * it is no fragment, and its TTL or hop limit is 1 (RFC 9776 section 4, RFC 9777 section 5). */
enum drop packet_parse(enum family family, const uint8_t *data, size_t size, struct packet *packet);

/* Bytes in front of the message in a packet that packet_finish makes. */
#define PACKET_HEADER_IPV4 24 /* with Router Alert */
#define PACKET_HEADER_IPV6 48 /* with a hop-by-hop header */
size_t packet_header_size(enum family family);
/* The largest packet for a link with this MTU, limited to sizes that every link carries and that buffers
 * hold. */
size_t packet_size_max(uint32_t mtu);

/* Completes a packet whose message of payload_size bytes is at buffer + packet_header_size(family): writes
 * the header with TTL 1, Router Alert and (IPv4) TOS 0xc0, and returns the size of the packet. The codec has
 * written the checksum of the message. */
size_t packet_finish(enum family family, uint8_t *buffer, const struct addr *source,
                     const struct addr *destination, size_t payload_size);

#endif
