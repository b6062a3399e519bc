/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/host/holds.h"

uint16_t holds_add(struct holds *holds, struct pool *pool, const struct addr *group, unsigned instance,
                   mtime until)
{
	struct hold *hold = holds->count < HOLDS_MAX ? pool_take(pool, sizeof *hold) : NULL;

	if (hold == NULL)
		return 0;
	if (++holds->newest == 0)
		holds->newest = 1;
	*hold = (struct hold){
		.group = *group, .until = until, .number = holds->newest, .instance = (uint8_t)instance};
	*(holds->first ? &holds->last->next : &holds->first) = hold;
	holds->last = hold;
	holds->count++;
	return hold->number;
}

bool holds_pull(struct holds *holds, struct pool *pool, mtime now, struct hold *hold)
{
	struct hold *first = holds->first;

	if (first == NULL || first->until > now)
		return false;
	*hold = *first;
	holds->first = first->next;
	holds->count--;
	pool_give(pool, first, sizeof *first);
	return true;
}

mtime holds_first_at(const struct holds *holds)
{
	return holds->first ? holds->first->until : MTIME_NEVER;
}
