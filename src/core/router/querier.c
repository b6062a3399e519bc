/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/querier.h"

/* What another querier can cause, unless twice this link's own value is more. */
#define OTHER_PRESENT_MAX              (10 * 60 * MTIME_SECOND)
#define LAST_MEMBER_QUERY_INTERVAL_MAX 25500 /* the most that an IGMPv2 query can carry */

void querier_init(struct querier *querier)
{
	*querier = (struct querier){.query_at = MTIME_NEVER};
}

void querier_start(struct querier *querier, const struct link_settings *settings, mtime now)
{
	querier_init(querier);
	querier->query_at = now;
	querier->startup_left = link_settings_startup_count(settings);
}

void querier_reconfigure(struct querier *querier, const struct link_settings *settings, bool other_version,
                         mtime now)
{
	uint8_t startup = link_settings_startup_count(settings);

	if (!querier_is_elected(querier, now))
		return;
	if (other_version) {
		querier_start(querier, settings, now);
		return;
	}
	if (querier->startup_left > startup)
		querier->startup_left = startup;
	querier->query_at = mtime_min(
		querier->query_at, now + (querier->startup_left > 0 ? link_settings_startup_interval(settings)
	                                                            : settings->query_interval));
}

void querier_stop(struct querier *querier)
{
	querier_init(querier);
}

bool querier_is_elected(const struct querier *querier, mtime now)
{
	return querier->other_until <= now;
}

uint8_t querier_robustness(const struct querier *querier, const struct link_settings *settings)
{
	return querier->robustness ? querier->robustness : settings->robustness;
}

mtime querier_query_interval(const struct querier *querier, const struct link_settings *settings)
{
	return querier->query_interval ? querier->query_interval : settings->query_interval;
}

static mtime own_lossy_query_intervals(const struct link_settings *settings)
{
	return settings->robustness * (mtime)settings->query_interval;
}

/* RFC 9776 section 8.5 ends the interval with half a query response interval. */
static mtime other_present_interval(mtime lossy_query_intervals, const struct link_settings *settings)
{
	return lossy_query_intervals + settings->query_response_interval / 2;
}

/* The time in which all queries may be lost without the loss of a membership. A forged query can carry a
 * robustness and an interval of days, so what another querier makes of it is bounded. The bound is the one of
 * the other querier present interval. Memberships therefore still outlive that by the response intervals, and
 * members have time to answer the query of the router that takes over. */
static mtime lossy_query_intervals(const struct querier *querier, const struct link_settings *settings)
{
	mtime adopted = querier_robustness(querier, settings) * querier_query_interval(querier, settings);
	mtime twice = 2 * other_present_interval(own_lossy_query_intervals(settings), settings);
	mtime present_max = twice > OTHER_PRESENT_MAX ? twice : OTHER_PRESENT_MAX;

	return mtime_min(adopted, present_max - settings->query_response_interval / 2);
}

mtime querier_membership_interval(const struct querier *querier, const struct link_settings *settings,
                                  enum version version)
{
	return lossy_query_intervals(querier, settings) +
	       (version == VERSION_3 ? 2 : 1) * (mtime)settings->query_response_interval;
}

mtime querier_other_present_interval(const struct querier *querier, const struct link_settings *settings)
{
	return other_present_interval(lossy_query_intervals(querier, settings), settings);
}

mtime querier_last_member_query_interval(const struct querier *querier, const struct link_settings *settings)
{
	return querier->last_member_query_interval ? querier->last_member_query_interval
	                                           : settings->last_member_query_interval;
}

uint8_t querier_last_member_query_count(const struct querier *querier, const struct link_settings *settings)
{
	return settings->last_member_query_count ? settings->last_member_query_count
	                                         : querier_robustness(querier, settings);
}

mtime querier_older_host_present_interval(const struct querier *querier, const struct link_settings *settings)
{
	return settings->older_host_present_interval
	               ? settings->older_host_present_interval
	               : lossy_query_intervals(querier, settings) + settings->query_response_interval;
}

