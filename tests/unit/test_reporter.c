/* SPDX-License-Identifier: BSD-2-Clause */
#include "reporter_text.h"

#include "core/group.h"

#define ROOM 1 << 26

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
		bench.settings.copies = 1;
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
	(void)state;
	for (uint8_t copies = 1; copies <= 7; copies++) {
		struct bench bench;

		bench_open(&bench, FAMILY_IPV4, ROOM);
		bench.settings.copies = copies;
		bench.settings.unsolicited_report_interval = copies == 7 ? 300 : 0;
		bench_configure(&bench);
		bench_change(&bench, 0, "EX()");
		bench_run(&bench, bench.now + 10000);
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

static void change_both(struct bench *bench, struct model *model, uint64_t *seed)
{
	bool exclude = dice(seed, 3) == 0 ? !model->exclude : model->exclude;
	unsigned listed = dice(seed, 4) == 0 ? dice(seed, 1 << MODEL_SOURCES)
	                                     : model->listed ^ 1u << dice(seed, MODEL_SOURCES);
	char text[128];

	filter_text(text, exclude, listed);
	model_change(model, exclude, listed);
	bench_change(bench, 0, text);
}

static void agrees_with_a_naive_model(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 3000; seed++) {
		uint64_t random = seed;
		struct model model = {.copies = 1 + dice(&random, 4)};
		struct bench bench;

		bench_open(&bench, seed % 2 ? FAMILY_IPV4 : FAMILY_IPV6, 1 << 20);
		bench.settings.copies = (uint8_t)model.copies;
		bench_configure(&bench);
		for (unsigned step = 0; step < 60; step++) {
			mtime before = bench.now;
			char expected[256];

			if (dice(&random, 2) == 0)
				change_both(&bench, &model, &random);
			else if (reporter_deadline(bench.reporter) != MTIME_NEVER)
				bench.now = reporter_deadline(bench.reporter);
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
	group_apply(&router->group, router->pool, &router->timers, bench->now, VERSION_3, said->type,
	            &sources);
}

/* Of the copies of a change one arrives at least, and of the answers to a question and its repetition one. */
static bool listening_loses(struct bench *bench, struct listening *router, uint64_t *random)
{
	bool change = false, answer = false;

	for (size_t i = 0; i < bench->said_count; i++) {
		change |= bench->said[i].type > IS_EX;
		answer |= bench->said[i].type <= IS_EX;
	}
	if (dice(random, 2) == 0 ||
	    (change && router->changes_lost + 1 >= (unsigned)bench->settings.copies) ||
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
		mtime at =
			mtime_min(reporter_deadline(bench->reporter), group_deadline(&router->group));
		if (at > until)
			break;
		bench->now = at > bench->now ? at : bench->now;
	}
	bench->now = until;
}

static bool listening_agrees(struct bench *bench, struct listening *router)
{
	struct reporter_entry *entry = bench_find(bench, 0);
	struct filter told = {.mode = FILTER_INCLUDE}, heard;
	struct addr list[32];

	heard.sources = sources_on(list, LENGTH(list));
	if (entry != NULL)
		told = stored_filter_view(&entry->told);
	assert_true(group_filter(&router->group, &heard));
	return filter_equal(&told, &heard);
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
		bench.settings.copies = (uint8_t)model.copies;
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
		const char *told, *asked[3], *said;
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
		bench_change(&bench, 0, rows[i % LENGTH(rows)].told);
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
		assert_int_equal(bench.reporter->queries_heard > 0, true);
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
	bench.settings.copies = 1;
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
	bench.settings.answers = false;
	bench_configure(&bench);
	bench_change(&bench, 0, "EX()");
	bench_run(&bench, bench.now + 5000);
	bench_clear(&bench);
	bench_query(&bench, VERSION_3, GENERAL, "", 1000);
	bench_query(&bench, VERSION_3, 0, "", 1000);
	bench_query(&bench, VERSION_3, 0, "a", 1000);
	bench_run(&bench, bench.now + 30000);
	assert_string_equal(bench_said(&bench), "");
	assert_int_equal(bench.reporter->queries_heard, 3);
	bench_close(&bench);
}

/* Many groups. */

static void fill_groups(struct bench *bench, uint32_t groups, size_t sources)
{
	uint8_t copies = bench->settings.copies;

	bench->settings.copies = 1;
	bench_configure(bench);
	for (uint32_t i = 0; i < groups; i++)
		bench_change_range(bench, i, sources > 0 ? FILTER_INCLUDE : FILTER_EXCLUDE, i, sources);
	bench_run(bench, bench->now + 1000);
	bench_clear(bench);
	bench->settings.copies = copies;
	bench_configure(bench);
}

/* How many sources of a group were said since `since`, none of them twice; of a group without sources 1 for
 * its record. */
static size_t said_of(const struct bench *bench, uint32_t group, mtime since)
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

static void spreads_the_answer_to_a_general_query(void **state)
{
	static const struct {
		enum family family;
		uint32_t groups;
		size_t sources;
		size_t mtu;
	} rows[] = {
		{FAMILY_IPV4, 1000, 0, 1500}, {FAMILY_IPV6, 1000, 0, 1500}, {FAMILY_IPV4, 1000, 0, 576},
		{FAMILY_IPV4, 300, 100, 1500}, {FAMILY_IPV6, 100, 100, 576}, {FAMILY_IPV4, 3, 4000, 1500},
		{FAMILY_IPV6, 20, 1000, 9000}, {FAMILY_IPV4, 5000, 1, 1280},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		size_t addr_size = addr_wire_size(rows[i].family);
		size_t bytes = rows[i].groups * (4 + addr_size * (1 + rows[i].sources));
		size_t packets = bytes / (rows[i].mtu - 100) + 1;
		struct bench bench;
		mtime asked_at, first, last;

		bench_open(&bench, rows[i].family, ROOM);
		bench.mtu = rows[i].mtu;
		fill_groups(&bench, rows[i].groups, rows[i].sources);
		asked_at = bench.now;
		bench_query(&bench, VERSION_3, GENERAL, "", 10000);
		bench_run(&bench, asked_at + 10000);
		assert_int_equal(reporter_deadline(bench.reporter), MTIME_NEVER);
		for (uint32_t group = 0; group < rows[i].groups; group++)
			assert_int_equal(said_of(&bench, group, 0), rows[i].sources ? rows[i].sources : 1);
		first = bench.said[0].at - asked_at;
		last = bench.said[bench.said_count - 1].at - asked_at;
		assert_true(first > 0 && first <= 10000 / 8);
		assert_true(last > 5000);
		assert_in_range(bench.packets, packets * 8 / 10, packets + 1);
		bench_close(&bench);
	}
}

/* Groups that come and go while the answer is under way; those that stay are told. */
static void answers_while_groups_come_and_go(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 60; seed++) {
		uint64_t random = seed;
		uint32_t groups = 1 + dice(&random, 1500), next = groups;
		bool gone[4000] = {false};
		struct bench bench;
		mtime end;

		bench_open(&bench, FAMILY_IPV4, ROOM);
		fill_groups(&bench, groups, dice(&random, 3) * 60);
		end = bench.now + 10000;
		bench_query(&bench, VERSION_3, GENERAL, "", 10000);
		while (bench.now < end) {
			uint32_t victim = dice(&random, groups);
			struct reporter_entry *entry = bench_find(&bench, victim);

			if (dice(&random, 2) == 0 && entry != NULL) {
				bench_remove(&bench, entry);
				gone[victim] = true;
			} else if (next < LENGTH(gone)) {
				bench_change(&bench, next++, "EX()");
			}
			bench_run(&bench, mtime_min(end, bench.now + dice(&random, 100)));
		}
		for (uint32_t i = 0; i < groups; i++)
			if (!gone[i])
				assert_true(said_of(&bench, i, 0) > 0);
		bench_close(&bench);
	}
}

/* A router that asks while an answer is under way hears of every group, too. */
static void answers_a_query_during_an_answer(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 60; seed++) {
		uint64_t random = seed;
		uint32_t groups = 1 + dice(&random, 2000);
		size_t sources = dice(&random, 2) * dice(&random, 200);
		mtime asked_at[4], asked_until = 0;
		unsigned queries = 2 + dice(&random, 3);
		struct bench bench;

		bench_open(&bench, FAMILY_IPV4, ROOM);
		bench.reporter->random = seed * 1000003;
		fill_groups(&bench, groups, sources);
		for (unsigned i = 0; i < queries; i++) {
			uint32_t limit = 1000 + dice(&random, 9000);

			asked_at[i] = bench.now;
			if (asked_until < bench.now + limit)
				asked_until = bench.now + limit;
			bench_query(&bench, VERSION_3, GENERAL, "", limit);
			bench_run(&bench, bench.now + 1 + dice(&random, 4000));
		}
		bench_run(&bench, asked_until > bench.now ? asked_until : bench.now);
		assert_int_equal(reporter_deadline(bench.reporter), MTIME_NEVER);
		for (unsigned i = 0; i < queries; i++)
			for (uint32_t group = 0; group < groups; group++) {
				size_t heard = 0;

				for (size_t j = 0; j < bench.said_count; j++)
					if (bench.said[j].group == group && bench.said[j].at > asked_at[i])
						heard += sources ? bench.said[j].count : 1;
				assert_true(heard >= (sources ? sources : 1));
			}
		bench_close(&bench);
	}
}

