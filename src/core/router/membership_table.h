/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The memberships of an instance: found by group, paid for by a link, and marked when they change; requests.c pulls what is
 * marked. The instance's thread.
 */
#ifndef MCPROXY_CORE_ROUTER_MEMBERSHIP_TABLE_H
#define MCPROXY_CORE_ROUTER_MEMBERSHIP_TABLE_H

#include "core/router/engine.h"

/* The hash of a group in the index of memberships. Keeps the latest ones, because a report needs one three
 * times. */
inline uint32_t membership_hash(struct instance *instance, const struct addr *group)
{
	struct group_hash *kept = &instance->hashes[group->bytes[15] % GROUP_HASHES];

	if (!addr_equal(&kept->group, group)) {
		kept->hash = addr_hash(group, instance->seed);
		kept->group = *group;
	}
	return kept->hash;
}

struct membership *membership_find(struct instance *instance, const struct addr *group);
/* The oldest, and the one added after this; NULL: no more. */
struct membership *membership_oldest(const struct instance *instance);
struct membership *membership_newer(const struct membership *membership);
/* The first of the link_groups, and the one behind this; NULL: no more. */
struct link_group *link_group_first(struct membership *membership);
struct link_group *link_group_next(const struct link_group *link_group);
/* Finds or makes it; NULL when memory is short. A new one counts for the link; reserved: it may use the
 * pool's reserve. */
struct membership *membership_get(struct instance *instance, const struct link *link,
                                  const struct addr *group, bool reserved);
/* The link uses the membership. If the link that its memory counts for was removed, it counts for this one. */
void membership_pay(struct instance *instance, struct membership *membership, const struct link *link);
/* The link with this id is removed: memberships that other links use now count for those. Visits all
 * memberships. */
void membership_pay_for(struct instance *instance, uint8_t removed);
/* Frees it when nothing needs it any more. */
void membership_release(struct instance *instance, struct membership *membership);

/* Marks it: what it wants has changed. */
void membership_mark(struct instance *instance, struct membership *membership);
/* Marks all memberships of the family: an upstream link became usable, or requests were lost. */
void membership_mark_all(struct instance *instance, enum family family);
/* Takes the mark off the membership that was marked first, and returns it; NULL: no more. */
struct membership *membership_pull_marked(struct instance *instance);

#endif
