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
#include "core/router/discovery.h"
#include "core/router/group.h"
#include "core/router/hits.h"
#include "core/router/host_groups.h"
#include "core/router/host_rates.h"
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

#define FOREIGN_QUERIERS_MAX 4 /* logged, of a link */

struct link_family {
	bool usable;
	struct addr address;
	struct querier querier;
	struct discovery discovery;
	struct bucket reports;      /* limits packets to report_rate_max */
	struct addr checked_host;   /* the last sender of a report that is a host; "::" until then */
	struct group_timers timers; /* derived; refreshed by link_refresh_timers */
	struct deadline deadline;   /* of the querier and router discovery */
	uint32_t group_count;
	struct addr other_version_querier; /* that sent the last query of another version than the link's */
	mtime other_version_at;            /* when; 0: never */
	uint8_t other_version;
	uint64_t counters[LINK_COUNTERS];
	uint64_t drops[DROP_CAUSES];
	struct shared_hosts shared;     /* fast leave only */
	struct host_groups host_groups; /* limits each host to host_groups_max */
	struct host_rates hosts;        /* limits those of each source to host_report_rate_max */
};

struct link {
	uint8_t id;
	uint8_t role; /* enum link_role */
	char name[LINK_NAME_SIZE];
	uint32_t mtu;
	uint32_t elections;
	struct pool *pool; /* the instance's part for the link's state */
	unsigned foreign_count;
	struct bucket queries; /* limits specific queries to query_rate_max */
	struct link_settings settings;
	struct link_addresses addresses;
	struct addr foreign_queriers[FOREIGN_QUERIERS_MAX]; /* from outside the subnets, and logged */
	/* Which `in` conditions of the filters a stream fulfils: of filter_in, one that enters by this link; of
	 * filter_out, one that enters by the link with that id. Set by filtering_refresh. */
	uint64_t entry_in;
	uint64_t entry_out[LINKS_MAX];
	struct filter_hit *hits[FILTER_DIRECTIONS]; /* hits.h */
	struct link_family family[FAMILIES];
};

/* A link that is not in use; seed: of the delays of router discovery. NULL when memory is short. It does not
 * come from the pool: a link must be able to come up while a flood has filled that. */
struct link *link_new(uint8_t id, uint64_t seed);
void link_free(struct link *link); /* NULL: nothing */
/* The link and the family that a deadline is part of. */
struct link *link_of_deadline(struct deadline *deadline, enum family *family);
/* When the querier or router discovery of a family must act. */
mtime link_deadline(const struct link *link, enum family family);
/* Recomputes the timers of a family from settings and querier. */
void link_refresh_timers(struct link *link, enum family family, mtime now);
/* May the link's packets of that source pass now? */
bool link_host_passes(struct link *link, enum family family, uint64_t seed, const struct addr *source,
                      mtime now);
/* May a specific query be sent to the link now? link_take_query takes its place. */
bool link_has_query_room(struct link *link, mtime now);
void link_take_query(struct link *link, mtime now);
/* Does the router forward to this link now? With FORWARD_NEVER, to a downstream link only while it is the
 * querier there (RFC 4605 section 4.2). */
bool link_forwards(const struct link *link, enum family family, mtime now);
/* FORWARD_AUTO, while another router is the querier: a stream that the other one forwards may be left to it.
 */
bool link_may_yield(const struct link *link, enum family family, mtime now);

/* Is it one of the router's own addresses on the link? */
bool link_has_address(const struct link *link, const struct addr *addr);
/* Can the address be another router's on the link? Any IPv6 address can, and any IPv4 address where no subnet is
 * known. */
bool link_has_subnet_of(const struct link *link, const struct addr *addr);
/* The broadcast address of one of the link's IPv4 subnets, or the limited one. */
bool link_is_broadcast(const struct link *link, const struct addr *addr);

#endif
