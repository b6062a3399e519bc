/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A querier that is not the engine: the router above the topmost proxy, and rivals that come up on downstream
 * links. It asks generally, and specifically after a leave. It takes part in no election: it is the one with
 * the lower address, or it ignores the others.
 */
#ifndef MCPROXY_SIM_ASKER_H
#define MCPROXY_SIM_ASKER_H

#include "world.h"

struct asker {
	struct world *world;
	struct port port;
	uint8_t family;
	bool active;
	bool has_lower_address;
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

struct asker *asker_new(struct world *world, struct segment *segment, enum family family,
                        bool has_lower_address);
void asker_free(struct asker *asker);
void asker_start(struct asker *asker);
void asker_stop(struct asker *asker);

#endif
