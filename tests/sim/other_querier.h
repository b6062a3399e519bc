/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A querier that is not the engine: the router above the topmost proxy, and rivals that come up on downstream
 * links. It sends general queries, and specific ones after a leave. It takes part in no election: it has the
 * lower address, or it ignores the others.
 */
#ifndef MCPROXY_SIM_OTHER_QUERIER_H
#define MCPROXY_SIM_OTHER_QUERIER_H

#include "world.h"

struct other_querier {
	struct world *world;
	struct port port;
	uint8_t family;
	bool active;
	bool has_lower_address;
	bool sends_specific_queries; /* some switches send only general ones */
	int version;
	struct addr addr;
	unsigned robustness;
	mtime query_interval;
	mtime query_response_interval;
	mtime last_member_query_interval;
	mtime general_at;
	mtime specific_at;
	int specific_group;
	unsigned specific_left;
};

struct other_querier *other_querier_new(struct world *world, struct segment *segment, enum family family,
                                        bool has_lower_address);
void other_querier_free(struct other_querier *querier);
void other_querier_start(struct other_querier *querier);
void other_querier_stop(struct other_querier *querier);

#endif
