/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/reporter_text.h"

#include "core/router/group.h"

/* RFC 9776 section 5.1: the difference of two states, as records. */
static void tells_the_difference(void **state)
{
	static const struct {
		const char *before, *after, *said;
	} rows[] = {
		/* INCLUDE (A)  INCLUDE (B)  ALLOW (B-A), BLOCK (A-B) */
		{"IN()", "IN(a)", "ALLOW(a)"},
		{"IN(a)", "IN(a b)", "ALLOW(b)"},
		{"IN(a b)", "IN(a)", "BLOCK(b)"},
		{"IN(a b c)", "IN(b d)", "ALLOW(d) BLOCK(a c)"},
		{"IN(a)", "IN()", "BLOCK(a)"},
		{"IN(a)", "IN(a)", ""},
		/* EXCLUDE (A)  EXCLUDE (B)  ALLOW (A-B), BLOCK (B-A) */
		{"EX()", "EX(a)", "BLOCK(a)"},
		{"EX(a)", "EX()", "ALLOW(a)"},
		{"EX(a b)", "EX(b c)", "ALLOW(a) BLOCK(c)"},
		{"EX()", "EX()", ""},
		/* INCLUDE (A)  EXCLUDE (B)  TO_EX (B) */
		{"IN()", "EX()", "TO_EX()"},
		{"IN(a b)", "EX(b c)", "TO_EX(b c)"},
		/* EXCLUDE (A)  INCLUDE (B)  TO_IN (B) */
		{"EX()", "IN()", "TO_IN()"},
		{"EX(a b)", "IN(b c)", "TO_IN(b c)"},
	};

	(void)state;
	for (size_t i = 0; i < FAMILIES * LENGTH(rows); i++) {
		struct bench bench;

		bench_open(&bench, i < LENGTH(rows) ? FAMILY_IPV4 : FAMILY_IPV6, ROOM);
		bench.role.copies = 1;
		bench_configure(&bench);
		bench_change(&bench, 0, rows[i % LENGTH(rows)].before);
		bench_run(&bench, bench.now + 60000);
		bench_clear(&bench);
		bench_change(&bench, 0, rows[i % LENGTH(rows)].after);
		assert_string_equal(bench_now(&bench), rows[i % LENGTH(rows)].said);
		assert_int_equal(reporter_deadline(bench.reporter), MTIME_NEVER);
		bench_close(&bench);
	}
}

static void repeats_within_the_unsolicited_report_interval(void **state)
{
	static const uint8_t counts[] = {1, 2, 3, 4, 5, 6, 7, 8, 255};

	(void)state;
	for (size_t row = 0; row < LENGTH(counts); row++) {
		uint8_t copies = counts[row];
		struct bench bench;

		bench_open(&bench, FAMILY_IPV4, ROOM);
		bench.role.copies = copies;
		bench.settings.unsolicited_report_interval = copies == 7 ? 300 : 0;
		bench_configure(&bench);
		bench_change(&bench, 0, "EX()");
		bench_run(&bench, bench.now + copies * 1000);
		assert_int_equal(bench.said_count, copies);
		assert_int_equal(bench.said[0].at, 1000000);
		for (size_t i = 1; i < copies; i++) {
			assert_true(bench.said[i].at > bench.said[i - 1].at);
			assert_true(bench.said[i].at - bench.said[i - 1].at <= (copies == 7 ? 300 : 1000));
		}
		assert_int_equal(reporter_deadline(bench.reporter), MTIME_NEVER);
		bench_close(&bench);
	}
}

/* A burst of many groups, some a millisecond: first reports as they come, repetitions in full packets, each
 * group's within the interval. */
static void packs_the_repetitions_of_a_burst(void **state)
{
	enum { GROUPS = 8000, A_MILLISECOND = 40, A_PACKET = (1500 - 24 - 8) / 8 };
	static mtime told_at[GROUPS];
	struct bench bench;
	unsigned first_packets;

	(void)state;
	bench_open(&bench, FAMILY_IPV4, ROOM);
	bench.role.copies = 2;
	bench_configure(&bench);
	for (uint32_t i = 0; i < GROUPS; i++) {
		bench_change(&bench, i, "EX()");
		if (i % A_MILLISECOND == A_MILLISECOND - 1)
			bench_run(&bench, bench.now + 1);
	}
	first_packets = GROUPS / A_MILLISECOND;
	bench_run(&bench, bench.now + 2000);
	assert_int_equal(bench.said_count, 2 * GROUPS);
	for (size_t i = 0; i < bench.said_count; i++) {
		const struct said *said = &bench.said[i];

		assert_true(told_at[said->group] == 0 ||
		            (said->at > told_at[said->group] && said->at <= told_at[said->group] + 1000));
		told_at[said->group] = said->at;
	}
	/* At most one packet in each step is not full. */
	assert_true(bench.packets <= first_packets + GROUPS / A_PACKET + 2 * 32);
	bench_close(&bench);
}

/* A change and what is said at once; without a change: what is said at the next deadline. */
struct step {
	const char *change;
	const char *said;
};

/* RFC 9776 section 5.1, merging; two copies of everything. */
static void merges_changes(void **state)
{
	static const struct step cases[][8] = {
		{{"EX()", "TO_EX()"}, {NULL, "TO_EX()"}, {NULL, ""}},
		{{"EX()", "TO_EX()"}, {"EX(a)", "TO_EX(a)"}, {NULL, "BLOCK(a)"}, {NULL, ""}},
		{{"EX()", "TO_EX()"},
	         {"EX(a)", "TO_EX(a)"},
	         {"EX(b)", "ALLOW(a) BLOCK(b)"},
	         {NULL, "ALLOW(a) BLOCK(b)"},
	         {NULL, ""}},
		{{"IN(a)", "ALLOW(a)"}, {"IN(a b)", "ALLOW(a b)"}, {NULL, "ALLOW(b)"}, {NULL, ""}},
		{{"IN(a b)", "ALLOW(a b)"}, {"IN(b)", "ALLOW(b) BLOCK(a)"}, {NULL, "BLOCK(a)"}, {NULL, ""}},
		{{"IN(a)", "ALLOW(a)"},
	         {"IN()", "BLOCK(a)"},
	         {"IN(a)", "ALLOW(a)"},
	         {NULL, "ALLOW(a)"},
	         {NULL, ""}},
		{{"IN(a)", "ALLOW(a)"}, {"EX(b)", "TO_EX(b)"}, {NULL, "TO_EX(b)"}, {NULL, ""}},
		{{"EX(a)", "TO_EX(a)"},
	         {"IN(b)", "TO_IN(b)"},
	         {"IN(b c)", "TO_IN(b c)"},
	         {NULL, "ALLOW(c)"},
	         {NULL, ""}},
		{{"EX(a b)", "TO_EX(a b)"},
	         {NULL, "TO_EX(a b)"},
	         {"EX(b c)", "ALLOW(a) BLOCK(c)"},
	         {"EX(c)", "ALLOW(a b) BLOCK(c)"},
	         {NULL, "ALLOW(b)"},
	         {NULL, ""}},
		{{"EX()", "TO_EX()"}, {"IN()", "TO_IN()"}, {NULL, "TO_IN()"}, {NULL, ""}},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct bench bench;

		bench_open(&bench, FAMILY_IPV4, ROOM);
		for (const struct step *step = cases[i]; step->said != NULL; step++) {
			if (step->change != NULL) {
				bench_change(&bench, 0, step->change);
				assert_string_equal(bench_now(&bench), step->said);
			} else {
				assert_string_equal(bench_next(&bench), step->said);
			}
		}
		assert_int_equal(reporter_deadline(bench.reporter), MTIME_NEVER);
		bench_close(&bench);
	}
}

