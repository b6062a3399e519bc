/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/host/host_rows.h"

#include <utlist.h>

bool host_keeps_some(const struct host *host)
{
	return host->reporters[PROVIDER_HOST].entries.count > 0;
}

enum membership_provider host_membership(const struct host *host)
{
	return host->membership;
}

/* Both reporters receive the same queries. */
static const struct reporter *any_reporter(const struct host *host)
{
	return &host->reporters[host_keeps(host, PROVIDER_KERNEL) ? PROVIDER_KERNEL : PROVIDER_HOST];
}

bool host_query_is_missing(const struct host *host)
{
	return host->reporters[PROVIDER_KERNEL].missing || host->reporters[PROVIDER_HOST].missing;
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
		.kept_here = host->reporters[PROVIDER_HOST].entries.count,
		.failing = host->resting,
		.last_error = host->last_error,
		.supersets = host->supersets,
		.version = host_version(host, now),
		.older_until = host_version(host, now) < reporter->role.version &&
	                                       reporter->role.fixed_version == VERSION_NONE
	                               ? reporter->v2_querier_until
	                               : 0,
		.querier = reporter->querier,
		.query_received_at = reporter->query_received_at,
		.queries_received = reporter->queries_received,
		.query_missing = host_query_is_missing(host),
	};
	for (int provider = 0; provider < PROVIDERS; provider++) {
		status->groups += host->reporters[provider].entries.count;
		status->reports_sent += host->reporters[provider].packets_sent;
		if (status->repeats < host->reporters[provider].repeats)
			status->repeats = host->reporters[provider].repeats;
	}
}

void host_walk_begin(struct host *host, struct host_walk *walk)
{
	*walk = (struct host_walk){.host = host, .row = row_oldest(host, PROVIDER_KERNEL)};
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
		.kept_here = row_provider(row) == PROVIDER_HOST,
		.joining = row_state(row) == ROW_JOINING,
		.refused = row_state(row) == ROW_RESTING,
		.superset = row->joining != NULL && row->joining->join.superset,
	};
	walk->row = row_next(walk->host, row);
	return true;
}
