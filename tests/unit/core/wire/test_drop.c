/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Names of drop causes and of versions: each has one, and no two the same.
 */
#include "core/contract/settings.h"
#include "core/wire/drop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void every_cause_has_its_own_name(void **state)
{
	(void)state;
	for (int drop = DROP_NONE; drop < DROP_CAUSES; drop++) {
		assert_non_null(drop_name(drop));
		for (int other = DROP_NONE; other < drop; other++)
			assert_string_not_equal(drop_name(drop), drop_name(other));
	}
}

static void names_of_versions(void **state)
{
	(void)state;
	assert_string_equal(version_name(FAMILY_IPV4, VERSION_NONE), "none");
	assert_string_equal(version_name(FAMILY_IPV4, VERSION_1), "IGMPv1");
	assert_string_equal(version_name(FAMILY_IPV4, VERSION_2), "IGMPv2");
	assert_string_equal(version_name(FAMILY_IPV4, VERSION_3), "IGMPv3");
	assert_string_equal(version_name(FAMILY_IPV6, VERSION_NONE), "none");
	assert_string_equal(version_name(FAMILY_IPV6, VERSION_1), "none");
	assert_string_equal(version_name(FAMILY_IPV6, VERSION_2), "MLDv1");
	assert_string_equal(version_name(FAMILY_IPV6, VERSION_3), "MLDv2");
	assert_string_equal(version_name(FAMILY_IPV4, 200), "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cause_has_its_own_name),
		cmocka_unit_test(names_of_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
