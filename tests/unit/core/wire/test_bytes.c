/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Bytes: the reader's bounds, numbers, checksums against known ones.
 */
#include "core/wire/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/craft.h"

static void reader_never_passes_the_end(void **state)
{
	static const uint8_t bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8};

	(void)state;
	for (size_t size = 0; size <= sizeof bytes; size++) {
		struct wire wire = {bytes, sizeof bytes};

		assert_ptr_equal(wire_take(&wire, size), bytes);
		assert_int_equal(wire.left, sizeof bytes - size);
		assert_null(wire_take(&wire, wire.left + 1));
		assert_null(wire_take(&wire, SIZE_MAX));
		assert_int_equal(wire.left, sizeof bytes - size);
		assert_ptr_equal(wire_take(&wire, wire.left), bytes + size);
		assert_int_equal(wire.left, 0);
		assert_non_null(wire_take(&wire, 0));
	}
}

static void numbers_are_big_endian(void **state)
{
	uint8_t bytes[2];

	(void)state;
	for (uint32_t value = 0; value <= UINT16_MAX; value++) {
		wire_put16(bytes, (uint16_t)value);
		assert_int_equal(bytes[0], value >> 8);
		assert_int_equal(bytes[1], value & 0xff);
		assert_int_equal(wire_get16(bytes), value);
	}
}

static void addresses_both_ways(void **state)
{
	static const char *const texts[] = {"0.0.0.0", "239.1.2.3", "::", "2001:db8::1"};

	(void)state;
	for (size_t i = 0; i < LENGTH(texts); i++) {
		struct addr addr = addr_of(texts[i]), back;
		enum family family = addr_family(&addr);
		uint8_t bytes[17] = {[4] = 0xee, [16] = 0xee};

		assert_int_equal(wire_put_addr(bytes, &addr, family), addr_wire_size(family));
		assert_int_equal(bytes[addr_wire_size(family)], 0xee);
		back = wire_get_addr(bytes, family);
		assert_true(addr_equal(&addr, &back));
	}
}

static void known_checksums(void **state)
{
	static const struct {
		uint8_t data[20];
		size_t size;
		uint32_t partial;
		uint16_t sum;
	} rows[] = {
		{{0}, 0, 0, 0xffff},
		{{0}, 20, 0, 0xffff},
		{{0xff, 0xff}, 2, 0, 0x0000},
		{{0x12}, 1, 0, 0xedff}, /* padded with a zero byte */
		{{0x12, 0x34, 0x56}, 3, 0, 0x97cb},
		/* RFC 1071 section 3 */
		{{0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}, 8, 0, 0x220d},
		/* a common example of an IPv4 header */
		{{0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
	          0,    0,    0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7},
	         20,
	         0,
	         0xb861},
		/* an IGMPv2 general query of 10 s */
		{{0x11, 0x64, 0, 0, 0, 0, 0, 0}, 8, 0, 0xee9b},
		{{0x11, 0x64, 0xee, 0x9b, 0, 0, 0, 0}, 8, 0, 0},
		/* a partial sum that carries */
		{{0xff, 0xff, 0x00, 0x01}, 4, 0xfffff, 0xfff0 - 0x0001},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++)
		assert_int_equal(wire_checksum(rows[i].partial, rows[i].data, rows[i].size), rows[i].sum);
}

static void largest_packet_does_not_overflow_the_sum(void **state)
{
	uint8_t *data = malloc(65535);
	struct addr ones;

	(void)state;
	assert_non_null(data);
	memset(data, 0xff, 65535);
	memset(&ones, 0xff, sizeof ones);
	/* 32,767 words of 0xffff are 0 in ones' complement, and so are the addresses; what is left: the odd
	 * byte, 65535, 58. */
	assert_int_equal(wire_checksum(wire_icmp6_pseudo_sum(&ones, &ones, 65535), data, 65535),
	                 (uint16_t) ~(0xff00 + 58));
	free(data);
}

static void pseudo_header_of_a_known_packet(void **state)
{
	/* An MLDv1 report for ff05::2 from fe80::1, its checksum worked out elsewhere. */
	static const uint8_t message[24] = {131, 0, 0x80, 0x1b, [8] = 0xff, [9] = 0x05, [23] = 2};
	struct addr from = addr_of("fe80::1"), to = addr_of("ff05::2");
	/* fe80 + 1 + ff05 + 2 + 24 + 58 */
	uint32_t pseudo = wire_icmp6_pseudo_sum(&from, &to, sizeof message);

	(void)state;
	assert_int_equal(pseudo, 0xfe80 + 1 + 0xff05 + 2 + 24 + 58);
	assert_int_equal(wire_checksum(pseudo, message, sizeof message), 0);
}

/* Word by word, as the RFC says it. */
static uint16_t plain_checksum(uint32_t sum, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		sum += i % 2 == 0 ? (uint32_t)data[i] << 8 : data[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void checksums_of_any_length_and_place(void **state)
{
	uint8_t data[300];
	uint32_t random = 1;

	(void)state;
	for (int run = 0; run < 20; run++) {
		for (size_t i = 0; i < sizeof data; i++) {
			random = random * 1664525u + 1013904223u;
			data[i] = run == 0 ? 0xff : (uint8_t)(random >> 24);
		}
		for (size_t start = 0; start < 8; start++)
			for (size_t size = 0; start + size <= sizeof data; size++)
				assert_int_equal(wire_checksum(random >> 16, data + start, size),
				                 plain_checksum(random >> 16, data + start, size));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reader_never_passes_the_end),
		cmocka_unit_test(numbers_are_big_endian),
		cmocka_unit_test(addresses_both_ways),
		cmocka_unit_test(known_checksums),
		cmocka_unit_test(checksums_of_any_length_and_place),
		cmocka_unit_test(largest_packet_does_not_overflow_the_sum),
		cmocka_unit_test(pseudo_header_of_a_known_packet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
