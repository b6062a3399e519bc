/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The reporter as a whole: a naive model, a router that loses some of its reports, everything at random.
 */
#include "support/reporter_text.h"

#include "core/router/group_queries.h"
#include "core/router/group_records.h"
#include "core/router/group_timers.h"

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
		cmocka_unit_test(agrees_with_a_naive_model),
		cmocka_unit_test(router_ends_with_the_right_state_despite_loss),
		cmocka_unit_test(survives_anything_and_leaks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
