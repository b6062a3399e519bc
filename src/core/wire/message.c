/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/wire/message.h"

#include <assert.h>

#define RECORD_HEADER 4
#define REPORT_HEADER 8

/* Takes the next record with its sources and auxiliary data, which is skipped (RFC 9776 section 4.2.11); NULL:
 * the message ends before. */
static const uint8_t *take_record(struct wire *wire, size_t addr_size)
{
	size_t fixed = RECORD_HEADER + addr_size;

	if (wire->left < fixed)
		return NULL;
	return wire_take(wire, fixed + wire_get16(wire->at + 2) * addr_size + wire->at[1] * (size_t)4);
}

bool message_records_fit(struct wire records, size_t count, enum family family)
{
	size_t addr_size = addr_wire_size(family);

	while (count-- > 0)
		if (take_record(&records, addr_size) == NULL)
			return false;
	return true;
}

static bool read_record(struct wire *wire, enum family family, struct record *record)
{
	size_t addr_size = addr_wire_size(family);
	const uint8_t *at = take_record(wire, addr_size);

	if (at == NULL)
		return false;
	record->type = at[0];
	record->group = wire_get_addr(at + RECORD_HEADER, family);
	record->source_count = wire_get16(at + 2);
	record->sources = at + RECORD_HEADER + addr_size;
	return true;
}

bool message_next_record(struct message *message, struct record *record)
{
	struct report *report = &message->report;

	if (report->left == 0)
		return false;
	report->left--;
	if (report->version == VERSION_3)
		return read_record(&report->records, message->family, record);
	*record = report->single;
	return true;
}

const char *version_name(enum family family, enum version version)
{
	static const char *const names[FAMILIES][4] = {
		[FAMILY_IPV4] = {"none", "IGMPv1", "IGMPv2", "IGMPv3"},
		[FAMILY_IPV6] = {"none", "none", "MLDv1", "MLDv2"},
	};

	return version <= VERSION_3 ? names[family][version] : "none";
}

/* value = (mantissa | hidden bit) << (exponent + 3), for values that are too large to be their own code. */
static uint32_t encode(uint32_t value, unsigned mantissa_bits)
{
	uint32_t linear_end = 1u << (mantissa_bits + 3);
	unsigned exponent = 0;

	if (value < linear_end)
		return value;
	while (exponent < 7 && value >> (exponent + 3) >= 2u << mantissa_bits)
		exponent++;
	if (value >> (exponent + 3) >= 2u << mantissa_bits)
		return linear_end | 7u << mantissa_bits | ((1u << mantissa_bits) - 1);
	return linear_end | exponent << mantissa_bits |
	       (value >> (exponent + 3) & ((1u << mantissa_bits) - 1));
}

static uint32_t decode(uint32_t code, unsigned mantissa_bits)
{
	uint32_t mantissa = code & ((1u << mantissa_bits) - 1);
	unsigned exponent = code >> mantissa_bits & 7;

	if (code < 1u << (mantissa_bits + 3))
		return code;
	return (mantissa | 1u << mantissa_bits) << (exponent + 3);
}

uint8_t message_code8(uint32_t value)
{
	return (uint8_t)encode(value, 4);
}

uint32_t message_value8(uint8_t code)
{
	return decode(code, 4);
}

uint16_t message_code16(uint32_t value)
{
	return (uint16_t)encode(value, 12);
}

uint32_t message_value16(uint16_t code)
{
	return decode(code, 12);
}

void report_writer_open(struct report_writer *writer, enum family family, uint8_t *message, size_t capacity)
{
	assert(capacity >= REPORT_HEADER);
	*writer = (struct report_writer){
		.family = family, .message = message, .size = REPORT_HEADER, .capacity = capacity};
	memset(message, 0, REPORT_HEADER);
}

int report_writer_add(struct report_writer *writer, enum record_type type, const struct addr *group,
                      const struct addr *sources, size_t count)
{
	size_t addr_size = addr_wire_size(writer->family);
	size_t room = writer->capacity - writer->size;
	size_t fitting =
		room < RECORD_HEADER + addr_size ? 0 : (room - RECORD_HEADER - addr_size) / addr_size;
	uint8_t *at = writer->message + writer->size;

	if (room < RECORD_HEADER + addr_size || (count > 0 && fitting == 0) || writer->records == UINT16_MAX)
		return -1;
	if (count > fitting)
		count = fitting;
	at[0] = (uint8_t)type;
	at[1] = 0;
	wire_put16(at + 2, (uint16_t)count);
	at += RECORD_HEADER;
	at += wire_put_addr(at, group, writer->family);
	for (size_t i = 0; i < count; i++)
		at += wire_put_addr(at, &sources[i], writer->family);
	writer->size = (size_t)(at - writer->message);
	wire_put16(writer->message + 6, ++writer->records);
	return (int)count;
}
