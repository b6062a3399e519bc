/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/group_hosts.h"

/* Fast leave compares each host with each source, or the reverse. When that takes more than this many steps,
 * the group is queried as it is without fast leave. */
#define LOOKS_MAX 4096

/* Is every member in the list? No member may speak an older version, because older hosts suppress reports. */
static bool members_are_listed(const struct group *group, const struct group_timers *timers, mtime now)
{
	return timers->fast_leave && group->members != NULL && members_are_known(group->members, now) &&
	       group_version(group, timers, now) == VERSION_3 &&
	       (size_t)group->members->count * group->source_count <= LOOKS_MAX;
}

bool group_source_is_left(const struct group *group, const struct group_timers *timers, mtime now,
                          const struct addr *source)
{
	return members_are_listed(group, timers, now) && !members_want(group->members, now, source);
}

/* A member's source may be missing in X, because rows with "Delete (X-A)" remove sources that EXCLUDE
 * passes. */
bool group_exclude_is_left(const struct group *group, const struct group_timers *timers, mtime now)
{
	size_t looks = 0;

	if (!members_are_listed(group, timers, now))
		return false;
	for (uint16_t i = 0; i < group->members->count; i++) {
		const struct member_host *member = &group->members->list[i];

		if (member->until <= now)
			continue;
		looks += member->filter.count;
		if (member->filter.mode == FILTER_EXCLUDE || looks > LOOKS_MAX)
			return false;
		for (uint16_t j = 0; j < member->filter.count; j++) {
			const struct source *source = group_find_source(group, &member->filter.list[j]);

			if (source == NULL || source->until == SOURCE_BLOCKED)
				return false;
		}
	}
	return true;
}

/* The list is incomplete when there may be members that it does not have: hosts of older versions suppress
 * each other's reports, and a packet's source may be no host address. It is also incomplete at first where an
 * answer to a query creates the group, because other hosts may not have answered that query yet. */
unsigned group_track_host(struct group *group, struct pool *pool, const struct group_timers *timers,
                          mtime now, enum version report_version, const struct addr *host,
                          enum record_type type, const struct sources *sources)
{
	struct members_limits limits = {.hosts_max = timers->hosts_max, .sources_max = timers->sources_max};
	mtime until = now + timers->membership_interval;
	enum members_result result = MEMBERS_NO_MEMORY;
	bool is_answer = type == IS_IN || type == IS_EX;

	if (group->members == NULL) {
		group->members = members_new(pool);
		if (group->members == NULL)
			return GROUP_MEMORY;
		if (!group_is_empty(group))
			members_lose(group->members, until);
		else if (is_answer)
			members_lose(group->members, now + timers->query_response_interval);
	}
	if (report_version < VERSION_3 || !addr_is_source(host)) {
		members_lose(group->members, until);
		return 0;
	}
	result = members_note(group->members, pool, &limits, now, until, host, type, sources);
	return result == MEMBERS_FULL ? GROUP_HOSTS_MAX : result == MEMBERS_NO_MEMORY ? GROUP_MEMORY : 0;
}

void group_forget_hosts(struct group *group, struct pool *pool)
{
	members_free(group->members, pool);
	group->members = NULL;
}

size_t group_hosts(const struct group *group, mtime now)
{
	return group->members == NULL ? 0 : members_count(group->members, now);
}
