/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/host/reporter_queries.h"

#include "core/base/xorshift.h"

#define GENERAL_INTERVAL  1000 /* between general queries that the reporter follows, at least */
#define ANSWER_INTERVAL   1    /* for each group that is answered by a packet of its own, at least */
#define ANNOUNCE_INTERVAL 500  /* between announcements that follow changes of the link */
#define ANNOUNCED_BYTES   1000 /* of records in a millisecond */
#define ANNOUNCED_GROUPS  10   /* in a millisecond, where each group has its own packet */

/* Without a query for this time, the memberships of IGMPv2 and MLDv1 end upstream; those of the newer versions end one
 * response interval later. */
static mtime querier_missing_interval(const struct reporter *reporter)
{
	const struct link_settings *settings = reporter->settings;
	mtime robustness = reporter->querier_robustness ? reporter->querier_robustness : settings->robustness;
	mtime interval = reporter->querier_query_interval ? reporter->querier_query_interval
	                                                  : settings->query_interval;

	return robustness * interval + settings->query_response_interval;
}

/* Older version querier present interval: RFC 9776 section 8.12 allows for ten response times of the last
 * query, RFC 9777 section 9.12 for one response interval. Linux does for IGMP what it does for MLD; where the
 * kernel answers, the reporter follows it. */
static mtime older_querier_interval(const struct reporter *reporter, uint32_t max_response)
{
	const struct link_settings *settings = reporter->settings;
	mtime queries = settings->robustness * (mtime)settings->query_interval;

	if (reporter->role.answers && reporter->family == FAMILY_IPV4 && max_response > 0)
		return queries + 10 * (mtime)max_response;
	return queries + settings->query_response_interval;
}

void reporter_older_querier(struct reporter *reporter, mtime now, enum version version, uint32_t max_response)
{
	mtime until = now + older_querier_interval(reporter, max_response);

	if (version == VERSION_1)
		reporter->kernel_v1_until = until;
	else if (version == VERSION_2)
		reporter->v2_querier_until = until;
	reporter_follow_version(reporter, now);
}

/* Answers by that time, or earlier if an earlier answer is scheduled. */
static void answer_by(struct reporter *reporter, struct reporter_entry *entry, mtime at)
{
	entry->answer_at = mtime_min(entry->answer_at, at);
	if (entry->place != PLACE_DUE)
		report_queue_wait(&reporter->queue, entry);
}

/* The union of the sources that earlier queries and this one ask for; an empty set: the whole group. */
static struct sources merge_asked(struct reporter *reporter, const struct reporter_entry *entry,
                                  const struct addr *list, size_t count)
{
	struct sources before = {.list = entry->asked, .count = entry->asked_count};
	struct sources merged = sources_on(reporter->scratch.allow, REPORTER_SOURCES_MAX),
		       more = sources_on(reporter->scratch.block, REPORTER_SOURCES_MAX);

	if (count == 0 || count > REPORTER_SOURCES_MAX)
		return merged;
	memcpy(more.list, list, count * sizeof *list);
	more.count = count;
	if (!sources_union(&merged, &before, &more))
		merged.count = 0;
	return merged;
}

/* RFC 9776 section 5.2, rules 3 to 5: an answer about the whole group stays one; lists of sources are merged.
 * When memory is short, the answer is about the whole group. */
static void note_asked(struct reporter *reporter, struct reporter_entry *entry, const struct addr *list,
                       size_t count)
{
	bool answering = entry->answer_at != MTIME_NEVER || entry->send_answer;
	struct sources asked;

	if (answering && entry->asked_count == 0)
		return;
	asked = merge_asked(reporter, entry, list, count);
	reporter_clear_asked(reporter, entry);
	if (asked.count > 0)
		entry->asked = pool_take(reporter->pool, asked.count * sizeof *entry->asked);
	if (entry->asked != NULL) {
		memcpy(entry->asked, asked.list, asked.count * sizeof *entry->asked);
		entry->asked_count = (uint16_t)asked.count;
	}
	/* An answer that is going out starts again. */
	if (entry->send_answer && !entry->send_change)
		entry->offset = 0;
}

/* The least time that the answers to a general query take. */
static uint32_t general_spread(const struct reporter *reporter)
{
	return reporter->version_spoken == VERSION_3 ? 0 : reporter->entries.count * ANSWER_INTERVAL;
}

/* The least time between general queries that the reporter follows. Answers of older versions are all sent before
 * the next query is followed. */
static mtime general_interval(const struct reporter *reporter)
{
	mtime spread = general_spread(reporter);

	return spread > GENERAL_INTERVAL ? spread : GENERAL_INTERVAL;
}

static void answer_general(struct reporter *reporter, mtime now, uint32_t max_response)
{
	struct reporter_entry *entry;

	if (reporter->version_spoken == VERSION_3) {
		report_walk_start(&reporter->walk, reporter_oldest(reporter), reporter->reported_bytes, now,
		                  max_response, xorshift_next(&reporter->random));
		return;
	}
	/* Older versions: a report for each group. Many take longer than the querier allows. */
	if (max_response < general_spread(reporter))
		max_response = general_spread(reporter);
	for (entry = reporter_oldest(reporter); entry; entry = reporter_newer(entry))
		if (reporter_entry_is_member(entry))
			answer_by(reporter, entry, now + reporter_random_delay(reporter, max_response));
}

