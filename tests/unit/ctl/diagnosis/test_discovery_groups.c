/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Groups of discovery are known in every scope, and their neighbours are not taken for them.
 */
#include "ctl/diagnosis/discovery_groups.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void groups_are_known_by_address_and_scope(void **state)
{
	static const struct {
		const char *group, *name;
	} rows[] = {
		{"239.255.255.250", "SSDP (UPnP) and WS-Discovery"},
		{"239.255.255.249", NULL},
		{"239.255.255.251", "mDNS"},
		{"239.255.255.253", "SLP"},
		{"224.0.1.22", "SLP"},
		{"224.0.1.187", "CoAP"},
		{"239.1.2.3", NULL},
		{"232.0.1.22", NULL},
		{"ff02::c", "SSDP (UPnP) and WS-Discovery"},
		{"ff05::c", "SSDP (UPnP) and WS-Discovery"},
		{"ff08::c", "SSDP (UPnP) and WS-Discovery"},
		{"ff0e::fb", "mDNS"},
		{"ff15::c", NULL}, /* a transient group is another one */
		{"ff05::d", NULL},
		{"ff05::1:1000", "SLP"},
		{"ff05::1:13ff", "SLP"},
		{"ff05::1:1400", NULL},
		{"ff3e::c", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct addr group;
		const char *name;

		assert_true(addr_parse(rows[i].group, &group));
		name = discovery_group_name(&group);
		if (rows[i].name == NULL)
			assert_null(name);
		else
			assert_string_equal(name, rows[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(groups_are_known_by_address_and_scope)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
