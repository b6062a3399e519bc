/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The heap of deadlines: against a scan over all entries.
 */
#include "core/base/deadlines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/craft.h"

#define OBJECTS 200

static struct deadline objects[OBJECTS];

/* A small generator of its own, so that every platform sees the same steps. */
static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static mtime earliest(const mtime *expected)
{
	mtime at = MTIME_NEVER;

	for (size_t i = 0; i < OBJECTS; i++)
		at = mtime_min(at, expected[i]);
	return at;
}

static void assert_heap(const struct deadlines *deadlines, const mtime *expected)
{
	size_t count = 0;

	for (size_t i = 0; i < OBJECTS; i++) {
		assert_int_equal(objects[i].place != 0, expected[i] != MTIME_NEVER);
		if (expected[i] == MTIME_NEVER)
			continue;
		count++;
		assert_int_equal(deadlines->heap[objects[i].place - 1].at, expected[i]);
		assert_ptr_equal(deadlines->heap[objects[i].place - 1].deadline, &objects[i]);
	}
	assert_int_equal(deadlines->count, count);
	assert_int_equal(deadlines_first_at(deadlines), earliest(expected));
}

static void heap_agrees_with_a_scan(void **state)
{
	struct deadlines deadlines = {0};
	mtime expected[OBJECTS];
	uint32_t random = 1;

	(void)state;
	memset(objects, 0, sizeof objects);
	for (size_t i = 0; i < OBJECTS; i++)
		expected[i] = MTIME_NEVER;
	assert_true(deadlines_reserve(&deadlines, OBJECTS));
	for (int step = 0; step < 20000; step++) {
		size_t i = next_random(&random) % OBJECTS;
		mtime at = next_random(&random) % 1000;

		switch (next_random(&random) % 4) {
		case 0:
			deadlines_set(&deadlines, &objects[i], at);
			expected[i] = at;
			break;
		case 1:
			deadlines_no_later_than(&deadlines, &objects[i], at);
			expected[i] = mtime_min(expected[i], at);
			break;
		case 2:
			deadlines_remove(&deadlines, &objects[i]);
			expected[i] = MTIME_NEVER;
			break;
		default:
			deadlines_set(&deadlines, &objects[i], MTIME_NEVER);
			expected[i] = MTIME_NEVER;
		}
		assert_heap(&deadlines, expected);
	}
	deadlines_fini(&deadlines);
}

static void comes_out_in_order(void **state)
{
	struct deadlines deadlines = {0};
	struct deadline *first;
	uint32_t random = 7;
	mtime last = 0;
	size_t count = 0;

	(void)state;
	memset(objects, 0, sizeof objects);
	assert_true(deadlines_reserve(&deadlines, OBJECTS));
	for (size_t i = 0; i < OBJECTS; i++)
		deadlines_set(&deadlines, &objects[i], next_random(&random) % 50);
	for (; (first = deadlines_first(&deadlines)) != NULL; count++) {
		assert_true(deadlines_first_at(&deadlines) >= last);
		last = deadlines_first_at(&deadlines);
		deadlines_remove(&deadlines, first);
		assert_int_equal(first->place, 0);
	}
	assert_int_equal(count, OBJECTS);
	deadlines_fini(&deadlines);
}

static void later_times_wait_for_the_top(void **state)
{
	struct deadlines deadlines = {0};
	struct deadline deadline = {0};

	(void)state;
	assert_null(deadlines_first(&deadlines));
	assert_true(deadlines_reserve(&deadlines, 1));
	deadlines_no_later_than(&deadlines, &deadline, 100);
	deadlines_no_later_than(&deadlines, &deadline, 200);
	assert_int_equal(deadlines_first_at(&deadlines), 100);
	deadlines_no_later_than(&deadlines, &deadline, MTIME_NEVER);
	assert_ptr_equal(deadlines_first(&deadlines), &deadline);
	deadlines_no_later_than(&deadlines, &deadline, 50);
	assert_int_equal(deadlines_first_at(&deadlines), 50);
	deadlines_set(&deadlines, &deadline, 300);
	assert_int_equal(deadlines_first_at(&deadlines), 300);
	deadlines_remove(&deadlines, &deadline);
	deadlines_remove(&deadlines, &deadline);
	assert_null(deadlines_first(&deadlines));
	deadlines_no_later_than(&deadlines, &deadline, MTIME_NEVER);
	assert_null(deadlines_first(&deadlines));
	deadlines_fini(&deadlines);
}

static void reserve_keeps_what_is_there(void **state)
{
	struct deadlines deadlines = {0};

	(void)state;
	memset(objects, 0, sizeof objects);
	for (size_t i = 0; i < OBJECTS; i++) {
		assert_true(deadlines_reserve(&deadlines, i + 1));
		assert_true(deadlines.capacity > i);
		deadlines_set(&deadlines, &objects[i], (mtime)(OBJECTS - i));
		assert_ptr_equal(deadlines_first(&deadlines), &objects[i]);
	}
	assert_true(deadlines_reserve(&deadlines, 1));
	assert_int_equal(deadlines.count, OBJECTS);
	deadlines_fini(&deadlines);
	assert_null(deadlines_first(&deadlines));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heap_agrees_with_a_scan),
		cmocka_unit_test(comes_out_in_order),
		cmocka_unit_test(later_times_wait_for_the_top),
		cmocka_unit_test(reserve_keeps_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
