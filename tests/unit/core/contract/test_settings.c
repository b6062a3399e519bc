/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Settings compared field by field, and names of versions.
 */
#include "core/contract/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

/* Every byte that belongs to a field counts, whatever stands in the padding. */
static void link_settings_are_compared_by_field(void **state)
{
#define FIELD(name)                                                                                          \
	{                                                                                                    \
		offsetof(struct link_settings, name), sizeof(((struct link_settings *)0)->name)              \
	}
	static const struct {
		size_t offset, size;
	} fields[] = {
		FIELD(version),
		FIELD(fast_leave),
		FIELD(track_hosts),
		FIELD(forward_without_querier),
		FIELD(querier_election),
		FIELD(oldest_version),
		FIELD(router_discovery),
		FIELD(robustness),
		FIELD(startup_query_count),
		FIELD(last_member_query_count),
		FIELD(query_interval),
		FIELD(query_response_interval),
		FIELD(startup_query_interval),
		FIELD(last_member_query_interval),
		FIELD(older_host_present_interval),
		FIELD(groups_max),
		FIELD(sources_max),
		FIELD(report_rate_max),
		FIELD(host_report_rate_max),
		FIELD(query_rate_max),
		FIELD(hosts_max),
		FIELD(host_groups_max),
		FIELD(source_address),
		FIELD(require_router_alert),
		FIELD(verify_source_subnet),
		FIELD(ttl_threshold),
		FIELD(ssm_prefix),
		FIELD(ssm_length),
		FIELD(reset_rp_filter),
		FIELD(upstream_membership),
		FIELD(kernel_groups_max),
		FIELD(upstream_version),
		FIELD(repeat_without_querier),
		FIELD(unsolicited_report_interval),
		FIELD(leave_hold),
		FIELD(order),
		FIELD(filter_in),
		FIELD(filter_out),
		FIELD(static_groups),
		FIELD(ssm_map),
	};
	struct link_settings a, b;
	unsigned char is_field[sizeof a] = {0};

	(void)state;
	memset(&a, 0, sizeof a);
	for (size_t i = 0; i < LENGTH(fields); i++)
		memset(is_field + fields[i].offset, 1, fields[i].size);
	for (size_t byte = 0; byte < sizeof a; byte++) {
		memset(&b, 0, sizeof b);
		((unsigned char *)&b)[byte] = 1;
		assert_int_equal(link_settings_equal(&a, &b), !is_field[byte]);
	}
}

static void instance_settings_are_compared_by_field(void **state)
{
	struct instance_settings a, b;

	(void)state;
	memset(&a, 0, sizeof a);
	assert_true(instance_settings_equal(&a, &a));
	for (size_t byte = 0; byte < sizeof a; byte++) {
		memset(&b, 0, sizeof b);
		((unsigned char *)&b)[byte] = 1;
		assert_false(instance_settings_equal(&a, &b));
	}
}

static void versions_have_names(void **state)
{
	(void)state;
	assert_string_equal(version_name(FAMILY_IPV4, VERSION_1), "IGMPv1");
	assert_string_equal(version_name(FAMILY_IPV4, VERSION_3), "IGMPv3");
	assert_string_equal(version_name(FAMILY_IPV6, VERSION_2), "MLDv1");
	assert_string_equal(version_name(FAMILY_IPV6, VERSION_1), "none");
	assert_string_equal(version_name(FAMILY_IPV4, VERSION_NONE), "none");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(link_settings_are_compared_by_field),
		cmocka_unit_test(instance_settings_are_compared_by_field),
		cmocka_unit_test(versions_have_names),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
