/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/host.h"

#include "core/holds.h"
#include "core/instance.h"
#include "core/packet.h"
#include "core/reporter.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include <utlist.h>

#define RETRY_INTERVAL      (2 * MTIME_SECOND)
#define WIDE_INTERVAL       (30 * MTIME_SECOND) /* between tries of a list that the kernel refused */
#define OPERATIONS_PER_TURN 32

struct wish {
	struct wish *next;
	struct stored_filter filter;
	uint8_t instance;
	bool used;     /* the one in the row may be free */
	uint16_t hold; /* number of the hold after which it ends; 0: it is wanted */
};

enum row_state {
	ROW_SETTLED,
	ROW_JOINING, /* kernel operations are left to do */
	ROW_RESTING, /* the kernel refused; tried again at retry_at */
	ROW_WIDE,    /* it refused a list and holds EXCLUDE{} instead; likewise */
	ROW_STATES
};

/* Who keeps a group: a reporter for each, since what they have to say differs. */
enum keeper { KEEPER_KERNEL, KEEPER_HOST, KEEPERS };

/* What only groups have that the kernel keeps. */
struct joining {
	struct join_row join;
	struct row *prev, *next; /* in the list of its state */
	mtime retry_at;
	uint8_t state;      /* enum row_state */
	uint8_t operations; /* since its last turn began */
};

struct row {
	struct reporter_entry entry; /* first: what upstream was told */
	struct joining *joining;     /* NULL: kept here */
	struct wish first;           /* the list of wishes begins with it */
};

_Static_assert(sizeof(void *) > 8 || sizeof(struct row) <= 168, "there may be 100,000 of them");

struct host {
	enum family family;
	struct host_settings settings;
	struct host_link link;
	struct pool *pool;
	struct joins *joins;
	struct reporter reporters[KEEPERS];
	struct row *lists[ROW_STATES];
	size_t resting;
	size_t supersets;
	int last_error;
	struct host_walk *walks;
	struct holds holds;
	struct addr merged[INSTANCE_SOURCES_MAX]; /* a row's wanted filter while operations are made of it */
	struct addr scratch[INSTANCE_SOURCES_MAX];
};

static bool keeps(const struct host *host, enum keeper keeper)
{
	return host->settings.membership == MEMBERSHIP_AUTO ||
	       (host->settings.membership == MEMBERSHIP_USER) == (keeper == KEEPER_HOST);
}

/* Of the memberships that the kernel keeps it repeats the reports and answers the queries, and we say each
 * change once, in its version. Where it keeps any, we speak its version for the others, too. */
static struct reporter_settings reporter_settings(const struct host *host, enum keeper keeper)
{
	const struct host_settings *settings = &host->settings;
	bool own = keeper == KEEPER_HOST;

	return (struct reporter_settings){
		.fixed_version = settings->fixed_version,
		.version = keeps(host, KEEPER_KERNEL) ? VERSION_3 : settings->version,
		.copies = own ? settings->robustness : 1,
		.answers = own,
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

	if (host == NULL)
		return NULL;
	host->family = family;
	host->settings = *settings;
	host->pool = pool_new(limits->memory_max);
	host->joins = joins_new(limits->groups_per_socket, limits->sources_per_filter);
	for (int keeper = 0; keeper < KEEPERS; keeper++) {
		struct reporter_settings reporter = reporter_settings(host, keeper);

		reporter_init(&host->reporters[keeper], family, host->pool, seed);
		reporter_set(&host->reporters[keeper], 0, &reporter);
	}
	if (host->pool != NULL && host->joins != NULL)
		return host;
	host_free(host);
	return NULL;
}

void host_free(struct host *host)
{
	if (host == NULL)
		return;
	while (host->walks != NULL)
		host_walk_end(host->walks);
	for (int keeper = 0; keeper < KEEPERS; keeper++)
		reporter_fini(&host->reporters[keeper]);
	pool_free(host->pool);
	joins_free(host->joins);
	free(host);
}

static struct wish *used(struct wish *wish)
{
	return wish->used ? wish : wish->next;
}

/* Its first wish; NULL: nobody wants it. The others follow by `next`. */
static struct wish *wishes(struct row *row)
{
	return used(&row->first);
}

static struct wish *find_wish(struct row *row, unsigned instance)
{
	struct wish *wish = wishes(row);

