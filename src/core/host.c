/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/host.h"

#include "core/igmp.h"
#include "core/instance.h"
#include "core/mld.h"

#include <assert.h>
#include <stdlib.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>
#include <utlist.h>

#define RETRY_INTERVAL (2 * MTIME_SECOND)
/* Older version querier present timeout (RFC 9776 section 8.12), by the standard's defaults: as the kernel
 * does. */
#define OLDER_QUERIER_PRESENT_INTERVAL (2 * 125 * MTIME_SECOND + 10 * MTIME_SECOND)

/* A filter at rest: as small as it can be. */
struct stored_filter {
	struct addr *list; /* on the pool */
	uint16_t count;
	uint8_t mode; /* enum filter_mode */
};

struct wish {
	struct wish *next;
	struct stored_filter filter;
	uint8_t instance;
};

enum row_state {
	ROW_SETTLED,
	ROW_JOINING,   /* kernel operations are left to do */
	ROW_REPORTING, /* the kernel is where it should be, the report is still to be sent */
	ROW_RESTING,   /* the kernel refused; tried again at retry_at */
};

struct row {
	UT_hash_handle hh;
	struct addr group;
	struct wish *wishes;
	struct stored_filter before; /* what the kernel held when the change began */
	struct join_row join;
	struct row *prev, *next; /* in the list of its state */
	uint8_t state;		 /* enum row_state */
	mtime retry_at;
};

struct host {
	enum family family;
	uint64_t seed;
	struct host_link link;
	struct pool *pool;
	struct joins *joins;
	struct row *rows;
	struct row *lists[ROW_RESTING + 1];
	size_t resting;
	size_t supersets;
	int last_error;
	mtime v1_querier_until;
	mtime v2_querier_until;
	mtime query_heard_at;
	struct addr querier;
	uint64_t reports_sent;
	uint64_t queries_heard;
	struct addr merged[INSTANCE_SOURCES_MAX]; /* a row's wanted filter while operations are made of it */
	struct addr scratch[INSTANCE_SOURCES_MAX];
	struct addr scratch_diff[INSTANCE_SOURCES_MAX];
};

struct host *host_new(enum family family, const struct host_limits *limits, uint64_t seed)
{
	struct host *host = calloc(1, sizeof *host);

	if (host == NULL)
		return NULL;
	host->family = family;
	host->seed = seed;
	host->query_heard_at = MTIME_NEVER;
	host->querier = addr_unspecified(family);
	host->pool = pool_new(limits->memory_max);
	host->joins = joins_new(limits->groups_per_socket, limits->sources_per_filter);
	if (host->pool != NULL && host->joins != NULL)
		return host;
	host_free(host);
	return NULL;
}

