/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/host/host_rows.h"

#include <utlist.h>

bool host_keeps_some(const struct host *host)
{
	return host->reporters[KEEPER_HOST].entries.count > 0;
}

enum membership_provider host_membership(const struct host *host)
{
	return host->membership;
}

/* Both reporters receive the same queries. */
static const struct reporter *any_reporter(const struct host *host)
{
	return &host->reporters[host_keeps(host, KEEPER_KERNEL) ? KEEPER_KERNEL : KEEPER_HOST];
}

bool host_query_is_missing(const struct host *host)
{
	return host->reporters[KEEPER_KERNEL].missing || host->reporters[KEEPER_HOST].missing;
}

bool host_ignores_version_1(const struct host *host, mtime now)
{
	const struct reporter *reporter = any_reporter(host);

	return reporter->kernel_v1_until > now && reporter_version(reporter, now) > VERSION_1;
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
		.membership = host->membership,
		.kept_here = host->reporters[KEEPER_HOST].entries.count,
		.failing = host->resting,
		.last_error = host->last_error,
		.supersets = host->supersets,
		.version = host_version(host, now),
		.querier = reporter->querier,
		.query_received_at = reporter->query_received_at,
		.queries_received = reporter->queries_received,
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
	*walk = (struct host_walk){.host = host, .row = row_oldest(host, KEEPER_KERNEL)};
	LL_PREPEND(host->walks, walk);
}

void host_walk_end(struct host_walk *walk)
{
	LL_DELETE(walk->host->walks, walk);
	*walk = (struct host_walk){0};
}

bool host_walk_next(struct host_walk *walk, struct host_group *group)
{
	struct host_row *row = walk->row;

	if (row == NULL) {
		host_walk_end(walk);
		return false;
	}
	*group = (struct host_group){
		.group = row->entry.group,
		.wanted = row_wanted(walk->host, row),
		.kept_here = row_keeper(row) == KEEPER_HOST,
		.joining = row_state(row) == ROW_JOINING,
		.refused = row_state(row) == ROW_RESTING,
		.superset = row->joining != NULL && row->joining->join.superset,
	};
	walk->row = row_next(walk->host, row);
	return true;
}
