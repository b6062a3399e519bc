/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A filter at rest: as small as it can be, its list on a pool. Owner thread.
 */
#ifndef MCPROXY_CORE_BASE_STORED_FILTER_H
#define MCPROXY_CORE_BASE_STORED_FILTER_H

#include "core/base/filter.h"
#include "core/base/pool.h"

struct stored_filter {
	struct addr *list; /* on the pool; NULL when empty */
	uint16_t count;
	uint8_t mode; /* enum filter_mode */
};

/* A view of it; valid while it is not changed. */
struct filter stored_filter_view(const struct stored_filter *stored);
/* Takes a copy; false, and it stays as it was, when the pool is exhausted. */
bool stored_filter_set(struct stored_filter *stored, struct pool *pool, const struct filter *filter);
/* Becomes INCLUDE{}. */
void stored_filter_clear(struct stored_filter *stored, struct pool *pool);

#endif