/* In older versions each general query visits all groups; in version 3 it makes the host report all of them.
 * A querier that asks too often must not cause that work each time: the reporter follows all its queries
 * together once, a little later. */
static void receive_general(struct reporter *reporter, mtime now, uint32_t max_response)
{
	bool is_first = reporter->general_at == MTIME_NEVER;
	bool waits = reporter->version_spoken == VERSION_3 && report_walk_is_waiting(&reporter->walk);

	if (!waits && !is_first && now - reporter->general_at < general_interval(reporter)) {
		reporter->general_due = reporter->general_at + general_interval(reporter);
		reporter->general_by = mtime_min(reporter->general_by, now + max_response);
		return;
	}
	if (!waits)
		reporter->general_at = now;
	answer_general(reporter, now, max_response);
}

void reporter_follow_general(struct reporter *reporter, mtime now)
{
	mtime left = reporter->general_by - now;

	if (reporter->general_due > now)
		return;
	reporter->general_due = reporter->general_by = MTIME_NEVER;
	reporter->general_at = now;
	answer_general(reporter, now, left > 1 ? (uint32_t)left : 1);
}

/* RFC 9776 section 5.2, rule 1: an earlier answer to a general query is enough. A query whose listed sources
 * were all invalid asks for nothing. */
static void answer_group(struct reporter *reporter, mtime now, const struct upstream_query *query,
                         const struct addr *sources)
{
	struct reporter_entry *entry = reporter_find(reporter, &query->group);
	mtime at = now + reporter_random_delay(reporter, query->max_response);

	if (query->about_sources && query->source_count == 0)
		return;
	if (entry == NULL || !reporter_entry_is_member(entry) || report_walk_ends_by(&reporter->walk, at))
		return;
	note_asked(reporter, entry, sources, query->source_count);
	answer_by(reporter, entry, at);
}

void reporter_report_all(struct reporter *reporter, mtime now)
{
	answer_general(reporter, now, MTIME_SECOND);
}

/* Sends the whole state without delay; a large one is spread, about a packet in a millisecond. */
static void announce(struct reporter *reporter, mtime now)
{
	mtime window = 2 + (mtime)(reporter->reported_bytes / ANNOUNCED_BYTES);
	struct reporter_entry *entry;

	if (reporter->version_spoken == VERSION_3) {
		report_walk_start(&reporter->walk, reporter_oldest(reporter), reporter->reported_bytes, now,
		                  window, 0);
		return;
	}
	window = 1 + (mtime)reporter->entries.count / ANNOUNCED_GROUPS;
	for (entry = reporter_oldest(reporter); entry; entry = reporter_newer(entry))
		if (reporter_entry_is_member(entry))
			answer_by(reporter, entry, now + reporter_random_delay(reporter, window));
}

void reporter_follow_announcement(struct reporter *reporter, mtime now)
{
	if (reporter->announce_at > now)
		return;
	announce(reporter, now);
	reporter->announced_at = now;
	reporter->announce_left--;
	reporter->announce_at =
		reporter->announce_left > 0 ? now + reporter_repetition_interval(reporter) : MTIME_NEVER;
}

void reporter_announce(struct reporter *reporter, mtime now)
{
	uint8_t robustness =
		reporter->querier_robustness ? reporter->querier_robustness : reporter->settings->robustness;
	bool is_soon =
		reporter->announced_at != MTIME_NEVER && now - reporter->announced_at < ANNOUNCE_INTERVAL;

	/* A state that is reported for the first time needs only its state-change report. */
	if (reporter->reported_bytes == 0)
		return;
	reporter->announce_left = robustness > 0 ? robustness : 1;
	reporter->announce_at = is_soon ? reporter->announced_at + ANNOUNCE_INTERVAL : now;
}

void reporter_start(struct reporter *reporter, mtime now)
{
	reporter_follow_version(reporter, now);
	reporter->missed_at = now + querier_missing_interval(reporter);
	reporter->missing = false;
}

void reporter_answer(struct reporter *reporter, mtime now, const struct upstream_query *query,
                     const struct addr *sources)
{
	if (addr_is_unspecified(&query->group))
		receive_general(reporter, now, query->max_response);
	else
		answer_group(reporter, now, query, sources);
}

void reporter_receive_query(struct reporter *reporter, mtime now, const struct upstream_query *query,
                            const struct addr *sources)
{
	reporter_follow_version(reporter, now);
	reporter->queries_received++;
	reporter->query_received_at = now;
	reporter->querier = query->querier;
	reporter->querier_robustness = query->robustness;
	reporter->querier_query_interval = query->query_interval;
	reporter->missed_at = now + querier_missing_interval(reporter);
	reporter->missing = false;
	/* RFC 9776 section 7.2.1: only a general query shows the querier's version. */
	if (addr_is_unspecified(&query->group))
		reporter_older_querier(reporter, now, query->version, query->max_response);
	if (reporter->role.answers)
		reporter_answer(reporter, now, query, sources);
}