/* Queries without end do not make the answers to earlier ones late. */
static void a_flood_of_queries_starves_nobody(void **state)
{
	struct bench bench;
	mtime asked_at;

	(void)state;
	bench_open(&bench, FAMILY_IPV4, ROOM);
	fill_groups(&bench, 3000, 0);
	asked_at = bench.now;
	while (bench.now < asked_at + 12000) {
		bench_query(&bench, VERSION_3, GENERAL, "", 10000);
		bench_run(&bench, bench.now + 100);
	}
	for (uint32_t group = 0; group < 3000; group++)
		assert_true(said_of(&bench, group, 0) >= 1);
	assert_true(bench.packets < 3 * 3000 / 180);
	bench_close(&bench);
}

/* A list that changes between the packets of its answer is told again. */
static void answers_of_a_list_that_changes(void **state)
{
	struct bench bench;
	mtime changed_at;

	(void)state;
	bench_open(&bench, FAMILY_IPV4, ROOM);
	fill_groups(&bench, 1, 1000);
	bench_change_range(&bench, 1, FILTER_INCLUDE, 0, 1000);
	bench_run(&bench, bench.now + 3000);
	bench_clear(&bench);
	bench_query(&bench, VERSION_3, GENERAL, "", 10000);
	while (bench.said_count == 0)
		bench_run(&bench, reporter_deadline(bench.reporter));
	assert_int_equal(bench.said[0].group, 0);
	bench_clear(&bench);
	bench.now++;
	changed_at = bench.now;
	bench_change_range(&bench, 0, FILTER_INCLUDE, 500, 500);
	bench_pull(&bench); /* the change itself */
	bench_clear(&bench);
	bench.settings.copies = 1;
	reporter_forget(bench.reporter, bench_find(&bench, 0));
	bench_run(&bench, changed_at + 10000);
	assert_int_equal(said_of(&bench, 0, 0), 500);
	assert_int_equal(said_of(&bench, 1, 0), 1000);
	/* The same when the group goes: the next one is told whole. */
	bench_clear(&bench);
	bench_change_range(&bench, 0, FILTER_INCLUDE, 0, 1000);
	bench_run(&bench, bench.now + 5000);
	bench_clear(&bench);
	bench_query(&bench, VERSION_3, GENERAL, "", 10000);
	while (bench.said_count == 0)
		bench_run(&bench, reporter_deadline(bench.reporter));
	bench_clear(&bench);
	bench_remove(&bench, bench_find(&bench, 0));
	bench_run(&bench, bench.now + 10000);
	assert_int_equal(said_of(&bench, 1, 0), 1000);
	bench_close(&bench);
}

