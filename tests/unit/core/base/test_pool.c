/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The pool: alignment, zeroed memory, reuse, the limit, the shares of parts.
 */
#include "core/base/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/craft.h"

#define PLENTY ((size_t)64 << 20)

static const size_t sizes[] = {1, 15, 16, 17, 100, 1008, 1023, 1024, 1025, 4096, 16384, 100000};

static void assert_zero(const unsigned char *block, size_t size)
{
	for (size_t i = 0; i < size; i++)
		assert_int_equal(block[i], 0);
}

static void blocks_are_aligned_zeroed_and_apart(void **state)
{
	struct pool *pool = pool_new(PLENTY);
	unsigned char *blocks[LENGTH(sizes)][8];

	(void)state;
	for (size_t i = 0; i < LENGTH(sizes); i++) {
		for (size_t n = 0; n < 8; n++) {
			blocks[i][n] = pool_take(pool, sizes[i]);
			assert_non_null(blocks[i][n]);
			assert_int_equal((uintptr_t)blocks[i][n] % 8, 0);
			assert_zero(blocks[i][n], sizes[i]);
			memset(blocks[i][n], (int)(i * 8 + n + 1), sizes[i]);
		}
	}
	for (size_t i = 0; i < LENGTH(sizes); i++)
		for (size_t n = 0; n < 8; n++)
			for (size_t at = 0; at < sizes[i]; at++)
				assert_int_equal(blocks[i][n][at], i * 8 + n + 1);
	pool_free(pool);
}

static void block_comes_again_and_is_zeroed_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < LENGTH(sizes); i++) {
		struct pool *pool = pool_new(PLENTY);
		void *block = pool_take(pool, sizes[i]);
		size_t held = pool_bytes(pool);

		for (int round = 0; round < 1000; round++) {
			memset(block, 0xff, sizes[i]);
			pool_give(pool, block, sizes[i]);
			block = pool_take(pool, sizes[i]);
			assert_non_null(block);
			assert_zero(block, sizes[i]);
		}
		assert_int_equal(pool_bytes(pool), held);
		pool_free(pool);
	}
}

static void limit_holds_and_what_is_given_back_counts(void **state)
{
	static const size_t limits[] = {0, 1, 1000, 16384, 20000, 100000, 1000000};

	(void)state;
	for (size_t i = 0; i < LENGTH(limits); i++) {
		for (size_t s = 0; s < LENGTH(sizes); s++) {
			struct pool *pool = pool_new(limits[i]);
			void *last = NULL, *block;
			size_t taken = 0;

			while ((block = pool_take(pool, sizes[s])) != NULL) {
				last = block;
				taken++;
				assert_in_range(pool_bytes(pool), 1, limits[i]);
			}
			assert_true(taken * sizes[s] <= limits[i]);
			pool_give(pool, last, sizes[s]);
			assert_int_equal(pool_take(pool, sizes[s]) != NULL, taken > 0);
			assert_null(pool_take(pool, sizes[s]));
			pool_free(pool);
		}
	}
}

static void large_blocks_go_back_to_the_system(void **state)
{
	struct pool *pool = pool_new(PLENTY);
	void *first = pool_take(pool, 5000), *second = pool_take(pool, 50000), *third = pool_take(pool, 7000);

	(void)state;
	assert_in_range(pool_bytes(pool), 62000, 63000);
	pool_give(pool, second, 50000);
	assert_in_range(pool_bytes(pool), 12000, 13000);
	pool_give(pool, first, 5000);
	pool_give(pool, third, 7000);
	assert_int_equal(pool_bytes(pool), 0);
	pool_free(pool);
}

static void absurd_sizes_are_refused(void **state)
{
	static const size_t absurd[] = {SIZE_MAX,      SIZE_MAX - 1,  SIZE_MAX - 16,
	                                SIZE_MAX - 32, SIZE_MAX - 33, SIZE_MAX / 2};
	struct pool *pool = pool_new(PLENTY);

	(void)state;
	for (size_t i = 0; i < LENGTH(absurd); i++)
		assert_null(pool_take(pool, absurd[i]));
	assert_int_equal(pool_bytes(pool), 0);
	pool_free(pool);
}

static void nothing_is_given_or_freed_without_harm(void **state)
{
	struct pool *pool = pool_new(PLENTY);

	(void)state;
	pool_give(pool, NULL, 0);
	pool_give(pool, NULL, 5000);
	pool_free(pool);
	pool_free(NULL);
}

/* A flood of blocks of one size leaves room for blocks of every other size, once it is over. */
static void memory_of_a_flood_comes_back(void **state)
{
	enum { BLOCKS = 4000, LIMIT = 256 * 1024 };
	static void *blocks[BLOCKS];
	struct pool *pool = pool_new(LIMIT);

	(void)state;
	for (size_t size = 64; size <= 1024; size += 96) {
		size_t count = 0;

		while (count < BLOCKS && (blocks[count] = pool_take(pool, size)) != NULL)
			count++;
		assert_true(count * size > LIMIT / 2);
		while (count > 0)
			pool_give(pool, blocks[--count], size);
	}
	assert_non_null(pool_take(pool, LIMIT - 64));
	pool_free(pool);
}

