/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/group_queries.h"

#include "core/router/group_hosts.h"
#include "core/router/group_timers.h"

/* Owes LMQC queries, the first of them now. */
static unsigned start_asking(struct group *group, const struct group_timers *timers, mtime now,
                             uint8_t *queries_left)
{
	*queries_left = timers->last_member_query_count;
	group->query_at = now;
	return GROUP_QUERY;
}

/* Waits one last member query interval for the query of the elected querier. */
static unsigned ask_later(struct group *group, const struct group_timers *timers, mtime now,
                          uint8_t *queries_left)
{
	if (*queries_left > 0)
		return 0;
	*queries_left = timers->last_member_query_count;
	group->query_at = mtime_min(group->query_at, now + timers->last_member_query_interval);
	group->asking = ASKS_LATER;
	return 0;
}

/* "Send Q" (RFC 9776 section 6.6.3): lowers a timer to LMQT and owes LMQC queries, the first of them now. A
 * round that waits for its repetition is sent now and carries the new queries. A timer that is not above LMQT
 * stays: its queries are already out. Another querier first gets the time to send them; its queries then lower
 * the timers. */
static unsigned ask(struct group *group, const struct group_timers *timers, mtime now, mtime *until,
                    uint8_t *queries_left)
{
	mtime lowered = now + group_last_member_query_time(timers);

	if (*until <= lowered)
		return 0;
	if (!timers->querier && group->asking != ASKS_INSTEAD)
		return ask_later(group, timers, now, queries_left);
	*until = lowered;
	return start_asking(group, timers, now, queries_left);
}

unsigned group_ask_source(struct group *group, const struct group_timers *timers, mtime now,
                          struct source *source)
{
	if (!group_source_is_left(group, timers, now, &source->addr))
		return ask(group, timers, now, &source->until, &source->queries_left);
	source->until = now;
	source->queries_left = 0;
	return 0;
}

/* Q(G) goes out even if the group timer is below LMQT (section 6.6.3.1), so that a host that lost the last
 * general query receives this one. While repetitions of Q(G) are owed, a further leave adds none. */
unsigned group_ask(struct group *group, const struct group_timers *timers, mtime now)
{
	mtime lowered = now + group_last_member_query_time(timers);

	if (group_exclude_is_left(group, timers, now)) {
		group->exclude_until = now;
		group->queries_left = 0;
		return 0;
	}
	if (timers->querier && group->exclude_until <= lowered && group->queries_left == 0)
		return start_asking(group, timers, now, &group->queries_left);
	return ask(group, timers, now, &group->exclude_until, &group->queries_left);
}

unsigned group_ask_again(struct group *group, const struct group_timers *timers, mtime now)
{
	unsigned flags = 0;

	for (uint16_t i = 0; i < group->source_count; i++) {
		struct source *source = &group->sources[i];

		if (source->until != SOURCE_BLOCKED)
			flags |= ask(group, timers, now, &source->until, &source->queries_left);
	}
	if (group->mode == FILTER_EXCLUDE)
		flags |= ask(group, timers, now, &group->exclude_until, &group->queries_left);
	return flags;
}

/* The query of the elected querier asks older hosts for the sources whose leave this router has heard. */
static void receive_query_for_listed(struct group *group, mtime until, bool suppress)
{
	for (uint16_t i = 0; i < group->source_count; i++) {
		struct source *source = &group->sources[i];

		if (source->queries_left == 0)
			continue;
		source->queries_left = 0;
		source->query_now = false;
		if (!suppress && source->until > until)
			source->until = until;
	}
}

/* The elected querier has sent the query, so this router does not send it. */
static void settle(struct group *group, const struct sources *sources)
{
	if (sources->count == 0) {
		group->queries_left = 0;
		group->query_now = false;
	}
	for (uint16_t i = 0; i < group->source_count && sources->count > 0; i++) {
		if (!sources_has(sources, &group->sources[i].addr))
			continue;
		group->sources[i].queries_left = 0;
		group->sources[i].query_now = false;
	}
}

