/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/link.h"

void link_refresh_timers(struct link *link, enum family family, mtime now)
{
	const struct link_settings *settings = &link->settings;
	const struct querier *querier = &link->family[family].querier;

	link->family[family].timers = (struct group_timers){
		.version = settings->version[family],
		.last_member_query_count = querier_last_member_query_count(querier, settings),
		.fast_leave = settings->fast_leave,
		.track_hosts = settings->track_hosts || settings->fast_leave,
		.querier = querier_is_elected(querier, now),
		.sources_max =
			settings->sources_max < UINT16_MAX ? (uint16_t)settings->sources_max : UINT16_MAX,
		.hosts_max = settings->hosts_max < UINT16_MAX ? (uint16_t)settings->hosts_max : UINT16_MAX,
		.query_response_interval = settings->query_response_interval,
		.membership_interval =
			querier_membership_interval(querier, settings, settings->version[family]),
		.last_member_query_interval = querier_last_member_query_interval(querier, settings),
		.older_host_present_interval = querier_older_host_present_interval(querier, settings),
	};
}

bool link_forwards(const struct link *link, enum family family, mtime now)
{
	const struct link_family *state = &link->family[family];

	if (!state->usable)
		return false;
	return link->role == ROLE_UPSTREAM || link->settings.forward_without_querier ||
	       querier_is_elected(&state->querier, now);
}