/* Changes that come before anything could be said make one report. */
static void merges_changes_of_one_moment(void **state)
{
	struct bench bench;

	(void)state;
	bench_open(&bench, FAMILY_IPV6, ROOM);
	bench_change(&bench, 0, "IN(a)");
	bench_change(&bench, 0, "IN(a b)");
	bench_change(&bench, 0, "IN(b)");
	bench_change(&bench, 1, "EX()");
	bench_change(&bench, 1, "IN()");
	assert_string_equal(bench_now(&bench), "ALLOW(b) BLOCK(a) 1:TO_IN()");
	bench_close(&bench);
}

/* RFC 9776 section 5.1, written down as simply as possible. */
#define MODEL_SOURCES 5

struct model {
	bool exclude;
	unsigned listed; /* set of sources */
	unsigned copies;
	unsigned mode_left;
	unsigned left[MODEL_SOURCES];
};

static void model_change(struct model *model, bool exclude, unsigned listed)
{
	unsigned changed = model->listed ^ listed;

	if (model->exclude != exclude)
		model->mode_left = model->copies;
	else
		for (unsigned i = 0; i < MODEL_SOURCES; i++)
			if (changed & 1u << i)
				model->left[i] = model->copies;
	model->exclude = exclude;
	model->listed = listed;
}

/* Appends "NAME(a b)". */
static void model_text(char *text, const char *name, unsigned set)
{
	const char *gap = "";

	if (*text != 0)
		strcat(text, " ");
	strcat(strcat(text, name), "(");
	for (unsigned i = 0; i < MODEL_SOURCES; i++)
		if (set & 1u << i) {
			strcat(text, gap);
			strncat(text, &"abcde"[i], 1);
			gap = " ";
		}
	strcat(text, ")");
}

/* The next state-change report; "" when nothing is left to tell. */
static void model_report(struct model *model, char *text)
{
	unsigned pending = 0, passing = model->exclude ? ~model->listed : model->listed;

	*text = 0;
	for (unsigned i = 0; i < MODEL_SOURCES; i++)
		if (model->left[i] > 0) {
			model->left[i]--;
			pending |= 1u << i;
		}
	if (model->mode_left > 0) {
		model->mode_left--;
		model_text(text, model->exclude ? "TO_EX" : "TO_IN", model->listed);
		return;
	}
	if (pending & passing)
		model_text(text, "ALLOW", pending & passing);
	if (pending & ~passing)
		model_text(text, "BLOCK", pending & ~passing);
}

static void filter_text(char *text, bool exclude, unsigned listed)
{
	*text = 0;
	model_text(text, exclude ? "EX" : "IN", listed);
}

/* False: it was no change. */
static bool change_both(struct bench *bench, struct model *model, uint64_t *seed)
{
	bool exclude = dice(seed, 3) == 0 ? !model->exclude : model->exclude;
	unsigned listed = dice(seed, 4) == 0 ? dice(seed, 1 << MODEL_SOURCES)
	                                     : model->listed ^ 1u << dice(seed, MODEL_SOURCES);
	char text[128];

	if (exclude == model->exclude && listed == model->listed)
		return false;
	filter_text(text, exclude, listed);
	model_change(model, exclude, listed);
	bench_change(bench, 0, text);
	return true;
}

static void agrees_with_a_naive_model(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 3000; seed++) {
		uint64_t random = seed;
		struct model model = {.copies = 1 + dice(&random, 4)};
		struct bench bench;

		bench_open(&bench, seed % 2 ? FAMILY_IPV4 : FAMILY_IPV6, 1 << 20);
		bench.role.copies = (uint8_t)model.copies;
		bench_configure(&bench);
		for (unsigned step = 0; step < 60; step++) {
			mtime before = bench.now;
			char expected[256];

			if (dice(&random, 2) == 0) {
				if (!change_both(&bench, &model, &random))
					continue;
			} else if (reporter_deadline(bench.reporter) != MTIME_NEVER) {
				bench.now = reporter_deadline(bench.reporter);
			}
			assert_true(bench.now - before <= 1000);
			model_report(&model, expected);
			if (strcmp(expected, bench_now(&bench)) != 0)
				fail_msg("seed %u step %u: said %s, expected %s", (unsigned)seed, step,
				         bench.text, expected);
		}
		bench_close(&bench);
	}
}

/* A router that hears the reports, loses some, and asks. */
struct listening {
	struct group group;
	struct group_timers timers;
	struct pool *pool;
	unsigned changes_lost; /* in a row */
	mtime answers_safe_until;
};

static void listening_apply(struct bench *bench, struct listening *router, const struct said *said)
{
	struct addr list[32];
	struct sources sources = sources_on(list, LENGTH(list));

	for (size_t i = 0; i < said->count; i++) {
		struct addr source = bench_source(bench, said->sources[i]);

		assert_true(sources_append(&sources, &source));
	}
	group_apply(&router->group, router->pool, &router->timers, bench->now, VERSION_3, &bench->self,
	            said->type, &sources);
}

/* Of the copies of a change one arrives at least, and of the answers to a question and its repetition one. */
static bool listening_loses(struct bench *bench, struct listening *router, uint64_t *random)
{
	bool change = false, answer = false;

	for (size_t i = 0; i < bench->said_count; i++) {
		change |= bench->said[i].type > IS_EX;
		answer |= bench->said[i].type <= IS_EX;
	}
	if (dice(random, 2) == 0 || (change && router->changes_lost + 1 >= (unsigned)bench->role.copies) ||
	    (answer && bench->now < router->answers_safe_until)) {
		router->changes_lost = change ? 0 : router->changes_lost;
		return false;
	}
	router->changes_lost += change;
	if (answer)
		router->answers_safe_until = bench->now + 3000;
	return true;
}

