/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/host/host_rows.h"

#include <utlist.h>

#define RETRY_INTERVAL      (2 * MTIME_SECOND)
#define WIDE_INTERVAL       (30 * MTIME_SECOND) /* between retries of a list that the kernel refused */
#define OPERATIONS_PER_TURN 32

void row_set_state(struct host *host, struct host_row *row, enum row_state state)
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
	/* Groups to be left come first, and the newest of them before the others: see host_unwant_all. */
	if (state == ROW_JOINING && row_wants(row) == NULL)
		DL_PREPEND2(host->lists[state], row, joining->prev, joining->next);
	else
		DL_APPEND2(host->lists[state], row, joining->prev, joining->next);
}

struct host_row *row_find(struct host *host, const struct addr *group)
{
	struct reporter_entry *entry = NULL;

	for (int provider = 0; provider < PROVIDERS && entry == NULL; provider++)
		if (host->reporters[provider].entries.count > 0)
			entry = reporter_find(&host->reporters[provider], group);
	return (struct host_row *)entry;
}

/* While the kernel follows a version 1 query, it would report a new group in version 1. Routers upstream then
 * ignore leaves of that group (RFC 9776 section 7.3.2). */
static enum provider choose_provider(const struct host *host, mtime now)
{
	if (!host_keeps(host, PROVIDER_HOST))
		return PROVIDER_KERNEL;
	if (!host_keeps(host, PROVIDER_KERNEL))
		return PROVIDER_HOST;
	if (host->family == FAMILY_IPV4 && host->reporters[PROVIDER_KERNEL].kernel_v1_until > now)
		return PROVIDER_HOST;
	return host->reporters[PROVIDER_KERNEL].entries.count < host->settings.kernel_groups_max
	               ? PROVIDER_KERNEL
	               : PROVIDER_HOST;
}

static void row_free(struct host *host, struct host_row *row)
{
	pool_give(host->pool, row->joining, sizeof *row->joining);
	pool_give(host->pool, row, sizeof *row);
}

struct host_row *row_get(struct host *host, mtime now, const struct addr *group)
{
	struct host_row *row = row_find(host, group);
	bool here = choose_provider(host, now) == PROVIDER_HOST;

	if (row != NULL)
		return row;
	row = pool_take(host->pool, sizeof *row);
	if (row == NULL)
		return NULL;
	if (!here)
		row->joining = pool_take(host->pool, sizeof *row->joining);
	if ((here || row->joining != NULL) && reporter_add(row_reporter(host, row), &row->entry, group))
		return row;
	row_free(host, row);
	return NULL;
}

struct host_row *row_oldest(const struct host *host, int provider)
{
	struct reporter_entry *entry = NULL;

	for (; provider < PROVIDERS && entry == NULL; provider++)
		entry = reporter_oldest(&host->reporters[provider]);
	return (struct host_row *)entry;
}

struct host_row *row_next(const struct host *host, const struct host_row *row)
{
	struct reporter_entry *newer = reporter_newer(&row->entry);

	return newer != NULL ? (struct host_row *)newer : row_oldest(host, row_provider(row) + 1);
}

/* Walks that stand on a row go on to the next one before it is freed. */
static void row_skip(struct host *host, struct host_row *row)
{
	struct host_walk *walk;

	LL_FOREACH (host->walks, walk)
		if (walk->row == row)
			walk->row = row_next(host, row);
}

void row_release(struct host *host, struct host_row *row)
{
	if (row_wants(row) != NULL || row_is_held(row) || row_state(row) != ROW_SETTLED ||
	    !reporter_is_idle(&row->entry))
		return;
	row_skip(host, row);
	reporter_remove(row_reporter(host, row), &row->entry);
	row_free(host, row);
}

struct want *want_find(struct host_row *row, unsigned instance)
{
	struct want *want = row_wants(row);

	while (want != NULL && want->instance != instance)
		want = want->next;
	return want;
}

struct want *want_get(struct host *host, struct host_row *row, unsigned instance)
{
	struct want *want = want_find(row, instance);

	if (want != NULL)
		return want;
	if (!row->first.used) {
		want = &row->first;
	} else {
		want = pool_take(host->pool, sizeof *want);
		if (want == NULL)
			return NULL;
		LL_PREPEND(row->first.next, want);
	}
	want->instance = (uint8_t)instance;
	want->used = true;
	return want;
}

void want_free(struct host *host, struct host_row *row, struct want *want)
{
	stored_filter_clear(&want->filter, host->pool);
	want->used = false;
	if (want == &row->first)
		return;
	LL_DELETE(row->first.next, want);
	pool_give(host->pool, want, sizeof *want);
}

