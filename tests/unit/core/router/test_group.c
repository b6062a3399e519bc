/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One record applied to a group: each row of RFC 9776 sections 6.4.1 and 6.4.2, then every state, record and
 * list over three sources against an oracle that spells the rows out with bit sets, for version 3 and for the
 * older ones (section 7.3.2). What happens as time passes is in test_group_time.c.
 */
#include "support/group_text.h"

struct row {
	const char *before;
	const char *record;
	const char *after;
	const char *queries;
};

/* Does the flag tell what happened to the sources that pass? */
static void check_changed(const struct lab *lab, uint32_t passed, unsigned flags)
{
	assert_int_equal((flags & GROUP_CHANGED) != 0, lab_passes(lab) != passed);
}

static void check_row(struct lab *lab, const struct row *row)
{
	uint32_t passed;
	unsigned flags;
	struct text queries, state;

	lab_set(lab, row->before);
	passed = lab_passes(lab);
	flags = lab_apply(lab, row->record);
	queries = lab_pull(lab);
	state = lab_state(lab);
	if (strcmp(state.at, row->after) != 0 || strcmp(queries.at, row->queries) != 0)
		print_message("%s, %s\n", row->before, row->record);
	assert_string_equal(state.at, row->after);
	assert_string_equal(queries.at, row->queries);
	assert_int_equal((flags & GROUP_QUERY) != 0, queries.used > 0);
	check_changed(lab, passed, flags);
	lab_check(lab);
}

static void check_rows(struct group_timers timers, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct lab lab = lab_new();

		lab.timers = timers;
		check_row(&lab, &rows[i]);
		lab_free(&lab);
	}
}

#define CHECK_ROWS(timers, rows) check_rows(timers, rows, sizeof(rows) / sizeof((rows)[0]))

/* 6.4.1 Reception of Current-State Records. */
static void current_state_records(void **state)
{
	static const struct row rows[] = {
		/* INCLUDE(A)  IS_IN(B)  INCLUDE(A+B)  (B)=GMI */
		{"INCLUDE()", "IS_IN()", "INCLUDE()", ""},
		{"INCLUDE()", "IS_IN(a)", "INCLUDE(a:GMI)", ""},
		{"INCLUDE()", "IS_IN(a b c)", "INCLUDE(a:GMI b:GMI c:GMI)", ""},
		{"INCLUDE(a:50000)", "IS_IN()", "INCLUDE(a:50000)", ""},
		{"INCLUDE(a:50000 c:60000)", "IS_IN(b d)", "INCLUDE(a:50000 b:GMI c:60000 d:GMI)", ""},
		{"INCLUDE(a:50000 b:60000)", "IS_IN(b c)", "INCLUDE(a:50000 b:GMI c:GMI)", ""},
		{"INCLUDE(a:50000 b:60000)", "IS_IN(a b)", "INCLUDE(a:GMI b:GMI)", ""},
		/* INCLUDE(A)  IS_EX(B)  EXCLUDE(A*B, B-A)  (B-A)=0, delete (A-B), group timer=GMI */
		{"INCLUDE()", "IS_EX()", "EXCLUDE(; ) GMI", ""},
		{"INCLUDE()", "IS_EX(a b)", "EXCLUDE(; a b) GMI", ""},
		{"INCLUDE(a:50000 b:60000)", "IS_EX()", "EXCLUDE(; ) GMI", ""},
		{"INCLUDE(a:50000 b:60000)", "IS_EX(c d)", "EXCLUDE(; c d) GMI", ""},
		{"INCLUDE(a:50000 b:60000)", "IS_EX(b c)", "EXCLUDE(b:60000; c) GMI", ""},
		{"INCLUDE(a:50000 b:60000)", "IS_EX(a b)", "EXCLUDE(a:50000 b:60000; ) GMI", ""},
		{"INCLUDE(b:60000)", "IS_EX(a b c)", "EXCLUDE(b:60000; a c) GMI", ""},
		/* EXCLUDE(X,Y)  IS_IN(A)  EXCLUDE(X+A, Y-A)  (A)=GMI */
		{"EXCLUDE(; ) 90000", "IS_IN()", "EXCLUDE(; ) 90000", ""},
		{"EXCLUDE(; ) 90000", "IS_IN(a b)", "EXCLUDE(a:GMI b:GMI; ) 90000", ""},
		{"EXCLUDE(a:50000; b) 90000", "IS_IN()", "EXCLUDE(a:50000; b) 90000", ""},
		{"EXCLUDE(a:50000; b c) 90000", "IS_IN(b)", "EXCLUDE(a:50000 b:GMI; c) 90000", ""},
		{"EXCLUDE(a:50000 b:60000; c d) 90000", "IS_IN(b c e)",
	         "EXCLUDE(a:50000 b:GMI c:GMI e:GMI; d) 90000", ""},
		{"EXCLUDE(a:50000; b) 90000", "IS_IN(a b)", "EXCLUDE(a:GMI b:GMI; ) 90000", ""},
		/* EXCLUDE(X,Y)  IS_EX(A)  EXCLUDE(A-Y, Y*A)  (A-X-Y)=GMI, delete (X-A), delete (Y-A), group
	           timer=GMI */
		{"EXCLUDE(; ) 90000", "IS_EX()", "EXCLUDE(; ) GMI", ""},
		{"EXCLUDE(; ) 90000", "IS_EX(a b)", "EXCLUDE(a:GMI b:GMI; ) GMI", ""},
		{"EXCLUDE(a:50000; b) 90000", "IS_EX()", "EXCLUDE(; ) GMI", ""},
		{"EXCLUDE(a:50000; b) 90000", "IS_EX(c)", "EXCLUDE(c:GMI; ) GMI", ""},
		{"EXCLUDE(a:50000 b:60000; c d) 90000", "IS_EX(b c e)", "EXCLUDE(b:60000 e:GMI; c) GMI", ""},
		{"EXCLUDE(a:50000; b) 90000", "IS_EX(a b)", "EXCLUDE(a:50000; b) GMI", ""},
	};

	(void)state;
	CHECK_ROWS(usual_timers(), rows);
}

