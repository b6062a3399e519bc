/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The reporter: changes of state (RFC 9776 section 5.1).
 */
#include "support/reporter_text.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_the_difference),
		cmocka_unit_test(repeats_within_the_unsolicited_report_interval),
		cmocka_unit_test(packs_the_repetitions_of_a_burst),
		cmocka_unit_test(merges_changes),
		cmocka_unit_test(merges_changes_of_one_moment),
		cmocka_unit_test(an_assumed_state_is_not_told),
		cmocka_unit_test(tells_a_superset_when_memory_is_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