/* Long lists. */

static size_t sources_per_packet(const struct bench *bench)
{
	size_t addr_size = addr_wire_size(bench->family);

	return (bench->mtu - packet_header_size(bench->family) - 8 - 4 - addr_size) / addr_size;
}

static void splits_long_lists(void **state)
{
	static const size_t mtus[] = {576, 1280, 1500, 9000};

	(void)state;
	for (size_t i = 0; i < FAMILIES * LENGTH(mtus); i++) {
		struct bench bench;
		size_t per_packet;

		bench_open(&bench, i % 2 ? FAMILY_IPV4 : FAMILY_IPV6, ROOM);
		bench.mtu = mtus[i / 2];
		bench.settings.copies = 1;
		bench_configure(&bench);
		per_packet = sources_per_packet(&bench);
		/* Neither more nor less than fits. */
		for (size_t count = per_packet - 1; count <= per_packet + 1 && count <= 4096; count++) {
			bench_change_range(&bench, 0, FILTER_INCLUDE, 0, count);
			bench_pull(&bench);
			assert_int_equal(said_of(&bench, 0, 0), count);
			assert_int_equal(bench.packets, count <= per_packet ? 1 : 2);
			bench_clear(&bench);
			bench_change(&bench, 0, "IN()");
			bench_pull(&bench);
			assert_int_equal(said_of(&bench, 0, 0), count);
			bench_clear(&bench);
		}
		bench_change_range(&bench, 0, FILTER_EXCLUDE, 0, 4096);
		bench_pull(&bench);
		assert_int_equal(bench.said_count, 1);
		assert_int_equal(bench.said[0].type, TO_EX);
		assert_int_equal(said_of(&bench, 0, 0), per_packet < 4096 ? per_packet : 4096);
		bench_clear(&bench);
		bench_query(&bench, VERSION_3, GENERAL, "", 1);
		bench_query(&bench, VERSION_3, 0, "", 1);
		bench_run(&bench, bench.now + 10);
		assert_in_range(bench.said_count, 1, 2);
		assert_int_equal(bench.said[0].type, IS_EX);
		bench_clear(&bench);
		bench_change_range(&bench, 0, FILTER_INCLUDE, 100, 4000);
		bench_pull(&bench);
		assert_int_equal(bench.said[0].type, TO_IN);
		assert_int_equal(said_of(&bench, 0, 0), 4000);
		assert_int_equal(bench.packets, (4000 + per_packet - 1) / per_packet);
		bench_clear(&bench);
		bench_query(&bench, VERSION_3, 0, "", 1);
		bench_run(&bench, bench.now + 10);
		assert_int_equal(bench.said[0].type, IS_IN);
		assert_int_equal(said_of(&bench, 0, 0), 4000);
		bench_close(&bench);
	}
}

