/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A group as time passes: timers that end (RFC 9776 sections 6.2.2, 6.3, 6.5), queries and their repetition
 * (6.6), other queriers (6.6.1), and older hosts that come and go (7.3.2). Stories step by step: what is
 * heard when, which queries go out up to then, and the state after it.
 */
#include "support/group_text.h"

struct step {
	mtime at;            /* from the start of the story */
	const char *input;   /* a record, heard(a b): a query of another querier, cancel; NULL: nothing */
	const char *queries; /* since the step before, each round as "time queries" */
	const char *state;   /* NULL: not looked at */
};

static void note_queries(struct lab *lab, struct text *sent, mtime start, unsigned flags)
{
	struct text queries = lab_pull(lab);

	if (queries.used == 0)
		return;
	assert_true(flags & GROUP_QUERY);
	text_add(sent, "%s%lld %s", sent->used == 0 ? "" : ", ", (long long)(lab->now - start), queries.at);
}

/* Like a caller that sleeps until the next deadline. */
static void run_until(struct lab *lab, struct text *sent, mtime start, mtime until)
{
	for (;;) {
		mtime at = mtime_min(group_deadline(&lab->group), until);
		uint32_t passed = lab_passes(lab);
		unsigned flags;

		assert_true(at >= lab->now);
		lab->now = at;
		flags = group_expire(&lab->group, &lab->timers, at);
		assert_int_equal((flags & GROUP_CHANGED) != 0, lab_passes(lab) != passed);
		note_queries(lab, sent, start, flags);
		lab_check(lab);
		if (at == until)
			return;
	}
}

static void hear_query(struct lab *lab, const char *text)
{
	struct addr list[LETTERS];
	struct sources sources = sources_on(list, LETTERS);

	read_letters(strchr(text, '(') + 1, ")", &sources);
	group_receive_query(&lab->group, &lab->timers, lab->now, &sources, false);
}

static unsigned take_input(struct lab *lab, const char *input)
{
	if (input == NULL)
		return 0;
	if (strncmp(input, "heard", 5) == 0) {
		hear_query(lab, input);
		return 0;
	}
	if (strncmp(input, "extend", 6) == 0) {
		group_extend(&lab->group, lab->now + LMQT, atoi(input + 7));
		return 0;
	}
	if (strcmp(input, "cancel") == 0) {
		group_cancel_queries(&lab->group);
		return 0;
	}
	return lab_apply(lab, input);
}

static void tell(struct lab *lab, const struct step *steps, size_t count)
{
	mtime start = lab->now;

	for (size_t i = 0; i < count; i++) {
		const struct step *step = &steps[i];
		struct text sent = {.used = 0}, state;
		unsigned flags;

		run_until(lab, &sent, start, start + step->at);
		flags = take_input(lab, step->input);
		note_queries(lab, &sent, start, flags);
		lab_check(lab);
		state = lab_state(lab);
		if (strcmp(sent.at, step->queries) != 0 ||
		    (step->state && strcmp(state.at, step->state) != 0))
			print_message("step %zu, at %lld\n", i, (long long)step->at);
		assert_string_equal(sent.at, step->queries);
		if (step->state != NULL)
			assert_string_equal(state.at, step->state);
	}
}

#define TELL(lab, steps) tell(lab, steps, sizeof(steps) / sizeof((steps)[0]))

/* A story on a link with default variables. */
static void tell_story(const struct step *steps, size_t count)
{
	struct lab lab = lab_new();

	tell(&lab, steps, count);
	lab_free(&lab);
}

#define TELL_STORY(steps) tell_story(steps, sizeof(steps) / sizeof((steps)[0]))

/* 6.3: in INCLUDE a source whose timer ends is deleted, and the group with the last one. */
static void include_sources_expire(void **state)
{
	static const struct step steps[] = {
		{0, "IS_IN(a b)", "", "INCLUDE(a:GMI b:GMI)"},
		{10000, "ALLOW(b c)", "", "INCLUDE(a:250000 b:GMI c:GMI)"},
		{GMI - 1, NULL, "", "INCLUDE(a:1 b:10001 c:10001)"},
		{GMI, NULL, "", "INCLUDE(b:10000 c:10000)"},
		{GMI + 9999, NULL, "", "INCLUDE(b:1 c:1)"},
		{GMI + 10000, NULL, "", "INCLUDE()"},
	};

	(void)state;
	TELL_STORY(steps);
}

/* The link's membership interval was made longer: what runs has more time, what is blocked stays so. */
static void timers_are_extended(void **state)
{
	static const struct step include[] = {
		{0, "IS_IN(a)", "", "INCLUDE(a:GMI)"},
		{1000, "extend 5000", "", "INCLUDE(a:264000)"},
		{GMI + 4999, NULL, "", "INCLUDE(a:1)"},
		{GMI + 5000, NULL, "", "INCLUDE()"},
	};
	static const struct step exclude[] = {
		{0, "IS_EX(c)", "", "EXCLUDE(; c) GMI"},
		{1000, "IS_IN(a)", "", "EXCLUDE(a:GMI; c) 259000"},
		{1000, "extend 5000", "", "EXCLUDE(a:265000; c) 264000"},
	};
	/* Not while the last member is asked for. */
	static const struct step asked[] = {
		{0, "IS_EX(c)", "", "EXCLUDE(; c) GMI"},
		{0, "IS_IN(a b)", "", "EXCLUDE(a:GMI b:GMI; c) GMI"},
		{1000, "BLOCK(a)", "1000 Q(G,a)", "EXCLUDE(a:LMQT b:259000; c) 259000"},
		{1000, "extend 5000", "", "EXCLUDE(a:LMQT b:264000; c) 264000"},
		{2000, "TO_IN(b)", "2000 Q(G,a), 2000 Q(G)", "EXCLUDE(a:1000 b:GMI; c) LMQT"},
		{2000, "extend 5000", "", "EXCLUDE(a:1000 b:265000; c) LMQT"},
	};

	(void)state;
	TELL_STORY(include);
	TELL_STORY(exclude);
	TELL_STORY(asked);
}

/* 6.3: in EXCLUDE a source whose timer ends is blocked; 6.5: the group timer ends with nobody left. */
static void exclude_sources_expire(void **state)
{
	static const struct step steps[] = {
		{0, "IS_EX(c)", "", "EXCLUDE(; c) GMI"},
		{1000, "IS_IN(a)", "", "EXCLUDE(a:GMI; c) 259000"},
		{100000, "IS_EX(a c)", "", "EXCLUDE(a:161000; c) GMI"},
		{260999, NULL, "", "EXCLUDE(a:1; c) 99001"},
		{261000, NULL, "", "EXCLUDE(; a c) 99000"},
		{359999, NULL, "", "EXCLUDE(; a c) 1"},
		{360000, NULL, "", "INCLUDE()"},
	};

	(void)state;
	TELL_STORY(steps);
}