/* 6.4.2 Reception of Filter-Mode-Change and Source-List-Change Records. A query lowers the timers that it
 * asks about to LMQT. */
static void change_records(void **state)
{
	static const struct row rows[] = {
		/* INCLUDE(A)  ALLOW(B)  INCLUDE(A+B)  (B)=GMI */
		{"INCLUDE()", "ALLOW()", "INCLUDE()", ""},
		{"INCLUDE()", "ALLOW(a)", "INCLUDE(a:GMI)", ""},
		{"INCLUDE(a:50000)", "ALLOW(b)", "INCLUDE(a:50000 b:GMI)", ""},
		{"INCLUDE(a:50000 b:60000)", "ALLOW(b c)", "INCLUDE(a:50000 b:GMI c:GMI)", ""},
		/* INCLUDE(A)  BLOCK(B)  INCLUDE(A)  Q(G,A*B) */
		{"INCLUDE()", "BLOCK()", "INCLUDE()", ""},
		{"INCLUDE()", "BLOCK(a)", "INCLUDE()", ""},
		{"INCLUDE(a:50000)", "BLOCK()", "INCLUDE(a:50000)", ""},
		{"INCLUDE(a:50000)", "BLOCK(b)", "INCLUDE(a:50000)", ""},
		{"INCLUDE(a:50000 b:60000)", "BLOCK(b c)", "INCLUDE(a:50000 b:LMQT)", "Q(G,b)"},
		{"INCLUDE(a:50000 b:60000)", "BLOCK(a b)", "INCLUDE(a:LMQT b:LMQT)", "Q(G,a b)"},
		/* INCLUDE(A)  TO_EX(B)  EXCLUDE(A*B, B-A)  (B-A)=0, delete (A-B), Q(G,A*B), group
		 * timer=GMI */
		{"INCLUDE()", "TO_EX()", "EXCLUDE(; ) GMI", ""},
		{"INCLUDE()", "TO_EX(a b)", "EXCLUDE(; a b) GMI", ""},
		{"INCLUDE(a:50000)", "TO_EX()", "EXCLUDE(; ) GMI", ""},
		{"INCLUDE(a:50000)", "TO_EX(b)", "EXCLUDE(; b) GMI", ""},
		{"INCLUDE(a:50000 b:60000)", "TO_EX(b c)", "EXCLUDE(b:LMQT; c) GMI", "Q(G,b)"},
		{"INCLUDE(a:50000 b:60000)", "TO_EX(a b)", "EXCLUDE(a:LMQT b:LMQT; ) GMI", "Q(G,a b)"},
		/* INCLUDE(A)  TO_IN(B)  INCLUDE(A+B)  (B)=GMI, Q(G,A-B) */
		{"INCLUDE()", "TO_IN()", "INCLUDE()", ""},
		{"INCLUDE()", "TO_IN(a)", "INCLUDE(a:GMI)", ""},
		{"INCLUDE(a:50000 b:60000)", "TO_IN()", "INCLUDE(a:LMQT b:LMQT)", "Q(G,a b)"},
		{"INCLUDE(a:50000)", "TO_IN(b)", "INCLUDE(a:LMQT b:GMI)", "Q(G,a)"},
		{"INCLUDE(a:50000 b:60000)", "TO_IN(b c)", "INCLUDE(a:LMQT b:GMI c:GMI)", "Q(G,a)"},
		{"INCLUDE(a:50000)", "TO_IN(a)", "INCLUDE(a:GMI)", ""},
		/* EXCLUDE(X,Y)  ALLOW(A)  EXCLUDE(X+A, Y-A)  (A)=GMI */
		{"EXCLUDE(; ) 90000", "ALLOW()", "EXCLUDE(; ) 90000", ""},
		{"EXCLUDE(; ) 90000", "ALLOW(a)", "EXCLUDE(a:GMI; ) 90000", ""},
		{"EXCLUDE(a:50000 b:60000; c d) 90000", "ALLOW(b c e)",
	         "EXCLUDE(a:50000 b:GMI c:GMI e:GMI; d) 90000", ""},
		/* EXCLUDE(X,Y)  BLOCK(A)  EXCLUDE(X+(A-Y), Y)  (A-X-Y)=group timer, Q(G,A-Y) */
		{"EXCLUDE(; ) 90000", "BLOCK()", "EXCLUDE(; ) 90000", ""},
		{"EXCLUDE(; ) 90000", "BLOCK(a)", "EXCLUDE(a:LMQT; ) 90000", "Q(G,a)"},
		{"EXCLUDE(; ) 1200", "BLOCK(a)", "EXCLUDE(a:1200; ) 1200", ""},
		{"EXCLUDE(a:50000; b) 90000", "BLOCK(b)", "EXCLUDE(a:50000; b) 90000", ""},
		{"EXCLUDE(a:50000; b) 90000", "BLOCK(a)", "EXCLUDE(a:LMQT; b) 90000", "Q(G,a)"},
		{"EXCLUDE(a:50000 b:60000; c d) 90000", "BLOCK(b c e)",
	         "EXCLUDE(a:50000 b:LMQT e:LMQT; c d) 90000", "Q(G,b e)"},
		/* EXCLUDE(X,Y)  TO_EX(A)  EXCLUDE(A-Y, Y*A)  (A-X-Y)=group timer, delete (X-A), delete (Y-A),
	         *                                            Q(G,A-Y), group timer=GMI */
		{"EXCLUDE(; ) 90000", "TO_EX()", "EXCLUDE(; ) GMI", ""},
		{"EXCLUDE(; ) 90000", "TO_EX(a)", "EXCLUDE(a:LMQT; ) GMI", "Q(G,a)"},
		{"EXCLUDE(; ) 1200", "TO_EX(a)", "EXCLUDE(a:1200; ) GMI", ""},
		{"EXCLUDE(a:50000; b) 90000", "TO_EX()", "EXCLUDE(; ) GMI", ""},
		{"EXCLUDE(a:50000; b) 90000", "TO_EX(c)", "EXCLUDE(c:LMQT; ) GMI", "Q(G,c)"},
		{"EXCLUDE(a:50000; b) 90000", "TO_EX(b)", "EXCLUDE(; b) GMI", ""},
		{"EXCLUDE(a:50000 b:60000; c d) 90000", "TO_EX(b c e)", "EXCLUDE(b:LMQT e:LMQT; c) GMI",
	         "Q(G,b e)"},
		/* EXCLUDE(X,Y)  TO_IN(A)  EXCLUDE(X+A, Y-A)  (A)=GMI, Q(G,X-A), Q(G) */
		{"EXCLUDE(; ) 90000", "TO_IN()", "EXCLUDE(; ) LMQT", "Q(G)"},
		{"EXCLUDE(; ) 90000", "TO_IN(a)", "EXCLUDE(a:GMI; ) LMQT", "Q(G)"},
		{"EXCLUDE(a:50000; b) 90000", "TO_IN()", "EXCLUDE(a:LMQT; b) LMQT", "Q(G) Q(G,a)"},
		{"EXCLUDE(a:50000; b) 90000", "TO_IN(a)", "EXCLUDE(a:GMI; b) LMQT", "Q(G)"},
		{"EXCLUDE(a:50000; b) 90000", "TO_IN(b)", "EXCLUDE(a:LMQT b:GMI; ) LMQT", "Q(G) Q(G,a)"},
		{"EXCLUDE(a:50000 b:60000; c d) 90000", "TO_IN(b c e)",
	         "EXCLUDE(a:LMQT b:GMI c:GMI e:GMI; d) LMQT", "Q(G) Q(G,a)"},
	};

	(void)state;
	CHECK_ROWS(usual_timers(), rows);
}

