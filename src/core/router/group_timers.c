/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/group_timers.h"

void group_start_round(struct group *group)
{
	group->query_at = MTIME_NEVER;
	group->query_now = group->queries_left > 0;
	for (uint16_t i = 0; i < group->source_count; i++)
		group->sources[i].query_now = group->sources[i].queries_left > 0;
}

void group_cancel_queries(struct group *group)
{
	group->query_at = MTIME_NEVER;
	group->queries_left = 0;
	group->query_now = false;
	group->asking = ASKS_AS_QUERIER;
	for (uint16_t i = 0; i < group->source_count; i++) {
		group->sources[i].queries_left = 0;
		group->sources[i].query_now = false;
	}
}

bool group_finishes_asking(const struct group_timers *timers)
{
	return timers->version < VERSION_3;
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

/* The elected querier has sent no query for one last member query interval after a leave. */
static void ask_instead(struct group *group, const struct group_timers *timers, mtime now)
{
	mtime lowered = now + group_last_member_query_time(timers);

	group->asking = timers->querier ? ASKS_AS_QUERIER : ASKS_INSTEAD;
	if (group->queries_left > 0 && group->exclude_until > lowered)
		group->exclude_until = lowered;
	for (uint16_t i = 0; i < group->source_count; i++)
		if (group->sources[i].queries_left > 0 && group->sources[i].until > lowered)
			group->sources[i].until = lowered;
}

unsigned group_expire(struct group *group, const struct group_timers *timers, mtime now)
{
	unsigned flags = expire_sources(group, now);

	if (group->mode == FILTER_EXCLUDE && group->exclude_until <= now)
		flags |= expire_group_timer(group);
	if (group->query_at <= now) {
		if (group->asking == ASKS_LATER)
			ask_instead(group, timers, now);
		group_start_round(group);
		if (timers->querier || group->asking == ASKS_INSTEAD || group_finishes_asking(timers))
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

void group_lower(struct group *group, mtime until)
{
	group->exclude_until = mtime_min(group->exclude_until, until);
	for (uint16_t i = 0; i < group->source_count; i++)
		if (group->sources[i].until != SOURCE_BLOCKED)
			group->sources[i].until = mtime_min(group->sources[i].until, until);
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