static void listening_ask(struct bench *bench, struct listening *router)
{
	struct group_query query;
	struct addr list[32];

	query.sources = sources_on(list, LENGTH(list));
	while (group_pull_query(&router->group, &router->timers, bench->now, &query)) {
		char text[64] = "";

		for (size_t i = 0; i < query.sources.count; i++)
			text[i] = (char)('a' + query.sources.list[i].bytes[15] - 1);
		bench_query(bench, VERSION_3, 0, text, 900);
		query.sources = sources_on(list, LENGTH(list));
	}
}

static void listening_run(struct bench *bench, struct listening *router, uint64_t *random, mtime until)
{
	for (;;) {
		while (bench_pull_one(bench)) {
			bool lost = listening_loses(bench, router, random);

			for (size_t i = 0; !lost && i < bench->said_count; i++)
				listening_apply(bench, router, &bench->said[i]);
			bench_clear(bench);
		}
		group_expire(&router->group, &router->timers, bench->now);
		listening_ask(bench, router);
		mtime at = mtime_min(reporter_deadline(bench->reporter), group_deadline(&router->group));
		if (at > until)
			break;
		bench->now = at > bench->now ? at : bench->now;
	}
	bench->now = until;
}

static bool listening_agrees(struct bench *bench, struct listening *router)
{
	struct reporter_entry *entry = bench_find(bench, 0);
	struct filter reported = {.mode = FILTER_INCLUDE}, heard;
	struct addr list[32];

	heard.sources = sources_on(list, LENGTH(list));
	if (entry != NULL)
		reported = stored_filter_view(&entry->reported);
	assert_true(group_filter(&router->group, &heard));
	return filter_equal(&reported, &heard);
}

static void router_ends_with_the_right_state_despite_loss(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 1500; seed++) {
		uint64_t random = seed * 77;
		struct model model = {.copies = 2 + dice(&random, 2)};
		struct bench bench;
		struct listening router = {.timers = {.version = VERSION_3,
		                                      .last_member_query_count = 2,
		                                      .querier = true,
		                                      .sources_max = 32,
		                                      .membership_interval = 1000000000,
		                                      .last_member_query_interval = 1000}};

		bench_open(&bench, seed % 2 ? FAMILY_IPV4 : FAMILY_IPV6, 1 << 20);
		bench.role.copies = (uint8_t)model.copies;
		bench_configure(&bench);
		router.pool = pool_new(1 << 20);
		group_init(&router.group);
		for (unsigned round = 0; round < 8; round++) {
			for (unsigned burst = dice(&random, 5) + 1; burst > 0; burst--) {
				change_both(&bench, &model, &random);
				listening_run(&bench, &router, &random,
				              bench.now + dice(&random, 2) * dice(&random, 1500));
			}
			listening_run(&bench, &router, &random, bench.now + 10000);
			if (!listening_agrees(&bench, &router))
				fail_msg("seed %u round %u: the router is wrong", (unsigned)seed, round);
		}
		group_fini(&router.group, router.pool);
		pool_free(router.pool);
		bench_close(&bench);
	}
}

/* RFC 9776 section 5.2: what is asked, and the answers. "*": general, "G": the group, others: sources. */
static void answers_queries(void **state)
{
	static const struct {
		const char *reported, *asked[3], *said;
	} rows[] = {
		{"EX()", {"*"}, "IS_EX()"},
		{"EX(a b)", {"*"}, "IS_EX(a b)"},
		{"IN(a b)", {"*"}, "IS_IN(a b)"},
		{"IN()", {"*"}, ""},
		{"EX(a)", {"G"}, "IS_EX(a)"},
		{"IN(a)", {"G"}, "IS_IN(a)"},
		{"IN()", {"G"}, ""},
		/* INCLUDE (A): IS_IN (A*B) */
		{"IN(a b c)", {"bcd"}, "IS_IN(b c)"},
		{"IN(a b)", {"cd"}, ""},
		{"IN()", {"a"}, ""},
		/* EXCLUDE (A): IS_IN (B-A) */
		{"EX(a b)", {"bcd"}, "IS_IN(c d)"},
		{"EX(a b)", {"ab"}, ""},
		{"EX()", {"ab"}, "IS_IN(a b)"},
		{"EX()", {"!"}, ""},
		{"IN(a)", {"!"}, ""},
		{"EX(a)", {"G", "!"}, "IS_EX(a)"},
		{"EX(a)", {"!", "ab"}, "IS_IN(b)"},
		/* Rule 5: lists that are asked for are merged. */
		{"IN(a b c)", {"a", "bd"}, "IS_IN(a b)"},
		{"IN(a b c)", {"ab", "bc", "a"}, "IS_IN(a b c)"},
		{"EX(b)", {"a", "bc"}, "IS_IN(a c)"},
		/* Rule 4: one answer about the whole group. */
		{"IN(a b)", {"a", "G"}, "IS_IN(a b)"},
		{"IN(a b)", {"G", "a"}, "IS_IN(a b)"},
		{"EX(b)", {"G", "G", "a"}, "IS_EX(b)"},
		{"EX(b)", {"a", "G", "a"}, "IS_EX(b)"},
		{"EX(b)", {"*", "*", "*"}, "IS_EX(b)"},
	};

	(void)state;
	for (size_t i = 0; i < FAMILIES * LENGTH(rows); i++) {
		struct bench bench;
		mtime asked_at;

		bench_open(&bench, i < LENGTH(rows) ? FAMILY_IPV4 : FAMILY_IPV6, ROOM);
		bench_change(&bench, 0, rows[i % LENGTH(rows)].reported);
		bench_run(&bench, bench.now + 10000);
		bench_clear(&bench);
		asked_at = bench.now;
		for (size_t j = 0; j < 3 && rows[i % LENGTH(rows)].asked[j] != NULL; j++) {
			const char *asked = rows[i % LENGTH(rows)].asked[j];

			bench_query(&bench, VERSION_3, *asked == '*' ? GENERAL : 0,
			            *asked == '*' || *asked == 'G' ? "" : asked, 5000);
		}
		bench_run(&bench, asked_at + 5000);
		if (bench.said_count > 0)
			assert_true(bench.said[0].at > asked_at);
		assert_string_equal(bench_said(&bench), rows[i % LENGTH(rows)].said);
		assert_int_equal(reporter_deadline(bench.reporter), MTIME_NEVER);
		assert_int_equal(bench.reporter->queries_received > 0, true);
		bench_close(&bench);
	}
}