/* 6.6.3.2: only sources with more than LMQT left are asked about; no timer is ever raised by a query. Of
 * groups 6.6.3.1 says no such thing: they are asked about. */
static void short_timers_are_left_alone(void **state)
{
	static const struct row rows[] = {
		{"INCLUDE(a:1500)", "BLOCK(a)", "INCLUDE(a:1500)", ""},
		{"INCLUDE(a:LMQT)", "BLOCK(a)", "INCLUDE(a:LMQT)", ""},
		{"INCLUDE(a:2001)", "BLOCK(a)", "INCLUDE(a:LMQT)", "Q(G,a)"},
		{"INCLUDE(a:1500 b:50000)", "BLOCK(a b)", "INCLUDE(a:1500 b:LMQT)", "Q(G,b)"},
		{"INCLUDE(a:1500 b:50000)", "TO_IN(c)", "INCLUDE(a:1500 b:LMQT c:GMI)", "Q(G,b)"},
		{"INCLUDE(a:1500 b:50000)", "TO_EX(a b c)", "EXCLUDE(a:1500 b:LMQT; c) GMI", "Q(G,b)"},
		{"EXCLUDE(a:1500; ) 90000", "BLOCK(a b)", "EXCLUDE(a:1500 b:LMQT; ) 90000", "Q(G,b)"},
		{"EXCLUDE(a:1500; ) 90000", "TO_EX(a b)", "EXCLUDE(a:1500 b:LMQT; ) GMI", "Q(G,b)"},
		{"EXCLUDE(; ) LMQT", "TO_IN()", "EXCLUDE(; ) LMQT", "Q(G)"},
		{"EXCLUDE(; ) 1500", "TO_IN(a)", "EXCLUDE(a:GMI; ) 1500", "Q(G)"},
		{"EXCLUDE(a:50000; ) 1500", "TO_IN()", "EXCLUDE(a:LMQT; ) 1500", "Q(G) Q(G,a)"},
		{"EXCLUDE(; ) 2001", "TO_IN()", "EXCLUDE(; ) LMQT", "Q(G)"},
	};

	(void)state;
	CHECK_ROWS(usual_timers(), rows);
}

