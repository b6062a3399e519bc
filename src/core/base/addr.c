/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/base/addr.h"

#include "core/base/siphash.h"

#include <arpa/inet.h>

/* For builds that do not inline them. */
extern inline uint64_t addr_raw_half(const uint8_t *bytes);
extern inline uint64_t addr_half(const uint8_t *bytes);
extern inline int addr_compare(const struct addr *a, const struct addr *b);
extern inline bool addr_equal(const struct addr *a, const struct addr *b);
extern inline struct addr addr_from_ipv4(const uint8_t bytes[4]);
extern inline struct addr addr_from_ipv6(const uint8_t bytes[16]);
extern inline enum family addr_family(const struct addr *addr);
extern inline size_t addr_wire_size(enum family family);
extern inline bool addr_is_multicast(const struct addr *addr);

struct addr addr_from_ipv4_number(uint32_t number)
{
	uint8_t bytes[4] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8),
	                    (uint8_t)number};

	return addr_from_ipv4(bytes);
}

struct addr addr_unspecified(enum family family)
{
	return family == FAMILY_IPV4 ? addr_from_ipv4_number(0) : (struct addr){{0}};
}

const uint8_t *addr_ipv4_bytes(const struct addr *addr)
{
	return addr->bytes + 12;
}

const uint8_t *addr_wire_bytes(const struct addr *addr, enum family family)
{
	return family == FAMILY_IPV4 ? addr_ipv4_bytes(addr) : addr->bytes;
}

/* 10 bytes that no host's address begins with. */
static const uint8_t mac_prefix[16 - MAC_SIZE] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

struct addr addr_from_mac(const uint8_t mac[MAC_SIZE])
{
	struct addr addr;

	memcpy(addr.bytes, mac_prefix, sizeof mac_prefix);
	memcpy(addr.bytes + sizeof mac_prefix, mac, MAC_SIZE);
	return addr;
}

bool addr_is_mac(const struct addr *addr)
{
	return memcmp(addr->bytes, mac_prefix, sizeof mac_prefix) == 0;
}

bool addr_is_unspecified(const struct addr *addr)
{
	struct addr zero = addr_unspecified(addr_family(addr));

	return addr_equal(addr, &zero);
}

bool addr_is_loopback(const struct addr *addr)
{
	static const struct addr loopback = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};

	if (addr_family(addr) == FAMILY_IPV4)
		return addr->bytes[12] == 127;
	return addr_equal(addr, &loopback);
}

bool addr_is_link_local(const struct addr *addr)
{
	if (addr_family(addr) == FAMILY_IPV4)
		return addr->bytes[12] == 169 && addr->bytes[13] == 254;
	return addr->bytes[0] == 0xfe && (addr->bytes[1] & 0xc0) == 0x80;
}

bool addr_is_proxied_group(const struct addr *addr)
{
	if (!addr_is_multicast(addr))
		return false;
	if (addr_family(addr) == FAMILY_IPV4)
		return addr->bytes[12] != 224 || addr->bytes[13] != 0 || addr->bytes[14] != 0;
	return (addr->bytes[1] & 0x0f) > 2;
}

bool addr_is_source(const struct addr *addr)
{
	if (addr_is_unspecified(addr) || addr_is_multicast(addr) || addr_is_loopback(addr))
		return false;
	return addr_family(addr) == FAMILY_IPV6 || (addr->bytes[12] != 0 && addr->bytes[12] < 240);
}

bool addr_is_proxied_stream(const struct addr *source, const struct addr *group)
{
	return addr_is_proxied_group(group) && addr_is_source(source) && !addr_is_link_local(source);
}

bool addr_in_prefix(const struct addr *addr, const struct addr *prefix, unsigned length)
{
	unsigned whole = length / 8;
	uint8_t mask = (uint8_t)(0xff00 >> (length % 8));

	if (memcmp(addr->bytes, prefix->bytes, whole) != 0)
		return false;
	return length % 8 == 0 || ((addr->bytes[whole] ^ prefix->bytes[whole]) & mask) == 0;
}

/* Both words of the key come from the seed: 64 unknown bits are too many to try. */
static inline struct siphash begin_hash(uint64_t seed)
{
	return siphash_begin(seed, seed * 0x9e3779b97f4a7c15u);
}

/* The first half of an IPv4 address is 0 and not hashed. Reads each half by itself: the parts of an address were
 * often written one by one just before, and a processor then waits long for all of it. */
uint32_t addr_hash(const struct addr *addr, uint64_t seed)
{
	struct siphash hash = begin_hash(seed);
	uint64_t first = addr_raw_half(addr->bytes);

	if (first != 0)
		siphash_add(&hash, first);
	siphash_add(&hash, addr_raw_half(addr->bytes + 8));
	return (uint32_t)siphash_end(&hash);
}

/* With the first half of one address it hashes that of the other, so that no two pairs give the same words. */
uint32_t addr_pair_hash(const struct addr *source, const struct addr *group, uint64_t seed)
{
	struct siphash hash = begin_hash(seed);
	uint64_t source_first = addr_raw_half(source->bytes), group_first = addr_raw_half(group->bytes);

	if ((source_first | group_first) != 0) {
		siphash_add(&hash, source_first);
		siphash_add(&hash, group_first);
	}
	siphash_add(&hash, addr_raw_half(source->bytes + 8));
	siphash_add(&hash, addr_raw_half(group->bytes + 8));
	return (uint32_t)siphash_end(&hash);
}

const char *family_name(enum family family)
{
	return family == FAMILY_IPV4 ? "IPv4" : "IPv6";
}

const char *addr_format(const struct addr *addr, char text[ADDR_TEXT_SIZE])
{
	bool ipv4 = addr_family(addr) == FAMILY_IPV4;

	inet_ntop(ipv4 ? AF_INET : AF_INET6, addr_wire_bytes(addr, addr_family(addr)), text, ADDR_TEXT_SIZE);
	return text;
}

bool addr_parse(const char *text, struct addr *addr)
{
	uint8_t bytes[4];

	if (inet_pton(AF_INET, text, bytes) == 1) {
		*addr = addr_from_ipv4(bytes);
		return true;
	}
	return inet_pton(AF_INET6, text, addr->bytes) == 1;
}
