/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/craft.h"

struct addr addr_of(const char *text)
{
	struct addr addr;

	if (!addr_parse(text, &addr))
		abort();
	return addr;
}

uint32_t ipv4_number(const struct addr *addr)
{
	const uint8_t *bytes = addr_ipv4_bytes(addr);

	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

struct addr nth_addr(const char *first, uint32_t n)
{
	struct addr addr = addr_of(first);

	for (size_t i = sizeof addr.bytes; i-- > 12 && n > 0;) {
		n += addr.bytes[i];
		addr.bytes[i] = (uint8_t)n;
		n >>= 8;
	}
	return addr;
}

size_t addrs_of(const char *text, struct addr *list, size_t capacity)
{
	size_t count = 0;

	while (text != NULL && *text != 0) {
		char word[ADDR_TEXT_SIZE] = "";
		size_t length = strcspn(text, " ");

		if (length >= sizeof word || count == capacity)
			abort();
		memcpy(word, text, length);
		list[count++] = addr_of(word);
		text += length;
		text += strspn(text, " ");
	}
	return count;
}

const char *record_type_name(enum record_type type)
{
	static const char *const names[] = {
		[IS_IN] = "IS_IN", [IS_EX] = "IS_EX", [TO_IN] = "TO_IN",
		[TO_EX] = "TO_EX", [ALLOW] = "ALLOW", [BLOCK] = "BLOCK",
	};

	return type >= IS_IN && type <= BLOCK ? names[type] : "unknown";
}

static void craft_finish(struct craft *craft, enum family family, const struct addr *from,
                         const struct addr *to, size_t message_size)
{
	craft->size = packet_finish(family, craft->bytes, from, to, message_size);
}

struct craft craft_v3_report_of(const struct addr *from, const struct record *records,
                                const struct addr *const *sources, size_t count)
{
	enum family family = addr_family(from);
	struct craft craft = {0};
	size_t header = packet_header_size(family);
	struct addr to = family == FAMILY_IPV4 ? addr_from_ipv4_number(IGMP_V3_ROUTERS) : mld_v2_routers;
	struct report_writer writer;
	size_t size;

	report_writer_open(&writer, family, craft.bytes + header, sizeof craft.bytes - header);
	for (size_t i = 0; i < count; i++)
		if (report_writer_add(&writer, records[i].type, &records[i].group, sources[i],
		                      records[i].source_count) != (int)records[i].source_count)
			abort();
	size = family == FAMILY_IPV4 ? igmp_finish_report(&writer) : mld_finish_report(&writer, from);
	craft_finish(&craft, family, from, &to, size);
	return craft;
}

struct craft craft_records(const char *from, const struct craft_record *rows)
{
	static struct addr lists[CRAFT_RECORDS_MAX][CRAFT_SOURCES_MAX];
	const struct addr *sources[CRAFT_RECORDS_MAX];
	struct record records[CRAFT_RECORDS_MAX];
	struct addr source = addr_of(from);
	size_t count = 0;

	for (; rows[count].group != NULL; count++) {
		records[count] = (struct record){
			.type = rows[count].type,
			.group = addr_of(rows[count].group),
			.source_count = addrs_of(rows[count].sources, lists[count], CRAFT_SOURCES_MAX),
		};
		sources[count] = lists[count];
	}
	return craft_v3_report_of(&source, records, sources, count);
}

struct craft craft_record(const char *from, enum record_type type, const char *group, const char *sources)
{
	return craft_records(from, (const struct craft_record[]){{type, group, sources}, {0}});
}

struct craft craft_old(const char *from, enum version version, const char *group, bool leave)
{
	struct addr source = addr_of(from), to = addr_of(group);
	struct addr destination = to;
	struct craft craft = {0};
	enum family family = addr_family(&to);
	uint8_t *message = craft.bytes + packet_header_size(family);
	size_t size;

	if (leave)
		destination =
			family == FAMILY_IPV4 ? addr_from_ipv4_number(IGMP_ALL_ROUTERS) : mld_all_routers;
	if (family == FAMILY_IPV4)
		size = leave ? igmp_encode_leave(message, &to) : igmp_encode_report(message, version, &to);
	else
		size = leave ? mld_encode_done(message, &to, &source)
		             : mld_encode_report(message, &to, &source);
	craft_finish(&craft, family, &source, &destination, size);
	return craft;
}

struct craft craft_query(const char *from, struct query query, const char *group, const char *sources)
{
	struct addr list[CRAFT_SOURCES_MAX];
	struct addr source = addr_of(from), to;
	enum family family = addr_family(&source);
	struct craft craft = {0};
	uint8_t *message = craft.bytes + packet_header_size(family);
	size_t size;

	query.group = group ? addr_of(group) : addr_unspecified(family);
	query.source_count = addrs_of(sources, list, CRAFT_SOURCES_MAX);
	to = group                   ? query.group
	     : family == FAMILY_IPV4 ? addr_from_ipv4_number(IGMP_ALL_SYSTEMS)
	                             : mld_all_nodes;
	size = family == FAMILY_IPV4 ? igmp_encode_query(message, &query, list)
	                             : mld_encode_query(message, &query, list, &source, &to);
	craft_finish(&craft, family, &source, &to, size);
	return craft;
}

void craft_fix_ipv4(struct craft *craft)
{
	uint8_t *header = craft->bytes, *message = craft->bytes + PACKET_HEADER_IPV4;

	wire_put16(header + 10, 0);
	wire_put16(header + 10, wire_checksum(0, header, PACKET_HEADER_IPV4));
	if (craft->size < PACKET_HEADER_IPV4 + 4)
		return;
	wire_put16(message + 2, 0);
	wire_put16(message + 2, wire_checksum(0, message, craft->size - PACKET_HEADER_IPV4));
}

void craft_fix_ipv6(struct craft *craft)
{
	struct addr from = addr_from_ipv6(craft->bytes + 8), to = addr_from_ipv6(craft->bytes + 24);
	uint8_t *message = craft->bytes + PACKET_HEADER_IPV6;
	size_t size = craft->size - PACKET_HEADER_IPV6;

	if (craft->size < PACKET_HEADER_IPV6 + 4)
		return;
	wire_put16(message + 2, 0);
	wire_put16(message + 2, wire_checksum(wire_icmp6_pseudo_sum(&from, &to, size), message, size));
}

void craft_resize(struct craft *craft, enum family family, size_t message_size)
{
	craft->size = packet_header_size(family) + message_size;
	if (family == FAMILY_IPV4) {
		wire_put16(craft->bytes + 2, (uint16_t)craft->size);
		craft_fix_ipv4(craft);
	} else {
		wire_put16(craft->bytes + 4, (uint16_t)(craft->size - 40));
		craft_fix_ipv6(craft);
	}
}

uint8_t *heap_copy(const void *bytes, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1);

	if (copy == NULL)
		abort();
	if (size > 0)
		memcpy(copy, bytes, size);
	return copy;
}
