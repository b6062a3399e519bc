/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/wire/bytes.h"

/* For builds that do not inline them. */
extern inline const uint8_t *wire_take(struct wire *wire, size_t size);
extern inline uint16_t wire_get16(const uint8_t *at);
extern inline struct addr wire_get_addr(const uint8_t *at, enum family family);

void wire_put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

size_t wire_put_addr(uint8_t *at, const struct addr *addr, enum family family)
{
	size_t size = addr_wire_size(family);

	memcpy(at, addr_wire_bytes(addr, family), size);
	return size;
}

/* The sum of 16-bit words does not depend on the byte order, except for the order of its own two bytes (RFC
 * 1071 section 2). So this takes eight bytes at a time in the machine's order; at most 16 GB. */
static uint32_t sum_blocks(const uint8_t *data, size_t size)
{
	uint64_t sum = 0;
	uint8_t bytes[2];
	uint16_t folded;

	for (; size >= 8; data += 8, size -= 8) {
		uint64_t block;

		memcpy(&block, data, sizeof block);
		sum += (block >> 32) + (uint32_t)block;
	}
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	folded = (uint16_t)sum;
	memcpy(bytes, &folded, sizeof bytes);
	return wire_get16(bytes);
}

static uint32_t sum_words(uint32_t sum, const uint8_t *data, size_t size)
{
	sum += sum_blocks(data, size);
	data += size / 8 * 8;
	size %= 8;
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
