/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Packets and addresses for tests, made with the codecs.
 */
#ifndef MCPROXY_TESTS_CRAFT_H
#define MCPROXY_TESTS_CRAFT_H

#include "core/wire/igmp.h"
#include "core/wire/mld.h"

#include <stdlib.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

#define CRAFT_SIZE 9000

struct craft {
	size_t size;
	uint8_t bytes[CRAFT_SIZE];
};

/* A record of a report, as text: sources separated by spaces. */
struct craft_record {
	enum record_type type;
	const char *group;
	const char *sources;
};

struct addr addr_of(const char *text);

/* An IPv4 address as a number: the inverse of addr_from_ipv4_number. */
uint32_t ipv4_number(const struct addr *addr);

/* The n-th address from the first one on. */
struct addr nth_addr(const char *first, uint32_t n);

/* Reads "10.0.0.1 10.0.0.2" into a list in that order; returns how many. NULL and "" are none. */
size_t addrs_of(const char *text, struct addr *list, size_t capacity);

/* The RFCs' name of a record type. */
const char *record_type_name(enum record_type type);
struct craft craft_v3_report_of(const struct addr *from, const struct record *records,
                                const struct addr *const *sources, size_t count);

#define CRAFT_RECORDS_MAX 16
#define CRAFT_SOURCES_MAX 64

/* A version 3 (MLDv2) report; the table of records ends with a NULL group. */
struct craft craft_records(const char *from, const struct craft_record *rows);
struct craft craft_record(const char *from, enum record_type type, const char *group, const char *sources);

/* A version 1 or 2 report (MLDv1 counts as 2) or a leave (done). */
struct craft craft_old(const char *from, enum version version, const char *group, bool leave);

/* A query with the given fields; group NULL is a general one. */
struct craft craft_query(const char *from, struct query query, const char *group, const char *sources);

/* Corrects the checksums of an IPv4 packet with a header of 24 bytes. */
void craft_fix_ipv4(struct craft *craft);

/* The same for an IPv6 packet with one hop-by-hop header of eight bytes. */
void craft_fix_ipv6(struct craft *craft);

/* Cuts or grows the packet to a message of that size, and corrects lengths and checksums. */
void craft_resize(struct craft *craft, enum family family, size_t message_size);

/* A copy of exactly that size on the heap, so that the sanitizer sees a read past its end. */
uint8_t *heap_copy(const void *bytes, size_t size);

#endif