/* An EXCLUDE list that would be cut goes into a packet of its own. */
static void keeps_exclude_lists_together(void **state)
{
	struct bench bench;

	(void)state;
	bench_open(&bench, FAMILY_IPV4, ROOM);
	bench_change_range(&bench, 0, FILTER_INCLUDE, 0, 200);
	bench_change_range(&bench, 1, FILTER_EXCLUDE, 0, 300);
	bench_change_range(&bench, 2, FILTER_EXCLUDE, 0, 10);
	bench_pull(&bench);
	assert_int_equal(said_of(&bench, 0, 0), 200);
	assert_int_equal(said_of(&bench, 1, 0), 300);
	assert_int_equal(said_of(&bench, 2, 0), 10);
	assert_int_equal(bench.packets, 2);
	bench_close(&bench);
}

#define LONG_SOURCES 3000
#define LONG_GROUPS  4

/* A random set as numbers, and the filter of it. */
static void random_filter(struct bench *bench, struct filter *filter, uint8_t *in, uint64_t *random,
                          size_t range)
{
	unsigned density = dice(random, 5);

	filter->sources.count = 0;
	for (uint32_t i = 0; i < range; i++) {
		in[i] = dice(random, 4) < density;
		if (in[i]) {
			struct addr source = bench_source(bench, i);

			assert_true(sources_append(&filter->sources, &source));
		}
	}
}

