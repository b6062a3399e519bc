/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/reporter_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct addr bench_group(const struct bench *bench, uint32_t number)
{
	return nth_addr(bench->family == FAMILY_IPV4 ? "239.1.0.1" : "ff3e::1", number);
}

struct addr bench_source(const struct bench *bench, uint32_t number)
{
	return nth_addr(bench->family == FAMILY_IPV4 ? "10.0.0.1" : "2001:db8::1", number);
}

uint32_t number_of(const struct addr *addr, const struct addr *first)
{
	uint32_t number = 0;

	assert_memory_equal(addr->bytes, first->bytes, 12);
	for (size_t i = 12; i < sizeof addr->bytes; i++)
		number = number << 8 | addr->bytes[i];
	for (size_t i = 12, shift = 24; i < sizeof addr->bytes; i++, shift -= 8)
		number -= (uint32_t)first->bytes[i] << shift;
	return number;
}

void bench_open(struct bench *bench, enum family family, size_t pool_max)
{
	*bench = (struct bench){
		.role = {.version = VERSION_3, .copies = 2, .answers = true},
		.settings = {.robustness = 2, .query_interval = 125000, .query_response_interval = 10000},
		.family = family,
		.self = addr_of(family == FAMILY_IPV4 ? "192.0.2.1" : "fe80::1"),
		.mtu = 1500,
		.now = 1000000,
	};
	bench->reporter = calloc(1, sizeof *bench->reporter);
	bench->pool = pool_new(pool_max);
	assert_non_null(bench->reporter);
	assert_non_null(bench->pool);
	reporter_init(bench->reporter, family, bench->pool, &bench->settings, 7);
	reporter_set(bench->reporter, bench->now, &bench->role);
}

void bench_configure(struct bench *bench)
{
	reporter_set(bench->reporter, bench->now, &bench->role);
}

void bench_clear(struct bench *bench)
{
	for (size_t i = 0; i < bench->said_count; i++)
		free(bench->said[i].sources);
	bench->said_count = 0;
	bench->packets = 0;
}

void bench_close(struct bench *bench)
{
	bench_clear(bench);
	free(bench->said);
	reporter_fini(bench->reporter);
	pool_free(bench->pool);
	free(bench->reporter);
}

struct reporter_entry *bench_find(struct bench *bench, uint32_t number)
{
	struct addr group = bench_group(bench, number);

	return reporter_find(bench->reporter, &group);
}

struct reporter_entry *bench_get(struct bench *bench, uint32_t number)
{
	struct addr group = bench_group(bench, number);
	struct reporter_entry *entry = reporter_find(bench->reporter, &group);

	if (entry != NULL)
		return entry;
	entry = pool_take(bench->pool, sizeof *entry);
	if (entry == NULL || reporter_add(bench->reporter, entry, &group))
		return entry;
	pool_give(bench->pool, entry, sizeof *entry);
	return NULL;
}

void bench_remove(struct bench *bench, struct reporter_entry *entry)
{
	reporter_remove(bench->reporter, entry);
	pool_give(bench->pool, entry, sizeof *entry);
}

void bench_release_idle(struct bench *bench)
{
	struct reporter_entry *entry;

	while ((entry = reporter_pull_idle(bench->reporter)) != NULL)
		if (reporter_is_idle(entry))
			bench_remove(bench, entry);
}

struct filter bench_filter(const struct bench *bench, const char *text, struct addr *list)
{
	struct filter filter = {.mode = text[0] == 'E' ? FILTER_EXCLUDE : FILTER_INCLUDE,
	                        .sources = sources_on(list, NUMBERS_MAX)};

	for (text += 3; *text != ')'; text++)
		if (*text != ' ') {
			struct addr source = bench_source(bench, (uint32_t)(*text - 'a'));

			assert_true(sources_append(&filter.sources, &source));
		}
	return filter;
}

void bench_change(struct bench *bench, uint32_t number, const char *text)
{
	static struct addr list[NUMBERS_MAX];
	struct filter filter = bench_filter(bench, text, list);
	struct reporter_entry *entry = bench_get(bench, number);

	assert_non_null(entry);
	reporter_change(bench->reporter, bench->now, entry, &filter);
}