	while (wish != NULL && wish->instance != instance)
		wish = wish->next;
	return wish;
}

static enum row_state row_state(const struct row *row)
{
	return row->joining == NULL ? ROW_SETTLED : row->joining->state;
}

/* The kernel holds something of it. */
static bool is_held(const struct row *row)
{
	return row->joining != NULL && row->joining->join.parts != NULL;
}

static void row_set_state(struct host *host, struct row *row, enum row_state state)
{
	enum row_state before = row_state(row);

	if (before == state)
		return;
	host->resting += (state == ROW_RESTING) - (before == ROW_RESTING);
	if (before != ROW_SETTLED)
		DL_DELETE2(host->lists[before], row, joining->prev, joining->next);
	row->joining->state = (uint8_t)state;
	if (state == ROW_SETTLED)
		return;
	/* What is left comes first, and the newest of it before the others: see host_unwant_all. */
	if (state == ROW_JOINING && wishes(row) == NULL)
		DL_PREPEND2(host->lists[state], row, joining->prev, joining->next);
	else
		DL_APPEND2(host->lists[state], row, joining->prev, joining->next);
}

static enum keeper keeper_of(const struct row *row)
{
	return row->joining != NULL ? KEEPER_KERNEL : KEEPER_HOST;
}

static struct reporter *reporter_of(struct host *host, const struct row *row)
{
	return &host->reporters[keeper_of(row)];
}

static struct row *row_find(struct host *host, const struct addr *group)
{
	struct reporter_entry *entry = NULL;

	for (int keeper = 0; keeper < KEEPERS && entry == NULL; keeper++)
		if (host->reporters[keeper].entries.count > 0)
			entry = reporter_find(&host->reporters[keeper], group);
	return (struct row *)entry;
}

static enum keeper choose_keeper(const struct host *host)
{
	if (!keeps(host, KEEPER_HOST))
		return KEEPER_KERNEL;
	if (!keeps(host, KEEPER_KERNEL))
		return KEEPER_HOST;
	return host->reporters[KEEPER_KERNEL].entries.count < host->settings.kernel_groups_max ? KEEPER_KERNEL
	                                                                                       : KEEPER_HOST;
}

static void row_free(struct host *host, struct row *row)
{
	pool_give(host->pool, row->joining, sizeof *row->joining);
	pool_give(host->pool, row, sizeof *row);
}

static struct row *row_get(struct host *host, const struct addr *group)
{
	struct row *row = row_find(host, group);
	bool here = choose_keeper(host) == KEEPER_HOST;

	if (row != NULL)
		return row;
	row = pool_take(host->pool, sizeof *row);
	if (row == NULL)
		return NULL;
	if (!here)
		row->joining = pool_take(host->pool, sizeof *row->joining);
	if ((here || row->joining != NULL) && reporter_add(reporter_of(host, row), &row->entry, group))
		return row;
	row_free(host, row);
	return NULL;
}

/* The oldest row of this keeper or a later one. */
static struct row *oldest_row(const struct host *host, int keeper)
{
	struct reporter_entry *entry = NULL;

	for (; keeper < KEEPERS && entry == NULL; keeper++)
		entry = reporter_oldest(&host->reporters[keeper]);
	return (struct row *)entry;
}

/* The next one of a walk over all rows. */
static struct row *next_row(const struct host *host, const struct row *row)
{
	struct reporter_entry *newer = reporter_newer(&row->entry);

	return newer != NULL ? (struct row *)newer : oldest_row(host, keeper_of(row) + 1);
}

/* No walk may stand on a row that goes. */
static void skip_row(struct host *host, struct row *row)
{
	struct host_walk *walk;

	LL_FOREACH (host->walks, walk)
		if (walk->row == row)
			walk->row = next_row(host, row);
}

static void row_release(struct host *host, struct row *row)
{
	if (wishes(row) != NULL || is_held(row) || row_state(row) != ROW_SETTLED ||
	    !reporter_is_idle(&row->entry))
		return;
	skip_row(host, row);
	reporter_remove(reporter_of(host, row), &row->entry);
	row_free(host, row);
}

/* What the kernel holds, in the host's scratch memory. */
static struct filter held(struct host *host, const struct row *row)
{
	struct filter filter = {.sources = sources_on(host->scratch, INSTANCE_SOURCES_MAX)};

