/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/contract/settings.h"

#include <string.h>

/* A new field must be compared below. */
_Static_assert(sizeof(struct link_settings) == 108, "link_settings_equal compares every field");
_Static_assert(sizeof(struct instance_settings) == 16, "instance_settings_equal compares every field");

#define SAME(field) (memcmp(&a->field, &b->field, sizeof a->field) == 0)

bool link_settings_equal(const struct link_settings *a, const struct link_settings *b)
{
	return SAME(version) && SAME(fast_leave) && SAME(track_hosts) && SAME(forward_without_querier) &&
	       SAME(router_discovery) && SAME(querier_election) && SAME(oldest_version) && SAME(robustness) &&
	       SAME(startup_query_count) && SAME(last_member_query_count) && SAME(query_interval) &&
	       SAME(query_response_interval) && SAME(startup_query_interval) &&
	       SAME(last_member_query_interval) && SAME(older_host_present_interval) && SAME(groups_max) &&
	       SAME(sources_max) && SAME(hosts_max) && SAME(report_rate_max) && SAME(host_report_rate_max) &&
	       SAME(query_rate_max) && SAME(ssm_prefix) && SAME(ssm_length) && SAME(reset_rp_filter) &&
	       SAME(upstream_membership) && SAME(kernel_groups_max) && SAME(upstream_version) &&
	       SAME(repeat_without_querier) && SAME(unsolicited_report_interval) && SAME(leave_hold);
}

bool instance_settings_equal(const struct instance_settings *a, const struct instance_settings *b)
{
	return SAME(routes_max) && SAME(route_timeout) && SAME(memory_max);
}

const char *membership_name(enum membership_provider membership)
{
	static const char *const names[] = {
		[MEMBERSHIP_AUTO] = "auto", [MEMBERSHIP_KERNEL] = "kernel", [MEMBERSHIP_USER] = "user"};

	return names[membership];
}
