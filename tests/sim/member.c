/* SPDX-License-Identifier: BSD-2-Clause */
#include "member.h"

#include <assert.h>
#include <stdlib.h>

#define UNSOLICITED_REPORT_INTERVAL       MTIME_SECOND        /* RFC 9776 section 8.11 */
#define OLDER_UNSOLICITED_REPORT_INTERVAL (10 * MTIME_SECOND) /* RFC 2236 section 8.10 */

static struct segment *segment_of(const struct member *host)
{
	return host->port.segment;
}

static mtime now_of(const struct member *host)
{
	return world_now(host->world);
}

/* RFC 9776 section 7.2.1. */
static int version_of(const struct member *host)
{
	if (host->version == VERSION_1 || host->v1_querier_until > now_of(host))
		return VERSION_1;
	if (host->version == VERSION_2 || host->v2_querier_until > now_of(host))
		return VERSION_2;
	return VERSION_3;
}

static mtime soon(const struct member *host, mtime within)
{
	return now_of(host) + random_below(&host->world->random, (uint32_t)within) + 1;
}

static void send(struct member *host, struct frame *frame)
{
	world_count(host->world, TALLY_REPORTS);
	port_send(&host->port, frame);
}

static void send_single(struct member *host, unsigned group, bool leave)
{
	host->interests[group].last_reporter = !leave;
	send(host, frame_single(host->family, &host->addr, host->spoken, leave, group));
}

static void send_records(struct member *host, const struct frame_record *records, size_t count)
{
	size_t taken;

	for (; count > 0; records += taken, count -= taken)
		send(host, frame_report(host->family, &host->addr, records, count, &taken));
}

static mtime next_of(const struct member *host)
{
	mtime at = mtime_min(host->general_at, host->change_at);

	for (unsigned group = 0; group < host->world->group_count; group++) {
		at = mtime_min(at, host->interests[group].respond_at);
		at = mtime_min(at, host->interests[group].repeat_at);
	}
	return at;
}

static void wake(void *object, mtime at);

static void arm(struct member *host)
{
	mtime at = next_of(host);

	if (at >= host->wake_at)
		return;
	host->wake_at = at;
	agenda_add(&host->world->agenda, at > now_of(host) ? at : now_of(host), wake, host);
}

static void forget_timers(struct member *host)
{
	host->general_at = host->change_at = MTIME_NEVER;
	for (unsigned group = 0; group < GROUPS_MAX; group++) {
		struct interest *interest = &host->interests[group];

		interest->respond_at = interest->repeat_at = MTIME_NEVER;
		interest->asked = 0;
		interest->mode_left = 0;
		memset(interest->source_left, 0, sizeof interest->source_left);
	}
}

/* A host that changes its version forgets what it meant to send (RFC 9776 section 7.2.1). */
static void settle_version(struct member *host)
{
	int version = version_of(host);

	if (version != host->spoken)
		forget_timers(host);
	host->spoken = version;
}

/* Version 3: state changes (RFC 9776 section 5.1). */

static bool change_record(struct interest *interest, unsigned group, enum record_type type,
                          struct frame_record *record)
{
	*record = (struct frame_record){.type = type, .group = group};
	for (unsigned source = 0; source < SOURCES_MAX; source++) {
		bool passes = want_passes(interest->want, source);

		if (interest->source_left[source] == 0 || passes != (type == ALLOW))
			continue;
		interest->source_left[source]--;
		record->sources |= (uint64_t)1 << source;
	}
	return record->sources != 0;
}

static size_t change_records(struct interest *interest, unsigned group, struct frame_record *records)
{
	size_t count = 0;

	if (interest->mode_left > 0) {
		interest->mode_left--;
		records[0] = (struct frame_record){.type = interest->want.exclude ? TO_EX : TO_IN,
		                                   .group = group,
		                                   .sources = interest->want.sources};
		return 1;
	}
	count += change_record(interest, group, ALLOW, &records[count]);
	count += change_record(interest, group, BLOCK, &records[count]);
	return count;
}

