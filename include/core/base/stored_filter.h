/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A filter in storage: as small as possible, its list on a pool. Owned by the owner of the pool.
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

/* A view of it; valid until it changes. */
struct filter stored_filter_view(const struct stored_filter *stored);
/* Copies the filter; false, and no change, when the pool is exhausted. */
bool stored_filter_set(struct stored_filter *stored, struct pool *pool, const struct filter *filter);
/* Becomes INCLUDE{}. */
void stored_filter_clear(struct stored_filter *stored, struct pool *pool);

#endif
