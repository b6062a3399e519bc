/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The limit of packets for each source address.
 */
#include "core/router/host_rates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "support/craft.h"

#define RATE 100
#define SEED 12345

static struct host_rates rates;

static unsigned passed(const char *first, uint32_t number, unsigned packets, mtime now)
{
	struct addr source = nth_addr(first, number);
	unsigned count = 0;

	while (packets-- > 0)
		count += host_rates_pass(&rates, SEED, &source, now, RATE);
	return count;
}

static int clear(void **state)
{
	(void)state;
	memset(&rates, 0, sizeof rates);
	return 0;
}

static void each_source_has_its_own_rate(void **state)
{
	static const char *const sources[] = {"10.0.1.1", "10.0.1.2", "fe80::1", "fe80::2", "0.0.0.0", "::"};

	(void)state;
	for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++)
		assert_int_equal(passed(sources[i], 0, 1000, 5000), RATE);
	for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++)
		assert_int_equal(passed(sources[i], 0, 1000, 5100), RATE / 10);
}

static void the_smallest_rates(void **state)
{
	struct addr source = nth_addr("10.0.1.1", 0);

	for (uint32_t rate = 1; rate <= 3; rate++) {
		unsigned count = 0;

		clear(state);
		for (unsigned i = 0; i < 10; i++)
			count += host_rates_pass(&rates, SEED, &source, 5000, rate);
		assert_int_equal(count, rate);
	}
}

static void zero_is_no_limit(void **state)
{
	struct addr source = nth_addr("10.0.1.1", 0);

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		assert_true(host_rates_pass(&rates, SEED, &source, 0, 0));
}

/* Spoofed addresses fill the table many times: a quiet host still gets each of its packets through, and a
 * host that floods gets no more than its rate and one burst in the long run. */
static void spoofed_sources_starve_no_host(void **state)
{
	static const char *const spoofed[] = {"172.16.0.0", "fe80:1::"};

	(void)state;
	for (size_t family = 0; family < 2; family++) {
		unsigned flood = 0;
		uint32_t number = 0;

		clear(state);
		for (mtime now = 0; now < 2000; now++) {
			for (unsigned i = 0; i < 100; i++)
				assert_int_equal(passed(spoofed[family], number++, 1, now), 1);
			flood += passed("10.0.1.66", 0, 100, now);
			if (now % 50 == 0)
				assert_int_equal(passed("10.0.1.1", 0, 1, now), 1);
		}
		assert_in_range(flood, 2 * RATE, 4 * RATE);
	}
}

/* As many as share a set; in turns, so that each is looked up again. */
static void sources_of_one_set_keep_their_rates(void **state)
{
	unsigned found = 0, counts[HOST_RATES_WAYS] = {0};
	uint32_t numbers[HOST_RATES_WAYS], set = 0;

	(void)state;
	for (uint32_t number = 0; found < HOST_RATES_WAYS; number++) {
		struct addr source = nth_addr("10.0.0.0", number);
		uint32_t place = addr_hash(&source, SEED) % HOST_RATES_SETS;

		if (found == 0)
			set = place;
		if (place == set)
			numbers[found++] = number;
	}
	for (unsigned i = 0; i < 10 * RATE; i++)
		for (unsigned way = 0; way < HOST_RATES_WAYS; way++)
			counts[way] += passed("10.0.0.0", numbers[way], 1, 5000);
	for (unsigned way = 0; way < HOST_RATES_WAYS; way++)
		assert_int_equal(counts[way], RATE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_source_has_its_own_rate, clear),
		cmocka_unit_test(the_smallest_rates),
		cmocka_unit_test_setup(zero_is_no_limit, clear),
		cmocka_unit_test_setup(spoofed_sources_starve_no_host, clear),
		cmocka_unit_test_setup(sources_of_one_set_keep_their_rates, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