	joins_filter(&row->joining->join, &filter);
	return filter;
}

/* What all instances want: of a single one its own list, otherwise merged into the host's memory. */
static struct filter wanted(struct host *host, struct row *row)
{
	struct filter filter = {.sources = sources_on(host->merged, INSTANCE_SOURCES_MAX)};
	const struct wish *wish = wishes(row);

	if (wish != NULL && wish->next == NULL)
		return stored_filter_view(&wish->filter);
	for (; wish != NULL; wish = wish->next) {
		struct filter one = stored_filter_view(&wish->filter);

		filter_merge(&filter, &one);
	}
	return filter;
}

static void row_try_later(struct host *host, mtime now, struct row *row, enum row_state state)
{
	row->joining->retry_at = now + (state == ROW_WIDE ? WIDE_INTERVAL : RETRY_INTERVAL);
	row_set_state(host, row, state);
}

static void row_try_again(struct host *host, struct row *row)
{
	row->joining->join.refused = false;
	row_set_state(host, row, ROW_JOINING);
}

/* Those that wait until then. */
static void try_all(struct host *host, mtime until)
{
	for (enum row_state state = ROW_RESTING; state <= ROW_WIDE; state++)
		while (host->lists[state] != NULL && host->lists[state]->joining->retry_at <= until)
			row_try_again(host, host->lists[state]);
}

/* The kernel is where it should be, or as near as it lets us come for now: what it holds is told. */
static void row_joined(struct host *host, mtime now, struct row *row)
{
	struct filter after = held(host, row);

	if (row->joining->join.refused)
		row_try_later(host, now, row, ROW_WIDE);
	else
		row_set_state(host, row, ROW_SETTLED);
	reporter_change(reporter_of(host, row), now, &row->entry, &after);
	row_release(host, row);
}

/* What is wanted of a group has changed. */
static void row_change(struct host *host, mtime now, struct row *row)
{
	if (keeper_of(row) == KEEPER_HOST) {
		struct filter filter = wanted(host, row);

		reporter_change(reporter_of(host, row), now, &row->entry, &filter);
		row_release(host, row);
		return;
	}
	row_try_again(host, row);
	/* Nothing to do: not kept until the link is usable again. */
	if (wishes(row) == NULL && !is_held(row))
		row_joined(host, now, row);
}

static void wish_free(struct host *host, struct row *row, struct wish *wish)
{
	stored_filter_clear(&wish->filter, host->pool);
	wish->used = false;
	if (wish == &row->first)
		return;
	LL_DELETE(row->first.next, wish);
	pool_give(host->pool, wish, sizeof *wish);
}

static void remove_wish(struct host *host, mtime now, struct row *row, unsigned instance)
{
	struct wish *wish = find_wish(row, instance);

	if (wish == NULL)
		return;
	wish_free(host, row, wish);
	row_change(host, now, row);
}

/* It ends a little later, if nobody comes back to it meanwhile. */
static bool hold_wish(struct host *host, mtime now, struct row *row, unsigned instance)
{
	struct wish *wish = find_wish(row, instance);

	if (host->settings.leave_hold == 0 || wish == NULL)
		return false;
	if (wish->hold == 0)
		wish->hold = holds_add(&host->holds, host->pool, &row->entry.group, instance,
		                       now + host->settings.leave_hold);
	return wish->hold != 0;
}

static void end_holds(struct host *host, mtime now)
{
	struct hold hold;

	while (holds_pull(&host->holds, host->pool, now, &hold)) {
		struct row *row = row_find(host, &hold.group);
		struct wish *wish = row ? find_wish(row, hold.instance) : NULL;

		if (wish != NULL && wish->hold == hold.number)
			remove_wish(host, now, row, hold.instance);
	}
}

static struct wish *get_wish(struct host *host, struct row *row, unsigned instance)
{
	struct wish *wish = find_wish(row, instance);

