/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Source sets: the algebra on all subsets of a small universe, against bit masks.
 */
#include "core/base/sources.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/craft.h"

#define UNIVERSE 5
#define SUBSETS  (1u << UNIVERSE)

static struct addr element(unsigned n)
{
	return nth_addr("10.0.0.1", n);
}

static struct sources subset(unsigned mask, struct addr *list, size_t capacity)
{
	struct sources set = sources_on(list, capacity);

	for (unsigned n = 0; n < UNIVERSE; n++) {
		struct addr addr = element(n);

		if (mask & 1u << n)
			assert_true(sources_append(&set, &addr));
	}
	return set;
}

/* Checks the order while it reads. */
static unsigned mask_of(const struct sources *set)
{
	unsigned mask = 0;

	for (size_t i = 0; i < set->count; i++) {
		uint32_t n = ipv4_number(&set->list[i]) - 0x0a000001;

		assert_true(n < UNIVERSE);
		assert_true(i == 0 || addr_compare(&set->list[i - 1], &set->list[i]) < 0);
		mask |= 1u << n;
	}
	return mask;
}

static unsigned bits(unsigned mask)
{
	return (unsigned)__builtin_popcount(mask);
}

typedef bool operation(struct sources *result, const struct sources *a, const struct sources *b);

/* With every room for the result: what fits is right, what does not fit is refused. */
static void check_operation(operation *operate, unsigned a_mask, unsigned b_mask, unsigned expected)
{
	struct addr a_list[UNIVERSE], b_list[UNIVERSE];
	struct sources a = subset(a_mask, a_list, UNIVERSE), b = subset(b_mask, b_list, UNIVERSE);

	for (size_t room = 0; room <= UNIVERSE; room++) {
		struct addr *list = (struct addr *)(void *)heap_copy(a_list, room * sizeof *list);
		struct sources result = sources_on(list, room);
		bool fits = operate(&result, &a, &b);

		assert_int_equal(fits, bits(expected) <= room);
		if (fits)
			assert_int_equal(mask_of(&result), expected);
		free(list);
	}
}

static void algebra(void **state)
{
	(void)state;
	for (unsigned a = 0; a < SUBSETS; a++) {
		for (unsigned b = 0; b < SUBSETS; b++) {
			check_operation(sources_union, a, b, a | b);
			check_operation(sources_intersection, a, b, a & b);
			check_operation(sources_difference, a, b, a & ~b);
		}
	}
}

static void algebra_in_place(void **state)
{
	struct addr a_list[UNIVERSE], b_list[UNIVERSE];

	(void)state;
	for (unsigned a_mask = 0; a_mask < SUBSETS; a_mask++) {
		for (unsigned b_mask = 0; b_mask < SUBSETS; b_mask++) {
			struct sources b = subset(b_mask, b_list, UNIVERSE);
			struct sources a = subset(a_mask, a_list, UNIVERSE);

			assert_int_equal(sources_equal(&a, &b), a_mask == b_mask);
			sources_subtract(&a, &b);
			assert_int_equal(mask_of(&a), a_mask & ~b_mask);
			a = subset(a_mask, a_list, UNIVERSE);
			sources_intersect(&a, &b);
			assert_int_equal(mask_of(&a), a_mask & b_mask);
		}
	}
}

static void membership(void **state)
{
	struct addr list[UNIVERSE];

	(void)state;
	for (unsigned mask = 0; mask < SUBSETS; mask++) {
		struct sources set = subset(mask, list, UNIVERSE);

		for (unsigned n = 0; n < UNIVERSE; n++) {
			struct addr addr = element(n);

			assert_int_equal(sources_has(&set, &addr), mask >> n & 1);
		}
	}
}

static void insert_keeps_order_and_knows_its_room(void **state)
{
	(void)state;
	for (unsigned mask = 0; mask < SUBSETS; mask++) {
		for (unsigned n = 0; n < UNIVERSE; n++) {
			struct addr *list =
				(struct addr *)(void *)heap_copy((uint8_t[80]){0}, 3 * sizeof *list);
			struct addr addr = element(n);
			bool known = mask >> n & 1;
			struct sources set;

			if (bits(mask) <= 3) {
				set = subset(mask, list, 3);
				assert_int_equal(sources_insert(&set, &addr), known || bits(mask) < 3);
				assert_int_equal(mask_of(&set), bits(mask) < 3 ? mask | 1u << n : mask);
			}
			free(list);
		}
	}
}

static void append_knows_its_room(void **state)
{
	struct addr list[1], first = element(0), second = element(1);
	struct sources set = sources_on(list, 1);

	(void)state;
	assert_true(sources_append(&set, &first));
	assert_false(sources_append(&set, &second));
	assert_int_equal(set.count, 1);
}

static void normalize_sorts_and_drops_duplicates(void **state)
{
	static const struct {
		const char *list, *expected;
	} rows[] = {
		{"", ""},
		{"10.0.0.1", "10.0.0.1"},
		{"10.0.0.1 10.0.0.1", "10.0.0.1"},
		{"10.0.0.3 10.0.0.1 10.0.0.2", "10.0.0.1 10.0.0.2 10.0.0.3"},
		{"10.0.0.2 10.0.0.1 10.0.0.2 10.0.0.1 10.0.0.2", "10.0.0.1 10.0.0.2"},
		{"ff02::1 2001:db8::1 10.0.0.1", "10.0.0.1 2001:db8::1 ff02::1"},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct addr list[8], expected[8];
		size_t count = sources_normalize(list, addrs_of(rows[i].list, list, 8));

		assert_int_equal(count, addrs_of(rows[i].expected, expected, 8));
		assert_memory_equal(list, expected, count * sizeof *list);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(algebra),
		cmocka_unit_test(algebra_in_place),
		cmocka_unit_test(membership),
		cmocka_unit_test(insert_keeps_order_and_knows_its_room),
		cmocka_unit_test(append_knows_its_room),
		cmocka_unit_test(normalize_sorts_and_drops_duplicates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
