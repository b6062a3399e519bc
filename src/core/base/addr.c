/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/base/addr.h"

#include "core/base/siphash.h"

#include <arpa/inet.h>

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* Writes each half at once: a processor waits long when it loads a half that was written in parts. */
struct addr addr_from_ipv4(const uint8_t bytes[4])
{
	struct addr addr = {{0}};
	uint8_t low[8] = {0, 0, 0xff, 0xff, bytes[0], bytes[1], bytes[2], bytes[3]};
	uint64_t half;

	memcpy(&half, low, sizeof half);
	memcpy(addr.bytes + 8, &half, sizeof half);
	return addr;
}

struct addr addr_from_ipv6(const uint8_t bytes[16])
{
	struct addr addr;

	memcpy(addr.bytes, bytes, sizeof addr.bytes);
	return addr;
}

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

enum family addr_family(const struct addr *addr)
{
	return memcmp(addr->bytes, mapped_prefix, sizeof mapped_prefix) == 0 ? FAMILY_IPV4 : FAMILY_IPV6;
}

const uint8_t *addr_ipv4_bytes(const struct addr *addr)
{
	return addr->bytes + 12;
}

const uint8_t *addr_wire_bytes(const struct addr *addr, enum family family)
{
	return family == FAMILY_IPV4 ? addr_ipv4_bytes(addr) : addr->bytes;
}

size_t addr_wire_size(enum family family)
{
	return family == FAMILY_IPV4 ? 4 : 16;
}

bool addr_is_unspecified(const struct addr *addr)
{
	struct addr zero = addr_unspecified(addr_family(addr));

	return addr_equal(addr, &zero);
}

bool addr_is_multicast(const struct addr *addr)
{
	if (addr_family(addr) == FAMILY_IPV4)
		return addr->bytes[12] >> 4 == 0xe;
	return addr->bytes[0] == 0xff;
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

/* Each half by itself: the parts of an address were often written one by one just before, and a processor
 * then waits long for all of it. */
SIPHASH_INLINE void hash_add(struct siphash *hash, const struct addr *addr)
{
	siphash_add(hash, addr_half(addr->bytes));
	siphash_add(hash, addr_half(addr->bytes + 8));
}

uint32_t addr_hash(const struct addr *addr, uint64_t seed)
{
	struct siphash hash = begin_hash(seed);

	hash_add(&hash, addr);
	return (uint32_t)siphash_end(&hash);
}

uint32_t addr_pair_hash(const struct addr *source, const struct addr *group, uint64_t seed)
{
	struct siphash hash = begin_hash(seed);

	hash_add(&hash, source);
	hash_add(&hash, group);
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
