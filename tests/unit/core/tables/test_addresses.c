/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Of the addresses of an interface the best one, as they come and go.
 */
#include "core/tables/addresses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/craft.h"

/* What happens, one after the other, and the best address then ("": none). */
static const struct {
	enum family family;
	const char *add, *remove, *best;
} steps[] = {
	{FAMILY_IPV4, NULL, NULL, ""},
	{FAMILY_IPV4, "10.0.0.5", NULL, "10.0.0.5"},
	{FAMILY_IPV4, "10.0.0.1", NULL, "10.0.0.5"},
	{FAMILY_IPV4, "10.0.0.5", NULL, "10.0.0.5"},
	{FAMILY_IPV4, "10.0.0.9", NULL, "10.0.0.5"},
	{FAMILY_IPV4, NULL, "10.0.0.7", "10.0.0.5"},
	{FAMILY_IPV4, NULL, "10.0.0.5", "10.0.0.1"},
	{FAMILY_IPV4, NULL, "10.0.0.1", "10.0.0.9"},
	{FAMILY_IPV4, NULL, "10.0.0.9", ""},
	{FAMILY_IPV4, "10.0.0.2", NULL, "10.0.0.2"},
	{FAMILY_IPV6, NULL, NULL, ""},
	{FAMILY_IPV6, "fe80::5", NULL, "fe80::5"},
	{FAMILY_IPV6, "fe80::9", NULL, "fe80::5"},
	{FAMILY_IPV6, "fe80::1", NULL, "fe80::1"},
	{FAMILY_IPV6, NULL, "fe80::9", "fe80::1"},
	{FAMILY_IPV6, NULL, "fe80::1", "fe80::5"},
	{FAMILY_IPV6, NULL, "fe80::5", ""},
};

static struct addr best_of(size_t step)
{
	return steps[step].best[0] != '\0' ? addr_of(steps[step].best) : addr_unspecified(steps[step].family);
}

static void the_best_address_is_known(void **state)
{
	struct addresses addresses[FAMILIES];

	(void)state;
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++)
		addresses_init(&addresses[family], family);
	for (size_t i = 0; i < LENGTH(steps); i++) {
		struct addresses *one = &addresses[steps[i].family];
		struct addr addr = addr_of(steps[i].add != NULL      ? steps[i].add
		                           : steps[i].remove != NULL ? steps[i].remove
		                                                     : "10.0.0.1"),
			    best = best_of(i);

		if (steps[i].add != NULL)
			assert_true(addresses_add(one, &addr));
		else if (steps[i].remove != NULL)
			addresses_remove(one, &addr);
		assert_true(addr_equal(&one->best, &best));
	}
	for (int family = 0; family < FAMILIES; family++)
		addresses_fini(&addresses[family]);
}

static void a_dump_leaves_what_it_has(void **state)
{
	struct addresses addresses, moved;
	struct addr first = addr_of("fe80::1"), second = addr_of("fe80::2"), third = addr_of("fe80::3");

	(void)state;
	addresses_init(&addresses, FAMILY_IPV6);
	assert_true(addresses_add(&addresses, &first) && addresses_add(&addresses, &second));
	addresses_dump_begin(&addresses);
	assert_true(addresses_add(&addresses, &second) && addresses_add(&addresses, &third));
	addresses_dump_end(&addresses);
	assert_true(addr_equal(&addresses.best, &second));
	addresses_init(&moved, FAMILY_IPV6);
	addresses_move(&moved, &addresses);
	assert_true(addr_is_unspecified(&addresses.best));
	assert_true(addr_equal(&moved.best, &second));
	addresses_remove(&moved, &second);
	assert_true(addr_equal(&moved.best, &third));
	addresses_fini(&addresses);
	addresses_fini(&moved);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_best_address_is_known),
		cmocka_unit_test(a_dump_leaves_what_it_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
