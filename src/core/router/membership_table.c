/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/membership_table.h"

/* For builds that do not inline them. */
extern inline uint32_t membership_hash(struct instance *instance, const struct addr *group);

static struct link_group *used(struct link_group *link_group)
{
	return link_group != NULL && link_group->link == NULL ? link_group->next : link_group;
}

struct link_group *link_group_first(struct membership *membership)
{
	return used(&membership->first);
}

struct link_group *link_group_next(const struct link_group *link_group)
{
	return link_group->next;
}

struct membership *membership_oldest(const struct instance *instance)
{
	return (struct membership *)instance->memberships.oldest;
}

struct membership *membership_newer(const struct membership *membership)
{
	return (struct membership *)membership->node.newer;
}

static struct membership *find(const struct instance *instance, const struct addr *group, uint32_t hash)
{
	struct index_node *node = index_find(&instance->memberships, hash);

	for (; node != NULL; node = index_find_next(&instance->memberships, node))
		if (addr_equal(&((struct membership *)node)->group, group))
			break;
	return (struct membership *)node;
}

struct membership *membership_find(struct instance *instance, const struct addr *group)
{
	return find(instance, group, membership_hash(instance, group));
}

struct membership *membership_get(struct instance *instance, const struct link *link,
                                  const struct addr *group, bool reserved)
{
	uint32_t hash = membership_hash(instance, group);
	struct membership *membership = find(instance, group, hash);

	if (membership != NULL)
		return membership;
	membership = reserved ? pool_take_reserved(link->pool, sizeof *membership)
	                      : pool_take(link->pool, sizeof *membership);
	if (membership == NULL)
		return NULL;
	membership->payer = link->id;
	membership->group = *group;
	membership->first.membership = membership;
	if (index_add(&instance->memberships, &membership->node, hash))
		return membership;
	pool_give(link->pool, membership, sizeof *membership);
	return NULL;
}

/* No walk may stand on a membership that is freed. */
static void move_walks_on(struct instance *instance, struct membership *membership)
{
	for (size_t i = 0; i < SNAPSHOT_CURSORS; i++) {
		struct walk *walk = &instance->walks[i];

		if (walk->membership != membership)
			continue;
		walk->membership = membership_newer(membership);
		walk->in_group = false;
		walk->serial = 0;
	}
}

void membership_pay(struct instance *instance, struct membership *membership, const struct link *link)
{
	if (instance->links[membership->payer] != NULL)
		return;
	pool_move(instance->parts[membership->payer], link->pool, sizeof *membership);
	membership->payer = link->id;
}

/* The link that pays next. NULL: none uses the membership, and it is freed soon. */
static const struct link *next_payer(const struct instance *instance, struct membership *membership)
{
	const struct link_group *link_group = link_group_first(membership);
	const struct flow *flow;

	if (link_group != NULL)
		return link_group->link;
	DL_FOREACH (membership->flows, flow)
		if (!flow->gone)
			return instance->links[flow->input];
	return NULL;
}

void membership_pay_for(struct instance *instance, uint8_t removed)
{
	struct membership *membership = membership_oldest(instance);

	for (; membership != NULL; membership = membership_newer(membership)) {
		const struct link *link =
			membership->payer == removed ? next_payer(instance, membership) : NULL;

		if (link != NULL)
			membership_pay(instance, membership, link);
	}
}

void membership_release(struct instance *instance, struct membership *membership)
{
	if (link_group_first(membership) != NULL || membership->flows != NULL || membership->dirty ||
	    membership->wanted_upstream)
		return;
	move_walks_on(instance, membership);
	index_remove(&instance->memberships, &membership->node);
	pool_give(instance->parts[membership->payer], membership, sizeof *membership);
}

void membership_mark(struct instance *instance, struct membership *membership)
{
	if (membership->dirty)
		return;
	membership->dirty = true;
	membership->dirty_next = NULL;
	*(instance->dirty_memberships ? &instance->dirty_last->dirty_next : &instance->dirty_memberships) =
		membership;
	instance->dirty_last = membership;
}

struct membership *membership_pull_marked(struct instance *instance)
{
	struct membership *membership = instance->dirty_memberships;

	if (membership == NULL)
		return NULL;
	instance->dirty_memberships = membership->dirty_next;
	membership->dirty = false;
	return membership;
}

void membership_mark_all(struct instance *instance, enum family family)
{
	for (struct membership *membership = membership_oldest(instance); membership;
	     membership = membership_newer(membership))
		if (addr_family(&membership->group) == family && link_group_first(membership) != NULL)
			membership_mark(instance, membership);
}