void host_free(struct host *host)
{
	if (host == NULL)
		return;
	HASH_CLEAR(hh, host->rows);
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

static struct filter unpack(const struct stored_filter *stored)
{
	return (struct filter){.mode = stored->mode,
			       .sources = {.list = stored->list, .count = stored->count}};
}

static void clear(struct host *host, struct stored_filter *stored)
{
	if (stored->list != NULL)
		pool_give(host->pool, stored->list, stored->count * sizeof *stored->list);
	*stored = (struct stored_filter){.mode = FILTER_INCLUDE};
}

static bool store(struct host *host, struct stored_filter *stored, const struct filter *filter)
{
	size_t size = filter->sources.count * sizeof(struct addr);
	struct addr *list = size > 0 ? pool_take(host->pool, size) : NULL;

	if (size > 0 && list == NULL)
		return false;
	if (size > 0)
		memcpy(list, filter->sources.list, size);
	clear(host, stored);
	*stored = (struct stored_filter){
		.list = list, .count = (uint16_t)filter->sources.count, .mode = (uint8_t)filter->mode};
	return true;
}

static struct row *row_find(struct host *host, const struct addr *group)
{
	struct row *row;

	HASH_FIND_BYHASHVALUE(hh, host->rows, group, sizeof *group, addr_hash(group, host->seed), row);
	return row;
}

static struct row *row_get(struct host *host, const struct addr *group)
{
	struct row *row = row_find(host, group);

	if (row != NULL)
		return row;
	row = pool_take(host->pool, sizeof *row);
	if (row == NULL)
		return NULL;
	row->group = *group;
	HASH_ADD_BYHASHVALUE(hh, host->rows, group, sizeof *group, addr_hash(group, host->seed), row);
	if (row->hh.tbl != NULL)
		return row;
	pool_give(host->pool, row, sizeof *row);
	return NULL;
}

static void row_release(struct host *host, struct row *row)
{
	if (row->wishes != NULL || row->join.parts != NULL || row->state != ROW_SETTLED)
		return;
	clear(host, &row->before);
	HASH_DEL(host->rows, row);
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
		return unpack(&wish->filter);
	for (; wish != NULL; wish = wish->next) {
		struct filter one = unpack(&wish->filter);

		filter_merge(&filter, &one);
	}
	return filter;
}

/* Something of the row changed: the kernel is to be brought there. The report will tell the difference to
 * what the kernel held before the first of several changes. */
static void row_change(struct host *host, struct row *row)
{
	if (row->state == ROW_SETTLED) {
		struct filter filter = held(host, row);

		if (!store(host, &row->before, &filter))
			clear(host, &row->before);
	}
	row_set_state(host, row, ROW_JOINING);
}

static void remove_wish(struct host *host, struct row *row, unsigned instance)
{
	struct wish *wish;

	LL_FOREACH (row->wishes, wish)
		if (wish->instance == instance)
			break;
	if (wish == NULL)
		return;
	LL_DELETE(row->wishes, wish);
	clear(host, &wish->filter);
	pool_give(host->pool, wish, sizeof *wish);
	row_change(host, row);
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

bool host_want(struct host *host, unsigned instance, const struct addr *group, const struct filter *filter)
{
	struct row *row = filter_is_none(filter) ? row_find(host, group) : row_get(host, group);
	struct wish *wish;

	if (row == NULL)
		return filter_is_none(filter);
	if (filter_is_none(filter)) {
		remove_wish(host, row, instance);
		return true;
	}
	wish = get_wish(host, row, instance);
	if (wish == NULL || !store(host, &wish->filter, filter)) {
		row_release(host, row);
		return false;
	}
	row_change(host, row);
	return true;
}

void host_unwant_all(struct host *host, unsigned instance)
{
	struct row *row, *next;

	HASH_ITER (hh, host->rows, row, next)
		remove_wish(host, row, instance);
}

void host_set_link(struct host *host, mtime now, const struct host_link *link)
{
	if (link->usable && !host->link.usable)
		while (host->lists[ROW_RESTING] != NULL)
			row_set_state(host, host->lists[ROW_RESTING], ROW_JOINING);
	if (link->usable && link->kernel_version == VERSION_1)
		host->v1_querier_until = now + OLDER_QUERIER_PRESENT_INTERVAL;
	if (link->usable && link->kernel_version == VERSION_2)
		host->v2_querier_until = now + OLDER_QUERIER_PRESENT_INTERVAL;
	host->link = *link;
}

void host_forget(struct host *host)
{
	struct row *row, *next;

	HASH_ITER (hh, host->rows, row, next) {
		host->supersets -= row->join.superset;
		joins_forget(host->joins, &row->join);
		clear(host, &row->before);
		row_set_state(host, row, row->wishes ? ROW_JOINING : ROW_SETTLED);
		row_release(host, row);
	}
	host->v1_querier_until = host->v2_querier_until = 0;
	host->link.usable = false;
}

void host_heard_query(struct host *host, mtime now, const struct upstream_query *query)
{
	host->queries_heard++;
	host->query_heard_at = now;
	host->querier = query->querier;
	/* RFC 9776 section 7.2.1: only general queries tell the querier's version. */
	if (!addr_is_unspecified(&query->group))
		return;
	if (query->version == VERSION_1)
		host->v1_querier_until = now + OLDER_QUERIER_PRESENT_INTERVAL;
	else if (query->version == VERSION_2)
		host->v2_querier_until = now + OLDER_QUERIER_PRESENT_INTERVAL;
}

static enum version host_version(const struct host *host, mtime now)
{
	if (host->v1_querier_until > now)
		return VERSION_1;
	return host->v2_querier_until > now ? VERSION_2 : VERSION_3;
}

/* ROW_JOINING is done with: a report follows, unless the change came to nothing. */
static void row_joined(struct host *host, struct row *row)
{
	struct filter before = unpack(&row->before), after = held(host, row);

	if (filter_equal(&before, &after)) {
		row_set_state(host, row, ROW_SETTLED);
		row_release(host, row);
		return;
	}
	row_set_state(host, row, ROW_REPORTING);
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
		bool found = joins_next(host->joins, &row->join, &row->group, &filter, op);

		host->supersets += (size_t)row->join.superset - (size_t)was_superset;
		if (found)
			return true;
		row_joined(host, row);
	}
	return false;
}

void host_join_done(struct host *host, mtime now, const struct join_op *op, int result)
{
	struct row *row = row_find(host, &op->group);
	bool was_superset = row->join.superset;

	assert(row != NULL && row->state == ROW_JOINING);
	result = joins_done(host->joins, &row->join, op, result);
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

/* The records for a change of state (RFC 9776 section 5.1, RFC 9777 section 6.1). */
struct change {
	enum record_type type;
	struct sources sources;
};

static size_t changes_of(struct host *host, const struct filter *before, const struct filter *after,
			 struct change changes[2])
{
	bool include = after->mode == FILTER_INCLUDE;
	size_t count = 0;

	if (before->mode != after->mode) {
		changes[0] = (struct change){include ? TO_IN : TO_EX, after->sources};
		return 1;
	}
	changes[0].type = ALLOW;
	changes[0].sources = sources_on(host->scratch_diff, INSTANCE_SOURCES_MAX);
	sources_difference(&changes[0].sources, include ? &after->sources : &before->sources,
			   include ? &before->sources : &after->sources);
	count += changes[0].sources.count > 0;
	changes[count].type = BLOCK;
	changes[count].sources = sources_on(host->merged, INSTANCE_SOURCES_MAX);
	sources_difference(&changes[count].sources, include ? &before->sources : &after->sources,
			   include ? &after->sources : &before->sources);
	return count + (changes[count].sources.count > 0);
}

static size_t changes_size(enum family family, const struct change *changes, size_t count)
{
	size_t size = 0;

	for (size_t i = 0; i < count; i++)
		size += 4 + addr_wire_size(family) * (1 + changes[i].sources.count);
	return size;
}

static void row_reported(struct host *host, struct row *row)
{
	clear(host, &row->before);
	row_set_state(host, row, ROW_SETTLED);
	row_release(host, row);
}

/* Adds the report of as many groups as fit one packet. A list too long for a whole packet is cut: the
 * kernel's own report has the rest. */
static void fill_report(struct host *host, struct report_writer *writer)
{
	struct row *row;

	while ((row = host->lists[ROW_REPORTING]) != NULL) {
		struct filter before = unpack(&row->before), after = held(host, row);
		struct change changes[2];
		size_t count = changes_of(host, &before, &after, changes);

		if (writer->records > 0 &&
		    changes_size(host->family, changes, count) > writer->capacity - writer->size)
			return;
		for (size_t i = 0; i < count; i++)
			report_writer_add(writer, changes[i].type, &row->group, changes[i].sources.list,
					  changes[i].sources.count);
		row_reported(host, row);
	}
}

static size_t pull_v3(struct host *host, uint8_t *message, size_t capacity, struct addr *destination)
{
	struct report_writer writer;

	report_writer_open(&writer, host->family, message, capacity);
	fill_report(host, &writer);
	if (writer.records == 0)
		return 0;
	if (host->family == FAMILY_IPV4) {
		*destination = addr_from_ipv4_number(IGMP_V3_ROUTERS);
		return igmp_finish_report(&writer);
	}
	*destination = mld_v2_routers;
	return mld_finish_report(&writer, &host->link.address);
}

/* The message of an older version for a row that was joined or left; 0 when it has none. */
static size_t encode_older(const struct host *host, const struct row *row, enum version version, bool joined,
			   uint8_t *message, struct addr *destination)
{
	*destination = row->group;
	if (host->family == FAMILY_IPV4 && joined)
		return igmp_encode_report(message, version, &row->group);
	if (host->family == FAMILY_IPV6 && joined)
		return mld_encode_report(message, &row->group, &host->link.address);
	if (version == VERSION_1)
		return 0;
	if (host->family == FAMILY_IPV4) {
		*destination = addr_from_ipv4_number(IGMP_ALL_ROUTERS);
		return igmp_encode_leave(message, &row->group);
	}
	*destination = mld_all_routers;
	return mld_encode_done(message, &row->group, &host->link.address);
}

static size_t pull_older(struct host *host, enum version version, uint8_t *message, struct addr *destination)
{
	struct row *row;

	while ((row = host->lists[ROW_REPORTING]) != NULL) {
		struct filter before = unpack(&row->before), after = held(host, row);
		bool was = !filter_is_none(&before), is = !filter_is_none(&after);
		size_t size = was != is ? encode_older(host, row, version, is, message, destination) : 0;

		row_reported(host, row);
		if (size > 0)
			return size;
	}
	return 0;
}

bool host_pull_packet(struct host *host, mtime now, uint8_t *buffer, size_t *size, struct addr *destination)
{
	size_t header = packet_header_size(host->family);
	size_t mtu = host->link.mtu < 576 ? 576 : host->link.mtu > 9000 ? 9000 : host->link.mtu;
	enum version version = host_version(host, now);

	if (!host->link.usable || host->lists[ROW_REPORTING] == NULL)
		return false;
	*size = version == VERSION_3 ? pull_v3(host, buffer + header, mtu - header, destination)
				     : pull_older(host, version, buffer + header, destination);
	if (*size == 0)
		return false;
	*size = packet_finish(host->family, buffer, &host->link.address, destination, *size);
	host->reports_sent++;
	return true;
}

mtime host_deadline(const struct host *host)
{
	const struct row *row = host->lists[ROW_RESTING];

	return row != NULL && host->link.usable ? row->retry_at : MTIME_NEVER;
}

void host_get_status(const struct host *host, mtime now, struct host_status *status)
{
	*status = (struct host_status){
		.groups = HASH_COUNT(host->rows),
		.failing = host->resting,
		.last_error = host->last_error,
		.supersets = host->supersets,
		.version = host_version(host, now),
		.querier = host->querier,
		.query_heard_at = host->query_heard_at,
		.reports_sent = host->reports_sent,
		.queries_heard = host->queries_heard,
	};
}