/* Only the querier asks, and only what was asked is lowered. */
static void others_send_no_queries(void **state)
{
	static const struct row rows[] = {
		{"INCLUDE(a:50000 b:60000)", "BLOCK(b c)", "INCLUDE(a:50000 b:60000)", ""},
		{"INCLUDE(a:50000 b:60000)", "TO_EX(b c)", "EXCLUDE(b:60000; c) GMI", ""},
		{"INCLUDE(a:50000 b:60000)", "TO_IN(b c)", "INCLUDE(a:50000 b:GMI c:GMI)", ""},
		{"EXCLUDE(a:50000; b) 90000", "BLOCK(a b c)", "EXCLUDE(a:50000 c:90000; b) 90000", ""},
		{"EXCLUDE(a:50000; b) 90000", "TO_EX(a b c)", "EXCLUDE(a:50000 c:90000; b) GMI", ""},
		{"EXCLUDE(a:50000; b) 90000", "TO_IN(b)", "EXCLUDE(a:50000 b:GMI; ) 90000", ""},
		{"EXCLUDE(; ) 90000", "v2 TO_IN()", "EXCLUDE(; ) 90000", ""},
	};
	struct group_timers timers = usual_timers();

	(void)state;
	timers.querier = false;
	CHECK_ROWS(timers, rows);
}

/* Reports of older versions are IS_EX({}), a leave is TO_IN({}). */
static void older_messages(void **state)
{
	static const struct row rows[] = {
		{"INCLUDE()", "v1 IS_EX()", "EXCLUDE(; ) GMI", ""},
		{"INCLUDE()", "v2 IS_EX()", "EXCLUDE(; ) GMI", ""},
		{"INCLUDE(a:50000)", "v2 IS_EX()", "EXCLUDE(; ) GMI", ""},
		{"EXCLUDE(a:50000; b) 90000", "v1 IS_EX()", "EXCLUDE(; ) GMI", ""},
		{"EXCLUDE(a:50000; b) 90000", "v2 IS_EX()", "EXCLUDE(; ) GMI", ""},
		{"INCLUDE()", "v2 TO_IN()", "INCLUDE()", ""},
		{"INCLUDE(a:50000)", "v2 TO_IN()", "INCLUDE(a:LMQT)", "Q(G,a)"},
		{"EXCLUDE(a:50000; b) 90000", "v2 TO_IN()", "EXCLUDE(a:LMQT; b) LMQT", "Q(G) Q(G,a)"},
	};

	(void)state;
	CHECK_ROWS(usual_timers(), rows);
}

/* A link that speaks version 2: records of version 3 are joins of the whole group and leaves. */
static void version_2_link(void **state)
{
	static const struct row rows[] = {
		{"INCLUDE()", "v2 IS_EX()", "EXCLUDE(; ) GMI", ""},
		{"INCLUDE()", "IS_EX()", "EXCLUDE(; ) GMI", ""},
		{"INCLUDE()", "IS_EX(a)", "EXCLUDE(; ) GMI", ""},
		{"INCLUDE()", "TO_EX()", "EXCLUDE(; ) GMI", ""},
		{"INCLUDE()", "TO_EX(a)", "EXCLUDE(; ) GMI", ""},
		{"INCLUDE()", "IS_IN(a)", "EXCLUDE(; ) GMI", ""},
		{"INCLUDE()", "ALLOW(a)", "EXCLUDE(; ) GMI", ""},
		{"INCLUDE()", "TO_IN(a)", "EXCLUDE(; ) GMI", ""},
		{"INCLUDE()", "IS_IN()", "INCLUDE()", ""},
		{"INCLUDE()", "ALLOW()", "INCLUDE()", ""},
		{"INCLUDE()", "TO_IN()", "INCLUDE()", ""},
		{"INCLUDE()", "BLOCK()", "INCLUDE()", ""},
		{"INCLUDE()", "BLOCK(a)", "INCLUDE()", ""},
		{"EXCLUDE(; ) 90000", "TO_IN(a)", "EXCLUDE(; ) GMI", ""},
		{"EXCLUDE(; ) 90000", "IS_EX(a)", "EXCLUDE(; ) GMI", ""},
		{"EXCLUDE(; ) 90000", "IS_IN()", "EXCLUDE(; ) 90000", ""},
		{"EXCLUDE(; ) 90000", "ALLOW()", "EXCLUDE(; ) 90000", ""},
		{"EXCLUDE(; ) 90000", "BLOCK()", "EXCLUDE(; ) 90000", ""},
		{"EXCLUDE(; ) 90000", "BLOCK(a)", "EXCLUDE(; ) LMQT", "Q(G)"},
		{"EXCLUDE(; ) 90000", "TO_IN()", "EXCLUDE(; ) LMQT", "Q(G)"},
		{"EXCLUDE(; ) 90000", "v2 TO_IN()", "EXCLUDE(; ) LMQT", "Q(G)"},
	};
	struct group_timers timers = usual_timers();

	(void)state;
	timers.version = VERSION_2;
	CHECK_ROWS(timers, rows);
}