/* Every source whose state changes is told in its record, once, and nobody else. */
static void check_difference(const struct bench *bench, uint32_t group, enum filter_mode mode,
                             const uint8_t *before, const uint8_t *after)
{
	static uint8_t told[LONG_SOURCES];

	memset(told, 0, sizeof told);
	for (size_t i = 0; i < bench->said_count; i++) {
		const struct said *said = &bench->said[i];

		if (said->group != group)
			continue;
		assert_true(said->type == ALLOW || said->type == BLOCK);
		for (size_t j = 0; j < said->count; j++) {
			uint32_t number = said->sources[j];
			bool passes = after[number] == (mode == FILTER_INCLUDE);

			assert_int_equal(told[number]++, 0);
			assert_int_equal(before[number], !after[number]);
			assert_int_equal(said->type, passes ? ALLOW : BLOCK);
		}
	}
	for (size_t i = 0; i < LONG_SOURCES; i++)
		assert_int_equal(told[i], before[i] != after[i]);
}

static void loses_and_doubles_no_source(void **state)
{
	static uint8_t lists[2][LONG_GROUPS][LONG_SOURCES];
	static struct addr memory[LONG_SOURCES];

	(void)state;
	for (uint64_t seed = 1; seed <= 60; seed++) {
		uint64_t random = seed;
		enum filter_mode mode = dice(&random, 2) ? FILTER_EXCLUDE : FILTER_INCLUDE;
		struct bench bench;

		bench_open(&bench, dice(&random, 2) ? FAMILY_IPV4 : FAMILY_IPV6, ROOM);
		bench.mtu = 576 + dice(&random, 1000);
		bench.settings.copies = 1;
		bench_configure(&bench);
		memset(lists, 0, sizeof lists);
		for (unsigned round = 0; round < 6; round++) {
			for (uint32_t group = 0; group < LONG_GROUPS; group++) {
				struct filter filter = {.mode = mode,
				                        .sources = sources_on(memory, LONG_SOURCES)};
				size_t range = 1 + dice(&random, dice(&random, 2) ? LONG_SOURCES : 200);

				memcpy(lists[0][group], lists[1][group], LONG_SOURCES);
				memset(lists[1][group], 0, LONG_SOURCES);
				random_filter(&bench, &filter, lists[1][group], &random, range);
				reporter_change(bench.reporter, bench.now, bench_get(&bench, group), &filter);
			}
			bench_pull(&bench);
			for (uint32_t group = 0; group < LONG_GROUPS && round > 0; group++)
				check_difference(&bench, group, mode, lists[0][group], lists[1][group]);
			bench_clear(&bench);
		}
		bench_close(&bench);
	}
}

/* A difference longer than fits the memory for it is told as the whole list. */
static void tells_the_whole_list_when_the_difference_is_too_long(void **state)
{
	struct bench bench;

	(void)state;
	bench_open(&bench, FAMILY_IPV4, ROOM);
	bench.settings.copies = 1;
	bench_configure(&bench);
	bench_change_range(&bench, 0, FILTER_INCLUDE, 0, 4096);
	bench_pull(&bench);
	bench_clear(&bench);
	bench_change_range(&bench, 0, FILTER_INCLUDE, 4000, 4096);
	bench_pull(&bench);
	assert_int_equal(bench.said[0].type, TO_IN);
	assert_int_equal(said_of(&bench, 0, 0), 4096);
	bench_close(&bench);
}

/* However much changes while nothing can be sent, what is to be told stays bounded. */
static void pending_changes_are_bounded(void **state)
{
	struct bench bench;
	size_t bytes;

	(void)state;
	bench_open(&bench, FAMILY_IPV4, ROOM);
	bench_change(&bench, 0, "EX()");
	bench_pull(&bench);
	bytes = pool_bytes(bench.pool);
	for (uint32_t i = 0; i < 70000; i += 500) {
		bench_change_range(&bench, 0, FILTER_EXCLUDE, i, 500);
		assert_true(pool_bytes(bench.pool) < bytes + 200000);
	}
	bench_clear(&bench);
	bench_change(&bench, 0, "EX(a)");
	assert_string_equal(bench_now(&bench), "TO_EX(a)");
	bench_close(&bench);
}