static void answers_after_a_random_delay(void **state)
{
	static const uint32_t limits[] = {0, 1, 100, 1000, 10000};

	(void)state;
	for (size_t i = 0; i < 2 * LENGTH(limits); i++) {
		uint32_t limit = limits[i / 2];
		mtime sum = 0, largest = 0;
		struct bench bench;

		bench_open(&bench, FAMILY_IPV4, ROOM);
		bench_change(&bench, 0, "EX()");
		bench_run(&bench, bench.now + 5000);
		for (unsigned round = 0; round < 300; round++) {
			mtime asked_at = bench.now;

			bench_clear(&bench);
			bench_query(&bench, VERSION_3, i % 2 ? GENERAL : 0, "", limit);
			bench_run(&bench, bench.now + 20000);
			assert_int_equal(bench.said_count, 1);
			sum += bench.said[0].at - asked_at;
			if (largest < bench.said[0].at - asked_at)
				largest = bench.said[0].at - asked_at;
		}
		assert_true(largest <= (limit > 1 ? limit : 1));
		assert_true(largest * 10 >= limit * 9);
		assert_in_range(sum / 300, limit * 4 / 10, limit * 6 / 10 + 1);
		bench_close(&bench);
	}
}

/* RFC 9776 section 5.2: an answer is never later than the earliest that was promised, and there is one. */
static void the_earliest_promise_stands(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 500; seed++) {
		uint64_t random = seed;
		mtime latest = MTIME_NEVER;
		struct bench bench;

		bench_open(&bench, FAMILY_IPV4, ROOM);
		bench.reporter->random = seed * 1000003;
		bench_change(&bench, 0, "EX()");
		bench_run(&bench, bench.now + 5000);
		bench_clear(&bench);
		for (unsigned i = 1 + dice(&random, 4); i > 0; i--) {
			uint32_t limit = 1000 + dice(&random, 9000);

			bench_query(&bench, VERSION_3, 0, "", limit);
			latest = mtime_min(latest, bench.now + limit);
			bench_run(&bench, bench.now + 10);
			if (bench.said_count > 0)
				break;
		}
		bench_run(&bench, bench.now + 20000);
		assert_int_equal(bench.said_count, 1);
		assert_true(bench.said[0].at <= latest);
		bench_close(&bench);
	}
}

/* A flood of them, in any version: little is reported, and the last one is answered nevertheless. */
static void a_flood_of_general_queries_is_followed_a_few_times(void **state)
{
	static const enum version versions[] = {VERSION_2, VERSION_3};

	(void)state;
	for (size_t i = 0; i < LENGTH(versions); i++) {
		struct bench bench;
		mtime last = 0;

		bench_open(&bench, FAMILY_IPV4, ROOM);
		for (uint32_t group = 0; group < 300; group++)
			bench_change(&bench, group, "EX()");
		bench_run(&bench, bench.now + 30000);
		bench_query(&bench, versions[i], GENERAL, "", 1);
		bench_run(&bench, bench.now + 30000);
		bench_clear(&bench);
		for (unsigned query = 0; query < 1000; query++) {
			bench_query(&bench, versions[i], GENERAL, "", 1);
			last = bench.now;
			if (query % 10 == 0)
				bench_run(&bench, bench.now + 4);
		}
		assert_in_range(bench.said_count, 4 * 300, 5 * 300);
		bench_run(&bench, last + 101);
		assert_true(bench.said[bench.said_count - 1].at > last);
		assert_true(bench.said[bench.said_count - 300].at > last);
		bench_run(&bench, last + 30000);
		assert_in_range(bench.said_count, 5 * 300, 6 * 300);
		bench_close(&bench);
	}
}

/* Rule 1: an answer to a general query that comes sooner is enough. */
static void a_sooner_general_answer_is_enough(void **state)
{
	unsigned single = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct bench bench;

		bench_open(&bench, FAMILY_IPV4, ROOM);
		bench.reporter->random = seed * 1000003;
		bench_change(&bench, 0, "IN(a b)");
		bench_run(&bench, bench.now + 5000);
		bench_clear(&bench);
		bench_query(&bench, VERSION_3, GENERAL, "", 1000);
		bench_query(&bench, VERSION_3, 0, seed % 2 ? "a" : "", 20000);
		bench_run(&bench, bench.now + 20000);
		single += bench.said_count == 1;
		assert_true(bench.said_count == 1 || bench.said[1].at <= bench.said[0].at + 1000);
		bench_close(&bench);
	}
	assert_true(single > 180);
}

static void answers_and_changes_go_together(void **state)
{
	struct bench bench;

	(void)state;
	bench_open(&bench, FAMILY_IPV4, ROOM);
	bench.role.copies = 1;
	bench_configure(&bench);
	bench_change(&bench, 0, "IN(a b)");
	bench_pull(&bench);
	bench_clear(&bench);
	/* The change comes while an answer about one source is due; the answer keeps to what was asked. */
	bench_query(&bench, VERSION_3, 0, "ac", 1);
	bench.now += 1;
	bench_change(&bench, 0, "IN(a c d)");
	assert_string_equal(bench_now(&bench), "ALLOW(c d) BLOCK(b) IS_IN(a c)");
	bench_close(&bench);
}

static void without_answers_it_is_silent(void **state)
{
	struct bench bench;

	(void)state;
	bench_open(&bench, FAMILY_IPV4, ROOM);
	bench.role.answers = false;
	bench_configure(&bench);
	bench_change(&bench, 0, "EX()");
	bench_run(&bench, bench.now + 5000);
	bench_clear(&bench);
	bench_query(&bench, VERSION_3, GENERAL, "", 1000);
	bench_query(&bench, VERSION_3, 0, "", 1000);
	bench_query(&bench, VERSION_3, 0, "a", 1000);
	bench_run(&bench, bench.now + 30000);
	assert_string_equal(bench_said(&bench), "");
	assert_int_equal(bench.reporter->queries_received, 3);
	bench_close(&bench);
}

/* Older versions. */

static const struct {
	enum family family;
	enum version version;
	const char *report, *leave;
} older[] = {
	{FAMILY_IPV4, VERSION_2, "v2 report", "v2 leave"},
	{FAMILY_IPV4, VERSION_1, "v1 report", ""},
	{FAMILY_IPV6, VERSION_2, "v2 report", "v2 leave"}, /* MLDv1 */
};