/* RFC 1112 knows no leave: memberships end by time alone. */
static void version_1_link(void **state)
{
	static const struct row rows[] = {
		{"INCLUDE()", "v1 IS_EX()", "EXCLUDE(; ) GMI", ""},
		{"INCLUDE()", "v2 IS_EX()", "EXCLUDE(; ) GMI", ""},
		{"INCLUDE()", "TO_EX(a)", "EXCLUDE(; ) GMI", ""},
		{"INCLUDE()", "ALLOW(a)", "EXCLUDE(; ) GMI", ""},
		{"EXCLUDE(; ) 90000", "v2 TO_IN()", "EXCLUDE(; ) 90000", ""},
		{"EXCLUDE(; ) 90000", "TO_IN()", "EXCLUDE(; ) 90000", ""},
		{"EXCLUDE(; ) 90000", "BLOCK(a)", "EXCLUDE(; ) 90000", ""},
	};
	struct group_timers timers = usual_timers();

	(void)state;
	timers.version = VERSION_1;
	CHECK_ROWS(timers, rows);
}

/* What the only host wants no more ends at once, without a question. */
static void fast_leave(void **state)
{
	static const struct row rows[] = {
		{"EXCLUDE(; ) 90000", "v2 TO_IN()", "EXCLUDE(; ) LMQT", "Q(G)"},
		{"EXCLUDE(; ) 90000", "h0 TO_IN()", "EXCLUDE(; ) LMQT", "Q(G)"},
		{"EXCLUDE(; ) 90000", "h2 TO_IN()", "EXCLUDE(; ) LMQT", "Q(G)"},
		{"INCLUDE(a:50000)", "h2 BLOCK(a)", "INCLUDE(a:LMQT)", "Q(G,a)"},
		{"EXCLUDE(; ) 90000", "BLOCK(a)", "EXCLUDE(; a) 90000", ""},
		{"EXCLUDE(; ) 90000", "TO_EX(a)", "EXCLUDE(; a) GMI", ""},
		{"INCLUDE(a:50000)", "TO_EX(a b)", "EXCLUDE(; a b) GMI", ""},
		{"EXCLUDE(; ) 90000", "TO_IN()", "INCLUDE()", ""},
		{"EXCLUDE(a:50000; b) 90000", "TO_IN()", "INCLUDE()", ""},
		{"EXCLUDE(; ) 90000", "TO_IN(a)", "INCLUDE(a:GMI)", ""},
		{"INCLUDE(a:50000 b:60000)", "TO_IN()", "INCLUDE()", ""},
		{"INCLUDE(a:50000 b:60000)", "TO_IN(b)", "INCLUDE(b:GMI)", ""},
		{"INCLUDE(a:50000 b:60000)", "BLOCK(b)", "INCLUDE(a:50000)", ""},
		{"INCLUDE(a:50000)", "BLOCK(a)", "INCLUDE()", ""},
		{"INCLUDE(a:50000)", "IS_IN(b)", "INCLUDE(a:50000 b:GMI)", ""},
		{"INCLUDE()", "TO_EX(a)", "EXCLUDE(; a) GMI", ""},
		{"EXCLUDE(; ) 90000", "IS_EX()", "EXCLUDE(; ) GMI", ""},
	};
	struct group_timers timers = usual_timers();

	(void)state;
	timers.fast_leave = timers.track_hosts = true;
	CHECK_ROWS(timers, rows);
}

/* An older link's hosts suppress reports: nobody knows who is there. */
static void fast_leave_without_tracking(void **state)
{
	static const struct row rows[] = {
		{"EXCLUDE(; ) 90000", "v2 TO_IN()", "EXCLUDE(; ) LMQT", "Q(G)"},
		{"EXCLUDE(; ) 90000", "TO_IN()", "EXCLUDE(; ) LMQT", "Q(G)"},
	};
	struct group_timers timers = usual_timers();

	(void)state;
	timers.version = VERSION_2;
	timers.fast_leave = timers.track_hosts = true;
	CHECK_ROWS(timers, rows);
}

/*
 * The oracle: three sources, sets as bits, the rows as they stand in the RFC.
 */
#define SOURCES 3
#define SETS    (1u << SOURCES)

struct model {
	bool exclude;
	unsigned x; /* INCLUDE: A */
	unsigned y;
	mtime left[SOURCES];
	mtime group_left;
	unsigned query; /* sources to ask about */
	bool query_group;
};

static void set_timers(struct model *model, unsigned set, mtime left)
{
	for (unsigned n = 0; n < SOURCES; n++)
		if (set & 1u << n)
			model->left[n] = left;
}

static void ask(struct model *model, bool querier, unsigned set)
{
	for (unsigned n = 0; querier && n < SOURCES; n++)
		if (set & 1u << n && model->left[n] > LMQT) {
			model->left[n] = LMQT;
			model->query |= 1u << n;
		}
}

static void ask_group(struct model *model, bool querier)
{
	if (!querier)
		return;
	model->query_group = true;
	if (model->group_left > LMQT)
		model->group_left = LMQT;
}

static void include_row(struct model *model, bool querier, enum record_type type, unsigned b)
{
	unsigned a = model->x;

	switch (type) {
	case IS_IN:
	case ALLOW:
		model->x = a | b;
		set_timers(model, b, GMI);
		return;
	case TO_IN:
		model->x = a | b;
		set_timers(model, b, GMI);
		ask(model, querier, a & ~b);
		return;
	case BLOCK:
		ask(model, querier, a & b);
		return;
	case IS_EX:
	case TO_EX:
		model->exclude = true;
		model->x = a & b;
		model->y = b & ~a;
		if (type == TO_EX)
			ask(model, querier, a & b);
		model->group_left = GMI;
		return;
	}
}

