/* SPDX-License-Identifier: BSD-2-Clause */
#include "frame.h"

#include <assert.h>
#include <stdlib.h>

#define IPV4_HEADER 24
#define IPV6_HEADER 48

static const uint8_t all_systems[4] = {224, 0, 0, 1}, all_routers[4] = {224, 0, 0, 2},
		     v3_routers[4] = {224, 0, 0, 22};
static const uint8_t all_snoopers[4] = {224, 0, 0, 106}, all_snoopers6[16] = {0xff, 2, [15] = 0x6a};
static const uint8_t all_nodes6[16] = {0xff, 2, [15] = 1}, all_routers6[16] = {0xff, 2, [15] = 2},
		     v2_routers6[16] = {0xff, 2, [15] = 22};

struct addr station_addr(enum family family, unsigned segment, unsigned number)
{
	struct addr addr = {
		{0xfe, 0x80, [13] = (uint8_t)segment, [14] = (uint8_t)(number >> 8), [15] = (uint8_t)number}};

	return family == FAMILY_IPV6 ? addr : addr_from_ipv4_number(10u << 24 | segment << 16 | number);
}

static void put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static unsigned get16(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

static uint32_t sum(uint32_t so_far, const uint8_t *at, size_t size)
{
	for (size_t i = 0; i < size; i++)
		so_far += i % 2 ? at[i] : (uint32_t)at[i] << 8;
	while (so_far >> 16)
		so_far = (so_far & 0xffff) + (so_far >> 16);
	return so_far;
}

/* The sum that the checksum complements: 0xffff when the checksum in it is right. */
static uint32_t message_sum(const struct frame *frame)
{
	const uint8_t *ip = frame->bytes;

	if (frame->family == FAMILY_IPV4)
		return sum(0, ip + IPV4_HEADER, frame->size - IPV4_HEADER);
	return sum(sum((uint32_t)(frame->size - IPV6_HEADER) + 58, ip + 8, 32), ip + IPV6_HEADER,
	           frame->size - IPV6_HEADER);
}

static uint8_t *message_of(struct frame *frame)
{
	return frame->bytes + (frame->family == FAMILY_IPV4 ? IPV4_HEADER : IPV6_HEADER);
}

static struct frame *frame_new(enum family family, size_t message_size)
{
	size_t size = (family == FAMILY_IPV4 ? IPV4_HEADER : IPV6_HEADER) + message_size;
	struct frame *frame = calloc(1, sizeof *frame + size);

	assert(frame != NULL);
	frame->references = 1;
	frame->family = family;
	frame->group = GROUP_NONE;
	frame->size = size;
	return frame;
}

struct frame *frame_copy(enum family family, const uint8_t *bytes, size_t size)
{
	struct frame *frame = calloc(1, sizeof *frame + size);

	assert(frame != NULL);
	frame->references = 1;
	frame->family = family;
	frame->is_query = true;
	frame->size = size;
	memcpy(frame->bytes, bytes, size);
	return frame;
}

void frame_drop(struct frame *frame)
{
	if (--frame->references == 0)
		free(frame);
}

static size_t put_addr(uint8_t *at, enum family family, const struct addr *addr)
{
	size_t size = family == FAMILY_IPV4 ? 4 : 16;

	memcpy(at, addr->bytes + 16 - size, size);
	return size;
}

static void finish_ipv4(struct frame *frame, const struct addr *from, const uint8_t *to)
{
	uint8_t *ip = frame->bytes;

	memcpy(ip, (uint8_t[]){0x46, 0xc0}, 2);
	put16(ip + 2, (unsigned)frame->size);
	ip[8] = 1;
	ip[9] = 2;
	put_addr(ip + 12, FAMILY_IPV4, from);
	memcpy(ip + 16, to, 4);
	memcpy(ip + 20, (uint8_t[]){0x94, 4, 0, 0}, 4);
	put16(ip + 10, ~sum(0, ip, IPV4_HEADER) & 0xffff);
}

static void finish_ipv6(struct frame *frame, const struct addr *from, const uint8_t *to)
{
	uint8_t *ip = frame->bytes;

	ip[0] = 0x60;
	put16(ip + 4, (unsigned)frame->size - 40);
	ip[7] = 1;
	put_addr(ip + 8, FAMILY_IPV6, from);
	memcpy(ip + 24, to, 16);
	memcpy(ip + 40, (uint8_t[]){58, 0, 5, 2, 0, 0, 1, 0}, 8);
}

static struct frame *finish(struct frame *frame, const struct addr *from, const uint8_t *to)
{
	if (frame->family == FAMILY_IPV4)
		finish_ipv4(frame, from, to);
	else
		finish_ipv6(frame, from, to);
	put16(message_of(frame) + 2, ~message_sum(frame) & 0xffff);
	return frame;
}

static size_t put_sources(uint8_t *at, enum family family, uint64_t sources)
{
	size_t size = 0;

	for (unsigned source = 0; source < SOURCES_MAX; source++) {
		struct addr addr = universe_source(family, source);

		if (sources >> source & 1)
			size += put_addr(at + size, family, &addr);
	}
	return size;
}

static unsigned count_sources(uint64_t sources)
{
	return (unsigned)__builtin_popcountll(sources);
}

/* The code of the largest value not above; tried one after the other. */
static unsigned value_of_code(unsigned code)
{
	return code < 128 ? code : (code % 16 + 16) << (code / 16 % 8 + 3);
}

static uint8_t code_of_value(mtime value)
{
	unsigned code = 0;

	while (code < 255 && value_of_code(code + 1) <= value)
		code++;
	return (uint8_t)code;
}

struct frame *frame_query(enum family family, const struct frame_query *query)
{
	bool ipv4 = family == FAMILY_IPV4;
	size_t base = ipv4 ? 8 : 24;
	size_t size = query->version < VERSION_3
	                      ? base
	                      : base + 4 + count_sources(query->sources) * (ipv4 ? 4u : 16u);
	struct frame *frame = frame_new(family, size);
	uint8_t *message = message_of(frame);
	struct addr group = universe_group(family, (unsigned)query->group);
	uint8_t *to = message + (ipv4 ? 4 : 8);

	frame->is_query = true;
	message[0] = ipv4 ? 0x11 : 130;
	if (query->group != GROUP_NONE)
		put_addr(to, family, &group);
	if (!ipv4)
		put16(message + 4, (unsigned)(query->max_response > 32767 ? 32767 : query->max_response));
	else if (query->version >= VERSION_2)
		message[1] = query->version == VERSION_3 ? code_of_value(query->max_response / 100)
		                                         : (uint8_t)(query->max_response / 100);
	if (query->version == VERSION_3) {
		message[base] = (uint8_t)((query->suppress ? 8 : 0) | query->robustness);
		message[base + 1] = code_of_value(query->interval / 1000);
		put16(message + base + 2, count_sources(query->sources));
		put_sources(message + base + 4, family, query->sources);
	}
	return finish(frame, &query->from, query->group != GROUP_NONE ? to : ipv4 ? all_systems : all_nodes6);
}

struct frame *frame_single(enum family family, const struct addr *from, int version, bool leave,
                           unsigned group)
{
	bool ipv4 = family == FAMILY_IPV4;
	struct frame *frame = frame_new(family, ipv4 ? 8 : 24);
	struct addr addr = universe_group(family, group);
	uint8_t *message = message_of(frame), *to = message + (ipv4 ? 4 : 8);

	frame->suppresses = !leave;
	frame->narrows = leave;
	frame->group = (int)group;
	if (ipv4)
		message[0] = leave ? 0x17 : version == VERSION_1 ? 0x12 : 0x16;
	else
		message[0] = leave ? 132 : 131;
	put_addr(to, family, &addr);
	return finish(frame, from, !leave ? to : ipv4 ? all_routers : all_routers6);
}

static size_t record_size(enum family family, const struct frame_record *record)
{
	size_t addr_size = family == FAMILY_IPV4 ? 4 : 16;

	return 4 + addr_size + count_sources(record->sources) * addr_size;
}

static bool record_narrows(const struct frame_record *record)
{
	return record->type == TO_IN || record->type == BLOCK;
}

struct frame *frame_report(enum family family, const struct addr *from, const struct frame_record *records,
                           size_t count, size_t *taken)
{
	size_t size = 8;
	struct frame *frame;
	uint8_t *at;

	for (*taken = 0; *taken < count; (*taken)++) {
		if (size + record_size(family, &records[*taken]) > FRAME_MESSAGE_MAX)
			break;
		size += record_size(family, &records[*taken]);
	}
	frame = frame_new(family, size);
	at = message_of(frame);
	at[0] = family == FAMILY_IPV4 ? 0x22 : 143;
	put16(at + 6, (unsigned)*taken);
	at += 8;
	for (size_t i = 0; i < *taken; i++) {
		struct addr group = universe_group(family, records[i].group);

		at[0] = (uint8_t)records[i].type;
		put16(at + 2, count_sources(records[i].sources));
		at += 4;
		at += put_addr(at, family, &group);
		at += put_sources(at, family, records[i].sources);
		if (record_narrows(&records[i])) {
			frame->narrows = true;
			frame->group = (int)records[i].group;
		}
	}
	return finish(frame, from, family == FAMILY_IPV4 ? v3_routers : v2_routers6);
}

static struct addr get_addr(const uint8_t *at, enum family family)
{
	return family == FAMILY_IPV4 ? addr_from_ipv4(at) : addr_from_ipv6(at);
}

static const char *check_ipv4_header(const struct frame *frame)
{
	static const uint8_t router_alert[4] = {0x94, 4, 0, 0};
	const uint8_t *ip = frame->bytes;

	if (ip[0] != 0x46 || get16(ip + 2) != frame->size)
		return "IPv4 length";
	if (sum(0, ip, IPV4_HEADER) != 0xffff)
		return "IPv4 header checksum";
	if (ip[1] != 0xc0 || ip[8] != 1 || ip[9] != 2 || (get16(ip + 6) & 0x3fff) != 0)
		return "IPv4 TOS, TTL, protocol or fragment";
	return memcmp(ip + 20, router_alert, 4) == 0 ? NULL : "no Router Alert";
}

static const char *check_ipv6_header(const struct frame *frame)
{
	static const uint8_t hop_by_hop[8] = {58, 0, 5, 2, 0, 0, 1, 0};
	const uint8_t *ip = frame->bytes;

	if (ip[0] >> 4 != 6 || get16(ip + 4) + 40 != frame->size)
		return "IPv6 length";
	if (ip[6] != 0 || ip[7] != 1)
		return "IPv6 hop limit or next header";
	if (ip[8] != 0xfe || (ip[9] & 0xc0) != 0x80)
		return "IPv6 source is not link-local";
	return memcmp(ip + 40, hop_by_hop, 8) == 0 ? NULL : "no Router Alert";
}

static const char *check_ip(const struct frame *frame)
{
	bool ipv4 = frame->family == FAMILY_IPV4;

	if (frame->size < (ipv4 ? IPV4_HEADER + 8 : IPV6_HEADER + 24))
		return "length";
	return ipv4 ? check_ipv4_header(frame) : check_ipv6_header(frame);
}

static const char *read_sources(const struct frame *frame, const uint8_t *at, unsigned count,
                                uint64_t *sources)
{
	size_t addr_size = frame->family == FAMILY_IPV4 ? 4 : 16;

	if (at + count * addr_size != frame->bytes + frame->size)
		return "number of sources";
	for (unsigned i = 0; i < count; i++) {
		struct addr addr = get_addr(at + i * addr_size, frame->family);
		int source = universe_source_number(&addr);

		if (source < 0)
			return "a source that does not exist";
		if (*sources >> source & 1)
			return "a source named twice";
		*sources |= (uint64_t)1 << source;
	}
	return NULL;
}

static const char *read_v3(const struct frame *frame, const uint8_t *message, struct frame_query *query)
{
	bool ipv4 = frame->family == FAMILY_IPV4;
	const uint8_t *at = message + (ipv4 ? 8 : 24);

	query->version = VERSION_3;
	query->max_response = ipv4 ? value_of_code(message[1]) * 100 : get16(message + 4);
	if (!ipv4 && query->max_response >= 32768)
		query->max_response = (mtime)(query->max_response % 4096 + 4096)
		                      << (query->max_response / 4096 % 8 + 3);
	if (at[0] & 0xf0)
		return "reserved bits";
	query->suppress = at[0] & 8;
	query->robustness = at[0] & 7;
	query->interval = value_of_code(at[1]) * MTIME_SECOND;
	return read_sources(frame, at + 4, get16(at + 2), &query->sources);
}

static const char *read_group(const struct frame *frame, const uint8_t *group, int *number)
{
	bool ipv4 = frame->family == FAMILY_IPV4;
	const uint8_t *to = frame->bytes + (ipv4 ? 16 : 24);
	size_t size = ipv4 ? 4 : 16;
	struct addr addr = get_addr(group, frame->family);

	*number = addr_is_unspecified(&addr) ? GROUP_NONE : universe_group_number(&addr);
	if (*number == GROUP_NONE && !addr_is_unspecified(&addr))
		return "a group that does not exist";
	if (memcmp(to, *number != GROUP_NONE ? group : ipv4 ? all_systems : all_nodes6, size) != 0)
		return "destination";
	return NULL;
}

const char *frame_read_discovery(const struct frame *frame, bool *is_discovery, bool *terminates)
{
	bool ipv4 = frame->family == FAMILY_IPV4;
	size_t header = ipv4 ? IPV4_HEADER : IPV6_HEADER;
	const uint8_t *message = frame->bytes + header, *to = frame->bytes + (ipv4 ? 16 : 24);
	const char *problem;
	uint8_t first = ipv4 ? 0x30 : 151;

	*is_discovery = frame->size > header && (message[0] == first || message[0] == first + 2);
	*terminates = *is_discovery && message[0] == first + 2;
	if (!*is_discovery)
		return NULL;
	problem = ipv4 ? check_ipv4_header(frame) : check_ipv6_header(frame);
	if (problem != NULL)
		return problem;
	if (frame->size != header + (*terminates ? 4 : 8) || message_sum(frame) != 0xffff)
		return "length or checksum";
	if (memcmp(to, ipv4 ? all_snoopers : all_snoopers6, ipv4 ? 4 : 16) != 0)
		return "destination";
	return *terminates || message[1] == 20 ? NULL : "advertisement interval";
}

const char *frame_read_query(const struct frame *frame, struct frame_query *query)
{
	bool ipv4 = frame->family == FAMILY_IPV4;
	const char *problem = check_ip(frame);
	const uint8_t *message = frame->bytes + (ipv4 ? IPV4_HEADER : IPV6_HEADER);
	size_t size = frame->size - (size_t)(message - frame->bytes), base = ipv4 ? 8 : 24;

	*query = (struct frame_query){0};
	if (problem != NULL)
		return problem;
	if (message_sum(frame) != 0xffff)
		return "checksum";
	if (message[0] != (ipv4 ? 0x11 : 130) || (size != base && size < base + 4))
		return "type or length";
	query->from = get_addr(frame->bytes + (ipv4 ? 12 : 8), frame->family);
	problem = read_group(frame, message + (ipv4 ? 4 : 8), &query->group);
	if (problem != NULL)
		return problem;
	if (size > base)
		return read_v3(frame, message, query);
	query->version = ipv4 && message[1] == 0 ? VERSION_1 : VERSION_2;
	query->max_response = !ipv4 ? get16(message + 4) : message[1] ? message[1] * 100 : 10 * MTIME_SECOND;
	return NULL;
}

static const char *check_destination(const struct frame *frame, const uint8_t *to)
{
	bool ipv4 = frame->family == FAMILY_IPV4;

	return memcmp(frame->bytes + (ipv4 ? 16 : 24), to, ipv4 ? 4 : 16) == 0 ? NULL : "destination";
}

static const char *read_single(struct frame *frame, const uint8_t *message, bool leave)
{
	bool ipv4 = frame->family == FAMILY_IPV4;
	const uint8_t *group = message + (ipv4 ? 4 : 8);
	struct addr addr = get_addr(group, frame->family);

	frame->group = universe_group_number(&addr);
	frame->suppresses = !leave;
	frame->narrows = leave;
	if (frame->group < 0)
		return "a group that does not exist";
	return check_destination(frame, !leave ? group : ipv4 ? all_routers : all_routers6);
}

static const char *read_record(struct frame *frame, const uint8_t **at)
{
	size_t addr_size = frame->family == FAMILY_IPV4 ? 4 : 16;
	unsigned type = (*at)[0], count = get16(*at + 2);
	struct addr addr = get_addr(*at + 4, frame->family);
	int group = universe_group_number(&addr);

	if (type < IS_IN || type > BLOCK || group < 0)
		return "a record of unknown type or group";
	if ((*at)[1] != 0)
		return "auxiliary data";
	*at += 4 + addr_size;
	for (; count > 0; count--, *at += addr_size) {
		if (*at + addr_size > frame->bytes + frame->size)
			return "a record past the end";
		addr = get_addr(*at, frame->family);
		if (universe_source_number(&addr) < 0)
			return "a source that does not exist";
	}
	if (type == TO_IN || type == BLOCK) {
		frame->narrows = true;
		frame->group = group;
	}
	return NULL;
}

static const char *read_records(struct frame *frame, const uint8_t *message)
{
	const uint8_t *at = message + 8;
	const char *problem =
		check_destination(frame, frame->family == FAMILY_IPV4 ? v3_routers : v2_routers6);

	if (problem == NULL && (message[1] != 0 || get16(message + 4) != 0))
		problem = "reserved fields";
	for (unsigned left = get16(message + 6); problem == NULL && left > 0; left--)
		problem = read_record(frame, &at);
	if (problem == NULL && at != frame->bytes + frame->size)
		problem = "number of records";
	return problem;
}

const char *frame_read_report(struct frame *frame)
{
	bool ipv4 = frame->family == FAMILY_IPV4;
	const char *problem = check_ip(frame);
	const uint8_t *message = frame->bytes + (ipv4 ? IPV4_HEADER : IPV6_HEADER);

	frame->is_query = false;
	frame->group = GROUP_NONE;
	if (problem != NULL)
		return problem;
	if (message_sum(frame) != 0xffff)
		return "checksum";
	switch (message[0]) {
	case 0x12:
	case 0x16:
	case 131:
		return read_single(frame, message, false);
	case 0x17:
	case 132:
		return read_single(frame, message, true);
	case 0x22:
	case 143:
		return read_records(frame, message);
	default:
		return "type";
	}
}