static void speaks_older_versions(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * LENGTH(older); i++) {
		struct bench bench;
		mtime joined_at;

		bench_open(&bench, older[i / 2].family, ROOM);
		if (i % 2)
			bench.role.fixed_version = (uint8_t)older[i / 2].version;
		else
			bench.role.version = (uint8_t)older[i / 2].version;
		bench_configure(&bench);
		assert_int_equal(reporter_version(bench.reporter, bench.now), older[i / 2].version);
		joined_at = bench.now;
		bench_change(&bench, 0, "IN(a)");
		assert_string_equal(bench_now(&bench), older[i / 2].report);
		assert_string_equal(bench_next(&bench), older[i / 2].report);
		assert_true(bench.now - joined_at <= 10000);
		assert_string_equal(bench_next(&bench), "");
		/* A membership stays one whatever its sources. */
		bench_change(&bench, 0, "IN(b)");
		assert_string_equal(bench_now(&bench), "");
		bench_change(&bench, 0, "EX()");
		assert_string_equal(bench_now(&bench), "");
		bench_query(&bench, older[i / 2].version, GENERAL, "", 1000);
		assert_string_equal(bench_next(&bench), older[i / 2].report);
		bench_query(&bench, older[i / 2].version, 0, "", 1000);
		assert_string_equal(bench_next(&bench), older[i / 2].report);
		bench_query(&bench, older[i / 2].version, 1, "", 1000);
		assert_string_equal(bench_next(&bench), "");
		bench_change(&bench, 0, "IN()");
		assert_string_equal(bench_now(&bench), older[i / 2].leave);
		assert_string_equal(bench_next(&bench), "");
		assert_null(bench_find(&bench, 0));
		/* Joins that are left before their repetition are not repeated. */
		bench_change(&bench, 0, "EX()");
		assert_string_equal(bench_now(&bench), older[i / 2].report);
		bench_change(&bench, 0, "IN()");
		assert_string_equal(bench_now(&bench), older[i / 2].leave);
		bench_change(&bench, 0, "EX()");
		assert_string_equal(bench_now(&bench), older[i / 2].report);
		assert_string_equal(bench_next(&bench), older[i / 2].report);
		assert_string_equal(bench_next(&bench), "");
		assert_int_equal(reporter_deadline(bench.reporter), MTIME_NEVER);
		bench_close(&bench);
	}
}

/* RFC 2236 section 3: a timer for each group. */
static void older_answers_are_spread(void **state)
{
	struct bench bench;
	mtime asked_at;

	(void)state;
	bench_open(&bench, FAMILY_IPV4, ROOM);
	bench.role.version = VERSION_2;
	bench_fill(&bench, 500, 0);
	bench_run(&bench, bench.now + 20000);
	bench_clear(&bench);
	asked_at = bench.now;
	bench_query(&bench, VERSION_2, GENERAL, "", 10000);
	bench_run(&bench, asked_at + 10000);
	assert_int_equal(bench.said_count, 500);
	assert_true(bench.said[50].at - asked_at > 500 && bench.said[450].at - asked_at < 9500);
	for (uint32_t i = 0; i < 500; i++)
		assert_int_equal(said_of(&bench, i, 0), 1);
	bench_close(&bench);
}

/* Nothing could be sent for a while (the link was down): a change that has nothing to say in the older
 * versions hides no answer that has become due behind it. */
static void an_answer_due_behind_a_change(void **state)
{
	static const struct {
		enum version version;
		uint32_t group; /* asked about */
		const char *said;
	} rows[] = {{VERSION_1, GENERAL, "v1 report"},
	            {VERSION_2, 0, "v2 report"},
	            {VERSION_3, 0, "BLOCK(a) | IS_EX(a)"}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct bench bench;

		bench_open(&bench, FAMILY_IPV4, ROOM);
		bench.role.version = (uint8_t)rows[i].version;
		bench_configure(&bench);
		bench_change(&bench, 0, "EX()");
		bench_run(&bench, bench.now + 30000);
		bench_clear(&bench);
		bench_query(&bench, rows[i].version, rows[i].group, "", 5000);
		bench_change(&bench, 0, "EX(a)");
		bench.now += 20000;
		assert_string_equal(bench_now(&bench), rows[i].said);
		bench_close(&bench);
	}
}

/* RFC 9776 sections 7.2.1 and 8.12. */
static void follows_the_version_of_the_querier(void **state)
{
	mtime timeout = 2 * 125000 + 10 * 5000; /* ten times the response time of the query */
	struct bench bench;

	(void)state;
	bench_open(&bench, FAMILY_IPV4, ROOM);
	bench_change(&bench, 0, "IN(a)");
	assert_string_equal(bench_now(&bench), "ALLOW(a)");
	/* Cancels the repetition; the answer is of the new version. */
	bench_query(&bench, VERSION_2, GENERAL, "", 5000);
	assert_int_equal(reporter_version(bench.reporter, bench.now), VERSION_2);
	assert_string_equal(bench_next(&bench), "v2 report");
	assert_string_equal(bench_next(&bench), "");
	bench_run(&bench, 1000000 + timeout - 1);
	assert_int_equal(reporter_version(bench.reporter, bench.now), VERSION_2);
	bench.now++;
	assert_int_equal(reporter_version(bench.reporter, bench.now), VERSION_3);
	/* A change after the timeout, of which nobody reported yet, is not lost. */
	bench_change(&bench, 0, "IN(a b)");
	assert_string_equal(bench_now(&bench), "ALLOW(b)");
	assert_string_equal(bench_next(&bench), "ALLOW(b)");
	/* Version 1 is stronger than 2. */
	bench_query(&bench, VERSION_2, GENERAL, "", 5000);
	bench_run(&bench, bench.now + 10000);
	bench_query(&bench, VERSION_1, GENERAL, "", 10000);
	bench_query(&bench, VERSION_3, GENERAL, "", 10000);
	assert_int_equal(reporter_version(bench.reporter, bench.now), VERSION_1);
	timeout = 2 * 125000 + 10 * 10000;
	assert_int_equal(reporter_version(bench.reporter, bench.now + timeout - 1), VERSION_1);
	assert_int_equal(reporter_version(bench.reporter, bench.now + timeout), VERSION_3);
	bench_clear(&bench);
	assert_string_equal(bench_next(&bench), ""); /* the second query is followed a little later */
	assert_string_equal(bench_next(&bench), "v1 report");
	bench_close(&bench);
}

/* RFC 9777 section 9.12 allows for one response interval, and so does Linux, with which we keep in step where
 * the kernel answers. */
static void older_querier_timeout_of_mld_and_of_the_kernel(void **state)
{
	static const struct {
		enum family family;
		bool answers;
	} rows[] = {{FAMILY_IPV6, true}, {FAMILY_IPV4, false}, {FAMILY_IPV6, false}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		mtime timeout = 2 * 125000 + 10000;
		struct bench bench;

		bench_open(&bench, rows[i].family, ROOM);
		bench.role.answers = rows[i].answers;
		bench_configure(&bench);
		bench_query(&bench, VERSION_2, GENERAL, "", 5000);
		assert_int_equal(reporter_version(bench.reporter, bench.now + timeout - 1), VERSION_2);
		assert_int_equal(reporter_version(bench.reporter, bench.now + timeout), VERSION_3);
		bench_close(&bench);
	}
}