static void exclude_row(struct model *model, bool querier, enum record_type type, unsigned a)
{
	unsigned x = model->x, y = model->y;

	switch (type) {
	case IS_IN:
	case ALLOW:
	case TO_IN:
		model->x = x | a;
		model->y = y & ~a;
		set_timers(model, a, GMI);
		if (type == TO_IN) {
			ask(model, querier, x & ~a);
			ask_group(model, querier);
		}
		return;
	case BLOCK:
		model->x = x | (a & ~y);
		set_timers(model, a & ~x & ~y, model->group_left);
		ask(model, querier, a & ~y);
		return;
	case IS_EX:
	case TO_EX:
		model->x = a & ~y;
		model->y = y & a;
		set_timers(model, a & ~x & ~y, type == IS_EX ? GMI : model->group_left);
		if (type == TO_EX)
			ask(model, querier, a & ~y);
		model->group_left = GMI;
		return;
	}
}

/* 7.3.2: what is ignored while older hosts are present. */
static bool model_translate(enum version mode, enum record_type type, unsigned *list)
{
	if (mode != VERSION_3 && type == TO_EX)
		*list = 0;
	if (mode != VERSION_3 && type == BLOCK)
		return false;
	return mode != VERSION_1 || type != TO_IN;
}

static void model_apply(struct model *model, enum version mode, bool querier, enum record_type type,
                        unsigned list)
{
	model->query = 0;
	model->query_group = false;
	if (!model_translate(mode, type, &list))
		return;
	if (model->exclude)
		exclude_row(model, querier, type, list);
	else
		include_row(model, querier, type, list);
}

static void add_model_sources(struct text *text, const struct model *model, unsigned set, bool with_times)
{
	const char *gap = "";

	for (unsigned n = 0; n < SOURCES; n++) {
		if (!(set & 1u << n))
			continue;
		text_add(text, "%s%c", gap, 'a' + (int)n);
		gap = " ";
		if (with_times) {
			text_add(text, ":");
			text_add_left(text, model->left[n]);
		}
	}
}

static struct text model_state(const struct model *model)
{
	struct text text = {.used = 0};

	text_add(&text, model->exclude ? "EXCLUDE(" : "INCLUDE(");
	add_model_sources(&text, model, model->x, true);
	if (model->exclude) {
		text_add(&text, "; ");
		add_model_sources(&text, model, model->y, false);
	}
	text_add(&text, ")");
	if (model->exclude) {
		text_add(&text, " ");
		text_add_left(&text, model->group_left);
	}
	return text;
}

static struct text model_queries(const struct model *model)
{
	struct text text = {.used = 0};

	text_add(&text, model->query_group ? "Q(G)" : "");
	if (model->query != 0) {
		text_add(&text, "%sQ(G,", model->query_group ? " " : "");
		add_model_sources(&text, model, model->query, false);
		text_add(&text, ")");
	}
	return text;
}

static void record_text(struct text *text, enum record_type type, unsigned list)
{
	text->used = 0;
	text_add(text, "%s(", record_type_name(type));
	add_model_sources(text, NULL, list, false);
	text_add(text, ")");
}

static void check_against_model(struct model model, enum version mode, bool querier, enum record_type type,
                                unsigned list)
{
	struct lab lab = lab_new();
	struct text before = model_state(&model), after, queries, record;
	struct row row;

	lab.timers.querier = querier;
	if (mode == VERSION_1)
		lab.group.v1_host_until = lab.now + GMI;
	if (mode == VERSION_2)
		lab.group.v2_host_until = lab.now + GMI;
	model_apply(&model, mode, querier, type, list);
	after = model_state(&model);
	queries = model_queries(&model);
	record_text(&record, type, list);
	row = (struct row){before.at, record.at, after.at, queries.at};
	check_row(&lab, &row);
	lab_free(&lab);
}

static void check_all_records(const struct model *model, enum version mode)
{
	for (int type = IS_IN; type <= BLOCK; type++)
		for (unsigned list = 0; list < SETS; list++)
			for (unsigned querier = 0; querier < 2; querier++)
				check_against_model(*model, mode, querier, (enum record_type)type, list);
}

/* Each source has its own time, some of them so short that a query changes nothing. */
static void check_all_times(struct model model, enum version mode)
{
	for (unsigned quick = 0; quick < 2 * SETS; quick++) {
		for (unsigned n = 0; n < SOURCES; n++)
			model.left[n] = quick & 1u << n ? 500 + 100 * (mtime)n : 50000 + 10000 * (mtime)n;
		model.group_left = quick & SETS ? 1200 : 90000;
		check_all_records(&model, mode);
	}
}

static void check_all_states(enum version mode)
{
	for (unsigned a = 0; a < SETS; a++)
		check_all_times((struct model){.exclude = false, .x = a}, mode);
	for (unsigned x = 0; x < SETS; x++)
		for (unsigned y = 0; y < SETS; y++)
			if ((x & y) == 0)
				check_all_times((struct model){.exclude = true, .x = x, .y = y}, mode);
}

static void every_record_in_every_state(void **state)
{
	(void)state;
	check_all_states(VERSION_3);
}

