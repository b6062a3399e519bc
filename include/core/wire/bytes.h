/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reads and writes packet bytes: a reader that stops at the end, numbers in network byte order, and the
 * Internet checksum (RFC 1071).
 */
#ifndef MCPROXY_CORE_WIRE_BYTES_H
#define MCPROXY_CORE_WIRE_BYTES_H

#include "core/base/addr.h"

#include <stddef.h>

struct wire {
	const uint8_t *at;
	size_t left;
};

/* Takes the next `size` bytes; NULL, and takes none, when fewer are left. */
inline const uint8_t *wire_take(struct wire *wire, size_t size)
{
	const uint8_t *at = wire->at;

	if (size > wire->left)
		return NULL;
	wire->at += size;
	wire->left -= size;
	return at;
}

inline uint16_t wire_get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

void wire_put16(uint8_t *at, uint16_t value);

inline struct addr wire_get_addr(const uint8_t *at, enum family family)
{
	return family == FAMILY_IPV4 ? addr_from_ipv4(at) : addr_from_ipv6(at);
}

/* Writes 4 or 16 bytes and returns how many. */
size_t wire_put_addr(uint8_t *at, const struct addr *addr, enum family family);

/* The checksum over data, added to an unfolded partial sum (0, or that of a pseudo header). For data that
 * contains its own correct checksum the result is 0. */
uint16_t wire_checksum(uint32_t partial, const uint8_t *data, size_t size);
/* The partial sum of the IPv6 pseudo header (RFC 8200 section 8.1) for an ICMPv6 message. */
uint32_t wire_icmp6_pseudo_sum(const struct addr *source, const struct addr *destination, size_t size);

#endif
