/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The reporter: answers to queries (RFC 9776 section 5.2).
 */
#include "support/reporter_text.h"

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

/* A flood of them, in any version: the reporter follows one a second, and the last one nevertheless. */
static void a_flood_of_general_queries_is_followed_once_a_second(void **state)
{
	static const enum version versions[] = {VERSION_2, VERSION_3};

	(void)state;
	for (size_t i = 0; i < FAMILIES * LENGTH(versions); i++) {
		enum version version = versions[i / FAMILIES];
		struct bench bench;
		mtime last = 0;

		bench_open(&bench, i % FAMILIES ? FAMILY_IPV6 : FAMILY_IPV4, ROOM);
		for (uint32_t group = 0; group < 300; group++)
			bench_change(&bench, group, "EX()");
		bench_run(&bench, bench.now + 30000);
		bench_query(&bench, version, GENERAL, "", 1);
		bench_run(&bench, bench.now + 30000);
		bench_clear(&bench);
		for (unsigned query = 0; query < 1000; query++) {
			bench_query(&bench, version, GENERAL, "", 1);
			last = bench.now;
			bench_run(&bench, bench.now + 4);
		}
		assert_in_range(bench.said_count, 4 * 300, 5 * 300);
		bench_run(&bench, last + 1000 + 300);
		assert_int_equal(bench.said_count, 5 * 300);
		assert_true(bench.said[bench.said_count - 300].at > last);
		bench_run(&bench, last + 30000);
		assert_int_equal(bench.said_count, 5 * 300);
		bench_close(&bench);
	}
}

/* In older versions each group has its own packet. However often and fast the querier asks, there is one of
 * them in a millisecond on average. */
static void answers_of_older_versions_are_spread(void **state)
{
	static const uint32_t limits[] = {1, 100, 10000};

	(void)state;
	for (size_t i = 0; i < FAMILIES * LENGTH(limits); i++) {
		uint32_t limit = limits[i / FAMILIES];
		struct bench bench;
		mtime begun;

		bench_open(&bench, i % FAMILIES ? FAMILY_IPV6 : FAMILY_IPV4, ROOM);
		for (uint32_t group = 0; group < 3000; group++)
			bench_change(&bench, group, "EX()");
		bench_run(&bench, bench.now + 30000);
		bench_query(&bench, VERSION_2, GENERAL, "", 1);
		bench_run(&bench, bench.now + 30000);
		begun = bench.now;
		for (unsigned second = 0; second < 9; second++) {
			bench_clear(&bench);
			for (unsigned query = 0; query < 100; query++) {
				bench_query(&bench, VERSION_2, GENERAL, "", limit);
				bench_run(&bench, bench.now + 10);
			}
			assert_in_range(bench.said_count, 0, 1250);
		}
		assert_int_equal(bench.now, begun + 9000);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_queries),
		cmocka_unit_test(answers_after_a_random_delay),
		cmocka_unit_test(the_earliest_promise_stands),
		cmocka_unit_test(a_flood_of_general_queries_is_followed_once_a_second),
		cmocka_unit_test(answers_of_older_versions_are_spread),
		cmocka_unit_test(a_sooner_general_answer_is_enough),
		cmocka_unit_test(answers_and_changes_go_together),
		cmocka_unit_test(without_answers_it_is_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
