/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Stands for adoption.c in a build without notifications to a service manager.
 */
#include "daemon/owner/adoption.h"

bool adoption_note(struct owner *owner, struct table *table, const struct route_key *key, unsigned input,
                   uint32_t outputs)
{
	(void)owner;
	(void)table;
	(void)key;
	(void)input;
	(void)outputs;
	return false;
}

bool adoption_holds(struct owner *owner, struct table *table, mtime now, const struct mrt_upcall *upcall)
{
	(void)owner;
	(void)table;
	(void)now;
	(void)upcall;
	return false;
}

bool adoption_pull_held(struct owner *owner, mtime now, struct table **table, struct mrt_upcall *upcall)
{
	(void)owner;
	(void)now;
	(void)table;
	(void)upcall;
	return false;
}

bool adoption_is_announcing(const struct owner *owner)
{
	(void)owner;
	return false;
}

bool adoption_is_settling(const struct owner *owner)
{
	(void)owner;
	return false;
}

void adoption_answered(struct owner *owner, const struct instance_slot *instance)
{
	(void)owner;
	(void)instance;
}

void adoption_apply(struct owner *owner, mtime now)
{
	(void)owner;
	(void)now;
}

void adoption_end_turn(struct owner *owner, mtime now)
{
	(void)owner;
	(void)now;
}

mtime adoption_deadline(const struct owner *owner)
{
	(void)owner;
	return MTIME_NEVER;
}
