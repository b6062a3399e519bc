/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/reporter_text.h"

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
		bench.role.copies = 1;
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

/* Every source whose state changes is reported in its record, once, and nobody else. */
static void check_difference(const struct bench *bench, uint32_t group, enum filter_mode mode,
                             const uint8_t *before, const uint8_t *after)
{
	static uint8_t reported[LONG_SOURCES];

	memset(reported, 0, sizeof reported);
	for (size_t i = 0; i < bench->said_count; i++) {
		const struct said *said = &bench->said[i];

		if (said->group != group)
			continue;
		assert_true(said->type == ALLOW || said->type == BLOCK);
		for (size_t j = 0; j < said->count; j++) {
			uint32_t number = said->sources[j];
			bool passes = after[number] == (mode == FILTER_INCLUDE);

			assert_int_equal(reported[number]++, 0);
			assert_int_equal(before[number], !after[number]);
			assert_int_equal(said->type, passes ? ALLOW : BLOCK);
		}
	}
	for (size_t i = 0; i < LONG_SOURCES; i++)
		assert_int_equal(reported[i], before[i] != after[i]);
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
		bench.role.copies = 1;
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

/* A difference longer than fits the memory for it is reported as the whole list. */
static void tells_the_whole_list_when_the_difference_is_too_long(void **state)
{
	struct bench bench;

	(void)state;
	bench_open(&bench, FAMILY_IPV4, ROOM);
	bench.role.copies = 1;
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

/* However much changes while nothing can be sent, what is to be reported stays bounded. */
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
	bench.role.copies = 1;
	bench_configure(&bench);
	bench_change_range(&bench, 0, FILTER_INCLUDE, 0, 1000);
	bench_pull(&bench);
	bench_clear(&bench);
	/* A question about sources between the packets of an answer about the whole. */
	bench_query(&bench, VERSION_3, 0, "", 1);
	bench.now += 1;
	assert_true(bench_pull_one(&bench));
	assert_true(reporter_deadline(bench.reporter) <= bench.now);
	bench_query(&bench, VERSION_3, 0, "a", 1);
	bench_run(&bench, bench.now + 10);
	assert_int_equal(bench.said_count, 3);
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

/* A further change between the packets of a report: what the new report says is complete. */
static void a_change_begins_anew_when_the_state_changes(void **state)
{
	struct bench bench;

	(void)state;
	bench_open(&bench, FAMILY_IPV4, ROOM);
	bench.role.copies = 1;
	bench_configure(&bench);
	bench_change_range(&bench, 0, FILTER_INCLUDE, 500, 1000);
	assert_true(bench_pull_one(&bench));
	bench_clear(&bench);
	bench_change_range(&bench, 0, FILTER_INCLUDE, 0, 1500);
	bench_pull(&bench);
	assert_int_equal(said_of(&bench, 0, 0), 1500);
	bench_close(&bench);
}

/* The copy of a change becomes due between the packets of an answer. */
static void a_copy_is_whole_whatever_was_half_out(void **state)
{
	struct bench bench;
	size_t allowed = 0;

	(void)state;
	bench_open(&bench, FAMILY_IPV4, ROOM);
	bench_change_range(&bench, 0, FILTER_INCLUDE, 0, 1000);
	bench_pull(&bench);
	bench_query(&bench, VERSION_3, 0, "", 1);
	bench.now += 1;
	assert_true(reporter_deadline(bench.reporter) <= bench.now);
	bench_clear(&bench);
	assert_true(bench_pull_one(&bench));
	assert_int_equal(bench.said[0].type, IS_IN);
	bench.now += 1000;
	bench_clear(&bench);
	bench_pull(&bench);
	for (size_t i = 0; i < bench.said_count; i++)
		allowed += bench.said[i].type == ALLOW ? bench.said[i].count : 0;
	assert_int_equal(allowed, 1000);
	bench_close(&bench);
}

/* More sources are asked for between the packets of an answer. */
static void an_answer_takes_in_what_is_asked_meanwhile(void **state)
{
	struct bench bench;

	(void)state;
	bench_open(&bench, FAMILY_IPV4, ROOM);
	bench.role.copies = 1;
	bench_configure(&bench);
	bench_change_range(&bench, 0, FILTER_INCLUDE, 0, 1200);
	bench_pull(&bench);
	bench_query_range(&bench, 0, 400, 600, 1);
	bench.now += 1;
	assert_true(bench_pull_one(&bench));
	bench_clear(&bench);
	bench_query_range(&bench, 0, 0, 100, 1);
	bench_run(&bench, bench.now + 10);
	assert_int_equal(said_of(&bench, 0, 0), 700);
	bench_close(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splits_long_lists),
		cmocka_unit_test(keeps_exclude_lists_together),
		cmocka_unit_test(loses_and_doubles_no_source),
		cmocka_unit_test(tells_the_whole_list_when_the_difference_is_too_long),
		cmocka_unit_test(pending_changes_are_bounded),
		cmocka_unit_test(a_round_survives_what_happens_between_its_packets),
		cmocka_unit_test(a_change_begins_anew_when_the_state_changes),
		cmocka_unit_test(a_copy_is_whole_whatever_was_half_out),
		cmocka_unit_test(an_answer_takes_in_what_is_asked_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