static void a_group_specific_query_tells_no_version(void **state)
{
	struct bench bench;

	(void)state;
	bench_open(&bench, FAMILY_IPV4, ROOM);
	bench_change(&bench, 0, "EX()");
	bench_run(&bench, bench.now + 5000);
	bench_clear(&bench);
	bench_query(&bench, VERSION_2, 0, "", 1000);
	assert_int_equal(reporter_version(bench.reporter, bench.now), VERSION_3);
	assert_string_equal(bench_next(&bench), "IS_EX()");
	bench_close(&bench);
}

static void a_fixed_version_stays(void **state)
{
	struct bench bench;

	(void)state;
	bench_open(&bench, FAMILY_IPV4, ROOM);
	bench.role.fixed_version = VERSION_3;
	bench_configure(&bench);
	bench_change(&bench, 0, "EX()");
	bench_run(&bench, bench.now + 5000);
	bench_clear(&bench);
	bench_query(&bench, VERSION_1, GENERAL, "", 1000);
	assert_string_equal(bench_next(&bench), "IS_EX()");
	bench_close(&bench);
}

/* A change of version that cancels the last report of a group that was left lets go of it. */
static void a_change_of_version_lets_go_of_left_groups(void **state)
{
	struct bench bench;

	(void)state;
	bench_open(&bench, FAMILY_IPV4, ROOM);
	bench_change(&bench, 0, "EX()");
	bench_change(&bench, 1, "EX()");
	bench_run(&bench, bench.now + 5000);
	bench_change(&bench, 0, "IN()");
	bench_pull(&bench);
	bench_query(&bench, VERSION_2, GENERAL, "", 1000);
	bench_release_idle(&bench);
	assert_null(bench_find(&bench, 0));
	assert_non_null(bench_find(&bench, 1));
	bench_close(&bench);
}

static void the_kernel_knows_of_an_older_querier(void **state)
{
	struct bench bench;

	(void)state;
	bench_open(&bench, FAMILY_IPV4, ROOM);
	bench.role.answers = false;
	bench.role.copies = 1;
	bench_configure(&bench);
	reporter_older_querier(bench.reporter, bench.now, VERSION_2, 0);
	bench_change(&bench, 0, "EX()");
	assert_string_equal(bench_now(&bench), "v2 report");
	bench_change(&bench, 0, "IN()");
	assert_string_equal(bench_now(&bench), "v2 leave");
	assert_int_equal(reporter_deadline(bench.reporter), MTIME_NEVER);
	bench_close(&bench);
}

/* Without a querier. */

static void tells_the_state_again_without_a_querier(void **state)
{
	mtime membership_interval = 2 * 125000 + 10000, started_at;
	struct bench bench;

	(void)state;
	bench_open(&bench, FAMILY_IPV4, ROOM);
	bench.settings.repeat_without_querier = true;
	bench_configure(&bench);
	bench_change(&bench, 0, "EX(a)");
	bench_change(&bench, 1, "IN(b)");
	started_at = bench.now;
	reporter_start(bench.reporter, bench.now);
	bench_run(&bench, started_at + 10000);
	bench_clear(&bench);
	bench_run(&bench, started_at + membership_interval - 1);
	assert_int_equal(bench.said_count, 0);
	assert_false(bench.reporter->missing);
	for (unsigned i = 0; i < 4; i++) {
		mtime due_at = started_at + membership_interval + i * (mtime)125000;

		bench_run(&bench, due_at + 1000);
		assert_true(bench.reporter->missing);
		assert_int_equal(bench.reporter->repeats, i + 1);
		assert_string_equal(bench_said(&bench), "IS_EX(a) 1:IS_IN(b)");
		bench_run(&bench, due_at + 124999);
		assert_int_equal(bench.said_count, 0);
	}
	/* A query ends it, and its own values count from then on. */
	bench_query(&bench, VERSION_3, 0, "", 1000);
	assert_false(bench.reporter->missing);
	bench_run(&bench, bench.now + 1000);
	assert_string_equal(bench_said(&bench), "IS_EX(a)");
	bench_run(&bench, bench.now + membership_interval - 2000);
	assert_int_equal(bench.said_count, 0);
	bench_run(&bench, bench.now + 3000);
	assert_string_equal(bench_said(&bench), "IS_EX(a) 1:IS_IN(b)");
	assert_int_equal(bench.reporter->repeats, 5);
	bench_close(&bench);
}

static void waits_as_long_as_the_querier_says(void **state)
{
	struct upstream_query query = {.querier = addr_of("192.0.2.254"),
	                               .max_response = 100,
	                               .query_interval = 20000,
	                               .version = VERSION_3,
	                               .robustness = 3};
	struct bench bench;

	(void)state;
	bench_open(&bench, FAMILY_IPV4, ROOM);
	query.group = addr_unspecified(FAMILY_IPV4);
	bench.settings.repeat_without_querier = true;
	bench_configure(&bench);
	bench_change(&bench, 0, "EX()");
	bench_run(&bench, bench.now + 5000);
	reporter_receive_query(bench.reporter, bench.now, &query, NULL);
	assert_true(addr_equal(&bench.reporter->querier, &query.querier));
	assert_int_equal(bench.reporter->query_received_at, bench.now);
	bench_run(&bench, bench.now + 69999);
	bench_clear(&bench);
	bench_run(&bench, bench.now + 1001);
	assert_string_equal(bench_said(&bench), "IS_EX()");
	bench_close(&bench);
}

static void without_repeats_a_missing_querier_is_nothing_to_do(void **state)
{
	struct bench bench;

	(void)state;
	bench_open(&bench, FAMILY_IPV4, ROOM);
	reporter_start(bench.reporter, bench.now);
	bench_change(&bench, 0, "EX()");
	bench_run(&bench, bench.now + 10000);
	bench_clear(&bench);
	assert_int_equal(reporter_deadline(bench.reporter), MTIME_NEVER);
	bench_run(&bench, bench.now + 1000000);
	assert_int_equal(bench.said_count, 0);
	assert_int_equal(bench.reporter->repeats, 0);
	bench_close(&bench);
}

static void repeats_in_older_versions(void **state)
{
	struct bench bench;

	(void)state;
	bench_open(&bench, FAMILY_IPV6, ROOM);
	bench.settings.repeat_without_querier = true;
	bench.role.version = VERSION_2;
	bench_configure(&bench);
	reporter_start(bench.reporter, bench.now);
	bench_change(&bench, 0, "IN(a)");
	bench_run(&bench, bench.now + 259999);
	bench_clear(&bench);
	bench_run(&bench, bench.now + 5000);
	assert_string_equal(bench_said(&bench), "v2 report");
	bench_close(&bench);
}

