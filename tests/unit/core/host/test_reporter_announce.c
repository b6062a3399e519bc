/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The reporter: its whole state, where there is no querier and when a link comes up.
 */
#include "support/reporter_text.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_the_state_again_without_a_querier),
		cmocka_unit_test(waits_as_long_as_the_querier_says),
		cmocka_unit_test(without_repeats_a_missing_querier_is_nothing_to_do),
		cmocka_unit_test(announces_the_whole_state),
		cmocka_unit_test(announcements_in_a_row_are_few),
		cmocka_unit_test(announces_nothing_that_was_not_reported),
		cmocka_unit_test(spreads_a_large_announcement),
		cmocka_unit_test(nothing_to_do_without_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
