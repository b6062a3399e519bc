/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/host/host_rows.h"

#include "core/wire/packet.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include <utlist.h>

#define KERNEL_QUERIES_MAX 32 /* in a second */

/* Stands for the earlier run among those who want a group. */
#define INSTANCE_ADOPTED UINT8_MAX

/* For the memberships that it keeps, the kernel repeats reports and answers queries; the host reports each
 * change once, in the kernel's version. Where the kernel may keep groups, the host uses that version for all
 * groups. */
static struct reporter_role reporter_role(const struct host *host, enum provider provider)
{
	const struct link_settings *settings = &host->settings;
	bool own = provider == PROVIDER_HOST;

	return (struct reporter_role){
		.fixed_version = settings->upstream_version[host->family],
		.version = host_keeps(host, PROVIDER_KERNEL) ? VERSION_3 : settings->version[host->family],
		.copies = own ? settings->robustness : 1,
		.answers = own,
	};
}

struct host *host_new(enum family family, const struct host_limits *limits,
                      const struct link_settings *settings, uint64_t seed)
{
	struct host *host = calloc(1, sizeof *host);

	if (host == NULL)
		return NULL;
	host->family = family;
	host->settings = *settings;
	host->membership = settings->upstream_membership;
	host->correct_at = MTIME_NEVER;
	host->pool = pool_new(limits->memory_max);
	host->joins = joins_new(limits->groups_per_socket, limits->sources_per_filter);
	for (int provider = 0; provider < PROVIDERS; provider++) {
		struct reporter_role role = reporter_role(host, provider);

		reporter_init(&host->reporters[provider], family, host->pool, &host->settings, seed);
		reporter_set(&host->reporters[provider], 0, &role);
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
	for (int provider = 0; provider < PROVIDERS; provider++)
		reporter_fini(&host->reporters[provider]);
	pool_free(host->pool);
	joins_free(host->joins);
	free(host);
}

void host_set_memory_max(struct host *host, size_t memory_max)
{
	pool_limit(host->pool, memory_max);
}

static void want_remove(struct host *host, mtime now, struct host_row *row, unsigned instance)
{
	struct want *want = want_find(row, instance);

	if (want == NULL)
		return;
	want_free(host, row, want);
	/* Those who wanted what the earlier run did have left it. */
	want = row_wants(row);
	if (want != NULL && want->instance == INSTANCE_ADOPTED && want->next == NULL)
		want_free(host, row, want);
	row_change(host, now, row);
}

/* The want ends leave_hold later, unless the instance wants the group again before. */
static bool want_hold(struct host *host, mtime now, struct host_row *row, unsigned instance)
{
	struct want *want = want_find(row, instance);

	if (host->settings.leave_hold == 0 || want == NULL)
		return false;
	want->links = 0;
	if (want->hold == 0)
		want->hold = holds_add(&host->holds, host->pool, &row->entry.group, instance,
		                       now + host->settings.leave_hold);
	return want->hold != 0;
}

static void end_holds(struct host *host, mtime now)
{
	struct hold hold;

	while (holds_pull(&host->holds, host->pool, now, &hold)) {
		struct host_row *row = row_find(host, &hold.group);
		struct want *want = row ? want_find(row, hold.instance) : NULL;

		if (want != NULL && want->hold == hold.number)
			want_remove(host, now, row, hold.instance);
	}
}

/* An instance wants all that the earlier run did: what it wants less from now on is left. */
static void end_covered(struct host *host, struct host_row *row, const struct want *want)
{
	struct want *adopted = want_find(row, INSTANCE_ADOPTED);
	struct filter wanted, all;

	if (adopted == NULL || adopted == want)
		return;
	wanted = stored_filter_view(&want->filter);
	all = row_wanted(host, row);
	if (filter_equal(&all, &wanted))
		want_free(host, row, adopted);
}

bool host_want(struct host *host, mtime now, unsigned instance, const struct addr *group,
               const struct filter *filter, uint64_t links)
{
	struct host_row *row = filter_is_none(filter) ? row_find(host, group) : row_get(host, now, group);
	struct want *want;

	if (row == NULL)
		return filter_is_none(filter);
	if (filter_is_none(filter)) {
		if (!want_hold(host, now, row, instance))
			want_remove(host, now, row, instance);
		return true;
	}
	want = want_get(host, row, instance);
	if (want == NULL || !stored_filter_set(&want->filter, host->pool, filter)) {
		/* An older want stays; a new one is empty, and goes. */
		if (want != NULL && want->filter.mode == FILTER_INCLUDE && want->filter.count == 0)
			want_free(host, row, want);
		row_release(host, row);
		return false;
	}
	want->hold = 0;
	want->links = links;
	end_covered(host, row, want);
	row_change(host, now, row);
	return true;
}

bool host_adopt(struct host *host, mtime now, const struct addr *group, const struct filter *filter)
{
	struct host_row *row = row_get(host, now, group);
	struct want *want = row ? want_find(row, INSTANCE_ADOPTED) : NULL;
	struct filter adopted = {.sources = sources_on(host->scratch, REQUEST_SOURCES_MAX)};

	if (row == NULL)
		return false;
	if (want != NULL && row_provider(row) == PROVIDER_KERNEL)
		return true;
	if (want == NULL)
		want = want_get(host, row, INSTANCE_ADOPTED);
	if (want != NULL) {
		struct filter before = stored_filter_view(&want->filter);

		filter_merge(&adopted, &before);
		filter_merge(&adopted, filter);
	}
	if (want == NULL || !stored_filter_set(&want->filter, host->pool, &adopted)) {
		row_release(host, row);
		return false;
	}
	reporter_assume(row_reporter(host, row), &row->entry, &adopted);
	row_change(host, now, row);
	return true;
}

static void narrow_adopted(struct host *host, mtime now, struct host_row *row, host_narrow *narrow,
                           void *context)
{
	struct want *want = want_find(row, INSTANCE_ADOPTED);
	struct filter filter = {.sources = sources_on(host->scratch, REQUEST_SOURCES_MAX)}, before;

	if (want == NULL)
		return;
	before = stored_filter_view(&want->filter);
	filter_merge(&filter, &before);
	narrow(context, &row->entry.group, &filter);
	if (filter_equal(&filter, &before))
		return;
	if (filter_is_none(&filter))
		want_free(host, row, want);
	else
		(void)stored_filter_set(&want->filter, host->pool,
		                        &filter); /* without memory it stays wider */
	row_change(host, now, row);
}

void host_adopted_narrow(struct host *host, mtime now, host_narrow *narrow, void *context)
{
	struct reporter_entry *entry, *next;

	for (int provider = 0; provider < PROVIDERS; provider++)
		for (entry = reporter_oldest(&host->reporters[provider]); entry; entry = next) {
			next = reporter_newer(entry);
			narrow_adopted(host, now, (struct host_row *)entry, narrow, context);
		}
}

bool host_is_only_adopted(struct host *host, const struct addr *group)
{
	struct host_row *row = row_find(host, group);
	const struct want *want = row ? want_find(row, INSTANCE_ADOPTED) : NULL;

	return want != NULL && row_wants(row) == want && want->next == NULL;
}

void host_adoption_end(struct host *host, mtime now)
{
	host_unwant_all(host, now, INSTANCE_ADOPTED);
}

uint64_t host_streams(struct host *host, unsigned instance, const struct addr *group)
{
	struct host_row *row = row_find(host, group);
	const struct want *want = row ? want_find(row, instance) : NULL;

	return want ? want->links : 0;
}

void host_prefetch(const struct host *host, const struct addr *group, enum prefetch step)
{
	for (int provider = 0; provider < PROVIDERS; provider++) {
		const struct reporter *reporter = &host->reporters[provider];

		if (reporter->entries.count > 0)
			index_prefetch(&reporter->entries, addr_hash(group, reporter->seed), step);
	}
}

void host_unwant_all(struct host *host, mtime now, unsigned instance)
{
	struct reporter_entry *entry, *next;

	for (int provider = 0; provider < PROVIDERS; provider++)
		for (entry = reporter_oldest(&host->reporters[provider]); entry; entry = next) {
			next = reporter_newer(entry);
			want_remove(host, now, (struct host_row *)entry, instance);
		}
}

/* Where the administrator forces the kernel to a version, the host speaks the same. */
static void follow_forced_version(struct host *host, mtime now, enum provider provider)
{
	struct reporter_role role = reporter_role(host, provider);

	if (host_keeps(host, PROVIDER_KERNEL) && role.fixed_version == VERSION_NONE)
		role.fixed_version = (uint8_t)host->link.forced_version;
	reporter_set(&host->reporters[provider], now, &role);
}

void host_configure(struct host *host, mtime now, const struct link_settings *settings)
{
	host->settings = *settings;
	for (int provider = 0; provider < PROVIDERS; provider++)
		follow_forced_version(host, now, provider);
}

static bool row_copy_wants(struct host_row *row, mtime now, struct host *to)
{
	for (const struct want *want = row_wants(row); want; want = want->next) {
		struct filter filter = stored_filter_view(&want->filter);

		if (want->hold == 0 &&
		    !host_want(to, now, want->instance, &row->entry.group, &filter, want->links))
			return false;
	}
	return true;
}

bool host_copy_wants(const struct host *host, mtime now, struct host *to)
{
	for (struct host_row *row = row_oldest(host, PROVIDER_KERNEL); row != NULL; row = row_next(host, row))
		if (!row_copy_wants(row, now, to))
			return false;
	return true;
}

void host_announce(struct host *host, mtime now)
{
	for (int provider = 0; provider < PROVIDERS && host->link.usable; provider++)
		reporter_announce(&host->reporters[provider], now);
}

static void start(struct host *host, mtime now)
{
	rows_try_again(host, MTIME_NEVER);
	for (int provider = 0; provider < PROVIDERS; provider++) {
		follow_forced_version(host, now, provider);
		reporter_older_querier(&host->reporters[provider], now, host->link.kernel_version, 0);
		reporter_start(&host->reporters[provider], now);
	}
}

void host_set_link(struct host *host, mtime now, const struct host_link *link)
{
	bool comes_up = link->usable && !host->link.usable;
	bool other_version = link->forced_version != host->link.forced_version;
	bool moves = !addr_equal(&link->address, &host->link.address);

	host->link = *link;
	for (int provider = 0; other_version && provider < PROVIDERS; provider++)
		follow_forced_version(host, now, provider);
	if (comes_up)
		start(host, now);
	if (comes_up || moves)
		host_announce(host, now);
}

static void row_forget(struct host *host, mtime now, struct host_row *row)
{
	static const struct filter none = {.mode = FILTER_INCLUDE};

	for (struct want *want = row_wants(row), *next; want != NULL; want = next) {
		next = want->next;
		if (want->hold != 0)
			want_free(host, row, want);
	}
	if (row->joining != NULL) {
		host->supersets -= row->joining->join.superset;
		joins_forget(host->joins, &row->joining->join);
	}
	reporter_forget(row_reporter(host, row), &row->entry);
	reporter_assume(row_reporter(host, row), &row->entry, &none);
	row_set_state(host, row, ROW_SETTLED);
	if (row_wants(row) != NULL)
		row_change(host, now, row);
	else
		row_release(host, row);
}

void host_forget(struct host *host, mtime now)
{
	struct reporter_entry *entry, *next;

	host->link.usable = false;
	for (int provider = 0; provider < PROVIDERS; provider++)
		for (entry = reporter_oldest(&host->reporters[provider]); entry; entry = next) {
			next = reporter_newer(entry);
			row_forget(host, now, (struct host_row *)entry);
		}
}

/* Linux queues so many MLD queries of an interface and drops the others (MLD_MAX_SKBS). It handles them
 * within milliseconds, but without a guarantee. It drops no IGMP queries. */
static bool kernel_may_drop_query(struct host *host, mtime now)
{
	return host->family == FAMILY_IPV6 && host_keeps(host, PROVIDER_KERNEL) &&
	       bucket_take(&host->kernel_queries, now, KERNEL_QUERIES_MAX, 1) == 0;
}

void host_receive_query(struct host *host, mtime now, const struct upstream_query *query,
                        const struct addr *sources)
{
	for (int provider = 0; provider < PROVIDERS; provider++)
		reporter_receive_query(&host->reporters[provider], now, query, sources);
	/* Instead of the kernel. If the kernel answers too, the second answer does no harm. */
	if (kernel_may_drop_query(host, now))
		reporter_answer(&host->reporters[PROVIDER_KERNEL], now, query, sources);
}

/* The kernel has no room for another membership. */
static bool is_full(int result)
{
	return result == -ENOBUFS || result == -ENOMEM || result == -EMFILE || result == -ENFILE;
}

static void join_failed(struct host *host, mtime now, struct host_row *row, int result)
{
	host->last_error = -result;
	if (!is_full(result) || !row_keep_here(host, now, row))
		row_try_later(host, now, row, ROW_RESTING);
}

bool host_pull_join(struct host *host, mtime now, struct join_op *op)
{
	struct host_row *row;

	end_holds(host, now);
	if (!host->link.usable)
		return false;
	rows_try_again(host, now);
	rows_correct(host, now);
	while ((row = host->lists[ROW_JOINING]) != NULL) {
		struct join_row *join = &row->joining->join;
		bool was_superset = join->superset;
		struct filter filter = row_wanted(host, row);
		bool found = joins_next(host->joins, join, &row->entry.group, &filter, op);

		host->supersets += (size_t)join->superset - (size_t)was_superset;
		if (found)
			return true;
		if (join->memory_short)
			join_failed(host, now, row, -ENOMEM);
		else
			row_joined(host, now, row);
	}
	return false;
}

void host_join_done(struct host *host, mtime now, const struct join_op *op, int result)
{
	struct host_row *row = row_find(host, &op->group);
	struct join_row *join;
	bool was_superset;

	assert(row != NULL && row_state(row) == ROW_JOINING);
	join = &row->joining->join;
	was_superset = join->superset;
	result = joins_done(host->joins, join, op, result);
	row_take_turn(host, row);
	host->supersets += (size_t)join->superset - (size_t)was_superset;
	if (result != 0)
		join_failed(host, now, row, result);
}

unsigned host_slot_memberships(const struct host *host, uint32_t slot)
{
	return slot < joins_slot_count(host->joins) ? joins_slot_memberships(host->joins, slot) : 0;
}

/* The reporter lists entries with nothing left to send, because the host frees their rows. */
static void release_idle(struct host *host, struct reporter *reporter)
{
	struct reporter_entry *entry;

	while ((entry = reporter_pull_idle(reporter)) != NULL)
		row_release(host, (struct host_row *)entry);
}

/* Writes the next message of a reporter behind the room for its header; returns its size, 0: none. */
static size_t pull_message(struct host *host, enum provider provider, mtime now, uint8_t *buffer,
                           struct addr *destination)
{
	struct reporter *reporter = &host->reporters[provider];
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
	for (int provider = 0; provider < PROVIDERS && host->link.usable && *size == 0; provider++)
		if (host_keeps(host, provider))
			*size = pull_message(host, provider, now, buffer, destination);
	if (*size == 0)
		return false;
	*size = packet_finish(host->family, buffer, &host->link.address, destination, *size);
	return true;
}

mtime host_deadline(struct host *host)
{
	mtime at = mtime_min(holds_first_at(&host->holds), host->correct_at);

	if (!host->link.usable)
		return MTIME_NEVER;
	for (enum row_state state = ROW_RESTING; state <= ROW_WIDE; state++)
		if (host->lists[state] != NULL)
			at = mtime_min(at, host->lists[state]->joining->retry_at);
	for (int provider = 0; provider < PROVIDERS; provider++)
		if (host_keeps(host, provider))
			at = mtime_min(at, reporter_deadline(&host->reporters[provider]));
	return at;
}