/* 6.5: the group timer ends while sources run: INCLUDE with these, and they end in turn. */
static void exclude_ends_in_include(void **state)
{
	static const struct step steps[] = {
		{0, "IS_EX(b)", "", "EXCLUDE(; b) GMI"},
		{1000, "ALLOW(a)", "", "EXCLUDE(a:GMI; b) 259000"},
		{2000, "ALLOW(c)", "", "EXCLUDE(a:259000 c:GMI; b) 258000"},
		{GMI, NULL, "", "INCLUDE(a:1000 c:LMQT)"},
		{GMI + 1000, NULL, "", "INCLUDE(c:1000)"},
		{GMI + 2000, NULL, "", "INCLUDE()"},
	};

	(void)state;
	TELL_STORY(steps);
}

static void all_timers_end_at_once(void **state)
{
	static const struct step steps[] = {
		{0, "IS_EX(b)", "", NULL},
		{0, "ALLOW(a)", "", "EXCLUDE(a:GMI; b) GMI"},
		{GMI, NULL, "", "INCLUDE()"},
	};

	(void)state;
	TELL_STORY(steps);
}

/* Whoever comes late finds the state of the present. */
static void a_late_expiry_does_it_all(void **state)
{
	static const struct {
		const char *before;
		mtime later;
		const char *after;
	} rows[] = {
		{"INCLUDE(a:1000 b:3000 c:9000)", 5000, "INCLUDE(c:4000)"},
		{"INCLUDE(a:1000 b:3000 c:9000)", 9000, "INCLUDE()"},
		{"EXCLUDE(a:1000 b:9000; c) 3000", 5000, "INCLUDE(b:4000)"},
		{"EXCLUDE(a:4000 b:9000; c) 3000", 5000, "INCLUDE(b:4000)"},
		{"EXCLUDE(a:1000 b:9000; c) 6000", 5000, "EXCLUDE(b:4000; a c) 1000"},
		{"EXCLUDE(a:1000; c) 3000", 50000, "INCLUDE()"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct lab lab = lab_new();

		lab_set(&lab, rows[i].before);
		lab.now += rows[i].later;
		assert_int_equal(group_expire(&lab.group, &lab.timers, lab.now), GROUP_CHANGED);
		assert_string_equal(lab_state(&lab).at, rows[i].after);
		lab_check(&lab);
		lab_free(&lab);
	}
}

/* 6.6.3.1: LMQC queries at LMQI, then the group is gone. */
static void leave_unanswered(void **state)
{
	static const struct step steps[] = {
		{0, "v2 IS_EX()", "", "EXCLUDE(; ) GMI"},
		{5000, "v2 TO_IN()", "5000 Q(G)", "EXCLUDE(; ) LMQT"},
		{6999, NULL, "6000 Q(G)", "EXCLUDE(; ) 1"},
		{7000, NULL, "", "INCLUDE()"},
		{99999, NULL, "", "INCLUDE()"},
	};

	(void)state;
	TELL_STORY(steps);
}

/* The count and the interval are those of the link. */
static void leave_with_other_variables(void **state)
{
	static const struct {
		uint8_t count;
		mtime interval;
		const char *queries;
		mtime end;
	} rows[] = {
		{1, 1000, "0 Q(G)", 1000},
		{3, 500, "0 Q(G), 500 Q(G), 1000 Q(G)", 1500},
		{5, 100, "0 Q(G), 100 Q(G), 200 Q(G), 300 Q(G), 400 Q(G)", 500},
		{2, 10000, "0 Q(G), 10000 Q(G)", 20000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct lab lab = lab_new();
		struct text sent = {.used = 0};
		mtime start = lab.now;

		lab.timers.last_member_query_count = rows[i].count;
		lab.timers.last_member_query_interval = rows[i].interval;
		lab_set(&lab, "EXCLUDE(; ) 90000");
		note_queries(&lab, &sent, start, lab_apply(&lab, "TO_IN()"));
		run_until(&lab, &sent, start, start + rows[i].end - 1);
		assert_false(group_is_empty(&lab.group));
		run_until(&lab, &sent, start, start + 80000);
		assert_true(group_is_empty(&lab.group));
		assert_string_equal(sent.at, rows[i].queries);
		lab_free(&lab);
	}
}

/* A member that answers keeps the group; the S flag tells other routers not to lower their timers. */
static void leave_answered(void **state)
{
	static const struct step steps[] = {
		{0, "IS_EX()", "", "EXCLUDE(; ) GMI"},
		{5000, "TO_IN()", "5000 Q(G)", "EXCLUDE(; ) LMQT"},
		{5400, "IS_EX()", "", "EXCLUDE(; ) GMI"},
		{9000, NULL, "6000 Q(G)S", "EXCLUDE(; ) 256400"},
		{20000, "v2 TO_IN()", "20000 Q(G)", "EXCLUDE(; ) LMQT"},
		{21500, "v2 IS_EX()", "21000 Q(G)", "EXCLUDE(; ) GMI"},
		{30000, NULL, "", "EXCLUDE(; ) 251500"},
	};

	(void)state;
	TELL_STORY(steps);
}

/* Hosts repeat their leave: that never prolongs the group, and asks nothing while a repetition is owed. */
static void leave_repeated(void **state)
{
	static const struct step steps[] = {
		{0, "IS_EX()", "", "EXCLUDE(; ) GMI"},
		{1000, "TO_IN()", "1000 Q(G)", "EXCLUDE(; ) LMQT"},
		{1300, "TO_IN()", "", "EXCLUDE(; ) 1700"},
		{2600, "v2 TO_IN()", "2000 Q(G), 2600 Q(G)", "EXCLUDE(; ) 400"},
		{2700, "v2 TO_IN()", "", "EXCLUDE(; ) 300"},
		{3000, NULL, "", "INCLUDE()"},
		{9000, NULL, "", "INCLUDE()"},
	};

	(void)state;
	TELL_STORY(steps);
}

/* 6.6.3.1: Q(G) is sent at once also where the group timer has no more than LMQT left by itself; a member
 * whose answer to the last general query was lost is saved by it. */
static void leave_near_the_end_of_the_timer(void **state)
{
	static const struct step steps[] = {
		{0, "IS_EX()", "", "EXCLUDE(; ) GMI"},
		{GMI - 2000, "TO_IN()", "258000 Q(G)", "EXCLUDE(; ) LMQT"},
		{GMI - 900, "IS_EX()", "259000 Q(G)", "EXCLUDE(; ) GMI"},
		{2 * GMI - 1500, "v2 TO_IN()", "518500 Q(G)", "EXCLUDE(; ) 600"},
		{2 * GMI - 901, NULL, "", "EXCLUDE(; ) 1"},
		{2 * GMI - 900, NULL, "", "INCLUDE()"},
		{3 * GMI, NULL, "", "INCLUDE()"},
	};

	(void)state;
	TELL_STORY(steps);
}

/* One that is not querier leaves the asking to the other router, also there. */
static void leave_near_the_end_heard_by_a_non_querier(void **state)
{
	static const struct step steps[] = {
		{0, "TO_IN()", "", "EXCLUDE(; ) 1500"},
		{1500, NULL, "", "INCLUDE()"},
	};
	struct lab lab = lab_new();

	(void)state;
	lab.timers.querier = false;
	lab_set(&lab, "EXCLUDE(; ) 1500");
	TELL(&lab, steps);
	lab_free(&lab);
}

/* After an answer a new leave asks anew, LMQC times. */
static void leave_answer_leave(void **state)
{
	static const struct step steps[] = {
		{0, "IS_EX()", "", "EXCLUDE(; ) GMI"},
		{1000, "TO_IN()", "1000 Q(G)", "EXCLUDE(; ) LMQT"},
		{1200, "IS_EX()", "", "EXCLUDE(; ) GMI"},
		{1500, "TO_IN()", "1500 Q(G)", "EXCLUDE(; ) LMQT"},
		{3499, NULL, "2500 Q(G)", "EXCLUDE(; ) 1"},
		{3500, NULL, "", "INCLUDE()"},
	};

	(void)state;
	TELL_STORY(steps);
}

/* 6.6.3.2: sources with an answer are asked about with the S flag, the others without. */
static void sources_are_split_by_the_s_flag(void **state)
{
	static const struct step steps[] = {
		{0, "IS_IN(a b c d)", "", NULL},
		{1000, "BLOCK(a b c)", "1000 Q(G,a b c)", "INCLUDE(a:LMQT b:LMQT c:LMQT d:259000)"},
		{1400, "IS_IN(b)", "", "INCLUDE(a:1600 b:GMI c:1600 d:258600)"},
		{2999, NULL, "2000 Q(G,b)S Q(G,a c)", NULL},
		{3000, NULL, "", "INCLUDE(b:258400 d:257000)"},
		{9000, NULL, "", "INCLUDE(b:252400 d:251000)"},
	};

	(void)state;
	TELL_STORY(steps);
}

static void blocked_sources_of_exclude_expire(void **state)
{
	static const struct step steps[] = {
		{0, "IS_EX(z)", "", "EXCLUDE(; z) GMI"},
		{1000, "BLOCK(a b)", "1000 Q(G,a b)", "EXCLUDE(a:LMQT b:LMQT; z) 259000"},
		{1500, "ALLOW(a)", "", "EXCLUDE(a:GMI b:1500; z) 258500"},
		{2000, NULL, "2000 Q(G,a)S Q(G,b)", NULL},
		{3000, NULL, "", "EXCLUDE(a:258500; b z) 257000"},
	};

	(void)state;
	TELL_STORY(steps);
}

/* To INCLUDE with a list while others may want more: both kinds of query at once. */
static void change_to_include(void **state)
{
	static const struct step steps[] = {
		{0, "IS_EX(z)", "", NULL},
		{0, "ALLOW(x)", "", "EXCLUDE(x:GMI; z) GMI"},
		{1000, "TO_IN(a)", "1000 Q(G) Q(G,x)", "EXCLUDE(a:GMI x:LMQT; z) LMQT"},
		{2999, NULL, "2000 Q(G) Q(G,x)", "EXCLUDE(a:258001 x:1; z) 1"},
		{3000, NULL, "", "INCLUDE(a:258000)"},
	};

	(void)state;
	TELL_STORY(steps);
}

/* A source that a record deletes is not asked about any more. */
static void deleted_sources_are_not_asked_about(void **state)
{
	static const struct step steps[] = {
		{0, "IS_IN(a b)", "", NULL},
		{1000, "BLOCK(a b)", "1000 Q(G,a b)", NULL},
		{1500, "IS_EX(b)", "", "EXCLUDE(b:1500; ) GMI"},
		{2500, NULL, "2000 Q(G,b)", "EXCLUDE(b:500; ) 259000"},
		{3000, NULL, "", "EXCLUDE(; b) 258500"},
		{10000, "ALLOW(a)", "", "EXCLUDE(a:GMI; b) 251500"},
		{11000, "BLOCK(a)", "11000 Q(G,a)", "EXCLUDE(a:LMQT; b) 250500"},
		{11500, "IS_EX()", "", "EXCLUDE(; ) GMI"},
		{20000, NULL, "", "EXCLUDE(; ) 251500"},
	};

	(void)state;
	TELL_STORY(steps);
}

/* How often the queries named a source. */
static unsigned count_asked(const struct text *sent, char letter)
{
	unsigned count = 0;

	for (const char *at = sent->at; *at != '\0'; at++)
		count += *at == letter;
	return count;
}

/* Questions that overlap: each source is asked about LMQC times before it ends, and a repeated BLOCK changes
 * nothing. */
static void overlapping_questions(void **state)
{
	struct lab lab = lab_new();
	struct text sent = {.used = 0};
	mtime start = lab.now;

	(void)state;
	lab_apply(&lab, "IS_IN(a b c)");
	note_queries(&lab, &sent, start, lab_apply(&lab, "BLOCK(a)"));
	run_until(&lab, &sent, start, start + 500);
	note_queries(&lab, &sent, start, lab_apply(&lab, "BLOCK(a b)"));
	run_until(&lab, &sent, start, start + 1300);
	note_queries(&lab, &sent, start, lab_apply(&lab, "TO_IN()"));
	assert_string_equal(lab_state(&lab).at, "INCLUDE(a:700 b:1200 c:LMQT)");
	run_until(&lab, &sent, start, start + 2500);
	assert_string_equal(lab_state(&lab).at, "INCLUDE(c:800)");
	run_until(&lab, &sent, start, start + 3300);
	assert_true(group_is_empty(&lab.group));
	for (char letter = 'a'; letter <= 'c'; letter++)
		assert_int_equal(count_asked(&sent, letter), LMQC);
	lab_free(&lab);
}

/* Lists longer than a packet go out in several queries, each source once, never mixed by their S flag. */
static void long_lists_take_several_queries(void **state)
{
	static const struct {
		size_t room;
		const char *first;
		const char *second;
	} rows[] = {
		{1, "Q(G,a) Q(G,b) Q(G,c) Q(G,d) Q(G,e)", "Q(G,b)S Q(G,d)S Q(G,a) Q(G,c) Q(G,e)"},
		{2, "Q(G,a b) Q(G,c d) Q(G,e)", "Q(G,b d)S Q(G,a c) Q(G,e)"},
		{3, "Q(G,a b c) Q(G,d e)", "Q(G,b d)S Q(G,a c e)"},
		{5, "Q(G,a b c d e)", "Q(G,b d)S Q(G,a c e)"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct lab lab = lab_new();

		lab.query_room = rows[i].room;
		lab_apply(&lab, "IS_IN(a b c d e f)");
		assert_int_equal(lab_apply(&lab, "BLOCK(a b c d e)"), GROUP_QUERY);
		assert_string_equal(lab_pull(&lab).at, rows[i].first);
		lab.now += 300;
		assert_int_equal(lab_apply(&lab, "IS_IN(b d)"), 0);
		lab.now += 700;
		assert_int_equal(group_deadline(&lab.group), lab.now);
		assert_int_equal(group_expire(&lab.group, &lab.timers, lab.now), GROUP_QUERY);
		assert_string_equal(lab_pull(&lab).at, rows[i].second);
		assert_string_equal(lab_pull(&lab).at, "");
		lab_free(&lab);
	}
}

/* Queries that could not be sent at once are sent once there is room, and count from then. */
static void a_round_that_is_pulled_late(void **state)
{
	struct lab lab = lab_new();
	struct text sent = {.used = 0};
	mtime start = lab.now;
	unsigned flags;

	(void)state;
	lab_apply(&lab, "IS_EX()");
	flags = lab_apply(&lab, "TO_IN()");
	assert_true(group_is_queried(&lab.group));
	lab.now += 200;
	flags |= group_expire(&lab.group, &lab.timers, lab.now);
	note_queries(&lab, &sent, start, flags);
	run_until(&lab, &sent, start, start + 10000);
	assert_string_equal(sent.at, "200 Q(G), 1200 Q(G)");
	assert_true(group_is_empty(&lab.group));
	lab_free(&lab);
}

/* Nobody is asked about what is already decided. */
static void no_queries_about_expired_sources(void **state)
{
	static const mtime delays[] = {1500, 2000, 2500};

	(void)state;
	for (size_t i = 0; i < sizeof delays / sizeof delays[0]; i++) {
		struct lab lab = lab_new();
		struct text sent = {.used = 0};
		mtime start = lab.now;
		unsigned flags;

		lab_apply(&lab, "IS_EX()");
		flags = lab_apply(&lab, "BLOCK(a)");
		lab.now += delays[i];
		flags |= group_expire(&lab.group, &lab.timers, lab.now);
		note_queries(&lab, &sent, start, flags);
		run_until(&lab, &sent, start, start + 10000);
		assert_string_equal(sent.at, delays[i] < LMQT ? "1500 Q(G,a)" : "");
		assert_string_equal(lab_state(&lab).at, "EXCLUDE(; a) 250000");
		lab_free(&lab);
	}
}

static void queried_while_questions_are_open(void **state)
{
	struct lab lab = lab_new();
	struct text sent = {.used = 0};
	mtime start = lab.now;

	(void)state;
	lab_apply(&lab, "IS_IN(a b)");
	assert_false(group_is_queried(&lab.group));
	note_queries(&lab, &sent, start, lab_apply(&lab, "BLOCK(a)"));
	assert_true(group_is_queried(&lab.group));
	run_until(&lab, &sent, start, start + 5000);
	assert_false(group_is_queried(&lab.group));
	assert_string_equal(lab_state(&lab).at, "INCLUDE(b:255000)");
	lab_free(&lab);
}

static void cancelled_queries(void **state)
{
	static const struct step steps[] = {
		{0, "IS_EX()", "", NULL},
		{0, "ALLOW(a)", "", NULL},
		{1000, "TO_IN()", "1000 Q(G) Q(G,a)", "EXCLUDE(a:LMQT; ) LMQT"},
		{1500, "cancel", "", "EXCLUDE(a:1500; ) 1500"},
		{2999, NULL, "", "EXCLUDE(a:1; ) 1"},
		{3000, NULL, "", "INCLUDE()"},
	};

	(void)state;
	TELL_STORY(steps);
}

/* 6.6.1: a query of the elected querier lowers the timers that it asks about, and raises none. */
static void another_querier_asks(void **state)
{
	static const struct {
		const char *before;
		const char *query;
		const char *after;
	} rows[] = {
		{"EXCLUDE(; ) 90000", "heard()", "EXCLUDE(; ) LMQT"},
		{"EXCLUDE(; ) 1500", "heard()", "EXCLUDE(; ) 1500"},
		{"EXCLUDE(a:50000; b) 90000", "heard()", "EXCLUDE(a:50000; b) LMQT"},
		{"EXCLUDE(a:50000 c:1000; b) 90000", "heard(a b c d)", "EXCLUDE(a:LMQT c:1000; b) 90000"},
		{"EXCLUDE(a:50000; b) 90000", "heard(c)", "EXCLUDE(a:50000; b) 90000"},
		{"INCLUDE(a:50000 b:1500 c:60000)", "heard(a b)", "INCLUDE(a:LMQT b:1500 c:60000)"},
		{"INCLUDE(a:50000)", "heard()", "INCLUDE(a:50000)"},
		{"INCLUDE()", "heard()", "INCLUDE()"},
		{"INCLUDE()", "heard(a)", "INCLUDE()"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct lab lab = lab_new();

		lab.timers.querier = false;
		lab_set(&lab, rows[i].before);
		hear_query(&lab, rows[i].query);
		assert_string_equal(lab_state(&lab).at, rows[i].after);
		assert_string_equal(lab_pull(&lab).at, "");
		lab_check(&lab);
		lab_free(&lab);
	}
}

/* A router that is not the querier waits for the querier's question; its times are LMQI and LMQC of that
 * router. */
static void leave_beside_another_querier(void **state)
{
	static const struct step steps[] = {
		{0, "IS_EX()", "", "EXCLUDE(; ) GMI"},
		{1000, "TO_IN()", "", "EXCLUDE(; ) 259000"},
		{1010, "heard()", "", "EXCLUDE(; ) 1500"},
		{1510, "heard()", "", "EXCLUDE(; ) 1000"},
		{2510, NULL, "", "INCLUDE()"},
	};
	struct lab lab = lab_new();

	(void)state;
	lab.timers.querier = false;
	lab.timers.last_member_query_interval = 500;
	lab.timers.last_member_query_count = 3;
	TELL(&lab, steps);
	lab_free(&lab);
}

/* A switch that is elected often sends no specific queries. After one LMQI the router sends them itself. */
static void leave_beside_a_silent_querier(void **state)
{
	static const struct step leave[] = {
		{0, "IS_EX()", "", "EXCLUDE(; ) GMI"},
		{1000, "TO_IN()", "", "EXCLUDE(; ) 259000"},
		{1300, "TO_IN()", "", "EXCLUDE(; ) 258700"},
		{1500, NULL, "1500 Q(G)", "EXCLUDE(; ) 1500"},
		{2999, NULL, "2000 Q(G), 2500 Q(G)", "EXCLUDE(; ) 1"},
		{3000, NULL, "", "INCLUDE()"},
	};
	static const struct step answered_before[] = {
		{0, "IS_EX()", "", "EXCLUDE(; ) GMI"},
		{1000, "TO_IN()", "", "EXCLUDE(; ) 259000"},
		{1300, "IS_EX()", "", "EXCLUDE(; ) GMI"},
		{9000, NULL, "", "EXCLUDE(; ) 252300"},
		/* The next leave waits again. */
		{9100, "TO_IN()", "", NULL},
		{9600, NULL, "9600 Q(G)", "EXCLUDE(; ) 1500"},
	};
	static const struct step answered_after[] = {
		{0, "IS_EX()", "", "EXCLUDE(; ) GMI"},
		{1000, "TO_IN()", "", NULL},
		{1600, "IS_EX()", "1500 Q(G)", "EXCLUDE(; ) GMI"},
		{9000, NULL, "2000 Q(G)S, 2500 Q(G)S", "EXCLUDE(; ) 252600"},
	};
	static const struct step sources[] = {
		{0, "IS_IN(a b c)", "", NULL},
		{1000, "BLOCK(a b)", "", "INCLUDE(a:259000 b:259000 c:259000)"},
		{1200, "IS_IN(b)", "", "INCLUDE(a:258800 b:GMI c:258800)"},
		{1500, NULL, "1500 Q(G,a)", "INCLUDE(a:1500 b:259700 c:258500)"},
		/* It has proved silent: a further leave is no longer delayed. */
		{1700, "BLOCK(c)", "1700 Q(G,a c)", "INCLUDE(a:1300 b:259500 c:1500)"},
		{4000, NULL, "2200 Q(G,a c), 2700 Q(G,c)", "INCLUDE(b:257200)"},
	};
	static const struct step speaks_late[] = {
		{0, "IS_EX()", "", "EXCLUDE(; ) GMI"},
		{1000, "TO_IN()", "", NULL},
		{1600, "heard()", "1500 Q(G)", "EXCLUDE(; ) 1400"},
		{3000, NULL, "", "INCLUDE()"},
	};
	static const struct step speaks_of_others[] = {
		{0, "IS_IN(a b)", "", NULL},
		{1000, "BLOCK(a b)", "", NULL},
		{1100, "heard(a c)", "", "INCLUDE(a:1500 b:258900)"},
		{1500, NULL, "1500 Q(G,b)", "INCLUDE(a:1100 b:1500)"},
		{4000, NULL, "2000 Q(G,b), 2500 Q(G,b)", "INCLUDE()"},
	};
	static const struct {
		const struct step *steps;
		size_t count;
	} rows[] = {
		{leave, sizeof leave / sizeof *leave},
		{answered_before, sizeof answered_before / sizeof *answered_before},
		{answered_after, sizeof answered_after / sizeof *answered_after},
		{sources, sizeof sources / sizeof *sources},
		{speaks_late, sizeof speaks_late / sizeof *speaks_late},
		{speaks_of_others, sizeof speaks_of_others / sizeof *speaks_of_others},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct lab lab = lab_new();

		lab.timers.querier = false;
		lab.timers.last_member_query_interval = 500;
		lab.timers.last_member_query_count = 3;
		tell(&lab, rows[i].steps, rows[i].count);
		lab_free(&lab);
	}
}

/* The elected querier is gone while the router waits for its query. */
static void the_querier_is_gone_before_it_asks(void **state)
{
	struct lab lab = lab_new();
	struct text sent = {.used = 0};
	mtime start = lab.now;

	(void)state;
	lab.timers.querier = false;
	lab_apply(&lab, "IS_EX()");
	note_queries(&lab, &sent, start, lab_apply(&lab, "TO_IN()"));
	lab.timers.querier = true;
	run_until(&lab, &sent, start, start + 5000);
	assert_string_equal(sent.at, "1000 Q(G), 2000 Q(G)");
	assert_true(group_is_empty(&lab.group));
	lab_free(&lab);
}

/* Another router was elected while queries were owed. */
static void no_queries_after_the_election_is_lost(void **state)
{
	struct lab lab = lab_new();
	struct text sent = {.used = 0};
	mtime start = lab.now;

	(void)state;
	lab_apply(&lab, "IS_EX()");
	note_queries(&lab, &sent, start, lab_apply(&lab, "TO_IN()"));
	lab.timers.querier = false;
	run_until(&lab, &sent, start, start + 5000);
	assert_string_equal(sent.at, "0 Q(G)");
	assert_true(group_is_empty(&lab.group));
	lab_free(&lab);
}

/* RFC 2236 section 7, RFC 2710 section 6: a report ends the checking. In version 3 the S flag does that for
 * the other routers, which the older versions do not have. */
static void an_answer_ends_the_questions_of_older_versions(void **state)
{
	static const struct step steps[] = {
		{0, "v2 IS_EX()", "", NULL},
		{5000, "v2 TO_IN()", "5000 Q(G)", NULL},
		{5400, "v2 IS_EX()", "", NULL},
		{9000, NULL, "", NULL},
		{10000, "v2 TO_IN()", "10000 Q(G)", NULL},
		{10400, "TO_EX(a)", "", NULL},
		{15000, NULL, "", NULL},
		{20000, "v2 TO_IN()", "20000 Q(G)", NULL},
		{22000, NULL, "21000 Q(G)", "INCLUDE()"},
	};
	struct lab lab = lab_new();

	(void)state;
	lab.timers.version = VERSION_2;
	TELL(&lab, steps);
	lab_free(&lab);
}

/* RFC 2236 section 3: on links of the older versions the same router keeps sending them. */
static void older_versions_finish_asking(void **state)
{
	for (enum version version = VERSION_1; version <= VERSION_2; version++) {
		struct lab lab = lab_new();
		struct text sent = {.used = 0};
		mtime start = lab.now;

		(void)state;
		lab.timers.version = (uint8_t)version;
		lab.timers.last_member_query_count = 3;
		lab_apply(&lab, "v2 IS_EX()");
		note_queries(&lab, &sent, start, lab_apply(&lab, "v2 TO_IN()"));
		lab.timers.querier = false;
		run_until(&lab, &sent, start, start + 5000);
		/* In version 1 leaves do not count. */
		assert_string_equal(sent.at, version == VERSION_1 ? "" : "0 Q(G), 1000 Q(G), 2000 Q(G)");
		/* A further leave asks nothing. */
		assert_int_equal(lab_apply(&lab, "v2 TO_IN()") & GROUP_QUERY, 0);
		lab_free(&lab);
	}
}

/* The compatibility mode follows from the timers of older hosts; reports set them, leaves do not. */
static void compatibility_mode(void **state)
{
	static const struct {
		enum version configured;
		mtime v1_host_left;
		mtime v2_host_left;
		enum version mode;
	} rows[] = {
		{VERSION_3, 0, 0, VERSION_3}, {VERSION_3, 0, 1, VERSION_2}, {VERSION_3, 1, 0, VERSION_1},
		{VERSION_3, 1, 1, VERSION_1}, {VERSION_2, 0, 0, VERSION_2}, {VERSION_2, 0, 1, VERSION_2},
		{VERSION_2, 1, 0, VERSION_1}, {VERSION_1, 0, 0, VERSION_1}, {VERSION_1, 0, 1, VERSION_1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct lab lab = lab_new();

		lab.timers.version = (uint8_t)rows[i].configured;
		lab.group.v1_host_until = lab.now + rows[i].v1_host_left;
		lab.group.v2_host_until = lab.now + rows[i].v2_host_left;
		assert_int_equal(group_version(&lab.group, &lab.timers, lab.now), rows[i].mode);
		lab_free(&lab);
	}
}

static void check_version(struct lab *lab, enum version version)
{
	assert_int_equal(group_version(&lab->group, &lab->timers, lab->now), version);
}

static void older_hosts_come_and_go(void **state)
{
	struct lab lab = lab_new();
	struct text sent = {.used = 0};
	mtime start = lab.now;

	(void)state;
	lab.timers.older_host_present_interval = 200000;
	lab_apply(&lab, "IS_EX(a)");
	lab_apply(&lab, "v2 TO_IN()");
	lab_pull(&lab);
	check_version(&lab, VERSION_3);
	lab_apply(&lab, "v1 IS_EX()");
	check_version(&lab, VERSION_1);
	run_until(&lab, &sent, start, start + 50000);
	lab_apply(&lab, "v2 IS_EX()");
	check_version(&lab, VERSION_1);
	run_until(&lab, &sent, start, start + 199999);
	check_version(&lab, VERSION_1);
	run_until(&lab, &sent, start, start + 200000);
	check_version(&lab, VERSION_2);
	lab_apply(&lab, "IS_EX()");
	run_until(&lab, &sent, start, start + 249999);
	check_version(&lab, VERSION_2);
	run_until(&lab, &sent, start, start + 250000);
	check_version(&lab, VERSION_3);
	lab_free(&lab);
}

/* Beside a version 2 host: BLOCK and the lists of TO_EX mean nothing, as that host cannot speak for
 * itself. */
static void beside_version_2_hosts(void **state)
{
	static const struct step steps[] = {
		{0, "IS_EX(a)", "", "EXCLUDE(; a) GMI"},
		{1000, "v2 IS_EX()", "", "EXCLUDE(; ) GMI"},
		{2000, "BLOCK(b)", "", "EXCLUDE(; ) 259000"},
		{3000, "TO_EX(b)", "", "EXCLUDE(; ) GMI"},
		{4000, "TO_IN(c)", "4000 Q(G)", "EXCLUDE(c:GMI; ) LMQT"},
		{4500, "v2 IS_EX()", "", "EXCLUDE(; ) GMI"},
		{5200, "v2 TO_IN()", "5000 Q(G)S, 5200 Q(G)", "EXCLUDE(; ) LMQT"},
		{6500, "IS_EX()", "6200 Q(G)", "EXCLUDE(; ) GMI"},
		{200000, "IS_EX()", "", "EXCLUDE(; ) GMI"},
		{264499, "BLOCK(b)", "", "EXCLUDE(; ) 195501"},
		{264500, "BLOCK(b)", "264500 Q(G,b)", "EXCLUDE(b:LMQT; ) 195500"},
		{264500, "TO_EX(c)", "264500 Q(G,c)", "EXCLUDE(c:LMQT; ) GMI"},
	};

	(void)state;
	TELL_STORY(steps);
}

/* Beside a version 1 host, which cannot leave: leaves mean nothing. */
static void beside_version_1_hosts(void **state)
{
	static const struct step steps[] = {
		{0, "v1 IS_EX()", "", "EXCLUDE(; ) GMI"},
		{1000, "v2 IS_EX()", "", "EXCLUDE(; ) GMI"},
		{2000, "v2 TO_IN()", "", "EXCLUDE(; ) 259000"},
		{3000, "TO_IN()", "", "EXCLUDE(; ) 258000"},
		{3000, "BLOCK(a)", "", "EXCLUDE(; ) 258000"},
		{4000, "TO_EX(a)", "", "EXCLUDE(; ) GMI"},
		{5000, "ALLOW(a)", "", "EXCLUDE(a:GMI; ) 259000"},
		{100000, "IS_EX()", "", "EXCLUDE(; ) GMI"},
		{259999, "v2 TO_IN()", "", "EXCLUDE(; ) 100001"},
		{260000, "v2 TO_IN()", "260000 Q(G)", "EXCLUDE(; ) LMQT"},
		{261500, "BLOCK(a)", "261000 Q(G)", "EXCLUDE(a:500; ) 500"},
		{262000, NULL, "", "INCLUDE()"},
	};

	(void)state;
	TELL_STORY(steps);
}

/* Fast leave: what ends at once, and what is asked about because another host wants it, or may. */

#define STORY(...)                                                                                           \
	{                                                                                                    \
		__VA_ARGS__,                                                                                 \
		{                                                                                            \
			0                                                                                    \
		}                                                                                            \
	}

static const struct step fast_leave_stories[][8] = {
	/* Two televisions: the second keeps its picture, and the last one to leave stops it. */
	STORY({0, "h1 TO_EX()", "", "EXCLUDE(; ) GMI"}, {1000, "h2 TO_EX()", "", "EXCLUDE(; ) GMI"},
              {2000, "h1 TO_IN()", "2000 Q(G)", "EXCLUDE(; ) LMQT"},
              {2500, "h2 IS_EX()", "", "EXCLUDE(; ) GMI"}, {10000, "h2 TO_IN()", "3000 Q(G)S", "INCLUDE()"}),
	/* The leave is repeated, and the host is not known any more: as if asked. */
	STORY({0, "h1 TO_EX()", "", "EXCLUDE(; ) GMI"}, {1000, "h2 TO_EX()", "", "EXCLUDE(; ) GMI"},
              {2000, "h1 TO_IN()", "2000 Q(G)", "EXCLUDE(; ) LMQT"}, {2500, "h2 TO_IN()", "", "INCLUDE()"},
              {3000, "h2 TO_IN()", "", "INCLUDE()"}),
	/* Sources of several hosts. */
	STORY({0, "h1 ALLOW(a b)", "", "INCLUDE(a:GMI b:GMI)"},
              {1000, "h2 ALLOW(b)", "", "INCLUDE(a:259000 b:GMI)"},
              {2000, "h1 BLOCK(a)", "", "INCLUDE(b:259000)"},
              {3000, "h1 BLOCK(b)", "3000 Q(G,b)", "INCLUDE(b:LMQT)"},
              {3500, "h2 IS_IN(b)", "", "INCLUDE(b:GMI)"},
              {9000, "h2 BLOCK(b)", "4000 Q(G,b)S", "INCLUDE()"}),
	/* TO_IN names what stays. */
	STORY({0, "h1 TO_EX()", "", "EXCLUDE(; ) GMI"}, {1000, "h1 TO_IN(a b)", "", "INCLUDE(a:GMI b:GMI)"},
              {2000, "h1 TO_IN(b)", "", "INCLUDE(b:GMI)"}, {3000, "h1 TO_EX()", "", "EXCLUDE(; ) GMI"},
              {4000, "h1 TO_IN()", "", "INCLUDE()"}),
	/* EXCLUDE of one, INCLUDE of another: with the first one's end the second's source goes on. */
	STORY({0, "h1 TO_EX()", "", "EXCLUDE(; ) GMI"}, {1000, "h2 ALLOW(a)", "", "EXCLUDE(a:GMI; ) 259000"},
              {2000, "h1 TO_IN()", "2000 Q(G,a)", "INCLUDE(a:LMQT)"},
              {2500, "h2 IS_IN(a)", "", "INCLUDE(a:GMI)"},
              {9000, "h2 BLOCK(a)", "3000 Q(G,a)S", "INCLUDE()"}),
	/* The source went from X while EXCLUDE let it pass ("Delete (X-A)"): who includes it is asked. */
	STORY({0, "h2 ALLOW(a)", "", "INCLUDE(a:GMI)"}, {1000, "h1 TO_EX()", "", "EXCLUDE(; ) GMI"},
              {2000, "h1 TO_IN()", "2000 Q(G)", "EXCLUDE(; ) LMQT"},
              {2500, "h2 IS_IN(a)", "", "EXCLUDE(a:GMI; ) 1500"},
              {5000, NULL, "3000 Q(G)", "INCLUDE(a:257500)"}),
	/* Blocked by one, wanted by another in EXCLUDE mode. */
	STORY({0, "h1 TO_EX()", "", "EXCLUDE(; ) GMI"}, {1000, "h2 TO_EX()", "", "EXCLUDE(; ) GMI"},
              {2000, "h1 BLOCK(a)", "2000 Q(G,a)", "EXCLUDE(a:LMQT; ) 259000"},
              {2500, "h2 BLOCK(a)", "", "EXCLUDE(; a) 258500"},
              {9000, "h2 ALLOW(a)", "", "EXCLUDE(a:GMI; ) 252000"}),
	/* A host that went silent counts as long as its membership lasts. */
	STORY({0, "h2 TO_EX()", "", "EXCLUDE(; ) GMI"}, {100000, "h1 TO_EX()", "", "EXCLUDE(; ) GMI"},
              {GMI - 1, "h1 TO_IN()", "259999 Q(G)", "EXCLUDE(; ) LMQT"},
              {GMI + 500, "h1 TO_EX()", "", "EXCLUDE(; ) GMI"},
              {GMI + 3000, "h1 TO_IN()", "260999 Q(G)S", "INCLUDE()"}),
	/* No address, or a version 2 host: asked, as long as that may be a member. */
	STORY({0, "h0 TO_EX()", "", "EXCLUDE(; ) GMI"}, {1000, "h1 TO_EX()", "", "EXCLUDE(; ) GMI"},
              {2000, "h1 TO_IN()", "2000 Q(G)", "EXCLUDE(; ) LMQT"},
              {2500, "h1 TO_EX()", "", "EXCLUDE(; ) GMI"}, {GMI, "h1 TO_IN()", "3000 Q(G)S", "INCLUDE()"}),
	STORY({0, "v2 IS_EX()", "", "EXCLUDE(; ) GMI"}, {1000, "h1 TO_EX()", "", "EXCLUDE(; ) GMI"},
              {2000, "h1 TO_IN()", "2000 Q(G)", "EXCLUDE(; ) LMQT"},
              {2500, "h1 TO_EX()", "", "EXCLUDE(; ) GMI"}, {GMI, "h1 TO_IN()", "3000 Q(G)S", "INCLUDE()"}),
	/* A leave of one that was never heard. */
	STORY({0, "h1 TO_EX()", "", "EXCLUDE(; ) GMI"}, {1000, "h2 TO_IN()", "1000 Q(G)", "EXCLUDE(; ) LMQT"},
              {1500, "h1 IS_EX()", "", "EXCLUDE(; ) GMI"},
              {5000, "h2 BLOCK(a)", "2000 Q(G)S, 5000 Q(G,a)", "EXCLUDE(a:LMQT; ) 256500"},
              {9000, "h1 TO_IN()", "6000 Q(G,a), 9000 Q(G)", "EXCLUDE(; a) LMQT"}),
	/* More hosts than are tracked: asked until their membership would have ended. */
	STORY({0, "h1 TO_EX()", "", "EXCLUDE(; ) GMI"}, {0, "h2 TO_EX()", "", "EXCLUDE(; ) GMI"},
              {0, "h3 TO_EX()", "", "EXCLUDE(; ) GMI"}, {0, "h4 TO_EX()", "", "EXCLUDE(; ) GMI"},
              {0, "h5 TO_EX()", "", "EXCLUDE(; ) GMI"}, {200000, "h1 IS_EX()", "", "EXCLUDE(; ) GMI"},
              {GMI, "h1 TO_IN()", "", "INCLUDE()"}),
};

static void fast_leave_stories_are_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof fast_leave_stories / sizeof fast_leave_stories[0]; i++) {
		struct lab lab = lab_new();
		size_t count = 0;

		while (fast_leave_stories[i][count].state != NULL)
			count++;
		lab.timers.fast_leave = lab.timers.track_hosts = true;
		tell(&lab, fast_leave_stories[i], count);
		lab_free(&lab);
	}
}

/* Heard of first by an answer, after the start or when earlier reports were lost: others may still answer. */
static void fast_leave_after_the_start(void **state)
{
	static const struct step answered[] = {
		{0, "h1 IS_EX()", "", "EXCLUDE(; ) GMI"},
		{1000, "h1 TO_IN()", "1000 Q(G)", "EXCLUDE(; ) LMQT"},
		{2500, "h1 TO_EX()", "2000 Q(G)", "EXCLUDE(; ) GMI"},
		{9999, "h1 TO_IN()", "9999 Q(G)", "EXCLUDE(; ) LMQT"},
		{10500, "h1 TO_EX()", "", "EXCLUDE(; ) GMI"},
		{11000, "h1 TO_IN()", "10999 Q(G)S", "INCLUDE()"},
	};
	static const struct step joined[] = {
		{0, "h1 TO_EX()", "", "EXCLUDE(; ) GMI"},
		{1000, "h1 TO_IN()", "", "INCLUDE()"},
	};

	(void)state;
	for (int row = 0; row < 2; row++) {
		struct lab lab = lab_new();

		lab.timers.fast_leave = lab.timers.track_hosts = true;
		lab.timers.query_response_interval = 10000;
		if (row == 0)
			TELL(&lab, answered);
		else
			TELL(&lab, joined);
		lab_free(&lab);
	}
}

/* Hosts and sources without end: who looks at all of them for each source would do nothing else. */
static void fast_leave_looks_at_so_many_only(void **state)
{
	static const struct {
		uint32_t hosts, sources;
		bool asked;
	} rows[] = {{80, 40, false}, {100, 200, true}, {200, 1000, true}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct lab lab = lab_new();
		struct sources none = {0}, all = {.list = malloc(rows[i].sources * sizeof *all.list)};
		struct addr host = addr_from_ipv4_number(0x0a000101);

		lab.timers.fast_leave = lab.timers.track_hosts = true;
		lab.timers.hosts_max = 4096;
		lab.timers.sources_max = 4096;
		for (; all.count < rows[i].sources; all.count++)
			all.list[all.count] = addr_from_ipv4_number(0x0a090000 + (uint32_t)all.count);
		group_apply(&lab.group, lab.pool, &lab.timers, lab.now, VERSION_3, &host, ALLOW, &all);
		for (uint32_t n = 1; n < rows[i].hosts; n++) {
			struct addr other = addr_from_ipv4_number(0x0a000200 + n),
				    source = addr_from_ipv4_number(0x0a080000 + n % 8);
			struct sources one = {.list = &source, .count = 1};

			group_apply(&lab.group, lab.pool, &lab.timers, lab.now, VERSION_3, &other, ALLOW,
			            &one);
		}
		lab.now++;
		group_apply(&lab.group, lab.pool, &lab.timers, lab.now, VERSION_3, &host, BLOCK, &all);
		assert_int_equal(group_wants(&lab.group, &all.list[0]), rows[i].asked);
		group_apply(&lab.group, lab.pool, &lab.timers, lab.now, VERSION_3, &host, TO_IN, &none);
		free(all.list);
		lab_free(&lab);
	}
}

/* The setting comes while there are members: they get known by their reports. */
static void fast_leave_is_switched_on(void **state)
{
	static const struct step before[] = {
		{0, "h1 TO_EX()", "", "EXCLUDE(; ) GMI"},
	};
	static const struct step after[] = {
		{0, "h2 TO_EX()", "", "EXCLUDE(; ) GMI"},
		{1000, "h2 TO_IN()", "1000 Q(G)", "EXCLUDE(; ) LMQT"},
		{1500, "h1 IS_EX()", "", "EXCLUDE(; ) GMI"},
		{GMI, "h1 TO_IN()", "2000 Q(G)S", "INCLUDE()"},
	};
	struct lab lab = lab_new();

	(void)state;
	TELL(&lab, before);
	assert_int_equal(group_hosts(&lab.group, lab.now), 0);
	lab.timers.fast_leave = lab.timers.track_hosts = true;
	TELL(&lab, after);
	lab_apply(&lab, "h1 TO_EX()");
	lab_apply(&lab, "h2 TO_EX()");
	assert_int_equal(group_hosts(&lab.group, lab.now), 2);
	assert_int_equal(group_hosts(&lab.group, lab.now + GMI), 0);
	lab.timers.fast_leave = lab.timers.track_hosts = false;
	lab_apply(&lab, "h1 IS_EX()");
	assert_int_equal(group_hosts(&lab.group, lab.now), 0);
	lab_free(&lab);
}

/* Memory that ends with any of the blocks: never a host cut off, and nothing leaks. */
static void fast_leave_without_memory(void **state)
{
	(void)state;
	for (size_t room = 0; room < 200; room++) {
		struct lab lab = lab_new();
		char record[] = "hN TO_EX()";
		unsigned flags = 0;

		pool_free(lab.pool);
		lab.pool = pool_new(16384 + room * 1024);
		lab.timers.fast_leave = lab.timers.track_hosts = true;
		lab.timers.hosts_max = 4096;
		/* Fills the memory with something else. */
		while (pool_take(lab.pool, 1000 - room % 50 * 16) != NULL)
			continue;
		for (char host = '1'; host <= '9'; host++) {
			record[1] = host;
			flags |= lab_apply(&lab, record);
		}
		assert_int_equal(lab.group.mode, FILTER_EXCLUDE);
		lab_apply(&lab, "h9 TO_IN()");
		assert_int_equal(lab.group.mode, FILTER_EXCLUDE);
		assert_true(flags & GROUP_MEMORY || group_hosts(&lab.group, lab.now) == 8);
		lab_free(&lab);
	}
}

static uint32_t next_random(uint32_t *random)
{
	*random = *random * 1664525u + 1013904223u;
	return *random >> 16;
}

static void random_record(struct lab *lab, uint32_t *random)
{
	struct text record = {.used = 0};

	text_add(&record, "%s(", record_type_name((enum record_type)(IS_IN + next_random(random) % 6)));
	for (char letter = 'a'; letter <= 'd'; letter++)
		if (next_random(random) % 2)
			text_add(&record, "%c", letter);
	text_add(&record, ")");
	lab_apply(lab, record.at);
}

/* Whatever comes when: the invariants hold, every deadline moves on, and a group nobody refreshes ends. */
static void random_walk(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 200; seed++) {
		struct lab lab = lab_new();
		uint32_t random = seed;
		mtime end;

		for (unsigned n = 0; n < 300; n++) {
			unsigned rounds = 0;

			random_record(&lab, &random);
			lab_pull(&lab);
			lab_check(&lab);
			end = lab.now + (next_random(&random) % 8 ? next_random(&random) % 3000 : 100000);
			while (group_deadline(&lab.group) <= end) {
				lab.now = group_deadline(&lab.group);
				group_expire(&lab.group, &lab.timers, lab.now);
				lab_pull(&lab);
				lab_check(&lab);
				assert_in_range(++rounds, 1, 50);
			}
			lab.now = end;
		}
		lab.now += 2 * GMI;
		group_expire(&lab.group, &lab.timers, lab.now);
		lab_pull(&lab);
		group_expire(&lab.group, &lab.timers, lab.now);
		assert_true(group_is_empty(&lab.group));
		lab_free(&lab);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(include_sources_expire),
		cmocka_unit_test(timers_are_extended),
		cmocka_unit_test(exclude_sources_expire),
		cmocka_unit_test(exclude_ends_in_include),
		cmocka_unit_test(all_timers_end_at_once),
		cmocka_unit_test(a_late_expiry_does_it_all),
		cmocka_unit_test(leave_unanswered),
		cmocka_unit_test(leave_with_other_variables),
		cmocka_unit_test(leave_answered),
		cmocka_unit_test(leave_repeated),
		cmocka_unit_test(leave_near_the_end_of_the_timer),
		cmocka_unit_test(leave_near_the_end_heard_by_a_non_querier),
		cmocka_unit_test(leave_answer_leave),
		cmocka_unit_test(sources_are_split_by_the_s_flag),
		cmocka_unit_test(blocked_sources_of_exclude_expire),
		cmocka_unit_test(change_to_include),
		cmocka_unit_test(deleted_sources_are_not_asked_about),
		cmocka_unit_test(overlapping_questions),
		cmocka_unit_test(long_lists_take_several_queries),
		cmocka_unit_test(a_round_that_is_pulled_late),
		cmocka_unit_test(no_queries_about_expired_sources),
		cmocka_unit_test(queried_while_questions_are_open),
		cmocka_unit_test(cancelled_queries),
		cmocka_unit_test(another_querier_asks),
		cmocka_unit_test(leave_beside_another_querier),
		cmocka_unit_test(leave_beside_a_silent_querier),
		cmocka_unit_test(the_querier_is_gone_before_it_asks),
		cmocka_unit_test(no_queries_after_the_election_is_lost),
		cmocka_unit_test(an_answer_ends_the_questions_of_older_versions),
		cmocka_unit_test(older_versions_finish_asking),
		cmocka_unit_test(compatibility_mode),
		cmocka_unit_test(older_hosts_come_and_go),
		cmocka_unit_test(beside_version_2_hosts),
		cmocka_unit_test(beside_version_1_hosts),
		cmocka_unit_test(fast_leave_stories_are_told),
		cmocka_unit_test(fast_leave_after_the_start),
		cmocka_unit_test(fast_leave_looks_at_so_many_only),
		cmocka_unit_test(fast_leave_is_switched_on),
		cmocka_unit_test(fast_leave_without_memory),
		cmocka_unit_test(random_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