static void send_changes(struct member *host)
{
	struct frame_record records[2 * GROUPS_MAX] = {{0}};
	size_t count = 0;

	for (unsigned group = 0; group < host->world->group_count; group++)
		count += change_records(&host->interests[group], group, &records[count]);
	send_records(host, records, count);
	host->change_at = count > 0 ? soon(host, UNSOLICITED_REPORT_INTERVAL) : MTIME_NEVER;
}

static void note_change(const struct member *host, struct interest *interest, struct want before)
{
	if (interest->want.exclude != before.exclude || interest->mode_left > 0 || host->reports_filters) {
		interest->mode_left = (uint8_t)host->robustness;
		memset(interest->source_left, 0, sizeof interest->source_left);
		return;
	}
	for (unsigned source = 0; source < SOURCES_MAX; source++)
		if ((interest->want.sources ^ before.sources) >> source & 1)
			interest->source_left[source] = (uint8_t)host->robustness;
}

static void tell_all(const struct member *host, struct interest *interest)
{
	if (!want_is_none(interest->want))
		note_change(host, interest, WANT_NONE);
}

/* Versions 1 and 2 know joins and leaves. */
static void change_older(struct member *host, unsigned group, struct want before)
{
	struct interest *interest = &host->interests[group];
	bool leaves = host->leaves_always || interest->last_reporter;

	if (want_is_none(interest->want)) {
		interest->respond_at = interest->repeat_at = MTIME_NEVER;
		if (!want_is_none(before) && host->spoken == VERSION_2 && leaves)
			send_single(host, group, true);
	} else if (want_is_none(before)) {
		send_single(host, group, false);
		interest->repeat_at = soon(host, OLDER_UNSOLICITED_REPORT_INTERVAL);
	}
}

static void count_change(struct member *host, struct want before, struct want after)
{
	if (want_is_none(before))
		world_count(host->world, TALLY_JOINS);
	else if (want_is_none(after))
		world_count(host->world, TALLY_LEAVES);
	else
		world_count(host->world, TALLY_FILTER_CHANGES);
}

void member_set_want(struct member *host, unsigned group, struct want want)
{
	struct interest *interest = &host->interests[group];
	struct want before = interest->want;

	if (want_equal(before, want))
		return;
	count_change(host, before, want);
	interest->want = want;
	if (!host->port.up[host->family])
		return;
	settle_version(host);
	if (host->spoken < VERSION_3) {
		change_older(host, group, before);
	} else {
		note_change(host, interest, before);
		send_changes(host);
	}
	arm(host);
}

/* Answers (RFC 9776 section 5.2). */

static bool answer_record(const struct interest *interest, unsigned group, struct frame_record *record)
{
	struct want want = interest->want;

	*record = (struct frame_record){
		.type = want.exclude ? IS_EX : IS_IN, .group = group, .sources = want.sources};
	if (interest->asked == 0)
		return !want_is_none(want);
	record->type = IS_IN;
	record->sources = want.exclude ? interest->asked & ~want.sources : interest->asked & want.sources;
	return record->sources != 0;
}

static void answer_general(struct member *host)
{
	struct frame_record records[GROUPS_MAX] = {{0}};
	size_t count = 0;

	host->general_at = MTIME_NEVER;
	for (unsigned group = 0; group < host->world->group_count; group++) {
		struct interest whole = {.want = host->interests[group].want};

		count += answer_record(&whole, group, &records[count]);
	}
	send_records(host, records, count);
}

static void answer_group(struct member *host, unsigned group)
{
	struct interest *interest = &host->interests[group];
	struct frame_record record;

	if (host->spoken < VERSION_3) {
		if (!want_is_none(interest->want))
			send_single(host, group, false);
	} else if (answer_record(interest, group, &record)) {
		send_records(host, &record, 1);
	}
	interest->respond_at = MTIME_NEVER;
	interest->asked = 0;
}

static void wake(void *object, mtime at)
{
	struct member *host = object;

	if (at != host->wake_at)
		return;
	host->wake_at = MTIME_NEVER;
	settle_version(host);
	if (host->general_at <= at)
		answer_general(host);
	if (host->change_at <= at)
		send_changes(host);
	for (unsigned group = 0; group < host->world->group_count; group++) {
		if (host->interests[group].respond_at <= at)
			answer_group(host, group);
		if (host->interests[group].repeat_at <= at) {
			host->interests[group].repeat_at = MTIME_NEVER;
			send_single(host, group, false);
		}
	}
	arm(host);
}

