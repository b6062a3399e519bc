/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Look-ahead: which group a packet is about.
 */
#include "core/router/prefetch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/craft.h"

/* The group is right for every valid packet; the guess reads nothing behind the end of a truncated one. */
static void groups_are_guessed(void **state)
{
	static const char *const groups[FAMILIES] = {"239.1.2.3", "ff1e::1:3"};
	static const char *const hosts[FAMILIES] = {"10.0.1.5", "fe80::5"};

	(void)state;
	for (int family = 0; family < FAMILIES; family++) {
		const struct craft crafts[] = {
			craft_record(hosts[family], TO_EX, groups[family], ""),
			craft_old(hosts[family], VERSION_2, groups[family], false),
			craft_old(hosts[family], VERSION_2, groups[family], true),
		};
		struct addr expected = addr_of(groups[family]), group;

		for (size_t i = 0; i < sizeof crafts / sizeof *crafts; i++) {
			assert_true(prefetch_guess_group(family, crafts[i].bytes, crafts[i].size, &group));
			assert_true(addr_equal(&group, &expected));
			for (size_t size = 0; size < crafts[i].size; size++) {
				uint8_t *copy = heap_copy(crafts[i].bytes, size);

				if (prefetch_guess_group(family, copy, size, &group))
					assert_true(addr_equal(&group, &expected));
				free(copy);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_are_guessed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
