/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Filters: the merge of RFC 4605 section 4.1 over all pairs of filters on a small universe, checked source by
 * source.
 */
#include "core/base/filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/craft.h"

#define UNIVERSE 4
#define SUBSETS  (1u << UNIVERSE)
#define ROOM     (2 * UNIVERSE)

static struct addr element(unsigned n)
{
	return nth_addr("10.0.0.1", n);
}

static struct filter filter_of(enum filter_mode mode, unsigned mask, struct addr *list, size_t room)
{
	struct filter filter = {.mode = mode, .sources = sources_on(list, room)};

	for (unsigned n = 0; n < UNIVERSE; n++) {
		struct addr addr = element(n);

		if (mask & 1u << n)
			assert_true(sources_insert(&filter.sources, &addr));
	}
	return filter;
}

/* A source passes the merged filter if it passes one of the two; the last element stands for all that nobody
 * names. */
static void check_merge(enum filter_mode a_mode, unsigned a_mask, enum filter_mode b_mode, unsigned b_mask)
{
	struct addr a_list[ROOM], b_list[ROOM], merged_list[ROOM];
	struct filter a = filter_of(a_mode, a_mask, a_list, ROOM),
		      b = filter_of(b_mode, b_mask, b_list, ROOM);
	struct filter merged = filter_of(a_mode, a_mask, merged_list, ROOM);

	assert_true(filter_merge(&merged, &b));
	for (unsigned n = 0; n <= UNIVERSE; n++) {
		struct addr addr = element(n);

		assert_int_equal(filter_passes(&merged, &addr),
		                 filter_passes(&a, &addr) || filter_passes(&b, &addr));
	}
	assert_int_equal(merged.mode, a_mode == FILTER_EXCLUDE || b_mode == FILTER_EXCLUDE);
	for (size_t i = 1; i < merged.sources.count; i++)
		assert_true(addr_compare(&merged.sources.list[i - 1], &merged.sources.list[i]) < 0);
}

static void merge_lets_through_what_either_does(void **state)
{
	(void)state;
	for (unsigned a = 0; a < 2 * SUBSETS; a++)
		for (unsigned b = 0; b < 2 * SUBSETS; b++)
			check_merge(a / SUBSETS, a % SUBSETS, b / SUBSETS, b % SUBSETS);
}

static void merge_by_example(void **state)
{
	static const struct {
		enum filter_mode a_mode;
		unsigned a;
		enum filter_mode b_mode;
		unsigned b;
		enum filter_mode mode;
		unsigned expected;
	} rows[] = {
		{FILTER_INCLUDE, 0x0, FILTER_INCLUDE, 0x0, FILTER_INCLUDE, 0x0},
		{FILTER_INCLUDE, 0x3, FILTER_INCLUDE, 0x6, FILTER_INCLUDE, 0x7},
		{FILTER_INCLUDE, 0x0, FILTER_EXCLUDE, 0x5, FILTER_EXCLUDE, 0x5},
		{FILTER_INCLUDE, 0x1, FILTER_EXCLUDE, 0x5, FILTER_EXCLUDE, 0x4},
		{FILTER_EXCLUDE, 0x5, FILTER_INCLUDE, 0x1, FILTER_EXCLUDE, 0x4},
		{FILTER_EXCLUDE, 0x3, FILTER_EXCLUDE, 0x6, FILTER_EXCLUDE, 0x2},
		{FILTER_EXCLUDE, 0x3, FILTER_EXCLUDE, 0x0, FILTER_EXCLUDE, 0x0},
		{FILTER_EXCLUDE, 0x3, FILTER_INCLUDE, 0x0, FILTER_EXCLUDE, 0x3},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct addr a_list[ROOM], b_list[ROOM], expected_list[ROOM];
		struct filter a = filter_of(rows[i].a_mode, rows[i].a, a_list, ROOM);
		struct filter b = filter_of(rows[i].b_mode, rows[i].b, b_list, ROOM);
		struct filter expected = filter_of(rows[i].mode, rows[i].expected, expected_list, ROOM);

		assert_true(filter_merge(&a, &b));
		assert_true(filter_equal(&a, &expected));
	}
}

static void merge_without_room_is_a_superset(void **state)
{
	static const struct {
		enum filter_mode a_mode;
		unsigned a;
		enum filter_mode b_mode;
		unsigned b;
		size_t room;
		bool fits;
	} rows[] = {
		{FILTER_INCLUDE, 0x3, FILTER_INCLUDE, 0x4, 3, true},
		{FILTER_INCLUDE, 0x3, FILTER_INCLUDE, 0x4, 2, false},
		{FILTER_INCLUDE, 0x3, FILTER_INCLUDE, 0x3, 2, true},
		{FILTER_INCLUDE, 0x0, FILTER_EXCLUDE, 0x7, 2, false},
		{FILTER_INCLUDE, 0x0, FILTER_EXCLUDE, 0x7, 3, true},
		{FILTER_INCLUDE, 0x8, FILTER_EXCLUDE, 0x7, 3, false},
		{FILTER_EXCLUDE, 0x7, FILTER_EXCLUDE, 0xf, 3, true},
		{FILTER_EXCLUDE, 0x7, FILTER_INCLUDE, 0xf, 3, true},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct addr *list =
			(struct addr *)(void *)heap_copy((struct addr[ROOM]){0}, rows[i].room * sizeof *list);
		struct addr b_list[ROOM];
		struct filter into = filter_of(rows[i].a_mode, rows[i].a, list, rows[i].room);
		struct filter b = filter_of(rows[i].b_mode, rows[i].b, b_list, ROOM);

		assert_int_equal(filter_merge(&into, &b), rows[i].fits);
		if (!rows[i].fits) {
			assert_int_equal(into.mode, FILTER_EXCLUDE);
			assert_int_equal(into.sources.count, 0);
		}
		free(list);
	}
}

static void none_and_equal(void **state)
{
	struct addr a_list[ROOM], b_list[ROOM];

	(void)state;
	for (unsigned a = 0; a < 2 * SUBSETS; a++) {
		struct filter left = filter_of(a / SUBSETS, a % SUBSETS, a_list, ROOM);

		assert_int_equal(filter_is_none(&left), a == 0);
		for (unsigned b = 0; b < 2 * SUBSETS; b++) {
			struct filter right = filter_of(b / SUBSETS, b % SUBSETS, b_list, ROOM);

			assert_int_equal(filter_equal(&left, &right), a == b);
		}
	}
	assert_string_equal(filter_mode_name(FILTER_INCLUDE), "INCLUDE");
	assert_string_equal(filter_mode_name(FILTER_EXCLUDE), "EXCLUDE");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(merge_lets_through_what_either_does),
		cmocka_unit_test(merge_by_example),
		cmocka_unit_test(merge_without_room_is_a_superset),
		cmocka_unit_test(none_and_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