static void every_record_beside_version_2_hosts(void **state)
{
	(void)state;
	check_all_states(VERSION_2);
}

static void every_record_beside_version_1_hosts(void **state)
{
	(void)state;
	check_all_states(VERSION_1);
}

/*
 * Limits.
 */
static void sources_max(void **state)
{
	static const struct {
		const char *before;
		const char *record;
		unsigned flags;
		unsigned count;
		/* letters from a on; by no means fewer than without the limit in EXCLUDE */
		uint32_t must_pass;
	} rows[] = {
		{"INCLUDE()", "ALLOW(a b c)", GROUP_CHANGED, 3, 0x7},
		{"INCLUDE()", "ALLOW(a b c d e)", GROUP_CHANGED | GROUP_SOURCES_MAX, 3, 0},
		{"INCLUDE(b:50000 c:50000 d:50000)", "IS_IN(a e)", GROUP_SOURCES_MAX, 3, 0xe},
		{"INCLUDE(b:50000 c:50000 d:50000)", "IS_IN(a b c d)", GROUP_SOURCES_MAX, 3, 0xe},
		{"INCLUDE(b:50000 c:50000)", "IS_IN(a b c)", GROUP_CHANGED, 3, 0x7},
		{"INCLUDE()", "TO_EX(a b c)", GROUP_CHANGED, 3, 0x3fffff8},
		{"INCLUDE()", "TO_EX(a b c d e)", GROUP_CHANGED | GROUP_SOURCES_MAX, 3, 0x3ffffe0},
		{"INCLUDE(a:50000 b:50000 c:50000)", "IS_EX(a b c d)", GROUP_CHANGED | GROUP_SOURCES_MAX, 3,
	         0x3fffff7},
		{"INCLUDE(a:50000 b:50000 c:50000)", "IS_EX(d e)", GROUP_CHANGED, 2, 0x3ffffe7},
		{"EXCLUDE(; a b c) 90000", "IS_EX(a b c d)", GROUP_SOURCES_MAX, 3, 0x3fffff8},
		{"EXCLUDE(; a b c) 90000", "ALLOW(d)", GROUP_SOURCES_MAX, 3, 0x3fffff8},
		{"EXCLUDE(; a b c) 90000", "ALLOW(b)", GROUP_CHANGED, 3, 0x3fffffa},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct lab lab = lab_new();
		unsigned flags;

		lab.timers.sources_max = 3;
		lab_set(&lab, rows[i].before);
		flags = lab_apply(&lab, rows[i].record);
		assert_int_equal(flags & (GROUP_CHANGED | GROUP_SOURCES_MAX | GROUP_MEMORY), rows[i].flags);
		assert_int_equal(lab.group.source_count, rows[i].count);
		assert_int_equal(lab_passes(&lab) & rows[i].must_pass, rows[i].must_pass);
		lab_check(&lab);
		lab_free(&lab);
	}
}

#define CROWD 1024

/* Sources 10.1.0.0 and up. */
static struct sources crowd(struct addr list[CROWD], unsigned first, unsigned count)
{
	struct sources sources = sources_on(list, CROWD);

	for (unsigned n = 0; n < count; n++) {
		struct addr source = addr_from_ipv4_number(0x0a010000u + first + n);

		assert_true(sources_append(&sources, &source));
	}
	return sources;
}

static unsigned apply_crowd(struct lab *lab, enum record_type type, unsigned first, unsigned count)
{
	struct addr list[CROWD];
	struct sources sources = crowd(list, first, count);
	struct addr host = addr_from_ipv4_number(0x0a000101u);

	return group_apply(&lab->group, lab->pool, &lab->timers, lab->now, VERSION_3, &host, type, &sources);
}

static void many_sources(void **state)
{
	struct lab lab = lab_new();

	(void)state;
	lab.timers.sources_max = CROWD;
	for (unsigned n = 0; n < CROWD; n += 64)
		assert_int_equal(apply_crowd(&lab, ALLOW, n, 64), GROUP_CHANGED);
	assert_int_equal(lab.group.source_count, CROWD);
	assert_int_equal(apply_crowd(&lab, IS_EX, 512, 512), GROUP_CHANGED);
	assert_int_equal(lab.group.source_count, 512);
	assert_int_equal(apply_crowd(&lab, TO_EX, 0, CROWD), GROUP_QUERY);
	assert_int_equal(lab.group.source_count, CROWD);
	assert_int_equal(apply_crowd(&lab, IS_EX, 0, 0), 0);
	assert_int_equal(lab.group.source_count, 0);
	lab_free(&lab);
}

/* The largest limit that can be sent. */
static void as_many_sources_as_can_be_counted(void **state)
{
	struct lab lab = lab_new();

	(void)state;
	pool_free(lab.pool);
	lab.pool = pool_new(16 << 20);
	lab.timers.sources_max = UINT16_MAX;
	for (unsigned n = 0; n < 63 * CROWD; n += CROWD)
		assert_int_equal(apply_crowd(&lab, ALLOW, n, CROWD), GROUP_CHANGED);
	assert_int_equal(apply_crowd(&lab, ALLOW, 63 * CROWD, CROWD), GROUP_CHANGED | GROUP_SOURCES_MAX);
	assert_int_equal(lab.group.source_count, UINT16_MAX);
	assert_int_equal(lab.group.source_capacity, UINT16_MAX);
	lab_free(&lab);
}

