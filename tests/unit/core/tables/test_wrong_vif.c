/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whether a source has moved or the kernel has looped packets back, by what the counters say.
 */
#include "core/tables/wrong_vif.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/craft.h"

static const struct route_key key = {{{0x20, 0x01, [15] = 1}}, {{0xff, 0x1e, [15] = 2}}};

/* Of 100 packets 10 were wrong when the suspicion came up. */
static bool suspect_with(uint64_t packets, uint64_t wrong, bool *undecided)
{
	struct suspects *suspects = suspects_new();
	struct route_key told;
	mtime now = 1000;
	unsigned vif;
	bool moved;

	assert_non_null(suspects);
	suspects_add(suspects, now, &key, 3, 100, 10);
	assert_false(suspects_pull(suspects, now, &told, &vif));
	now = suspects_deadline(suspects);
	assert_true(suspects_pull(suspects, now, &told, &vif));
	assert_memory_equal(&told, &key, sizeof key);
	assert_int_equal(vif, 3);
	moved = suspects_has_moved(suspects, now, &told, packets, wrong);
	assert_false(suspects_pull(suspects, now, &told, &vif));
	*undecided = suspects_deadline(suspects) != MTIME_NEVER;
	suspects_free(suspects);
	return moved;
}

static void moved_or_looped(void **state)
{
	static const struct {
		uint64_t packets, wrong;
		bool moved, undecided;
	} rows[] = {
		{100, 10, false, true},  /* nothing since */
		{105, 10, false, false}, /* all came in rightly */
		{105, 15, true, false},  /* none did */
		{110, 15, false, false}, /* each one came twice: looped */
		{111, 15, false, false}, {109, 15, true, false},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		bool undecided;

		assert_int_equal(suspect_with(rows[i].packets, rows[i].wrong, &undecided), rows[i].moved);
		assert_int_equal(undecided, rows[i].undecided);
	}
}

/* A suspicion that nothing confirms ends, and their number is limited. */
static void suspicions_end(void **state)
{
	struct suspects *suspects = suspects_new();
	struct route_key told;
	unsigned vif, looks = 0, count = 0;
	mtime now = 1000;

	(void)state;
	suspects_add(suspects, now, &key, 3, 100, 10);
	for (; suspects_deadline(suspects) != MTIME_NEVER; looks++) {
		assert_true(looks < 100);
		now = suspects_deadline(suspects);
		assert_true(suspects_pull(suspects, now, &told, &vif));
		assert_false(suspects_has_moved(suspects, now, &key, 100, 10));
	}
	assert_in_range(looks, 2, 20);
	for (uint32_t i = 0; i < 5000; i++)
		suspects_add(suspects, now, &key, 3, 100, 10);
	now += 60000;
	for (; suspects_pull(suspects, now, &told, &vif); count++)
		assert_true(suspects_has_moved(suspects, now, &key, 101, 11));
	assert_in_range(count, 100, 4999);
	suspects_free(suspects);
}

/* What is left at the end is freed. */
static void ends_with_suspicions(void **state)
{
	struct suspects *suspects = suspects_new();

	(void)state;
	for (int i = 0; i < 3; i++)
		suspects_add(suspects, 1000, &key, 3, 100, 10);
	suspects_free(suspects);
	suspects_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moved_or_looped),
		cmocka_unit_test(suspicions_end),
		cmocka_unit_test(ends_with_suspicions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