/* Packets pulled one at a time, while changes and queries come in between. */
static void a_round_survives_what_happens_between_its_packets(void **state)
{
	struct bench bench;

	(void)state;
	bench_open(&bench, FAMILY_IPV4, ROOM);
	bench.settings.copies = 1;
	bench_configure(&bench);
	bench_change_range(&bench, 0, FILTER_INCLUDE, 0, 1000);
	bench_pull(&bench);
	bench_clear(&bench);
	/* A question about sources between the packets of an answer about the whole. */
	bench_query(&bench, VERSION_3, 0, "", 1);
	bench.now += 1;
	assert_true(bench_pull_one(&bench));
	bench_query(&bench, VERSION_3, 0, "a", 1);
	bench_clear(&bench);
	bench_run(&bench, bench.now + 10);
	assert_true(bench.said_count >= 3);
	assert_int_equal(said_of(&bench, 0, 0), 1000);
	/* A change between the packets of an answer. */
	bench_clear(&bench);
	bench_query(&bench, VERSION_3, 0, "", 1);
	bench.now += 1;
	assert_true(bench_pull_one(&bench));
	bench_clear(&bench);
	bench_change_range(&bench, 0, FILTER_INCLUDE, 0, 1001);
	assert_true(bench_pull_one(&bench));
	assert_int_equal(bench.said[0].type, ALLOW);
	assert_int_equal(bench.said[0].count, 1);
	bench_run(&bench, bench.now + 10);
	assert_int_equal(bench.said[1].type, IS_IN);
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
			bench.settings.fixed_version = (uint8_t)older[i / 2].version;
		else
			bench.settings.version = (uint8_t)older[i / 2].version;
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
	bench.settings.version = VERSION_2;
	fill_groups(&bench, 500, 0);
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

/* RFC 9776 sections 7.2.1 and 8.12. */
static void follows_the_version_of_the_querier(void **state)
{
	mtime timeout = 2 * 125000 + 10000;
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
	/* A change after the timeout, of which nobody told yet, is not lost. */
	bench_change(&bench, 0, "IN(a b)");
	assert_string_equal(bench_now(&bench), "ALLOW(b)");
	assert_string_equal(bench_next(&bench), "ALLOW(b)");
	/* Version 1 is stronger than 2. */
	bench_query(&bench, VERSION_2, GENERAL, "", 5000);
	bench_run(&bench, bench.now + 10000);
	bench_query(&bench, VERSION_1, GENERAL, "", 10000);
	bench_query(&bench, VERSION_3, GENERAL, "", 10000);
	assert_int_equal(reporter_version(bench.reporter, bench.now), VERSION_1);
	assert_int_equal(reporter_version(bench.reporter, bench.now + timeout), VERSION_3);
	bench_clear(&bench);
	assert_string_equal(bench_next(&bench), "v1 report");
	bench_close(&bench);
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
	bench.settings.fixed_version = VERSION_3;
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
	bench.settings.answers = false;
	bench.settings.copies = 1;
	bench_configure(&bench);
	reporter_older_querier(bench.reporter, bench.now, VERSION_2);
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
	reporter_heard_query(bench.reporter, bench.now, &query, NULL);
	assert_true(addr_equal(&bench.reporter->querier, &query.querier));
	assert_int_equal(bench.reporter->query_heard_at, bench.now);
	bench_run(&bench, bench.now + 69999);
	bench_clear(&bench);
	bench_run(&bench, bench.now + 1001);
	assert_string_equal(bench_said(&bench), "IS_EX()");
	bench_close(&bench);
}

static void a_missing_querier_shows_without_repeats(void **state)
{
	struct bench bench;

	(void)state;
	bench_open(&bench, FAMILY_IPV4, ROOM);
	reporter_start(bench.reporter, bench.now);
	bench_change(&bench, 0, "EX()");
	bench_run(&bench, bench.now + 300000);
	reporter_expire(bench.reporter, bench.now);
	assert_true(bench.reporter->missing);
	assert_int_equal(bench.reporter->repeats, 0);
	assert_int_equal(reporter_deadline(bench.reporter), MTIME_NEVER);
	bench_query(&bench, VERSION_3, 0, "", 1000);
	assert_false(bench.reporter->missing);
	bench_close(&bench);
}

static void repeats_in_older_versions(void **state)
{
	struct bench bench;

	(void)state;
	bench_open(&bench, FAMILY_IPV6, ROOM);
	bench.settings.repeat_without_querier = true;
	bench.settings.version = VERSION_2;
	bench_configure(&bench);
	reporter_start(bench.reporter, bench.now);
	bench_change(&bench, 0, "IN(a)");
	bench_run(&bench, bench.now + 259999);
	bench_clear(&bench);
	bench_run(&bench, bench.now + 5000);
	assert_string_equal(bench_said(&bench), "v2 report");
	bench_close(&bench);
}

/* A link that comes up: routers there know nothing yet. */
static void starting_tells_the_state(void **state)
{
	struct bench bench;

	(void)state;
	bench_open(&bench, FAMILY_IPV4, ROOM);
	bench_change(&bench, 0, "EX()");
	bench_run(&bench, bench.now + 5000);
	bench_clear(&bench);
	reporter_start(bench.reporter, bench.now);
	bench_run(&bench, bench.now + 1000);
	assert_string_equal(bench_said(&bench), "IS_EX()");
	bench_close(&bench);
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
	bench.settings.copies = 1;
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
	/* Those that were told nothing have nothing to tell. */
	for (uint32_t i = 0; i < groups; i++) {
		struct reporter_entry *entry = bench_find(bench, i);

		if (entry != NULL && reporter_is_idle(entry))
			bench_remove(bench, entry);
	}
	assert_null(bench->reporter->entries);
	assert_null(bench->reporter->due);
	assert_null(bench->reporter->idle);
	bench_clear(bench);
}

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
			/* The same sequence in each cycle needs the same memory. */
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
		cmocka_unit_test(merges_changes),
		cmocka_unit_test(merges_changes_of_one_moment),
		cmocka_unit_test(agrees_with_a_naive_model),
		cmocka_unit_test(router_ends_with_the_right_state_despite_loss),
		cmocka_unit_test(answers_queries),
		cmocka_unit_test(answers_after_a_random_delay),
		cmocka_unit_test(the_earliest_promise_stands),
		cmocka_unit_test(a_sooner_general_answer_is_enough),
		cmocka_unit_test(answers_and_changes_go_together),
		cmocka_unit_test(without_answers_it_is_silent),
		cmocka_unit_test(spreads_the_answer_to_a_general_query),
		cmocka_unit_test(answers_while_groups_come_and_go),
		cmocka_unit_test(answers_a_query_during_an_answer),
		cmocka_unit_test(a_flood_of_queries_starves_nobody),
		cmocka_unit_test(answers_of_a_list_that_changes),
		cmocka_unit_test(splits_long_lists),
		cmocka_unit_test(keeps_exclude_lists_together),
		cmocka_unit_test(loses_and_doubles_no_source),
		cmocka_unit_test(tells_the_whole_list_when_the_difference_is_too_long),
		cmocka_unit_test(pending_changes_are_bounded),
		cmocka_unit_test(a_round_survives_what_happens_between_its_packets),
		cmocka_unit_test(speaks_older_versions),
		cmocka_unit_test(older_answers_are_spread),
		cmocka_unit_test(follows_the_version_of_the_querier),
		cmocka_unit_test(a_group_specific_query_tells_no_version),
		cmocka_unit_test(a_fixed_version_stays),
		cmocka_unit_test(a_change_of_version_lets_go_of_left_groups),
		cmocka_unit_test(the_kernel_knows_of_an_older_querier),
		cmocka_unit_test(tells_the_state_again_without_a_querier),
		cmocka_unit_test(waits_as_long_as_the_querier_says),
		cmocka_unit_test(a_missing_querier_shows_without_repeats),
		cmocka_unit_test(repeats_in_older_versions),
		cmocka_unit_test(starting_tells_the_state),
		cmocka_unit_test(nothing_to_do_without_groups),
		cmocka_unit_test(an_assumed_state_is_not_told),
		cmocka_unit_test(tells_a_superset_when_memory_is_short),
		cmocka_unit_test(survives_anything_and_leaks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
