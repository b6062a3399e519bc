/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/group.h"

void group_init(struct group *group)
{
	*group = (struct group){.mode = FILTER_INCLUDE, .query_at = MTIME_NEVER};
}

void group_fini(struct group *group, struct pool *pool)
{
	pool_give(pool, group->sources, group->source_capacity * sizeof *group->sources);
	members_free(group->members, pool);
	group_init(group);
}

bool group_is_empty(const struct group *group)
{
	return group->mode == FILTER_INCLUDE && group->source_count == 0;
}

const struct source *group_find_source(const struct group *group, const struct addr *addr)
{
	size_t low = 0, high = group->source_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = addr_compare(&group->sources[middle].addr, addr);

		if (order == 0)
			return &group->sources[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

bool group_wants(const struct group *group, const struct addr *addr)
{
	const struct source *source = group_find_source(group, addr);

	if (source == NULL)
		return group->mode == FILTER_EXCLUDE;
	return source->until != SOURCE_BLOCKED;
}

bool group_wants_all(const struct group *group)
{
	for (size_t i = 0; i < group->source_count; i++)
		if (group->sources[i].until == SOURCE_BLOCKED)
			return false;
	return group->mode == FILTER_EXCLUDE;
}

bool group_filter(const struct group *group, struct filter *filter)
{
	filter->mode = group->mode;
	filter->sources.count = 0;
	for (size_t i = 0; i < group->source_count; i++) {
		const struct source *source = &group->sources[i];

		if ((source->until == SOURCE_BLOCKED) != (group->mode == FILTER_EXCLUDE))
			continue;
		if (!sources_append(&filter->sources, &source->addr)) {
			filter->mode = FILTER_EXCLUDE;
			filter->sources.count = 0;
			return false;
		}
	}
	return true;
}

enum version group_version(const struct group *group, const struct group_timers *timers, mtime now)
{
	if (timers->version == VERSION_1 || group->v1_host_until > now)
		return VERSION_1;
	if (timers->version == VERSION_2 || group->v2_host_until > now)
		return VERSION_2;
	return VERSION_3;
}

bool group_lists_older(const struct group *group, const struct group_timers *timers, mtime now)
{
	return group->lists_older && group_version(group, timers, now) < VERSION_3;
}

bool group_is_queried(const struct group *group)
{
	return group->query_now || group->query_at != MTIME_NEVER;
}
