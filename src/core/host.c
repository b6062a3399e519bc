/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/host.h"

#include "core/instance.h"
#include "core/packet.h"
#include "core/reporter.h"

#include <assert.h>
#include <stdlib.h>

#include <utlist.h>

#define RETRY_INTERVAL      (2 * MTIME_SECOND)
#define OPERATIONS_PER_TURN 32

struct wish {
	struct wish *next;
	struct stored_filter filter;
	uint8_t instance;
};

enum row_state {
	ROW_SETTLED,
	ROW_JOINING, /* kernel operations are left to do */
	ROW_RESTING, /* the kernel refused; tried again at retry_at */
};

struct row {
	struct reporter_entry entry; /* first: what upstream was told */
	struct wish *wishes;
	struct join_row join;
	struct row *prev, *next; /* in the list of its state */
	mtime retry_at;
	uint8_t state;      /* enum row_state */
	uint8_t operations; /* since its last turn began */
};

struct host {
	enum family family;
	struct host_settings settings;
	struct host_link link;
	struct pool *pool;
	struct joins *joins;
	struct reporter reporter;
	struct row *lists[ROW_RESTING + 1];
	size_t resting;
	size_t supersets;
	int last_error;
	struct addr merged[INSTANCE_SOURCES_MAX]; /* a row's wanted filter while operations are made of it */
	struct addr scratch[INSTANCE_SOURCES_MAX];
};

/* The kernel keeps the memberships: it repeats reports and answers queries, and we say each change once, in
 * its version. */
static struct reporter_settings reporter_settings(const struct host *host)
{
	const struct host_settings *settings = &host->settings;
	bool user = settings->membership == MEMBERSHIP_USER;

	return (struct reporter_settings){
		.fixed_version = settings->fixed_version,
		.version = user ? settings->version : VERSION_3,
		.copies = user ? settings->robustness : 1,
		.answers = user,
		.repeat_without_querier = settings->repeat_without_querier,
		.robustness = settings->robustness,
		.query_interval = settings->query_interval,
		.query_response_interval = settings->query_response_interval,
		.unsolicited_report_interval = settings->unsolicited_report_interval,
	};
}

struct host *host_new(enum family family, const struct host_limits *limits,
                      const struct host_settings *settings, uint64_t seed)
{
	struct host *host = calloc(1, sizeof *host);
	struct reporter_settings reporter;

	if (host == NULL)
		return NULL;
	host->family = family;
	host->settings = *settings;
	host->pool = pool_new(limits->memory_max);
	host->joins = joins_new(limits->groups_per_socket, limits->sources_per_filter);
	reporter_init(&host->reporter, family, host->pool, seed);
	reporter = reporter_settings(host);
	reporter_set(&host->reporter, 0, &reporter);
	if (host->pool != NULL && host->joins != NULL)
		return host;
	host_free(host);
	return NULL;
}

void host_free(struct host *host)
{
	if (host == NULL)
		return;
	reporter_fini(&host->reporter);
	pool_free(host->pool);
	joins_free(host->joins);
	free(host);
}

static void row_set_state(struct host *host, struct row *row, enum row_state state)
{
	if (row->state == state)
		return;
	host->resting += (state == ROW_RESTING) - (row->state == ROW_RESTING);
	if (row->state != ROW_SETTLED)
		DL_DELETE(host->lists[row->state], row);
	row->state = (uint8_t)state;
	if (state != ROW_SETTLED)
		DL_APPEND(host->lists[state], row);
}

static struct row *row_find(struct host *host, const struct addr *group)
{
	return (struct row *)reporter_find(&host->reporter, group);
}

static struct row *row_get(struct host *host, const struct addr *group)
{
	struct row *row = row_find(host, group);

	if (row != NULL)
		return row;
	row = pool_take(host->pool, sizeof *row);
	if (row == NULL)
		return NULL;
	if (reporter_add(&host->reporter, &row->entry, group))
		return row;
	pool_give(host->pool, row, sizeof *row);
	return NULL;
}

static void row_release(struct host *host, struct row *row)
{
	if (row->wishes != NULL || row->join.parts != NULL || row->state != ROW_SETTLED ||
	    !reporter_is_idle(&row->entry))
		return;
	reporter_remove(&host->reporter, &row->entry);
	pool_give(host->pool, row, sizeof *row);
}

/* What the kernel holds, in the host's scratch memory. */
static struct filter held(struct host *host, const struct row *row)
{
	struct filter filter = {.sources = sources_on(host->scratch, INSTANCE_SOURCES_MAX)};

	joins_filter(&row->join, &filter);
	return filter;
}