struct filter row_wanted(struct host *host, struct host_row *row)
{
	struct filter filter = {.sources = sources_on(host->merged, REQUEST_SOURCES_MAX)};
	const struct want *want = row_wants(row);

	if (want != NULL && want->next == NULL)
		return stored_filter_view(&want->filter);
	for (; want != NULL; want = want->next) {
		struct filter one = stored_filter_view(&want->filter);

		filter_merge(&filter, &one);
	}
	return filter;
}

/* What the kernel holds, in the host's scratch memory. */
static struct filter row_held(struct host *host, const struct host_row *row)
{
	struct filter filter = {.sources = sources_on(host->scratch, REQUEST_SOURCES_MAX)};

	joins_filter(&row->joining->join, &filter);
	return filter;
}

void row_try_later(struct host *host, mtime now, struct host_row *row, enum row_state state)
{
	row->joining->retry_at = now + (state == ROW_WIDE ? WIDE_INTERVAL : RETRY_INTERVAL);
	row_set_state(host, row, state);
}

static void row_try_again(struct host *host, struct host_row *row)
{
	row->joining->join.refused = false;
	row_set_state(host, row, ROW_JOINING);
}

void rows_try_again(struct host *host, mtime until)
{
	for (enum row_state state = ROW_RESTING; state <= ROW_WIDE; state++)
		while (host->lists[state] != NULL && host->lists[state]->joining->retry_at <= until)
			row_try_again(host, host->lists[state]);
}

static void report(struct host *host, mtime now, struct host_row *row, const struct filter *filter)
{
	if (!reporter_change(row_reporter(host, row), now, &row->entry, filter))
		host->correct_at = mtime_min(host->correct_at, now + RETRY_INTERVAL);
}

void row_joined(struct host *host, mtime now, struct host_row *row)
{
	struct filter after = row_held(host, row);

	if (row->joining->join.refused)
		row_try_later(host, now, row, ROW_WIDE);
	else
		row_set_state(host, row, ROW_SETTLED);
	report(host, now, row, &after);
	row_release(host, row);
}

void row_change(struct host *host, mtime now, struct host_row *row)
{
	if (row_provider(row) == PROVIDER_HOST) {
		struct filter filter = row_wanted(host, row);

		report(host, now, row, &filter);
		row_release(host, row);
		return;
	}
	row_try_again(host, row);
	/* No operation remains: the row need not wait until the link is usable again. */
	if (row_wants(row) == NULL && !row_is_held(row))
		row_joined(host, now, row);
}

static void row_correct(struct host *host, mtime now, struct host_row *row)
{
	bool is_kept_here = row_provider(row) == PROVIDER_HOST;
	struct filter filter = is_kept_here ? row_wanted(host, row) : row_held(host, row);

	/* Rows in other states report when they have joined. */
	if (row_state(row) == ROW_SETTLED || row_state(row) == ROW_WIDE)
		report(host, now, row, &filter);
}

void rows_correct(struct host *host, mtime now)
{
	if (host->correct_at > now)
		return;
	host->correct_at = MTIME_NEVER;
	for (struct host_row *row = row_oldest(host, PROVIDER_KERNEL); row != NULL; row = row_next(host, row))
		row_correct(host, now, row);
}

void row_take_turn(struct host *host, struct host_row *row)
{
	if (++row->joining->operations < OPERATIONS_PER_TURN)
		return;
	row->joining->operations = 0;
	DL_DELETE2(host->lists[ROW_JOINING], row, joining->prev, joining->next);
	DL_APPEND2(host->lists[ROW_JOINING], row, joining->prev, joining->next);
}

bool row_keep_here(struct host *host, mtime now, struct host_row *row)
{
	struct addr group = row->entry.group;

	if (!host_keeps(host, PROVIDER_HOST) || row_is_held(row) || !reporter_is_idle(&row->entry))
		return false;
	reporter_remove(row_reporter(host, row), &row->entry);
	row->entry = (struct reporter_entry){0};
	if (!reporter_add(&host->reporters[PROVIDER_HOST], &row->entry, &group)) {
		/* This cannot fail: the entry was in that index a moment ago. */
		row->entry = (struct reporter_entry){0};
		(void)reporter_add(&host->reporters[PROVIDER_KERNEL], &row->entry, &group);
		return false;
	}
	host->supersets -= row->joining->join.superset;
	row_set_state(host, row, ROW_SETTLED);
	pool_give(host->pool, row->joining, sizeof *row->joining);
	row->joining = NULL;
	row_change(host, now, row);
	return true;
}