void group_receive_query(struct group *group, const struct group_timers *timers, mtime now,
                         const struct sources *sources, bool suppress)
{
	mtime until = now + group_last_member_query_time(timers);

	if (group->asking != ASKS_AS_QUERIER && sources->count == 0 && group_lists_older(group, timers, now))
		receive_query_for_listed(group, until, suppress);
	if (group->asking != ASKS_AS_QUERIER)
		settle(group, sources);
	if (suppress)
		return;
	if (sources->count == 0) {
		if (group->mode == FILTER_EXCLUDE && group->exclude_until > until)
			group->exclude_until = until;
		return;
	}
	for (size_t i = 0; i < group->source_count; i++) {
		struct source *source = &group->sources[i];

		if (source->until > until && sources_has(sources, &source->addr))
			source->until = until;
	}
}

/* One query has the sources with the same S flag. The flag is set when a report has refreshed the timer,
 * which is then above LMQT again (RFC 9776 section 6.6.3.2). */
static bool pull_source_query(struct group *group, mtime lmqt_end, bool suppress, struct group_query *query)
{
	query->suppress = suppress;
	query->sources.count = 0;
	for (uint16_t i = 0; i < group->source_count; i++) {
		struct source *source = &group->sources[i];

		if (!source->query_now || (source->until > lmqt_end) != suppress)
			continue;
		if (!sources_append(&query->sources, &source->addr))
			break;
		source->query_now = false;
		source->queries_left--;
	}
	return query->sources.count > 0;
}

/* One query about the whole group instead, which every host answers. */
static bool pull_whole_query(struct group *group, mtime lmqt_end, struct group_query *query)
{
	bool due = group->query_now;

	query->suppress = !due || (group->mode == FILTER_EXCLUDE && group->exclude_until > lmqt_end);
	query->sources.count = 0;
	if (due)
		group->queries_left--;
	group->query_now = false;
	for (uint16_t i = 0; i < group->source_count; i++) {
		struct source *source = &group->sources[i];

		if (!source->query_now)
			continue;
		due = true;
		source->query_now = false;
		source->queries_left--;
		query->suppress = query->suppress && source->until > lmqt_end;
	}
	return due;
}

static bool queries_are_left(const struct group *group)
{
	if (group->queries_left > 0)
		return true;
	for (uint16_t i = 0; i < group->source_count; i++)
		if (group->sources[i].queries_left > 0)
			return true;
	return false;
}

bool group_query_is_due(const struct group *group, mtime now)
{
	if (group->query_at <= now)
		return queries_are_left(group);
	if (group->query_now)
		return true;
	for (uint16_t i = 0; i < group->source_count; i++)
		if (group->sources[i].query_now)
			return true;
	return false;
}

bool group_pull_query(struct group *group, const struct group_timers *timers, mtime now,
                      struct group_query *query)
{
	mtime lmqt_end = now + group_last_member_query_time(timers);

	if (group->query_at <= now)
		group_start_round(group);
	if (group_lists_older(group, timers, now) && pull_whole_query(group, lmqt_end, query))
		return true;
	if (group->query_now) {
		group->query_now = false;
		group->queries_left--;
		query->sources.count = 0;
		query->suppress = group->mode == FILTER_EXCLUDE && group->exclude_until > lmqt_end;
		return true;
	}
	if (pull_source_query(group, lmqt_end, true, query) ||
	    pull_source_query(group, lmqt_end, false, query))
		return true;
	if (!queries_are_left(group))
		group->asking = ASKS_AS_QUERIER;
	else if (group->query_at == MTIME_NEVER)
		group->query_at = now + timers->last_member_query_interval;
	return false;
}

static mtime substituted(mtime lowered, mtime lmqt_end, mtime until)
{
	/* A report has refreshed a later one. */
	return lowered > lmqt_end || lowered > until ? lowered : until;
}

void group_substitute_queries(struct group *group, const struct group_timers *timers, mtime now, mtime until)
{
	mtime lmqt_end = now + group_last_member_query_time(timers);

	if (group->queries_left > 0)
		group->exclude_until = substituted(group->exclude_until, lmqt_end, until);
	for (uint16_t i = 0; i < group->source_count; i++) {
		struct source *source = &group->sources[i];

		if (source->queries_left > 0 && source->until != SOURCE_BLOCKED)
			source->until = substituted(source->until, lmqt_end, until);
	}
	group_cancel_queries(group);
}
