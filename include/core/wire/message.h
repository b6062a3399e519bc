/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Membership messages as the state machines use them: queries and reports of both families and all versions
 * in one form. The codecs igmp and mld convert packets to and from this form. A decoded message points into
 * the packet; the decoder has checked all bounds.
 */
#ifndef MCPROXY_CORE_WIRE_MESSAGE_H
#define MCPROXY_CORE_WIRE_MESSAGE_H

#include "core/base/mtime.h"
#include "core/wire/bytes.h"
#include "core/wire/drop.h"

/* Protocol versions of both families on one scale: MLDv1 corresponds to IGMPv2, MLDv2 to IGMPv3. */
enum version { VERSION_NONE, VERSION_1, VERSION_2, VERSION_3 };

/* RFC 9776 section 4.2.13, RFC 9777 section 5.2.12; the values are those on the wire. */
enum record_type { IS_IN = 1, IS_EX, TO_IN, TO_EX, ALLOW, BLOCK };

struct record {
	enum record_type type;
	struct addr group;
	const uint8_t *sources; /* in wire form */
	size_t source_count;
};

struct query {
	enum version version;
	struct addr group;       /* unspecified: general query */
	uint32_t max_response;   /* milliseconds */
	bool suppress;           /* the S flag */
	uint8_t robustness;      /* QRV; 0: not known */
	uint32_t query_interval; /* QQI in milliseconds; 0: not known */
	const uint8_t *sources;  /* in wire form */
	size_t source_count;
};

struct report {
	enum version version;
	struct record single; /* versions 1 and 2: a report is IS_EX{}, a leave TO_IN{} */
	size_t left;          /* records not yet read */
	struct wire records;  /* version 3 */
};

enum message_kind { MESSAGE_QUERY, MESSAGE_REPORT };

struct message {
	enum message_kind kind;
	enum family family;
	union {
		struct query query;
		struct report report;
	};
};

/* Reads the next record of a report; false when there is none. Types are those on the wire: the caller skips
 * unknown ones (RFC 9776 section 4.2.13). */
bool message_next_record(struct message *message, struct record *record);
/* Are the records within the message? For the decoders. */
bool message_records_fit(struct wire records, size_t count, enum family family);

/* "IGMPv3", "MLDv1", ...; "none" for VERSION_NONE. */
const char *version_name(enum family family, enum version version);

/* Exponential codes (RFC 9776 sections 4.1.1 and 4.1.7, RFC 9777 section 5.1.3). Not every value has a code:
 * a code stands for the largest possible value up to `value`. 8 bits: Max Resp Code and QQIC; 16 bits:
 * Maximum Response Code of MLDv2. */
uint8_t message_code8(uint32_t value);
uint32_t message_value8(uint8_t code);
uint16_t message_code16(uint32_t value);
uint32_t message_value16(uint16_t code);

/* A version 3 report under construction. The buffer has packet_header_size() free bytes in front of the
 * message. */
struct report_writer {
	enum family family;
	uint8_t *message; /* the message's first byte */
	size_t size;
	size_t capacity;
	uint16_t records;
};

void report_writer_open(struct report_writer *writer, enum family family, uint8_t *message, size_t capacity);
/* Adds a record with as many of the sources as fit, and returns their number; -1 when the record itself, or
 * the first of its sources, does not fit. */
int report_writer_add(struct report_writer *writer, enum record_type type, const struct addr *group,
                      const struct addr *sources, size_t count);

#endif
