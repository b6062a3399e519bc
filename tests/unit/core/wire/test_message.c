/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What both families' messages share: records, exponential codes, the report writer.
 */
#include "core/wire/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/craft.h"

/* RFC 9776 section 4.1.1, word by word. */
static uint32_t expected_value8(uint32_t code)
{
	return code < 128 ? code : ((code & 0x0f) | 0x10) << ((code >> 4 & 0x07) + 3);
}

/* RFC 9777 section 5.1.3 */
static uint32_t expected_value16(uint32_t code)
{
	return code < 32768 ? code : ((code & 0x0fff) | 0x1000) << ((code >> 12 & 0x07) + 3);
}

static void all_codes_of_8_bits(void **state)
{
	(void)state;
	for (uint32_t code = 0; code <= UINT8_MAX; code++) {
		uint32_t value = message_value8((uint8_t)code);

		assert_int_equal(value, expected_value8(code));
		assert_int_equal(message_code8(value), code);
		if (code > 0)
			assert_int_equal(message_code8(value - 1), code - 1);
		if (code < UINT8_MAX)
			assert_int_equal(message_code8(message_value8((uint8_t)(code + 1)) - 1), code);
	}
}

static void all_codes_of_16_bits(void **state)
{
	(void)state;
	for (uint32_t code = 0; code <= UINT16_MAX; code++) {
		uint32_t value = message_value16((uint16_t)code);

		assert_int_equal(value, expected_value16(code));
		assert_int_equal(message_code16(value), code);
		if (code > 0)
			assert_int_equal(message_code16(value - 1), code - 1);
	}
}

static void values_too_large_become_the_largest(void **state)
{
	static const uint32_t values[] = {31744, 31745, 65536, 8387584, 8387585, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < LENGTH(values); i++)
		assert_int_equal(message_code8(values[i]), 0xff);
	assert_int_equal(message_code16(8387583), 0xfffe);
	for (size_t i = 3; i < LENGTH(values); i++)
		assert_int_equal(message_code16(values[i]), 0xffff);
}

/* Two records of IPv4: one with auxiliary data and two sources, one with nothing. */
static const uint8_t two_records[] = {
	IS_IN, 1, 0, 2, 239, 1, 1, 1, 10, 0, 0, 1, 10, 0, 0, 2, 0xaa, 0xaa, 0xaa, 0xaa, /* and the next */
	99,    0, 0, 0, 239, 1, 1, 2,
};

static void records_are_read_in_turn(void **state)
{
	struct message message = {
		.kind = MESSAGE_REPORT,
		.family = FAMILY_IPV4,
		.report = {.version = VERSION_3, .left = 2, .records = {two_records, sizeof two_records}},
	};
	struct addr first = addr_of("239.1.1.1"), second = addr_of("239.1.1.2");
	struct record record;

	(void)state;
	assert_true(message_next_record(&message, &record));
	assert_int_equal(record.type, IS_IN);
	assert_true(addr_equal(&record.group, &first));
	assert_int_equal(record.source_count, 2);
	assert_ptr_equal(record.sources, two_records + 8);
	assert_true(message_next_record(&message, &record));
	assert_int_equal(record.type, 99);
	assert_true(addr_equal(&record.group, &second));
	assert_int_equal(record.source_count, 0);
	assert_false(message_next_record(&message, &record));
	assert_false(message_next_record(&message, &record));
}

static void single_record_is_read_once(void **state)
{
	struct message message = {.report = {.version = VERSION_2, .left = 1}};
	struct record record;

	(void)state;
	message.report.single = (struct record){.type = TO_IN, .group = addr_of("239.1.1.1")};
	assert_true(message_next_record(&message, &record));
	assert_int_equal(record.type, TO_IN);
	assert_false(message_next_record(&message, &record));
}

static void records_fit_or_not(void **state)
{
	(void)state;
	for (size_t size = 0; size <= sizeof two_records; size++) {
		uint8_t *bytes = heap_copy(two_records, size);

		assert_int_equal(message_records_fit((struct wire){bytes, size}, 2, FAMILY_IPV4), size == 28);
		assert_int_equal(message_records_fit((struct wire){bytes, size}, 1, FAMILY_IPV4), size >= 20);
		assert_true(message_records_fit((struct wire){bytes, size}, 0, FAMILY_IPV4));
		assert_false(message_records_fit((struct wire){bytes, size}, 65535, FAMILY_IPV4));
		assert_false(message_records_fit((struct wire){bytes, size}, 2, FAMILY_IPV6));
		free(bytes);
	}
}

/* Adds one record in a buffer of each size up to enough; with the sanitizer, writes past the end show. */
static void check_writer(enum family family, size_t count)
{
	size_t addr_size = addr_wire_size(family), whole = 8 + 4 + addr_size * (1 + count);
	struct addr group = addr_of(family == FAMILY_IPV4 ? "239.1.1.1" : "ff05::1"), list[4];

	for (size_t i = 0; i < count; i++)
		list[i] = nth_addr(family == FAMILY_IPV4 ? "10.0.0.1" : "2001:db8::1", (uint32_t)i);
	for (size_t capacity = 8; capacity <= whole + 3; capacity++) {
		size_t fitting = capacity < 12 + addr_size ? 0 : (capacity - 12 - addr_size) / addr_size;
		bool fits = capacity >= 12 + addr_size && (count == 0 || fitting > 0);
		uint8_t *buffer = heap_copy(two_records, 8);
		struct report_writer writer;
		int added;

		buffer = realloc(buffer, capacity);
		assert_non_null(buffer);
		report_writer_open(&writer, family, buffer, capacity);
		added = report_writer_add(&writer, ALLOW, &group, list, count);
		assert_int_equal(added, !fits ? -1 : (int)(fitting < count ? fitting : count));
		assert_int_equal(writer.size, fits ? 12 + addr_size * (1 + (size_t)added) : 8);
		assert_int_equal(wire_get16(buffer + 6), fits);
		assert_true(message_records_fit((struct wire){buffer + 8, writer.size - 8}, fits, family));
		free(buffer);
	}
}

static void writer_fills_what_room_there_is(void **state)
{
	(void)state;
	for (int family = 0; family < FAMILIES; family++)
		for (size_t count = 0; count <= 4; count++)
			check_writer(family, count);
}

static void writer_counts_its_records(void **state)
{
	static uint8_t buffer[8 + 8 * 70000];
	struct addr group = addr_of("239.1.1.1");
	struct report_writer writer;

	(void)state;
	report_writer_open(&writer, FAMILY_IPV4, buffer, sizeof buffer);
	for (unsigned n = 1; n <= UINT16_MAX; n++) {
		assert_int_equal(report_writer_add(&writer, TO_EX, &group, NULL, 0), 0);
		assert_int_equal(wire_get16(buffer + 6), n);
	}
	assert_int_equal(report_writer_add(&writer, TO_EX, &group, NULL, 0), -1);
	assert_int_equal(writer.size, 8 + 8 * 65535);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_codes_of_8_bits),
		cmocka_unit_test(all_codes_of_16_bits),
		cmocka_unit_test(values_too_large_become_the_largest),
		cmocka_unit_test(records_are_read_in_turn),
		cmocka_unit_test(single_record_is_read_once),
		cmocka_unit_test(records_fit_or_not),
		cmocka_unit_test(writer_fills_what_room_there_is),
		cmocka_unit_test(writer_counts_its_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
