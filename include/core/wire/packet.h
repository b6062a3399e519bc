/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The IP header around an IGMP or MLD message: checked on the way in, built on the way out. Packet sockets
 * check nothing and add nothing, so all of it happens here. Pure functions.
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

/* Reads the IP header. DROP_NONE when the packet may be looked at further: header and length hold, IPv4
 * checksum is right, it is no fragment and its TTL or hop limit is 1 (RFC 9776 section 4, RFC 9777 section
 * 5). */
enum drop packet_parse(enum family family, const uint8_t *data, size_t size, struct packet *packet);

/* Bytes in front of the message in a packet that packet_finish makes. */
#define PACKET_HEADER_IPV4 24 /* with Router Alert */
#define PACKET_HEADER_IPV6 48 /* with a hop-by-hop header */
size_t packet_header_size(enum family family);
/* The size a packet may have on a link that tells this MTU: within what every link carries and what buffers
 * hold. */
size_t packet_size_max(uint32_t mtu);

/* Writes the header with TTL 1, Router Alert and (IPv4) TOS 0xc0 in front of a message of payload_size bytes
 * that stands at buffer + packet_header_size(family); returns the size of the packet. The message's own
 * checksum is the codec's business. */
size_t packet_finish(enum family family, uint8_t *buffer, const struct addr *source,
                     const struct addr *destination, size_t payload_size);

#endif