/* Queries. */

static void note_querier(struct member *host, const struct frame_query *query)
{
	mtime until;

	if (query->version == VERSION_3) {
		host->robustness = query->robustness ? query->robustness : 2;
		host->query_interval = query->interval ? query->interval : host->query_interval;
	}
	/* RFC 9776 section 8.12. */
	until = now_of(host) + host->robustness * host->query_interval + query->max_response;
	if (query->version == VERSION_1)
		host->v1_querier_until = until;
	else if (query->version == VERSION_2)
		host->v2_querier_until = until;
}

static void asked_of_older(struct member *host, const struct frame_query *query)
{
	for (unsigned group = 0; group < host->world->group_count; group++) {
		struct interest *interest = &host->interests[group];
		mtime at = soon(host, query->max_response);

		if (want_is_none(interest->want) ||
		    (query->group != GROUP_NONE && query->group != (int)group))
			continue;
		if (at < interest->respond_at)
			interest->respond_at = at;
	}
}

static void asked_of_group(struct member *host, const struct frame_query *query, mtime at)
{
	struct interest *interest = &host->interests[query->group];

	if (want_is_none(interest->want))
		return;
	if (interest->respond_at == MTIME_NEVER)
		interest->asked = query->sources;
	else if (query->sources == 0 || interest->asked == 0)
		interest->asked = 0;
	else
		interest->asked |= query->sources;
	interest->respond_at = mtime_min(interest->respond_at, at);
}

static void receive_query(struct member *host, const struct frame *frame)
{
	struct frame_query query;
	const char *problem = frame_read_query(frame, &query);
	mtime at;

	if (problem != NULL)
		world_fail(host->world, "segment %u: a query that no host understands: %s",
		           segment_of(host)->number, problem);
	note_querier(host, &query);
	settle_version(host);
	if (host->spoken < VERSION_3) {
		asked_of_older(host, &query);
	} else {
		at = soon(host, query.max_response);
		if (host->general_at > at && query.group == GROUP_NONE)
			host->general_at = at;
		else if (host->general_at > at)
			asked_of_group(host, &query, at);
	}
	arm(host);
}

static void receive_report(struct member *host, const struct frame *frame)
{
	struct interest *interest = &host->interests[frame->group];

	if (!frame->suppresses || version_of(host) == VERSION_3)
		return;
	interest->last_reporter = false;
	if (host->suppresses)
		interest->respond_at = MTIME_NEVER;
}

void member_receive(void *owner, const struct frame *frame)
{
	struct member *host = owner;

	if (frame->family != host->family)
		return;
	if (frame->is_query)
		receive_query(host, frame);
	else if (frame->group != GROUP_NONE)
		receive_report(host, frame);
}

void member_link_down(struct member *host)
{
	forget_timers(host);
	host->v1_querier_until = host->v2_querier_until = 0;
}

void member_link_up(struct member *host)
{
	settle_version(host);
	for (unsigned group = 0; group < host->world->group_count; group++) {
		struct interest *interest = &host->interests[group];

		if (host->spoken < VERSION_3)
			change_older(host, group, WANT_NONE);
		else
			tell_all(host, interest);
	}
	if (host->spoken == VERSION_3)
		send_changes(host);
	arm(host);
}

void member_init(struct member *host, struct world *world, enum family family, const struct addr *addr,
                 int version)
{
	host->world = world;
	host->family = (uint8_t)family;
	host->version = host->spoken = version;
	host->addr = *addr;
	host->robustness = 2;
	host->query_interval = world->query_interval_max;
	host->leaves_always = true;
	host->wake_at = MTIME_NEVER;
	host->port.owner = host;
	host->port.receive = member_receive;
	forget_timers(host);
}

struct member *member_new(struct world *world, struct segment *segment, enum family family, unsigned number,
                          int version)
{
	struct member *host = calloc(1, sizeof *host);
	struct addr addr = station_addr(family, segment->number, 256 + number);

	assert(host != NULL);
	member_init(host, world, family, &addr, version);
	host->port.up[family] = true;
	segment_attach(segment, &host->port);
	segment->stations++;
	return host;
}

void member_free(struct member *host)
{
	free(host);
}
