/* SPDX-License-Identifier: BSD-2-Clause
 *
 * States, records and queries of a group as text, so that the tables in tests read like those of the RFC.
 * Sources are letters. Times are milliseconds from now; GMI and LMQT stand for the group membership interval
 * and the last member query time.
 *
 *   INCLUDE(a:50000 b:GMI)         a runs for 50 s, b for the group membership interval
 *   EXCLUDE(a:50000; b c) 90000    X = {a}, Y = {b, c}, the group timer has 90 s left
 *   v3 BLOCK(a b)                  a record; v1 or v2 is the message's version, v3 the default; from host 1
 *   h2 BLOCK(a b)                  from host 2; h0 has no address
 *   Q(G) Q(G,a)S Q(G,b)            queries, S for a set S flag; in this order
 */
#ifndef MCPROXY_TESTS_GROUP_TEXT_H
#define MCPROXY_TESTS_GROUP_TEXT_H

#include "core/router/group_hosts.h"
#include "core/router/group_queries.h"
#include "core/router/group_records.h"
#include "core/router/group_timers.h"
#include "support/craft.h"

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

__attribute__((format(printf, 2, 3))) void text_add(struct text *text, const char *format, ...);
struct addr letter_source(char letter);

/* A link that speaks version 3, with default variables. */
struct group_timers usual_timers(void);
struct lab lab_new(void);
void lab_free(struct lab *lab);
void text_add_left(struct text *text, mtime left);
struct text lab_state(const struct lab *lab);

/* Asserts what holds in every state. */
void lab_check(const struct lab *lab);

/* The set of letters that pass; an unlisted source has the last bit. */
uint32_t lab_passes(const struct lab *lab);

/* Reads "a b c" up to one of the ends, and returns the position of that end. */
const char *read_letters(const char *at, const char *ends, struct sources *letters);

/* Applies "v2 TO_IN(a b)"; returns the flags. */
unsigned lab_apply(struct lab *lab, const char *record);

/* Brings a fresh group into a state that is given as text. */
void lab_set(struct lab *lab, const char *state);

/* Pulls the queries that are due, as text in this order: Q(G), those with the S flag, those without. */
struct text lab_pull(struct lab *lab);

#endif