/* What all instances want: of a single one its own list, otherwise merged into the host's memory. */
static struct filter wanted(struct host *host, const struct row *row)
{
	struct filter filter = {.sources = sources_on(host->merged, INSTANCE_SOURCES_MAX)};
	const struct wish *wish = row->wishes;

	if (wish != NULL && wish->next == NULL)
		return stored_filter_view(&wish->filter);
	for (; wish != NULL; wish = wish->next) {
		struct filter one = stored_filter_view(&wish->filter);

		filter_merge(&filter, &one);
	}
	return filter;
}

/* The kernel is where it should be: what it holds now is told. */
static void row_joined(struct host *host, mtime now, struct row *row)
{
	struct filter after = held(host, row);

	row_set_state(host, row, ROW_SETTLED);
	reporter_change(&host->reporter, now, &row->entry, &after);
	row_release(host, row);
}

/* What is wanted of a group has changed. */
static void row_change(struct host *host, mtime now, struct row *row)
{
	if (host->settings.membership == MEMBERSHIP_USER) {
		struct filter filter = wanted(host, row);

		reporter_change(&host->reporter, now, &row->entry, &filter);
		row_release(host, row);
		return;
	}
	row->join.refused = false;
	row_set_state(host, row, ROW_JOINING);
	/* Nothing to do: not kept until the link is usable again. */
	if (row->wishes == NULL && row->join.parts == NULL)
		row_joined(host, now, row);
}

static void wish_free(struct host *host, struct row *row, struct wish *wish)
{
	LL_DELETE(row->wishes, wish);
	stored_filter_clear(&wish->filter, host->pool);
	pool_give(host->pool, wish, sizeof *wish);
}

static void remove_wish(struct host *host, mtime now, struct row *row, unsigned instance)
{
	struct wish *wish;

	LL_FOREACH (row->wishes, wish)
		if (wish->instance == instance)
			break;
	if (wish == NULL)
		return;
	wish_free(host, row, wish);
	row_change(host, now, row);
}

static struct wish *get_wish(struct host *host, struct row *row, unsigned instance)
{
	struct wish *wish;

	LL_FOREACH (row->wishes, wish)
		if (wish->instance == instance)
			return wish;
	wish = pool_take(host->pool, sizeof *wish);
	if (wish == NULL)
		return NULL;
	wish->instance = (uint8_t)instance;
	LL_PREPEND(row->wishes, wish);
	return wish;
}

bool host_want(struct host *host, mtime now, unsigned instance, const struct addr *group,
               const struct filter *filter)
{
	struct row *row = filter_is_none(filter) ? row_find(host, group) : row_get(host, group);
	struct wish *wish;

	if (row == NULL)
		return filter_is_none(filter);
	if (filter_is_none(filter)) {
		remove_wish(host, now, row, instance);
		return true;
	}
	wish = get_wish(host, row, instance);
	if (wish == NULL || !stored_filter_set(&wish->filter, host->pool, filter)) {
		/* An older wish stays. */
		if (wish != NULL && wish->filter.mode == FILTER_INCLUDE && wish->filter.count == 0)
			wish_free(host, row, wish);
		row_release(host, row);
		return false;
	}
	row_change(host, now, row);
	return true;
}

void host_unwant_all(struct host *host, mtime now, unsigned instance)
{
	struct reporter_entry *entry, *next;

	for (entry = reporter_oldest(&host->reporter); entry; entry = next) {
		next = reporter_newer(entry);
		remove_wish(host, now, (struct row *)entry, instance);
	}
}

/* What the kernel is made to speak, we speak as well. */
static void follow_forced_version(struct host *host, mtime now, const struct host_link *link)
{
	struct reporter_settings settings = reporter_settings(host);

	if (host->settings.membership == MEMBERSHIP_KERNEL && settings.fixed_version == VERSION_NONE)
		settings.fixed_version = (uint8_t)link->forced_version;
	reporter_set(&host->reporter, now, &settings);
}

void host_set_link(struct host *host, mtime now, const struct host_link *link)
{
	bool comes_up = link->usable && !host->link.usable;

	host->link = *link;
	if (!comes_up)
		return;
	while (host->lists[ROW_RESTING] != NULL)
		row_set_state(host, host->lists[ROW_RESTING], ROW_JOINING);
	follow_forced_version(host, now, link);
	reporter_older_querier(&host->reporter, now, link->kernel_version);
	reporter_start(&host->reporter, now);
}