/* A router without an address sends queries from 0.0.0.0, and loses to any router that has an address. */
static bool wins(const struct addr *from, const struct addr *own)
{
	return addr_is_unspecified(own) || addr_compare(from, own) < 0;
}

/* RFC 9776 sections 4.1.6 and 4.1.7: the querier's variables become ours; 0 means that the query has none. */
static bool adopt(struct querier *querier, const struct query *query)
{
	bool changed =
		querier->robustness != query->robustness || querier->query_interval != query->query_interval;

	querier->robustness = query->robustness;
	querier->query_interval = query->query_interval;
	return changed;
}

/* RFC 2236 section 3: the maximum response time of a group-specific query is the last member query interval.
 * For a version 3 querier it is the configured one. */
static bool adopt_last_member_query_interval(struct querier *querier, const struct link_settings *settings,
                                             const struct query *query)
{
	uint32_t before = querier->last_member_query_interval;
	uint32_t most = settings->last_member_query_interval > LAST_MEMBER_QUERY_INTERVAL_MAX / 2
	                        ? 2 * settings->last_member_query_interval
	                        : LAST_MEMBER_QUERY_INTERVAL_MAX;

	if (query->version == VERSION_3)
		querier->last_member_query_interval = 0;
	else if (query->version == VERSION_2 && !addr_is_unspecified(&query->group) &&
	         query->max_response > 0)
		querier->last_member_query_interval = query->max_response < most ? query->max_response : most;
	return querier->last_member_query_interval != before;
}

bool querier_receive(struct querier *querier, const struct link_settings *settings, const struct addr *own,
                     const struct addr *from, const struct query *query, mtime now)
{
	bool changed;

	if (!settings->querier_election || addr_is_unspecified(from) || !wins(from, own))
		return false;
	changed = querier_is_elected(querier, now) || !addr_equal(from, &querier->other);
	if (changed || addr_is_unspecified(&query->group))
		querier->general_query_at = now;
	querier->other = *from;
	querier->query_at = MTIME_NEVER;
	querier->query_now = false;
	querier->startup_left = querier->substitutes_left = 0;
	if (changed)
		querier->last_member_query_interval = 0;
	if (adopt(querier, query))
		changed = true;
	if (adopt_last_member_query_interval(querier, settings, query))
		changed = true;
	querier->other_until = now + querier_other_present_interval(querier, settings);
	return changed;
}

bool querier_expire(struct querier *querier, const struct link_settings *settings, mtime now)
{
	bool took_over = false;

	if (querier->other_until != 0 && querier->other_until <= now) {
		querier_start(querier, settings, now);
		querier->startup_left = 0;
		took_over = true;
	}
	if (querier->query_at <= now) {
		querier->query_at = MTIME_NEVER;
		querier->query_now = true;
	}
	return took_over;
}

mtime querier_deadline(const struct querier *querier)
{
	return mtime_min(querier->query_at, querier->other_until ? querier->other_until : MTIME_NEVER);
}

void querier_sent(struct querier *querier, const struct link_settings *settings, mtime now)
{
	querier->query_now = false;
	querier->sent_at = now;
	if (querier->startup_left > 0)
		querier->startup_left--;
	if (querier->substitutes_left > 0)
		querier->substitutes_left--;
	querier->query_at = now + (querier->startup_left > 0 ? link_settings_startup_interval(settings)
	                                                     : querier_query_interval(querier, settings));
	if (querier->substitutes_left > 0)
		querier->query_at = mtime_min(querier->query_at, now + settings->query_response_interval);
}

mtime querier_substitute(struct querier *querier, const struct link_settings *settings, uint8_t count,
                         mtime now)
{
	mtime interval = settings->query_response_interval, first = now;

	if (!querier->query_now && querier->sent_at != 0 && now - querier->sent_at < interval)
		first = querier->sent_at + interval;
	querier->substitutes_left = count;
	if (!querier->query_now)
		querier->query_at = mtime_min(querier->query_at, first);
	if (querier->query_at <= now) {
		querier->query_at = MTIME_NEVER;
		querier->query_now = true;
	}
	/* The answers take a moment, too. */
	return first + count * interval + querier_last_member_query_interval(querier, settings);
}