void bench_change_range(struct bench *bench, uint32_t number, enum filter_mode mode, uint32_t first,
                        size_t count)
{
	static struct addr list[NUMBERS_MAX];
	struct filter filter = {.mode = mode, .sources = sources_on(list, NUMBERS_MAX)};
	struct reporter_entry *entry = bench_get(bench, number);

	assert_non_null(entry);
	for (size_t i = 0; i < count; i++)
		list[i] = bench_source(bench, first + (uint32_t)i);
	filter.sources.count = count;
	reporter_change(bench->reporter, bench->now, entry, &filter);
}

static void bench_query_list(struct bench *bench, enum version version, uint32_t number,
                             const struct addr *list, size_t count, uint32_t max_response)
{
	struct upstream_query query = {
		.querier = addr_of(bench->family == FAMILY_IPV4 ? "192.0.2.254" : "fe80::fe"),
		.group = number == GENERAL ? addr_unspecified(bench->family) : bench_group(bench, number),
		.max_response = max_response,
		.version = (uint8_t)version,
		.about_sources = list != NULL,
		.source_count = (uint16_t)count,
	};

	reporter_receive_query(bench->reporter, bench->now, &query, list);
}

void bench_query(struct bench *bench, enum version version, uint32_t number, const char *sources,
                 uint32_t max_response)
{
	struct addr list[32];
	bool about_sources = *sources != 0;
	size_t count = 0;

	for (; *sources != 0; sources++)
		if (*sources != ' ' && *sources != '!')
			list[count++] = bench_source(bench, (uint32_t)(*sources - 'a'));
	bench_query_list(bench, version, number, about_sources ? list : NULL, count, max_response);
}

void bench_query_range(struct bench *bench, uint32_t number, uint32_t first, size_t count,
                       uint32_t max_response)
{
	static struct addr list[NUMBERS_MAX];

	for (size_t i = 0; i < count; i++)
		list[i] = bench_source(bench, first + (uint32_t)i);
	bench_query_list(bench, VERSION_3, number, list, count, max_response);
}

static struct said *bench_new_said(struct bench *bench)
{
	if (bench->said_count == bench->said_capacity) {
		bench->said_capacity = bench->said_capacity * 2 + 64;
		bench->said = realloc(bench->said, bench->said_capacity * sizeof *bench->said);
		assert_non_null(bench->said);
	}
	return &bench->said[bench->said_count++];
}

static void bench_hear(struct bench *bench, const struct record *record, enum version version)
{
	struct addr first_group = bench_group(bench, 0), first_source = bench_source(bench, 0);
	struct said *said = bench_new_said(bench);
	size_t size = addr_wire_size(bench->family);

	*said = (struct said){.at = bench->now,
	                      .packet = bench->packets,
	                      .version = version,
	                      .type = record->type,
	                      .group = number_of(&record->group, &first_group),
	                      .count = record->source_count,
	                      .sources = calloc(record->source_count + 1, sizeof *said->sources)};
	assert_non_null(said->sources);
	for (size_t i = 0; i < record->source_count; i++) {
		struct addr source = wire_get_addr(record->sources + i * size, bench->family);

		said->sources[i] = number_of(&source, &first_source);
	}
}

void check_destination(const struct bench *bench, const struct packet *packet, const struct message *message)
{
	bool ipv4 = bench->family == FAMILY_IPV4;
	struct addr destination = message->report.single.group;

	if (message->report.version == VERSION_3)
		destination = ipv4 ? addr_from_ipv4_number(IGMP_V3_ROUTERS) : mld_v2_routers;
	else if (message->report.single.type == TO_IN)
		destination = ipv4 ? addr_from_ipv4_number(IGMP_ALL_ROUTERS) : mld_all_routers;
	assert_true(addr_equal(&packet->destination, &destination));
	assert_true(addr_equal(&packet->source, &bench->self));
}