	if (wish != NULL)
		return wish;
	if (!row->first.used) {
		wish = &row->first;
	} else {
		wish = pool_take(host->pool, sizeof *wish);
		if (wish == NULL)
			return NULL;
		LL_PREPEND(row->first.next, wish);
	}
	wish->instance = (uint8_t)instance;
	wish->used = true;
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
		if (!hold_wish(host, now, row, instance))
			remove_wish(host, now, row, instance);
		return true;
	}
	wish = get_wish(host, row, instance);
	if (wish != NULL)
		wish->hold = 0;
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

void host_expect(const struct host *host, const struct addr *group, enum expect step)
{
	for (int keeper = 0; keeper < KEEPERS; keeper++) {
		const struct reporter *reporter = &host->reporters[keeper];

		if (reporter->entries.count > 0)
			index_expect(&reporter->entries, addr_hash(group, reporter->seed), step);
	}
}

void host_unwant_all(struct host *host, mtime now, unsigned instance)
{
	struct reporter_entry *entry, *next;

	for (int keeper = 0; keeper < KEEPERS; keeper++)
		for (entry = reporter_oldest(&host->reporters[keeper]); entry; entry = next) {
			next = reporter_newer(entry);
			remove_wish(host, now, (struct row *)entry, instance);
		}
}

/* What the kernel is made to speak, we speak as well. */
static void follow_forced_version(struct host *host, mtime now, enum keeper keeper)
{
	struct reporter_settings settings = reporter_settings(host, keeper);

	if (keeps(host, KEEPER_KERNEL) && settings.fixed_version == VERSION_NONE)
		settings.fixed_version = (uint8_t)host->link.forced_version;
	reporter_set(&host->reporters[keeper], now, &settings);
}

void host_configure(struct host *host, mtime now, const struct host_settings *settings)
{
	assert(settings->membership == host->settings.membership);
	host->settings = *settings;
	for (int keeper = 0; keeper < KEEPERS; keeper++)
		follow_forced_version(host, now, keeper);
}

static void row_copy_wishes(struct row *row, mtime now, struct host *to)
{
	for (const struct wish *wish = wishes(row); wish; wish = wish->next) {
		struct filter filter = stored_filter_view(&wish->filter);

		if (wish->hold == 0)
			host_want(to, now, wish->instance, &row->entry.group, &filter);
	}
}

void host_copy_wishes(struct host *host, mtime now, struct host *to)
{
	struct reporter_entry *entry;

	for (int keeper = 0; keeper < KEEPERS; keeper++)
		for (entry = reporter_oldest(&host->reporters[keeper]); entry; entry = reporter_newer(entry))
			row_copy_wishes((struct row *)entry, now, to);
}

void host_set_link(struct host *host, mtime now, const struct host_link *link)
{
	bool comes_up = link->usable && !host->link.usable;

	host->link = *link;
	if (!comes_up)
		return;
	try_all(host, MTIME_NEVER);
	for (int keeper = 0; keeper < KEEPERS; keeper++) {
		follow_forced_version(host, now, keeper);
		reporter_older_querier(&host->reporters[keeper], now, link->kernel_version, 0);
		reporter_start(&host->reporters[keeper], now);
	}
}

static void row_forget(struct host *host, mtime now, struct row *row)
{
	static const struct filter none = {.mode = FILTER_INCLUDE};

	for (struct wish *wish = wishes(row), *next; wish != NULL; wish = next) {
		next = wish->next;
		if (wish->hold != 0)
			wish_free(host, row, wish);
	}
	if (row->joining != NULL) {
		host->supersets -= row->joining->join.superset;
		joins_forget(host->joins, &row->joining->join);
	}
	reporter_forget(reporter_of(host, row), &row->entry);
	reporter_assume(reporter_of(host, row), &row->entry, &none);
	row_set_state(host, row, ROW_SETTLED);
	if (wishes(row) != NULL)
		row_change(host, now, row);
	else
		row_release(host, row);
}

void host_forget(struct host *host, mtime now)
{
	struct reporter_entry *entry, *next;

	host->link.usable = false;
	for (int keeper = 0; keeper < KEEPERS; keeper++)
		for (entry = reporter_oldest(&host->reporters[keeper]); entry; entry = next) {
			next = reporter_newer(entry);
			row_forget(host, now, (struct row *)entry);
		}
}

void host_heard_query(struct host *host, mtime now, const struct upstream_query *query,
                      const struct addr *sources)
{
	for (int keeper = 0; keeper < KEEPERS; keeper++)
		reporter_heard_query(&host->reporters[keeper], now, query, sources);
}

bool host_pull_join(struct host *host, mtime now, struct join_op *op)
{
	struct row *row;

	end_holds(host, now);
	if (!host->link.usable)
		return false;
	try_all(host, now);
	while ((row = host->lists[ROW_JOINING]) != NULL) {
		struct join_row *join = &row->joining->join;
		bool was_superset = join->superset;
		struct filter filter = wanted(host, row);
		bool found = joins_next(host->joins, join, &row->entry.group, &filter, op);

		host->supersets += (size_t)join->superset - (size_t)was_superset;
		if (found)
			return true;
		row_joined(host, now, row);
	}
	return false;
}

/* A group with many sources lets the others through. */
static void take_turns(struct host *host, struct row *row)
{
	if (++row->joining->operations < OPERATIONS_PER_TURN)
		return;
	row->joining->operations = 0;
	DL_DELETE2(host->lists[ROW_JOINING], row, joining->prev, joining->next);
	DL_APPEND2(host->lists[ROW_JOINING], row, joining->prev, joining->next);
}

/* The kernel has no room for another membership. */
static bool is_full(int result)
{
	return result == -ENOBUFS || result == -ENOMEM || result == -EMFILE || result == -ENFILE;
}

/* A group that the kernel holds nothing of, and upstream knows nothing of, is kept here from now on; false
 * when that cannot be. */
static bool row_keep_here(struct host *host, mtime now, struct row *row)
{
	struct addr group = row->entry.group;

	if (!keeps(host, KEEPER_HOST) || is_held(row) || !reporter_is_idle(&row->entry))
		return false;
	reporter_remove(reporter_of(host, row), &row->entry);
	row->entry = (struct reporter_entry){0};
	if (!reporter_add(&host->reporters[KEEPER_HOST], &row->entry, &group)) {
		/* It was in there a moment ago. */
		row->entry = (struct reporter_entry){0};
		(void)reporter_add(&host->reporters[KEEPER_KERNEL], &row->entry, &group);
		return false;
	}
	host->supersets -= row->joining->join.superset;
	row_set_state(host, row, ROW_SETTLED);
	pool_give(host->pool, row->joining, sizeof *row->joining);
	row->joining = NULL;
	row_change(host, now, row);
	return true;
}

void host_join_done(struct host *host, mtime now, const struct join_op *op, int result)
{
	struct row *row = row_find(host, &op->group);
	struct join_row *join;
	bool was_superset;

	assert(row != NULL && row_state(row) == ROW_JOINING);
	join = &row->joining->join;
	was_superset = join->superset;
	result = joins_done(host->joins, join, op, result);
	take_turns(host, row);
	host->supersets += (size_t)join->superset - (size_t)was_superset;
	if (result == 0)
		return;
	host->last_error = -result;
	if (is_full(result) && row_keep_here(host, now, row))
		return;
	row_try_later(host, now, row, ROW_RESTING);
}

unsigned host_slot_memberships(const struct host *host, uint32_t slot)
{
	return slot < joins_slot_count(host->joins) ? joins_slot_memberships(host->joins, slot) : 0;
}

/* Entries that have nothing left to tell: the reporter lists them, since their rows are ours. */
static void release_idle(struct host *host, struct reporter *reporter)
{
	struct reporter_entry *entry;

	while ((entry = reporter_pull_idle(reporter)) != NULL)
		row_release(host, (struct row *)entry);
}

/* The next message of a reporter, behind the room for its header; its size, 0: none. */
static size_t pull_message(struct host *host, enum keeper keeper, mtime now, uint8_t *buffer,
                           struct addr *destination)
{
	struct reporter *reporter = &host->reporters[keeper];
	size_t header = packet_header_size(host->family);
	size_t mtu = packet_size_max(host->link.mtu);
	size_t size =
		reporter_pull(reporter, now, buffer + header, mtu - header, &host->link.address, destination);