/* A link that comes up: those on it know nothing yet. At once, and again as often as the robustness variable
 * says, whoever answers queries. */
static void announces_the_whole_state(void **state)
{
	static const struct {
		bool answers;
		uint8_t robustness, version;
		const char *said;
	} rows[] = {
		{true, 2, VERSION_3, "IS_EX() 1:IS_IN(a b) | IS_EX() 1:IS_IN(a b)"},
		{false, 2, VERSION_3, "IS_EX() 1:IS_IN(a b) | IS_EX() 1:IS_IN(a b)"},
		{false, 1, VERSION_3, "IS_EX() 1:IS_IN(a b)"},
		{false, 0, VERSION_3, "IS_EX() 1:IS_IN(a b)"},
		{true, 1, VERSION_2, "v2 report | 1:v2 report"},
		{false, 1, VERSION_2, "v2 report | 1:v2 report"},
		{false, 1, VERSION_1, "v1 report | 1:v1 report"},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct bench bench;

		bench_open(&bench, FAMILY_IPV4, ROOM);
		bench.role.answers = rows[i].answers;
		bench.settings.robustness = rows[i].robustness;
		bench.role.version = rows[i].version;
		bench.role.copies = 1;
		bench_configure(&bench);
		bench_change(&bench, 0, "EX()");
		bench_change(&bench, 1, "IN(a b)");
		bench_run(&bench, bench.now + 5000);
		bench_clear(&bench);
		reporter_announce(bench.reporter, bench.now);
		bench_run(&bench, bench.now + 5);
		assert_int_equal(bench.said_count, 2);
		bench_run(&bench, bench.now + 30000);
		assert_string_equal(bench_said(&bench), rows[i].said);
		assert_int_equal(reporter_deadline(bench.reporter), MTIME_NEVER);
		bench_close(&bench);
	}
}

/* A bond that fails over is announced by the kernel three times or more. */
static void announcements_in_a_row_are_few(void **state)
{
	struct bench bench;

	(void)state;
	bench_open(&bench, FAMILY_IPV6, ROOM);
	bench_change(&bench, 0, "EX()");
	bench_run(&bench, bench.now + 5000);
	bench_clear(&bench);
	for (int i = 0; i < 10; i++) {
		reporter_announce(bench.reporter, bench.now);
		bench_run(&bench, bench.now + 20);
	}
	bench_run(&bench, bench.now + 5000);
	assert_string_equal(bench_said(&bench), "IS_EX() | IS_EX() | IS_EX()");
	bench_close(&bench);
}

/* Nor what was left meanwhile. */
static void announces_nothing_that_was_not_reported(void **state)
{
	struct bench bench;

	(void)state;
	bench_open(&bench, FAMILY_IPV4, ROOM);
	reporter_announce(bench.reporter, bench.now);
	assert_int_equal(reporter_deadline(bench.reporter), MTIME_NEVER);
	bench.role.copies = 1;
	bench_configure(&bench);
	bench_change(&bench, 0, "EX()");
	bench_run(&bench, bench.now + 5000);
	assert_string_equal(bench_said(&bench), "TO_EX()");
	reporter_announce(bench.reporter, bench.now);
	bench_run(&bench, bench.now + 5);
	bench_change(&bench, 0, "IN()");
	bench_clear(&bench);
	bench_run(&bench, bench.now + 5000);
	assert_string_equal(bench_said(&bench), "TO_IN()");
	bench_close(&bench);
}

/* A large state: within a second in full packets, none of them in a burst; in older versions, which have a
 * packet for each group, some in each millisecond. */
static void spreads_a_large_announcement(void **state)
{
	static const uint8_t versions[] = {VERSION_3, VERSION_2};
	enum { GROUPS = 8000, A_PACKET = (1500 - 24 - 8) / 8 };

	(void)state;
	for (size_t i = 0; i < LENGTH(versions); i++) {
		struct bench bench;
		mtime begin;

		bench_open(&bench, FAMILY_IPV4, ROOM);
		bench.role.copies = bench.settings.robustness = 1;
		bench.role.version = versions[i];
		bench_configure(&bench);
		for (uint32_t group = 0; group < GROUPS; group++)
			bench_change(&bench, group, "EX()");
		bench_run(&bench, bench.now + 60000);
		bench_clear(&bench);
		begin = bench.now;
		reporter_announce(bench.reporter, begin);
		bench_run(&bench, begin + 20);
		assert_in_range(bench.packets, 1, 400);
		bench_run(&bench, begin + 1000);
		assert_int_equal(bench.said_count, GROUPS);
		if (versions[i] == VERSION_3)
			assert_true(bench.packets <= GROUPS / A_PACKET + 2);
		bench_close(&bench);
	}
}

static void nothing_to_do_without_groups(void **state)
{
	struct bench bench;

	(void)state;
	bench_open(&bench, FAMILY_IPV4, ROOM);
	assert_int_equal(reporter_deadline(bench.reporter), MTIME_NEVER);
	bench_query(&bench, VERSION_3, GENERAL, "", 1000);
	bench_query(&bench, VERSION_3, 5, "", 1000);
	bench_query(&bench, VERSION_3, 5, "abc", 1000);
	bench_run(&bench, bench.now + 1000);
	assert_int_equal(bench.said_count, 0);
	assert_int_equal(reporter_deadline(bench.reporter), MTIME_NEVER);
	bench_close(&bench);
}

static void an_assumed_state_is_not_told(void **state)
{
	struct addr list[2];
	struct bench bench;
	struct filter filter;

	(void)state;
	bench_open(&bench, FAMILY_IPV4, ROOM);
	filter = bench_filter(&bench, "IN(a b)", (struct addr[NUMBERS_MAX]){0});
	memcpy(list, filter.sources.list, sizeof list);
	filter.sources.list = list;
	reporter_assume(bench.reporter, bench_get(&bench, 0), &filter);
	assert_string_equal(bench_now(&bench), "");
	bench_change(&bench, 0, "IN(b)");
	assert_string_equal(bench_now(&bench), "BLOCK(a)");
	bench_close(&bench);
}

/* Memory. */

