/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A link of an instance as its engine knows it: role, name, settings, and for each family its state, querier
 * and timers. The owner assigns each link a small id; interface indexes and vif numbers exist only in the
 * owner. The instance's thread.
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
	COUNTER_REPORTS,       /* messages of hosts, leaves included */
	COUNTER_OLDER_QUERIES, /* queries of another version than the link's */
	LINK_COUNTERS
};

struct link_family {
	bool usable;
	struct addr address;
	struct querier querier;
	struct shared_hosts shared; /* fast leave only */
	struct bucket reports;      /* limits packets to report_rate_max */
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

/* A link that is not in use. NULL when memory is short. It does not come from the pool: a link must be able
 * to come up while a flood has filled that. */
struct link *link_new(uint8_t id);
/* The link and the family that a deadline is part of. */
struct link *link_of_deadline(struct deadline *deadline, enum family *family);
/* Recomputes the timers of a family from settings and querier. */
void link_refresh_timers(struct link *link, enum family family, mtime now);
/* Does the router forward to this link now? To a downstream link only while it is the querier there (RFC 4605
 * section 4.2). */
bool link_forwards(const struct link *link, enum family family, mtime now);

#endif