bool bench_pull_one(struct bench *bench)
{
	uint8_t buffer[9216];
	size_t header = packet_header_size(bench->family), size;
	struct addr destination;
	struct packet packet;
	struct message message;
	struct record record;

	memset(buffer, 0xee, sizeof buffer);
	size = reporter_pull(bench->reporter, bench->now, buffer + header, bench->mtu - header, &bench->self,
	                     &destination);
	bench_release_idle(bench);
	if (size == 0)
		return false;
	assert_int_equal(buffer[header + size], 0xee);
	size = packet_finish(bench->family, buffer, &bench->self, &destination, size);
	assert_true(size <= bench->mtu);
	assert_int_equal(packet_parse(bench->family, buffer, size, &packet), DROP_NONE);
	assert_int_equal(bench->family == FAMILY_IPV4 ? igmp_decode(&packet, &message)
	                                              : mld_decode(&packet, &message),
	                 DROP_NONE);
	assert_int_equal(message.kind, MESSAGE_REPORT);
	assert_true(message.report.left > 0);
	check_destination(bench, &packet, &message);
	while (message_next_record(&message, &record))
		bench_hear(bench, &record, message.report.version);
	bench->packets++;
	return true;
}

void bench_pull(struct bench *bench)
{
	while (bench_pull_one(bench))
		assert_true(bench->packets < 1000000);
	assert_true(reporter_deadline(bench->reporter) > bench->now);
}

void bench_run(struct bench *bench, mtime until)
{
	mtime at;

	bench_pull(bench);
	while ((at = reporter_deadline(bench->reporter)) <= until) {
		assert_true(at > bench->now);
		bench->now = at;
		bench_pull(bench);
	}
	bench->now = until;
}

static int said_format(char *at, size_t size, const struct said *said)
{
	size_t used = 0;

	if (said->group != 0)
		used += (size_t)snprintf(at, size, "%u:", (unsigned)said->group);
	if (said->version != VERSION_3)
		return (int)used + snprintf(at + used, size - used, "v%d %s", (int)said->version,
		                            said->type == TO_IN ? "leave" : "report");
	used += (size_t)snprintf(at + used, size - used, "%s(", record_type_name(said->type));
	for (size_t i = 0; i < said->count && used < size; i++)
		used += (size_t)snprintf(at + used, size - used, "%s%c", i > 0 ? " " : "",
		                         (char)('a' + said->sources[i]));
	return (int)used + snprintf(at + used, size - used, ")");
}

const char *bench_said(struct bench *bench)
{
	size_t used = 0;

	bench->text[0] = 0;
	for (size_t i = 0; i < bench->said_count; i++) {
		if (i > 0)
			used += (size_t)snprintf(bench->text + used, SAID_TEXT_SIZE - used, "%s",
			                         bench->said[i].packet == bench->said[i - 1].packet ? " "
			                                                                            : " | ");
		used += (size_t)said_format(bench->text + used, SAID_TEXT_SIZE - used, &bench->said[i]);
		assert_true(used < SAID_TEXT_SIZE);
	}
	bench_clear(bench);
	return bench->text;
}

const char *bench_next(struct bench *bench)
{
	mtime at = reporter_deadline(bench->reporter);

	if (at != MTIME_NEVER) {
		assert_true(at > bench->now);
		bench->now = at;
		bench_pull(bench);
	}
	return bench_said(bench);
}

const char *bench_now(struct bench *bench)
{
	bench_pull(bench);
	return bench_said(bench);
}

void bench_fill(struct bench *bench, uint32_t groups, size_t sources)
{
	uint8_t copies = bench->role.copies;

	bench->role.copies = 1;
	bench_configure(bench);
	for (uint32_t i = 0; i < groups; i++)
		bench_change_range(bench, i, sources > 0 ? FILTER_INCLUDE : FILTER_EXCLUDE, i, sources);
	bench_run(bench, bench->now + 1000);
	bench_clear(bench);
	bench->role.copies = copies;
	bench_configure(bench);
}

size_t said_of(const struct bench *bench, uint32_t group, mtime since)
{
	static uint8_t seen[NUMBERS_MAX];
	size_t total = 0;

	memset(seen, 0, sizeof seen);
	for (size_t i = 0; i < bench->said_count; i++) {
		if (bench->said[i].group != group || bench->said[i].at < since)
			continue;
		total += bench->said[i].count == 0;
		for (size_t j = 0; j < bench->said[i].count; j++)
			assert_int_equal(seen[bench->said[i].sources[j]]++, 0);
		total += bench->said[i].count;
	}
	return total;
}

uint32_t dice(uint64_t *state, uint32_t sides)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)((z ^ z >> 31) % sides);
}