static void tells_a_superset_when_memory_is_short(void **state)
{
	struct bench bench;
	void *taken[64];
	size_t count = 0;

	(void)state;
	bench_open(&bench, FAMILY_IPV4, 1 << 18);
	bench.role.copies = 1;
	bench_configure(&bench);
	bench_change(&bench, 0, "IN(a)");
	bench_change(&bench, 1, "IN(a)");
	bench_pull(&bench);
	bench_clear(&bench);
	while (count < LENGTH(taken) && (taken[count] = pool_take(bench.pool, 1 << 14)) != NULL)
		count++;
	bench_change_range(&bench, 0, FILTER_INCLUDE, 0, 3000);
	assert_string_equal(bench_now(&bench), "TO_EX()");
	bench_change(&bench, 0, "IN()");
	assert_string_equal(bench_now(&bench), "TO_IN()");
	while (count > 0)
		pool_give(bench.pool, taken[--count], 1 << 14);
	bench_close(&bench);
}

/* Everything at once, at random. */
static void random_operation(struct bench *bench, uint64_t *random, uint32_t groups, size_t sources)
{
	static const char *const lists[] = {"", "a", "abc", "cdefghijk", "xyz"};
	struct reporter_entry *entry;

	switch (dice(random, 12)) {
	case 0:
		bench_query(bench, VERSION_3, GENERAL, "", dice(random, 3000));
		break;
	case 1:
	case 2:
		bench_query(bench, VERSION_3, dice(random, groups), lists[dice(random, LENGTH(lists))],
		            dice(random, 3000));
		break;
	case 3:
		if (dice(random, 10) == 0)
			bench_query(bench, VERSION_2, GENERAL, "", dice(random, 3000));
		break;
	case 4:
		entry = bench_find(bench, dice(random, groups));
		if (entry != NULL && dice(random, 4) == 0)
			bench_remove(bench, entry);
		break;
	case 5:
		if (dice(random, 10) == 0)
			reporter_start(bench->reporter, bench->now);
		break;
	default:
		entry = bench_get(bench, dice(random, groups));
		if (entry != NULL) {
			uint32_t number = (uint32_t)(entry->group.bytes[15] - 1);

			bench_change_range(bench, number, dice(random, 2) ? FILTER_EXCLUDE : FILTER_INCLUDE,
			                   dice(random, 50),
			                   dice(random, 3) ? dice(random, (uint32_t)sources) : 0);
		}
	}
}

static void let_all_groups_go(struct bench *bench, uint32_t groups)
{
	for (uint32_t i = 0; i < groups; i++)
		if (bench_find(bench, i) != NULL)
			bench_change(bench, i, "IN()");
	bench_run(bench, bench->now + 300000);
	/* Those that were reported nothing have nothing to tell. */
	for (uint32_t i = 0; i < groups; i++) {
		struct reporter_entry *entry = bench_find(bench, i);

		if (entry != NULL && reporter_is_idle(entry))
			bench_remove(bench, entry);
	}
	assert_int_equal(bench->reporter->entries.count, 0);
	assert_null(bench->reporter->queue.due);
	assert_null(bench->reporter->queue.idle);
	bench_clear(bench);
}

#define PHASES (31 * REPORT_QUEUE_SLOTS * REPORT_QUEUE_SLOT_INTERVAL) /* 31 ms: 1/32 of a second */

static void survives_anything_and_leaks_nothing(void **state)
{
	static const size_t rooms[] = {1 << 15, 1 << 16, 1 << 18, ROOM};

	(void)state;
	for (uint64_t seed = 1; seed <= 120; seed++) {
		uint64_t random = seed;
		size_t bytes = 0, sources = seed % 3 ? 40 : 1500;
		struct bench bench;

		bench_open(&bench, seed % 2 ? FAMILY_IPV4 : FAMILY_IPV6, rooms[seed / 2 % LENGTH(rooms)]);
		bench.mtu = 576;
		for (unsigned cycle = 0; cycle < 6; cycle++) {
			/* The same sequence in each cycle, from the same point between the times at which
			 * reports are repeated together, needs the same memory. */
			bench_run(&bench, bench.now + PHASES - bench.now % PHASES);
			random = seed;
			bench.reporter->random = seed;
			for (unsigned i = 0; i < 400; i++) {
				random_operation(&bench, &random, 20, sources);
				if (dice(&random, 3) == 0)
					bench_pull_one(&bench);
				if (dice(&random, 3) == 0)
					bench_run(&bench, bench.now + dice(&random, 800));
			}
			let_all_groups_go(&bench, 20);
			if (cycle == 2)
				bytes = pool_bytes(bench.pool);
			else if (cycle > 2)
				assert_int_equal(pool_bytes(bench.pool), bytes);
		}
		bench_close(&bench);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_the_difference),
		cmocka_unit_test(repeats_within_the_unsolicited_report_interval),
		cmocka_unit_test(packs_the_repetitions_of_a_burst),
		cmocka_unit_test(merges_changes),
		cmocka_unit_test(merges_changes_of_one_moment),
		cmocka_unit_test(agrees_with_a_naive_model),
		cmocka_unit_test(router_ends_with_the_right_state_despite_loss),
		cmocka_unit_test(answers_queries),
		cmocka_unit_test(answers_after_a_random_delay),
		cmocka_unit_test(the_earliest_promise_stands),
		cmocka_unit_test(a_flood_of_general_queries_is_followed_a_few_times),
		cmocka_unit_test(a_sooner_general_answer_is_enough),
		cmocka_unit_test(answers_and_changes_go_together),
		cmocka_unit_test(without_answers_it_is_silent),
		cmocka_unit_test(speaks_older_versions),
		cmocka_unit_test(older_answers_are_spread),
		cmocka_unit_test(an_answer_due_behind_a_change),
		cmocka_unit_test(follows_the_version_of_the_querier),
		cmocka_unit_test(older_querier_timeout_of_mld_and_of_the_kernel),
		cmocka_unit_test(a_group_specific_query_tells_no_version),
		cmocka_unit_test(a_fixed_version_stays),
		cmocka_unit_test(a_change_of_version_lets_go_of_left_groups),
		cmocka_unit_test(the_kernel_knows_of_an_older_querier),
		cmocka_unit_test(tells_the_state_again_without_a_querier),
		cmocka_unit_test(waits_as_long_as_the_querier_says),
		cmocka_unit_test(without_repeats_a_missing_querier_is_nothing_to_do),
		cmocka_unit_test(repeats_in_older_versions),
		cmocka_unit_test(announces_the_whole_state),
		cmocka_unit_test(announcements_in_a_row_are_few),
		cmocka_unit_test(announces_nothing_that_was_not_reported),
		cmocka_unit_test(spreads_a_large_announcement),
		cmocka_unit_test(nothing_to_do_without_groups),
		cmocka_unit_test(an_assumed_state_is_not_told),
		cmocka_unit_test(tells_a_superset_when_memory_is_short),
		cmocka_unit_test(survives_anything_and_leaks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
