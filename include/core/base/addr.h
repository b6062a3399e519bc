/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Addresses. In the core every address is an IPv6 address, IPv4 in its v4-mapped form, so that each state
 * machine exists once. Only the codecs (igmp, mld, packet) and the rooms outside the core look at the family.
 */
#ifndef MCPROXY_CORE_BASE_ADDR_H
#define MCPROXY_CORE_BASE_ADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum family { FAMILY_IPV4, FAMILY_IPV6 };
#define FAMILIES 2

struct addr {
	uint8_t bytes[16]; /* network byte order */
};

#define ADDR_TEXT_SIZE 46 /* longest text with its terminating zero */

/* Half an address in the machine's byte order. */
inline uint64_t addr_raw_half(const uint8_t *bytes)
{
	uint64_t half;

	memcpy(&half, bytes, sizeof half);
	return half;
}

/* The same as a number with the same order as its bytes. */
inline uint64_t addr_half(const uint8_t *bytes)
{
	uint64_t half = addr_raw_half(bytes);

	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap64(half) : half;
}

/* Orders as memcmp does, without calling it. */
inline int addr_compare(const struct addr *a, const struct addr *b)
{
	uint64_t x = addr_half(a->bytes), y = addr_half(b->bytes);

	if (x == y) {
		x = addr_half(a->bytes + 8);
		y = addr_half(b->bytes + 8);
	}
	return (x > y) - (x < y);
}

inline bool addr_equal(const struct addr *a, const struct addr *b)
{
	return addr_raw_half(a->bytes) == addr_raw_half(b->bytes) &&
	       addr_raw_half(a->bytes + 8) == addr_raw_half(b->bytes + 8);
}

/* From 4 or 16 bytes in network byte order. Writes each half at once: a processor waits long when it loads a
 * half that was written in parts. */
inline struct addr addr_from_ipv4(const uint8_t bytes[4])
{
	struct addr addr = {{0}};
	uint8_t low[8] = {0, 0, 0xff, 0xff, bytes[0], bytes[1], bytes[2], bytes[3]};
	uint64_t half;

	memcpy(&half, low, sizeof half);
	memcpy(addr.bytes + 8, &half, sizeof half);
	return addr;
}

inline struct addr addr_from_ipv6(const uint8_t bytes[16])
{
	struct addr addr;

	memcpy(addr.bytes, bytes, sizeof addr.bytes);
	return addr;
}

/* From the address as a number, 0xe0000001 for 224.0.0.1. */
struct addr addr_from_ipv4_number(uint32_t number);
/* The all-zero address of a family: 0.0.0.0 or ::. */
struct addr addr_unspecified(enum family family);

/* A MAC address in the form of an address, which differs from that of every host. */
#define MAC_SIZE 6
struct addr addr_from_mac(const uint8_t mac[MAC_SIZE]);
bool addr_is_mac(const struct addr *addr);

inline enum family addr_family(const struct addr *addr)
{
	static const uint8_t mapped_prefix[12] = {[10] = 0xff, 0xff};

	return memcmp(addr->bytes, mapped_prefix, sizeof mapped_prefix) == 0 ? FAMILY_IPV4 : FAMILY_IPV6;
}

const uint8_t *addr_ipv4_bytes(const struct addr *addr);
/* The bytes as they stand in a packet of this family: 4 or 16 of them. */
const uint8_t *addr_wire_bytes(const struct addr *addr, enum family family);
inline size_t addr_wire_size(enum family family)
{
	return family == FAMILY_IPV4 ? 4 : 16;
}

bool addr_is_unspecified(const struct addr *addr);
inline bool addr_is_multicast(const struct addr *addr)
{
	return addr_family(addr) == FAMILY_IPV4 ? addr->bytes[12] >> 4 == 0xe : addr->bytes[0] == 0xff;
}

bool addr_is_loopback(const struct addr *addr);
/* fe80::/10 (IPv6), 169.254.0.0/16 (IPv4). */
bool addr_is_link_local(const struct addr *addr);
/* A group that a proxy handles: multicast with a scope wider than a link. It is not in 224.0.0.0/24, and not
 * in the reserved, interface-local or link-local scope of IPv6 (ff00::/16, ff01::/16, ff02::/16, with any
 * flag bits). */
bool addr_is_proxied_group(const struct addr *addr);
/* Can be the source of a stream: not unspecified, multicast or loopback. */
bool addr_is_source(const struct addr *addr);
/* May a router forward packets of the source to the group to another link? */
bool addr_is_proxied_stream(const struct addr *source, const struct addr *group);
bool addr_in_prefix(const struct addr *addr, const struct addr *prefix, unsigned length);

/* SipHash-1-3: without the seed a host cannot choose addresses that collide. */
uint32_t addr_hash(const struct addr *addr, uint64_t seed);
/* Of a (source, group) pair. */
uint32_t addr_pair_hash(const struct addr *source, const struct addr *group, uint64_t seed);

const char *family_name(enum family family); /* "IPv4", "IPv6" */

/* Writes the usual text form into text and returns it. */
const char *addr_format(const struct addr *addr, char text[ADDR_TEXT_SIZE]);
/* Reads an address of either family; false when the text is none. */
bool addr_parse(const char *text, struct addr *addr);

#endif
