/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A reporter on a bench: a clock, groups and sources by number, and all records that it sends, decoded from whole
 * packets. Filters and records are text, with sources as letters:
 *
 *   IN(a b)  EX()                  a filter
 *   TO_EX(a)  ALLOW(c) BLOCK(d)    records of one packet
 *   2:IS_IN(a) | v2 leave          packets; a number in front is that of the group, if not 0
 */
#ifndef MCPROXY_TESTS_REPORTER_TEXT_H
#define MCPROXY_TESTS_REPORTER_TEXT_H

#include "core/host/reporter.h"

#include "support/craft.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define SAID_TEXT_SIZE 8192
#define NUMBERS_MAX    9000
#define ROOM           (1 << 26) /* of a pool */

/* A record as it was on the wire; of older versions IS_EX{} for a report and TO_IN{} for a leave. */
struct said {
	mtime at;
	unsigned packet;
	enum version version;
	enum record_type type;
	uint32_t group;
	size_t count;
	uint32_t *sources;
};

struct bench {
	struct reporter *reporter;
	struct pool *pool;
	struct link_settings settings;
	struct reporter_role role;
	enum family family;
	struct addr self;
	size_t mtu;
	mtime now;
	struct said *said;
	size_t said_count;
	size_t said_capacity;
	unsigned packets;
	char text[SAID_TEXT_SIZE];
};

struct addr bench_source(const struct bench *bench, uint32_t number);
uint32_t number_of(const struct addr *addr, const struct addr *first);
void bench_open(struct bench *bench, enum family family, size_t pool_max);
void bench_configure(struct bench *bench);
void bench_clear(struct bench *bench);
void bench_close(struct bench *bench);
struct reporter_entry *bench_find(struct bench *bench, uint32_t number);

/* NULL when memory is short. */
struct reporter_entry *bench_get(struct bench *bench, uint32_t number);
void bench_remove(struct bench *bench, struct reporter_entry *entry);

/* As the owner of the entries does after every pull. */
void bench_release_idle(struct bench *bench);

/* Reads "IN(a b)" or "EX()". */
struct filter bench_filter(const struct bench *bench, const char *text, struct addr *list);
void bench_change(struct bench *bench, uint32_t number, const char *text);

/* Sources first, first + 1, ..., count of them. */
void bench_change_range(struct bench *bench, uint32_t number, enum filter_mode mode, uint32_t first,
                        size_t count);

#define GENERAL UINT32_MAX

/* The sources: "" for none, "!" for some that cannot send. */
void bench_query(struct bench *bench, enum version version, uint32_t number, const char *sources,
                 uint32_t max_response);
void bench_query_range(struct bench *bench, uint32_t number, uint32_t first, size_t count,
                       uint32_t max_response);

/* Version 3 to its own group, reports to the group they are about, leaves to all routers. */
void check_destination(const struct bench *bench, const struct packet *packet, const struct message *message);

/* The next packet, as a router would read it; false: none. */
bool bench_pull_one(struct bench *bench);

/* Pulls everything that is due now; then nothing is due any more. */
void bench_pull(struct bench *bench);

/* Lets time pass, from deadline to deadline. */
void bench_run(struct bench *bench, mtime until);

/* What was sent since the last call. */
const char *bench_said(struct bench *bench);

/* Goes to the next deadline, and returns what is sent there; "" without a deadline. */
const char *bench_next(struct bench *bench);
const char *bench_now(struct bench *bench);

/* Reports many groups, and drops the records: EXCLUDE{}, or INCLUDE of that many sources. */
void bench_fill(struct bench *bench, uint32_t groups, size_t sources);

/* How many sources of a group were sent since then, none of them twice; 1 for a record without sources. */
size_t said_of(const struct bench *bench, uint32_t group, mtime since);

/* A seeded sequence (splitmix64). */
uint32_t dice(uint64_t *state, uint32_t sides);

#endif
