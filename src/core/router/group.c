/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/group_inside.h"

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

/* Source timers (RFC 9776 section 6.3): in INCLUDE an expired source is deleted, in EXCLUDE it is blocked. */
static unsigned expire_sources(struct group *group, mtime now)
{
	unsigned flags = 0;
	uint16_t kept = 0;

	for (uint16_t i = 0; i < group->source_count; i++) {
		struct source *source = &group->sources[i];

		if (source->until != SOURCE_BLOCKED && source->until <= now) {
			flags = GROUP_CHANGED;
			if (group->mode == FILTER_INCLUDE)
				continue;
			source->until = SOURCE_BLOCKED;
			source->queries_left = 0;
			source->query_now = false;
		}
		group->sources[kept++] = *source;
	}
	group->source_count = kept;
	return flags;
}

/* The group timer (RFC 9776 section 6.5): back to INCLUDE with the sources that still run. */
static unsigned expire_group_timer(struct group *group)
{
	uint16_t kept = 0;

	for (uint16_t i = 0; i < group->source_count; i++)
		if (group->sources[i].until != SOURCE_BLOCKED)
			group->sources[kept++] = group->sources[i];
	group->source_count = kept;
	group->mode = FILTER_INCLUDE;
	group->queries_left = 0;
	group->query_now = false;
	return GROUP_CHANGED;
}

unsigned group_expire(struct group *group, const struct group_timers *timers, mtime now)
{
	unsigned flags = expire_sources(group, now);

	if (group->mode == FILTER_EXCLUDE && group->exclude_until <= now)
		flags |= expire_group_timer(group);
	if (group->query_at <= now) {
		group_start_round(group);
		if (timers->querier || group_finishes_asking(timers))
			flags |= GROUP_QUERY;
		else
			group_cancel_queries(group);
	}
	return flags;
}

void group_extend(struct group *group, mtime lowered_until, mtime by)
{
	if (group->mode == FILTER_EXCLUDE && group->exclude_until > lowered_until)
		group->exclude_until += by;
	for (uint16_t i = 0; i < group->source_count; i++)
		if (group->sources[i].until != SOURCE_BLOCKED && group->sources[i].until > lowered_until)
			group->sources[i].until += by;
	if (group->members != NULL)
		members_extend(group->members, by);
}

mtime group_deadline(const struct group *group)
{
	mtime at = group->query_at;

	if (group->mode == FILTER_EXCLUDE)
		at = mtime_min(at, group->exclude_until);
	for (uint16_t i = 0; i < group->source_count; i++)
		if (group->sources[i].until != SOURCE_BLOCKED)
			at = mtime_min(at, group->sources[i].until);
	return at;
}
