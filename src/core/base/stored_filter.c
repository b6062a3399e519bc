/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/base/stored_filter.h"

struct filter stored_filter_view(const struct stored_filter *stored)
{
	return (struct filter){
		.mode = stored->mode,
		.sources = {.list = stored->list, .count = stored->count, .capacity = stored->count}};
}

void stored_filter_clear(struct stored_filter *stored, struct pool *pool)
{
	if (stored->list != NULL)
		pool_give(pool, stored->list, stored->count * sizeof *stored->list);
	*stored = (struct stored_filter){.mode = FILTER_INCLUDE};
}

bool stored_filter_set(struct stored_filter *stored, struct pool *pool, const struct filter *filter)
{
	size_t size = filter->sources.count * sizeof(struct addr);
	struct addr *list = size > 0 ? pool_take(pool, size) : NULL;

	if (size > 0 && list == NULL)
		return false;
	if (size > 0)
		memcpy(list, filter->sources.list, size);
	stored_filter_clear(stored, pool);
	*stored = (struct stored_filter){
		.list = list, .count = (uint16_t)filter->sources.count, .mode = (uint8_t)filter->mode};
	return true;
}
