/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Memberships upstream that nobody wants any more and that are kept for a moment: somebody may zap back. A
 * queue in order of time; what comes back to life in between stays in it and is reported by its number. Part of a
 * host. Owner thread.
 */
#ifndef MCPROXY_CORE_HOST_HOLDS_H
#define MCPROXY_CORE_HOST_HOLDS_H

#include "core/base/addr.h"
#include "core/base/mtime.h"
#include "core/base/pool.h"

#define HOLDS_MAX 65535 /* as many as have a number of their own */

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

/* The number of the new hold; 0 when there are too many, or memory is short. */
uint16_t holds_add(struct holds *holds, struct pool *pool, const struct addr *group, unsigned instance,
                   mtime until);
/* The next one whose time is over; false: none. */
bool holds_pull(struct holds *holds, struct pool *pool, mtime now, struct hold *hold);
/* MTIME_NEVER: there is none. */
mtime holds_first_at(const struct holds *holds);

#endif
