/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A link of an instance as its engine knows it: role, name, settings, and per family its state, querier and
 * timers. Links are known by a small id that the owner gives out; interface indexes and vif numbers exist
 * only there. Owned by the instance's thread.
 */
#ifndef MCPROXY_CORE_ROUTER_LINK_H
#define MCPROXY_CORE_ROUTER_LINK_H

#include "core/base/bucket.h"
#include "core/base/deadlines.h"
#include "core/base/set64.h"
#include "core/contract/link_change.h"
#include "core/router/group.h"
#include "core/router/querier.h"
#include "core/router/shared_hosts.h"
#include "core/wire/drop.h"

enum link_counter {
	COUNTER_QUERIES_SENT,
	COUNTER_QUERIES_RECEIVED,
	COUNTER_REPORTS_V1, /* messages, by version */
	COUNTER_REPORTS_V2,
	COUNTER_REPORTS_V3,
	COUNTER_LEAVES,
	COUNTER_RECORDS,
	COUNTER_OLDER_QUERIES, /* queries of another version than the link's */
	LINK_COUNTERS
};

struct link_family {
	bool usable;
	struct addr address;
	struct querier querier;
	struct shared_hosts shared; /* fast leave only */
	struct bucket reports;      /* what report_rate_max leaves of packets */
	struct group_timers timers; /* derived; refreshed by link_refresh_timers */
	struct deadline deadline;   /* of the querier */
	uint32_t group_count;
	uint64_t counters[LINK_COUNTERS];
	uint64_t drops[DROP_CAUSES];
};

struct link {
	uint8_t id;
	uint8_t role; /* enum link_role */
	char name[LINK_NAME_SIZE];
	uint32_t mtu;
	struct link_settings settings;
	struct link_family family[FAMILIES];
};

/* Recomputes the timers of a family from settings and querier. */
void link_refresh_timers(struct link *link, enum family family, mtime now);
/* Does multicast leave by this link now? RFC 4605 section 4.2: downstream only where this router is the
 * querier. */
bool link_forwards(const struct link *link, enum family family, mtime now);

#endif
