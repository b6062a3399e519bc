/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/wire/bytes.h"

const uint8_t *wire_take(struct wire *wire, size_t size)
{
	const uint8_t *at = wire->at;

	if (size > wire->left)
		return NULL;
	wire->at += size;
	wire->left -= size;
	return at;
}

uint16_t wire_get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

void wire_put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

struct addr wire_get_addr(const uint8_t *at, enum family family)
{
	return family == FAMILY_IPV4 ? addr_from_ipv4(at) : addr_from_ipv6(at);
}

size_t wire_put_addr(uint8_t *at, const struct addr *addr, enum family family)
{
	size_t size = addr_wire_size(family);

	memcpy(at, addr_wire_bytes(addr, family), size);
	return size;
}

/* The sum of 16-bit words does not depend on the byte order, except for the order of its own two bytes (RFC
 * 1071 section 2). So this takes four bytes at a time in the machine's order; at most 16 GB. */
static uint32_t sum_quads(const uint8_t *data, size_t size)
{
	uint64_t sum = 0;
	uint8_t bytes[2];
	uint16_t folded;

	for (; size >= 4; data += 4, size -= 4) {
		uint32_t quad;

		memcpy(&quad, data, sizeof quad);
		sum += quad;
	}
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	folded = (uint16_t)sum;
	memcpy(bytes, &folded, sizeof bytes);
	return wire_get16(bytes);
}

static uint32_t sum_words(uint32_t sum, const uint8_t *data, size_t size)
{
	sum += sum_quads(data, size);
	data += size / 4 * 4;
	size %= 4;
	for (; size > 1; data += 2, size -= 2)
		sum += wire_get16(data);
	if (size == 1)
		sum += (uint32_t)data[0] << 8;
	return sum;
}

uint16_t wire_checksum(uint32_t partial, const uint8_t *data, size_t size)
{
	uint32_t sum = sum_words(partial, data, size);

	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

uint32_t wire_icmp6_pseudo_sum(const struct addr *source, const struct addr *destination, size_t size)
{
	uint32_t sum = sum_words(0, source->bytes, sizeof source->bytes);

	sum = sum_words(sum, destination->bytes, sizeof destination->bytes);
	return sum + (uint32_t)(size >> 16) + (uint32_t)(size & 0xffff) + 58;
}