/* Without memory a group takes fewer sources and tells so; what it had is kept, and EXCLUDE errs towards
 * passing more. */
static void no_memory(void **state)
{
	struct lab lab = lab_new();
	struct group *group = &lab.group;
	struct addr source = addr_from_ipv4_number(0x0a010000u);
	unsigned flags = 0;

	(void)state;
	pool_free(lab.pool);
	lab.pool = pool_new(16 * 1024);
	assert_non_null(lab.pool);
	lab.timers.sources_max = CROWD;
	for (unsigned count = 4; !(flags & GROUP_MEMORY) && count <= CROWD; count *= 2)
		flags = apply_crowd(&lab, ALLOW, 0, count);
	assert_true(flags & GROUP_MEMORY);
	assert_in_range(group->source_count, 1, CROWD - 1);
	assert_true(group_wants(group, &source));
	assert_int_equal(apply_crowd(&lab, ALLOW, 2000, CROWD) & GROUP_MEMORY, GROUP_MEMORY);
	assert_true(group_wants(group, &source));

	flags = apply_crowd(&lab, TO_EX, 0, CROWD);
	assert_true(flags & GROUP_CHANGED);
	assert_int_equal(group->mode, FILTER_EXCLUDE);
	assert_true(group_wants(group, &(struct addr){{0}}));
	apply_crowd(&lab, IS_EX, 0, 0);
	assert_int_equal(group->source_count, 0);
	assert_int_equal(group->exclude_until, lab.now + GMI);
	lab_free(&lab);
}

static void filter_without_room_is_a_superset(void **state)
{
	static const char *const states[] = {"INCLUDE(a:50000 b:50000 c:50000)", "EXCLUDE(; a b c) 90000"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct lab lab = lab_new();
		struct addr list[3];
		struct filter filter = {.sources = sources_on(list, 3)};

		lab_set(&lab, states[i]);
		assert_true(group_filter(&lab.group, &filter));
		assert_int_equal(filter.mode, lab.group.mode);
		assert_int_equal(filter.sources.count, 3);
		filter.sources = sources_on(list, 2);
		assert_false(group_filter(&lab.group, &filter));
		assert_int_equal(filter.mode, FILTER_EXCLUDE);
		for (char letter = 'a'; letter <= 'z'; letter++) {
			struct addr source = letter_source(letter);

			if (group_wants(&lab.group, &source))
				assert_true(filter_passes(&filter, &source));
		}
		lab_free(&lab);
	}
}

/* The filter is that of RFC 9776 section 6.2.3: running sources of EXCLUDE pass, blocked ones do not. */
static void wants_and_filter(void **state)
{
	static const struct {
		const char *state;
		enum filter_mode mode;
		unsigned listed;
		uint32_t passes;
	} rows[] = {
		{"INCLUDE()", FILTER_INCLUDE, 0, 0},
		{"INCLUDE(a:50000 c:1)", FILTER_INCLUDE, 2, 0x5},
		{"EXCLUDE(; ) 90000", FILTER_EXCLUDE, 0, 0x3ffffff},
		{"EXCLUDE(a:50000; ) 90000", FILTER_EXCLUDE, 0, 0x3ffffff},
		{"EXCLUDE(a:50000; b c) 90000", FILTER_EXCLUDE, 2, 0x3fffff9},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct lab lab = lab_new();
		struct addr list[LETTERS];
		struct filter filter = {.sources = sources_on(list, LETTERS)};

		lab_set(&lab, rows[i].state);
		assert_true(group_filter(&lab.group, &filter));
		assert_int_equal(filter.mode, rows[i].mode);
		assert_int_equal(filter.sources.count, rows[i].listed);
		assert_int_equal(lab_passes(&lab), rows[i].passes);
		lab_check(&lab);
		lab_free(&lab);
	}
}

static void a_fresh_group_is_empty(void **state)
{
	struct lab lab = lab_new();

	(void)state;
	assert_true(group_is_empty(&lab.group));
	assert_false(group_is_queried(&lab.group));
	assert_int_equal(group_deadline(&lab.group), MTIME_NEVER);
	assert_int_equal(group_expire(&lab.group, &lab.timers, lab.now), 0);
	assert_int_equal(group_version(&lab.group, &lab.timers, lab.now), VERSION_3);
	assert_string_equal(lab_pull(&lab).at, "");
	lab_check(&lab);
	lab_free(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fresh_group_is_empty),
		cmocka_unit_test(current_state_records),
		cmocka_unit_test(change_records),
		cmocka_unit_test(short_timers_are_left_alone),
		cmocka_unit_test(others_send_no_queries),
		cmocka_unit_test(older_messages),
		cmocka_unit_test(version_2_link),
		cmocka_unit_test(version_1_link),
		cmocka_unit_test(fast_leave),
		cmocka_unit_test(fast_leave_without_tracking),
		cmocka_unit_test(every_record_in_every_state),
		cmocka_unit_test(every_record_beside_version_2_hosts),
		cmocka_unit_test(every_record_beside_version_1_hosts),
		cmocka_unit_test(wants_and_filter),
		cmocka_unit_test(filter_without_room_is_a_superset),
		cmocka_unit_test(sources_max),
		cmocka_unit_test(many_sources),
		cmocka_unit_test(as_many_sources_as_can_be_counted),
		cmocka_unit_test(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