void host_forget(struct host *host, mtime now)
{
	static const struct filter none = {.mode = FILTER_INCLUDE};
	struct reporter_entry *entry, *next;

	host->link.usable = false;
	for (entry = reporter_oldest(&host->reporter); entry; entry = next) {
		struct row *row = (struct row *)entry;

		next = reporter_newer(entry);
		host->supersets -= row->join.superset;
		joins_forget(host->joins, &row->join);
		reporter_forget(&host->reporter, entry);
		reporter_assume(&host->reporter, entry, &none);
		row_set_state(host, row, ROW_SETTLED);
		if (row->wishes != NULL)
			row_change(host, now, row);
		else
			row_release(host, row);
	}
}

void host_heard_query(struct host *host, mtime now, const struct upstream_query *query,
                      const struct addr *sources)
{
	reporter_heard_query(&host->reporter, now, query, sources);
}

bool host_pull_join(struct host *host, mtime now, struct join_op *op)
{
	struct row *row;

	if (!host->link.usable)
		return false;
	while ((row = host->lists[ROW_RESTING]) != NULL && row->retry_at <= now)
		row_set_state(host, row, ROW_JOINING);
	while ((row = host->lists[ROW_JOINING]) != NULL) {
		bool was_superset = row->join.superset;
		struct filter filter = wanted(host, row);
		bool found = joins_next(host->joins, &row->join, &row->entry.group, &filter, op);

		host->supersets += (size_t)row->join.superset - (size_t)was_superset;
		if (found)
			return true;
		row_joined(host, now, row);
	}
	return false;
}

/* A group with many sources lets the others through. */
static void take_turns(struct host *host, struct row *row)
{
	if (++row->operations < OPERATIONS_PER_TURN)
		return;
	row->operations = 0;
	DL_DELETE(host->lists[ROW_JOINING], row);
	DL_APPEND(host->lists[ROW_JOINING], row);
}

void host_join_done(struct host *host, mtime now, const struct join_op *op, int result)
{
	struct row *row = row_find(host, &op->group);
	bool was_superset;

	assert(row != NULL && row->state == ROW_JOINING);
	was_superset = row->join.superset;
	result = joins_done(host->joins, &row->join, op, result);
	take_turns(host, row);
	host->supersets += (size_t)row->join.superset - (size_t)was_superset;
	if (result == 0)
		return;
	host->last_error = -result;
	row->retry_at = now + RETRY_INTERVAL;
	row_set_state(host, row, ROW_RESTING);
}

unsigned host_slot_memberships(const struct host *host, uint32_t slot)
{
	return slot < joins_slot_count(host->joins) ? joins_slot_memberships(host->joins, slot) : 0;
}

/* Entries that have nothing left to tell: the reporter lists them, since their rows are ours. */
static void release_idle(struct host *host)
{
	struct reporter_entry *entry;

	while ((entry = reporter_pull_idle(&host->reporter)) != NULL)
		row_release(host, (struct row *)entry);
}

bool host_pull_packet(struct host *host, mtime now, uint8_t *buffer, size_t *size, struct addr *destination)
{
	size_t header = packet_header_size(host->family);
	size_t mtu = packet_size_max(host->link.mtu);

	if (!host->link.usable)
		return false;
	*size = reporter_pull(&host->reporter, now, buffer + header, mtu - header, &host->link.address,
	                      destination);
	release_idle(host);
	if (*size == 0)
		return false;
	*size = packet_finish(host->family, buffer, &host->link.address, destination, *size);
	return true;
}

mtime host_deadline(struct host *host)
{
	const struct row *row = host->lists[ROW_RESTING];

	if (!host->link.usable)
		return MTIME_NEVER;
	return mtime_min(row ? row->retry_at : MTIME_NEVER, reporter_deadline(&host->reporter));
}

bool host_is_user(const struct host *host)
{
	return host->settings.membership == MEMBERSHIP_USER;
}

bool host_query_is_missing(const struct host *host)
{
	return host->reporter.missing;
}

bool host_has_supersets(const struct host *host)
{
	return host->supersets > 0;
}

bool host_find(struct host *host, const struct addr *group, struct filter *filter)
{
	struct row *row = row_find(host, group);

	if (row == NULL)
		return false;
	*filter = host_is_user(host) ? wanted(host, row) : held(host, row);
	return !filter_is_none(filter);
}

void host_get_status(const struct host *host, mtime now, struct host_status *status)
{
	const struct reporter *reporter = &host->reporter;

	*status = (struct host_status){
		.groups = reporter->entries.count,
		.failing = host->resting,
		.last_error = host->last_error,
		.supersets = host->supersets,
		.version = reporter_version(reporter, now),
		.querier = reporter->querier,
		.query_heard_at = reporter->query_heard_at,
		.reports_sent = reporter->packets_sent,
		.queries_heard = reporter->queries_heard,
		.query_missing = reporter->missing,
		.repeats = reporter->repeats,
	};
}
