/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The reporter: older versions (RFC 9776 section 7.2).
 */
#include "support/reporter_text.h"

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
	assert_string_equal(bench_next(&bench), "v1 report");
	assert_string_equal(bench_next(&bench), ""); /* the second query is followed a second later */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(speaks_older_versions),
		cmocka_unit_test(older_answers_are_spread),
		cmocka_unit_test(an_answer_due_behind_a_change),
		cmocka_unit_test(follows_the_version_of_the_querier),
		cmocka_unit_test(older_querier_timeout_of_mld_and_of_the_kernel),
		cmocka_unit_test(a_group_specific_query_tells_no_version),
		cmocka_unit_test(a_fixed_version_stays),
		cmocka_unit_test(a_change_of_version_lets_go_of_left_groups),
		cmocka_unit_test(the_kernel_knows_of_an_older_querier),
		cmocka_unit_test(repeats_in_older_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