/* A part that takes all it can: how much. */
static size_t fill(struct pool *part, size_t size, bool reserved)
{
	size_t before = pool_used(part);

	while ((reserved ? pool_take_reserved(part, size) : pool_take(part, size)) != NULL)
		continue;
	return pool_used(part) - before;
}

/* What a part gets after another one has taken all it can, in percent of the limit. */
static void each_part_has_its_share(void **state)
{
	enum { LIMIT = 4 << 20, SLACK = 3 };
	static const struct {
		size_t parts;
		size_t size;
		size_t greedy, next, reserved;
	} rows[] = {
		{1, 64, 75, 0, 25},  {2, 64, 50, 25, 25},   {2, 5000, 50, 25, 25},
		{4, 64, 37, 13, 25}, {4, 1024, 37, 13, 25}, {5, 20000, 35, 10, 25},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct pool *pool = pool_new(LIMIT), *parts[5] = {NULL};
		size_t last = 0;

		for (size_t n = 0; n < rows[i].parts; n++) {
			parts[n] = pool_part_new(pool);
			pool_part_set_sharing(parts[n], true);
		}
		assert_int_equal(pool_share(parts[0]), LIMIT / 2 / rows[i].parts);
		assert_in_range(fill(parts[0], rows[i].size, false) * 100 / LIMIT, rows[i].greedy - SLACK,
		                rows[i].greedy);
		for (size_t n = 1; n < rows[i].parts; n++, last = n - 1)
			assert_in_range(fill(parts[n], rows[i].size, false) * 100 / LIMIT + SLACK,
			                rows[i].next, rows[i].next + SLACK);
		assert_in_range(fill(parts[last], rows[i].size, true) * 100 / LIMIT + SLACK, rows[i].reserved,
		                rows[i].reserved + 2 * SLACK);
		pool_free(pool);
	}
}

/* One part breaks up the memory: it fills slabs and leaves one block in each. */
static void broken_up_slabs_leave_the_share_of_others(void **state)
{
	enum { LIMIT = 4 << 20, BLOCKS = 40000 };
	static void *blocks[BLOCKS];
	struct pool *pool = pool_new(LIMIT), *bad = pool_part_new(pool), *good = pool_part_new(pool);
	size_t count = 0;

	(void)state;
	pool_part_set_sharing(bad, true);
	pool_part_set_sharing(good, true);
	while (count < BLOCKS && (blocks[count] = pool_take(bad, 64)) != NULL)
		count++;
	while (count-- > 0)
		if (count % 256 != 0)
			pool_give(bad, blocks[count], 64);
	assert_true(pool_used(bad) < LIMIT / 16);
	assert_true(fill(good, 1000, false) >= LIMIT / 4 - 20000);
	pool_free(pool);
}

static void shares_follow_the_limit_and_the_parts(void **state)
{
	enum { LIMIT = 1 << 20 };
	struct pool *pool = pool_new(LIMIT), *one = pool_part_new(pool), *two = pool_part_new(pool);
	void *block;

	(void)state;
	assert_int_equal(pool_share(one), 0);
	pool_part_set_sharing(one, true);
	assert_int_equal(pool_share(one), LIMIT / 2);
	block = pool_take(one, 300000);
	assert_non_null(block);
	pool_part_set_sharing(two, true);
	assert_int_equal(pool_share(one), LIMIT / 4);
	assert_non_null(pool_take(two, 250000));
	/* The block counts for the other part, which is then beyond its share. */
	pool_move(one, two, 300000);
	assert_int_equal(pool_used(one), 0);
	assert_null(pool_take(two, 100000));
	assert_non_null(pool_take(one, 200000));
	pool_give(two, block, 300000);
	assert_non_null(pool_take(two, 100000));
	pool_limit(pool, LIMIT / 4);
	assert_int_equal(pool_share(one), LIMIT / 16);
	assert_null(pool_take(one, 64));
	assert_null(pool_take_reserved(one, 64));
	pool_limit(pool, 2 * LIMIT);
	assert_non_null(pool_take(one, 64));
	pool_part_set_sharing(one, false);
	assert_int_equal(pool_share(two), LIMIT);
	pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_are_aligned_zeroed_and_apart),
		cmocka_unit_test(block_comes_again_and_is_zeroed_again),
		cmocka_unit_test(limit_holds_and_what_is_given_back_counts),
		cmocka_unit_test(large_blocks_go_back_to_the_system),
		cmocka_unit_test(absurd_sizes_are_refused),
		cmocka_unit_test(nothing_is_given_or_freed_without_harm),
		cmocka_unit_test(memory_of_a_flood_comes_back),
		cmocka_unit_test(each_part_has_its_share),
		cmocka_unit_test(broken_up_slabs_leave_the_share_of_others),
		cmocka_unit_test(shares_follow_the_limit_and_the_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
