/* SPDX-License-Identifier: BSD-2-Clause
 *
 * States, records and queries of a group as text, so that the tables in tests read like those of the RFC.
 * Sources are letters. Times are milliseconds from now; GMI and LMQT stand for the group membership interval
 * and the last member query time.
 *
 *   INCLUDE(a:50000 b:GMI)         a runs for 50 s, b for the group membership interval
 *   EXCLUDE(a:50000; b c) 90000    X = {a}, Y = {b, c}, the group timer has 90 s left
 *   v3 BLOCK(a b)                  a record; v1 or v2 as the message's version, v3 if not said; from host 1
 *   h2 BLOCK(a b)                  from host 2; h0 tells no address
 *   Q(G) Q(G,a)S Q(G,b)            queries, S for a set S flag; in this order
 */
#ifndef MCPROXY_TESTS_GROUP_TEXT_H
#define MCPROXY_TESTS_GROUP_TEXT_H

#include "core/router/group_hosts.h"
#include "core/router/group_queries.h"
#include "core/router/group_records.h"
#include "core/router/group_timers.h"
#include "support/ipv4_number.h"
#include "support/record_type_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TEXT_SIZE 512
#define LETTERS   26
#define GMI       260000
#define LMQI      1000
#define LMQC      2
#define LMQT      (LMQC * LMQI)

/* A group on a link, and the time. */
struct lab {
	struct pool *pool;
	struct group_timers timers;
	struct group group;
	mtime now;
	size_t query_room; /* sources per query */
};

struct text {
	char at[TEXT_SIZE];
	size_t used;
};

__attribute__((format(printf, 2, 3))) static inline void text_add(struct text *text, const char *format, ...)
{
	va_list arguments;
	int added;

	va_start(arguments, format);
	added = vsnprintf(text->at + text->used, TEXT_SIZE - text->used, format, arguments);
	va_end(arguments);
	assert_true(added >= 0 && (size_t)added < TEXT_SIZE - text->used);
	text->used += (size_t)added;
}

static inline struct addr letter_source(char letter)
{
	return addr_from_ipv4_number(0x0a000001u + (uint32_t)(letter - 'a'));
}

static inline char source_letter(const struct addr *source)
{
	return (char)('a' + (ipv4_number(source) - 0x0a000001u));
}

/* A link that speaks version 3, with default variables. */
static inline struct group_timers usual_timers(void)
{
	return (struct group_timers){
		.version = VERSION_3,
		.last_member_query_count = LMQC,
		.querier = true,
		.sources_max = LETTERS,
		.hosts_max = 4,
		.membership_interval = GMI,
		.last_member_query_interval = LMQI,
		.older_host_present_interval = GMI,
	};
}

static inline struct lab lab_new(void)
{
	struct lab lab = {.timers = usual_timers(), .now = 1000000, .query_room = LETTERS};

	lab.pool = pool_new(1 << 20);
	assert_non_null(lab.pool);
	group_init(&lab.group);
	return lab;
}

static inline void lab_free(struct lab *lab)
{
	group_fini(&lab->group, lab->pool);
	pool_free(lab->pool);
}

static inline void text_add_left(struct text *text, mtime left)
{
	if (left == GMI)
		text_add(text, "GMI");
	else if (left == LMQT)
		text_add(text, "LMQT");
	else
		text_add(text, "%lld", (long long)left);
}

static inline void text_add_sources(struct text *text, const struct lab *lab, bool blocked, bool with_times)
{
	const char *gap = "";

	for (unsigned i = 0; i < lab->group.source_count; i++) {
		const struct source *source = &lab->group.sources[i];

		if ((source->until == SOURCE_BLOCKED) != blocked)
			continue;
		text_add(text, "%s%c", gap, source_letter(&source->addr));
		gap = " ";
		if (with_times) {
			text_add(text, ":");
			text_add_left(text, source->until - lab->now);
		}
	}
}

static inline struct text lab_state(const struct lab *lab)
{
	struct text text = {.used = 0};
	bool exclude = lab->group.mode == FILTER_EXCLUDE;

	text_add(&text, "%s(", filter_mode_name(lab->group.mode));
	text_add_sources(&text, lab, false, true);
	if (exclude) {
		text_add(&text, "; ");
		text_add_sources(&text, lab, true, false);
	}
	text_add(&text, ")");
	if (exclude) {
		text_add(&text, " ");
		text_add_left(&text, lab->group.exclude_until - lab->now);
	}
	return text;
}

/* What holds of every state. */
static inline void lab_check(const struct lab *lab)
{
	const struct group *group = &lab->group;
	struct addr list[LETTERS];
	struct filter filter = {.sources = sources_on(list, LETTERS)};

	assert_true(group->source_count <= group->source_capacity);
	for (unsigned i = 0; i < group->source_count; i++) {
		const struct source *source = &group->sources[i];

		if (i > 0)
			assert_true(addr_compare(&group->sources[i - 1].addr, &source->addr) < 0);
		if (group->mode == FILTER_INCLUDE)
			assert_true(source->until != SOURCE_BLOCKED);
		if (source->until != SOURCE_BLOCKED)
			assert_true(source->until > lab->now);
	}
	assert_int_equal(group_is_empty(group), group->mode == FILTER_INCLUDE && group->source_count == 0);
	assert_true(group_deadline(group) > lab->now);
	assert_true(group_filter(group, &filter));
	assert_int_equal(filter.mode, group->mode);
	for (char letter = 'a'; letter <= 'z'; letter++) {
		struct addr source = letter_source(letter);

		assert_int_equal(group_wants(group, &source), filter_passes(&filter, &source));
	}
}

