/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/reporter_text.h"

static void spreads_the_answer_to_a_general_query(void **state)
{
	static const struct {
		enum family family;
		uint32_t groups;
		size_t sources;
		size_t mtu;
	} rows[] = {
		{FAMILY_IPV4, 1000, 0, 1500},  {FAMILY_IPV6, 1000, 0, 1500}, {FAMILY_IPV4, 1000, 0, 576},
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
		bench_fill(&bench, rows[i].groups, rows[i].sources);
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

/* Groups that come and go while the answer is under way; those that stay are reported. */
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
		bench_fill(&bench, groups, dice(&random, 3) * 60);
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
		bench_fill(&bench, groups, sources);
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
	bench_fill(&bench, 3000, 0);
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

/* A list that changes between the packets of its answer is reported again. */
static void answers_of_a_list_that_changes(void **state)
{
	struct bench bench;
	mtime changed_at;

	(void)state;
	bench_open(&bench, FAMILY_IPV4, ROOM);
	bench_fill(&bench, 1, 1000);
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
	bench.role.copies = 1;
	reporter_forget(bench.reporter, bench_find(&bench, 0));
	bench_run(&bench, changed_at + 10000);
	assert_int_equal(said_of(&bench, 0, 0), 500);
	assert_int_equal(said_of(&bench, 1, 0), 1000);
	/* The same when the group goes: the next one is reported whole. */
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

/* Rule 2 of RFC 9776 section 5.2: a query that wants its answer sooner gets it. */
static void a_shorter_response_time_counts(void **state)
{
	static const uint32_t groups[] = {1, 2000};

	(void)state;
	for (uint64_t seed = 1; seed <= 100; seed++) {
		uint32_t count = groups[seed % 2];
		struct bench bench;
		mtime asked_at;

		bench_open(&bench, FAMILY_IPV4, ROOM);
		bench.reporter->random = seed * 1000003;
		bench_fill(&bench, count, 0);
		bench_query(&bench, VERSION_3, GENERAL, "", 10000);
		if (count > 1 && seed / 2 % 2)
			bench_run(&bench, bench.now + 2000);
		bench_clear(&bench);
		asked_at = bench.now;
		bench_query(&bench, VERSION_3, GENERAL, "", 200);
		bench_run(&bench, asked_at + 200);
		for (uint32_t group = 0; group < count; group++)
			assert_int_equal(said_of(&bench, group, 0), 1);
		bench_close(&bench);
	}
}

/* A longer one does not make the answer to the first query late. */
static void the_pace_never_falls(void **state)
{
	struct bench bench;
	mtime asked_at;

	(void)state;
	bench_open(&bench, FAMILY_IPV4, ROOM);
	bench_fill(&bench, 3000, 0);
	asked_at = bench.now;
	bench_query(&bench, VERSION_3, GENERAL, "", 1000);
	bench_run(&bench, asked_at + 300);
	assert_true(bench.said_count > 0 && said_of(&bench, 2999, 0) == 0);
	bench_query(&bench, VERSION_3, GENERAL, "", 20000);
	bench_run(&bench, asked_at + 1000);
	for (uint32_t group = 0; group < 3000; group++)
		assert_true(said_of(&bench, group, 0) >= 1);
	bench_close(&bench);
}

/* Runs into the middle of an answer; how many groups are reported. */
static uint32_t run_into_the_walk(struct bench *bench, mtime length)
{
	bench_query(bench, VERSION_3, GENERAL, "", 10000);
	bench_run(bench, bench->now + length);
	assert_true(bench->said_count > 0);
	return bench->said[bench->said_count - 1].group + 1;
}

/* The group is reported already, so that the answer under way does not help. */
static void a_group_behind_the_walk_is_answered(void **state)
{
	struct bench bench;

	(void)state;
	bench_open(&bench, FAMILY_IPV4, ROOM);
	bench_fill(&bench, 2000, 0);
	run_into_the_walk(&bench, 5000);
	bench_clear(&bench);
	bench_query(&bench, VERSION_3, 0, "", 20000);
	bench_run(&bench, bench.now + 20000);
	assert_int_equal(said_of(&bench, 0, 0), 1);
	bench_close(&bench);
}

/* A second query half way, and the group at which the answer would end goes. */
static void the_end_of_the_walk_may_go(void **state)
{
	struct bench bench;
	uint32_t reported;

	(void)state;
	bench_open(&bench, FAMILY_IPV4, ROOM);
	bench_fill(&bench, 2000, 0);
	reported = run_into_the_walk(&bench, 5000);
	assert_in_range(reported, 500, 1500);
	bench_clear(&bench);
	bench_query(&bench, VERSION_3, GENERAL, "", 10000);
	bench_remove(&bench, bench_find(&bench, reported));
	bench_run(&bench, bench.now + 10000);
	for (uint32_t group = 0; group < 2000; group++)
		assert_int_equal(said_of(&bench, group, 0), group != reported);
	bench_close(&bench);
}

static void the_only_group_may_go(void **state)
{
	struct bench bench;

	(void)state;
	bench_open(&bench, FAMILY_IPV4, ROOM);
	bench_fill(&bench, 1, 4000);
	run_into_the_walk(&bench, 5000);
	bench_query(&bench, VERSION_3, GENERAL, "", 10000);
	bench_remove(&bench, bench_find(&bench, 0));
	assert_int_equal(reporter_deadline(bench.reporter), MTIME_NEVER);
	bench_clear(&bench);
	assert_string_equal(bench_now(&bench), "");
	bench_close(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spreads_the_answer_to_a_general_query),
		cmocka_unit_test(answers_while_groups_come_and_go),
		cmocka_unit_test(answers_a_query_during_an_answer),
		cmocka_unit_test(a_flood_of_queries_starves_nobody),
		cmocka_unit_test(answers_of_a_list_that_changes),
		cmocka_unit_test(a_shorter_response_time_counts),
		cmocka_unit_test(the_pace_never_falls),
		cmocka_unit_test(a_group_behind_the_walk_is_answered),
		cmocka_unit_test(the_end_of_the_walk_may_go),
		cmocka_unit_test(the_only_group_may_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
