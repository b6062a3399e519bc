/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Wants that have ended and still count for leave_hold, because a viewer may switch back to the channel. A
 * queue in order of time. A hold whose want has come back stays in the queue, but its number no longer
 * matches the want's. Part of a host. Owner thread.
 */
#ifndef MCPROXY_CORE_HOST_HOLDS_H
#define MCPROXY_CORE_HOST_HOLDS_H

#include "core/base/addr.h"
#include "core/base/mtime.h"
#include "core/base/pool.h"

#define HOLDS_MAX 65535 /* the numbers 1 to 65535 */

struct hold {
	struct hold *next;
	struct addr group;
	mtime until;
	uint16_t number;
	uint8_t instance;
};

struct holds {
	struct hold *first, *last;
	uint32_t count;
	uint16_t newest; /* number */
};

/* Returns the number of the new hold; 0 when there are too many, or memory is short. */
uint16_t holds_add(struct holds *holds, struct pool *pool, const struct addr *group, unsigned instance,
                   mtime until);
/* Takes the next hold whose time is over; false: none. */
bool holds_pull(struct holds *holds, struct pool *pool, mtime now, struct hold *hold);
/* When the first one ends; MTIME_NEVER: there is none. */
mtime holds_first_at(const struct holds *holds);

#endif