/* The set of letters that pass; an unlisted source has the last bit. */
static inline uint32_t lab_passes(const struct lab *lab)
{
	uint32_t passes = 0;

	for (unsigned n = 0; n < LETTERS; n++) {
		struct addr source = letter_source((char)('a' + n));

		if (group_wants(&lab->group, &source))
			passes |= 1u << n;
	}
	return passes;
}

/* Reads "a b c" up to one of the ends and returns where that stands. */
static inline const char *read_letters(const char *at, const char *ends, struct sources *letters)
{
	for (; strchr(ends, *at) == NULL; at++) {
		struct addr source = letter_source(*at);

		if (*at != ' ')
			assert_true(sources_insert(letters, &source));
	}
	return at;
}

static inline mtime read_left(const char *at)
{
	if (strncmp(at, "GMI", 3) == 0)
		return GMI;
	if (strncmp(at, "LMQT", 4) == 0)
		return LMQT;
	return strtoll(at, NULL, 10);
}

/* Applies "v2 TO_IN(a b)"; returns the flags. */
static inline unsigned lab_apply(struct lab *lab, const char *record)
{
	struct addr list[LETTERS];
	struct sources sources = sources_on(list, LETTERS);
	enum version version = VERSION_3;
	struct addr host = addr_from_ipv4_number(0x0a000101u);
	size_t name_size;
	int type;

	if (record[0] == 'v') {
		version = (enum version)(record[1] - '0');
		record += 3;
	}
	if (record[0] == 'h') {
		host = addr_from_ipv4_number(record[1] == '0' ? 0
		                                              : 0x0a000100u + (uint32_t)(record[1] - '0'));
		record += 3;
	}
	name_size = strcspn(record, "(");
	for (type = IS_IN; type <= BLOCK; type++)
		if (strncmp(record_type_name((enum record_type)type), record, name_size) == 0)
			break;
	assert_in_range(type, IS_IN, BLOCK);
	read_letters(record + name_size + 1, ")", &sources);
	return group_apply(&lab->group, lab->pool, &lab->timers, lab->now, version, &host,
	                   (enum record_type)type, &sources);
}

/* Sets the timer of every source from "a:50000 b:GMI; c"; those behind the semicolon are blocked. */
static inline void lab_set_timers(struct lab *lab, const char *at)
{
	bool blocked = false;

	for (; *at != ')'; at++) {
		struct addr addr = letter_source(*at);

		if (*at == ';')
			blocked = true;
		if (*at < 'a' || *at > 'z')
			continue;
		for (unsigned i = 0; i < lab->group.source_count; i++)
			if (addr_equal(&lab->group.sources[i].addr, &addr))
				lab->group.sources[i].until =
					blocked ? SOURCE_BLOCKED : lab->now + read_left(at + 2);
		if (!blocked)
			at += strcspn(at, " ;)") - 1;
	}
}

/* Brings a fresh group into a state that is given as text. */
static inline void lab_set(struct lab *lab, const char *state)
{
	bool exclude = strncmp(state, "EXCLUDE", 7) == 0;
	const char *inside = strchr(state, '(') + 1, *close = strchr(state, ')');
	struct addr list[LETTERS];
	struct sources sources = sources_on(list, LETTERS);
	struct addr host = addr_from_ipv4_number(0x0a000101u);

	for (const char *at = inside; at < close; at++) {
		struct addr source = letter_source(*at);

		if (*at >= 'a' && *at <= 'z')
			assert_true(sources_insert(&sources, &source));
	}
	assert_true(group_is_empty(&lab->group));
	group_apply(&lab->group, lab->pool, &lab->timers, lab->now, VERSION_3, &host, exclude ? IS_EX : IS_IN,
	            &sources);
	lab_set_timers(lab, inside);
	if (exclude)
		lab->group.exclude_until = lab->now + read_left(close + 2);
	assert_string_equal(lab_state(lab).at, state);
}

/* Pulls the queries that are due; told in the order Q(G), those with the S flag, those without. */
static inline struct text lab_pull(struct lab *lab)
{
	struct text kinds[3] = {{.used = 0}}, all = {.used = 0};
	struct addr list[LETTERS];
	struct group_query query = {.sources = sources_on(list, lab->query_room)};

	while (group_pull_query(&lab->group, &lab->timers, lab->now, &query)) {
		struct text *text = &kinds[query.sources.count == 0 ? 0 : query.suppress ? 1 : 2];

		assert_true(query.sources.count <= lab->query_room);
		text_add(text, text->used == 0 ? "Q(G" : " Q(G");
		for (size_t i = 0; i < query.sources.count; i++)
			text_add(text, "%c%c", i == 0 ? ',' : ' ', source_letter(&query.sources.list[i]));
		text_add(text, query.suppress ? ")S" : ")");
	}
	for (unsigned i = 0; i < 3; i++)
		if (kinds[i].used > 0)
			text_add(&all, "%s%s", all.used == 0 ? "" : " ", kinds[i].at);
	return all;
}

#endif
