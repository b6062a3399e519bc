/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/base/bucket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_full_second_passes_at_once(void **state)
{
	struct bucket bucket = {0};

	(void)state;
	assert_int_equal(bucket_take(&bucket, 5000, 100, 60), 60);
	assert_int_equal(bucket_take(&bucket, 5000, 100, 60), 40);
	assert_int_equal(bucket_take(&bucket, 5000, 100, 60), 0);
	assert_int_equal(bucket_take(&bucket, 5000, 100, 0), 0);
}

/* Also where less than one comes in a millisecond. */
static void it_fills_by_the_rate(void **state)
{
	struct bucket bucket = {0};

	(void)state;
	assert_int_equal(bucket_take(&bucket, 0, 100, 1000), 100);
	assert_int_equal(bucket_take(&bucket, 9, 100, 1000), 0);
	assert_int_equal(bucket_take(&bucket, 10, 100, 1000), 1);
	assert_int_equal(bucket_take(&bucket, 510, 100, 1000), 50);
	assert_int_equal(bucket_take(&bucket, 100000, 100, 1000), 100);
}

static void the_average_is_the_rate(void **state)
{
	static const uint32_t rates[] = {1, 7, 999, 1000, 1001, 50000, 4000000000U};

	(void)state;
	for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
		struct bucket bucket = {0};
		uint64_t passed = 0;

		bucket_take(&bucket, 0, rates[i], UINT32_MAX);
		for (mtime now = 1; now <= 10000; now++)
			passed += bucket_take(&bucket, now, rates[i], UINT32_MAX);
		assert_in_range(passed, (uint64_t)rates[i] * 10 - 1, (uint64_t)rates[i] * 10);
	}
}

static void no_rate_is_no_limit(void **state)
{
	struct bucket bucket = {0};

	(void)state;
	assert_int_equal(bucket_take(&bucket, 0, 0, UINT32_MAX), UINT32_MAX);
	assert_int_equal(bucket_take(&bucket, 0, 0, 5), 5);
}

static void a_lower_rate_holds_at_once(void **state)
{
	struct bucket bucket = {0};

	(void)state;
	assert_int_equal(bucket_take(&bucket, 0, 1000, 1), 1);
	assert_int_equal(bucket_take(&bucket, 1, 10, 1000), 10);
	assert_int_equal(bucket_take(&bucket, 1, 1000, 1000), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_second_passes_at_once), cmocka_unit_test(it_fills_by_the_rate),
		cmocka_unit_test(the_average_is_the_rate),      cmocka_unit_test(no_rate_is_no_limit),
		cmocka_unit_test(a_lower_rate_holds_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