	release_idle(host, reporter);
	return size;
}

bool host_pull_packet(struct host *host, mtime now, uint8_t *buffer, size_t *size, struct addr *destination)
{
	*size = 0;
	for (int keeper = 0; keeper < KEEPERS && host->link.usable && *size == 0; keeper++)
		if (keeps(host, keeper))
			*size = pull_message(host, keeper, now, buffer, destination);
	if (*size == 0)
		return false;
	*size = packet_finish(host->family, buffer, &host->link.address, destination, *size);
	return true;
}

mtime host_deadline(struct host *host)
{
	mtime at = holds_first_at(&host->holds);

	if (!host->link.usable)
		return MTIME_NEVER;
	for (enum row_state state = ROW_RESTING; state <= ROW_WIDE; state++)
		if (host->lists[state] != NULL)
			at = mtime_min(at, host->lists[state]->joining->retry_at);
	for (int keeper = 0; keeper < KEEPERS; keeper++)
		if (keeps(host, keeper))
			at = mtime_min(at, reporter_deadline(&host->reporters[keeper]));
	return at;
}

bool host_keeps_some(const struct host *host)
{
	return host->reporters[KEEPER_HOST].entries.count > 0;
}

/* Both reporters hear the same queries. */
static const struct reporter *any_reporter(const struct host *host)
{
	return &host->reporters[keeps(host, KEEPER_KERNEL) ? KEEPER_KERNEL : KEEPER_HOST];
}

bool host_query_is_missing(const struct host *host)
{
	return host->reporters[KEEPER_KERNEL].missing || host->reporters[KEEPER_HOST].missing;
}

enum version host_version(const struct host *host, mtime now)
{
	return reporter_version(any_reporter(host), now);
}

bool host_has_supersets(const struct host *host)
{
	return host->supersets > 0;
}

void host_get_status(const struct host *host, mtime now, struct host_status *status)
{
	const struct reporter *reporter = any_reporter(host);

	*status = (struct host_status){
		.membership = host->settings.membership,
		.kept_here = host->reporters[KEEPER_HOST].entries.count,
		.failing = host->resting,
		.last_error = host->last_error,
		.supersets = host->supersets,
		.version = host_version(host, now),
		.querier = reporter->querier,
		.query_heard_at = reporter->query_heard_at,
		.queries_heard = reporter->queries_heard,
		.query_missing = host_query_is_missing(host),
	};
	for (int keeper = 0; keeper < KEEPERS; keeper++) {
		status->groups += host->reporters[keeper].entries.count;
		status->reports_sent += host->reporters[keeper].packets_sent;
		if (status->repeats < host->reporters[keeper].repeats)
			status->repeats = host->reporters[keeper].repeats;
	}
}

void host_walk_begin(struct host *host, struct host_walk *walk)
{
	*walk = (struct host_walk){.host = host, .row = oldest_row(host, KEEPER_KERNEL)};
	LL_PREPEND(host->walks, walk);
}

void host_walk_end(struct host_walk *walk)
{
	LL_DELETE(walk->host->walks, walk);
	*walk = (struct host_walk){0};
}

bool host_walk_next(struct host_walk *walk, struct host_group *group)
{
	struct row *row = walk->row;

	if (row == NULL) {
		host_walk_end(walk);
		return false;
	}
	*group = (struct host_group){
		.group = row->entry.group,
		.wanted = wanted(walk->host, row),
		.kept_here = keeper_of(row) == KEEPER_HOST,
		.joining = row_state(row) == ROW_JOINING,
		.refused = row_state(row) == ROW_RESTING,
		.superset = row->joining != NULL && row->joining->join.superset,
	};
	walk->row = next_row(walk->host, row);
	return true;
}
