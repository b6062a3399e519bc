/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/engine.h"

#include <assert.h>

struct membership *membership_find(struct instance *instance, const struct addr *group)
{
	struct membership *membership;

	HASH_FIND_BYHASHVALUE(hh, instance->memberships, group, sizeof *group,
	                      addr_hash(group, instance->seed), membership);
	return membership;
}

struct membership *membership_get(struct instance *instance, const struct addr *group)
{
	struct membership *membership = membership_find(instance, group);

	if (membership != NULL)
		return membership;
	membership = pool_take(instance->pool, sizeof *membership);
	if (membership == NULL)
		return NULL;
	membership->group = *group;
	HASH_ADD_BYHASHVALUE(hh, instance->memberships, group, sizeof *group,
	                     addr_hash(group, instance->seed), membership);
	if (membership->hh.tbl != NULL)
		return membership;
	pool_give(instance->pool, membership, sizeof *membership);
	return NULL;
}

void membership_release(struct instance *instance, struct membership *membership)
{
	if (membership->listeners != NULL || membership->flows != NULL || membership->dirty ||
	    membership->wanted_upstream)
		return;
	snapshot_skip(instance, membership);
	HASH_DEL(instance->memberships, membership);
	pool_give(instance->pool, membership, sizeof *membership);
}

void membership_mark(struct instance *instance, struct membership *membership)
{
	if (membership->dirty)
		return;
	membership->dirty = true;
	DL_APPEND2(instance->dirty_memberships, membership, dirty_prev, dirty_next);
}

void membership_mark_all(struct instance *instance, enum family family)
{
	struct membership *membership, *next;

	HASH_ITER (hh, instance->memberships, membership, next)
		if (addr_family(&membership->group) == family && membership->listeners != NULL)
			membership_mark(instance, membership);
}

void membership_filter(struct instance *instance, const struct membership *membership, struct filter *filter)
{
	struct filter one = {.sources = sources_on(instance->scratch_merge, INSTANCE_SOURCES_MAX)};

	filter->mode = FILTER_INCLUDE;
	filter->sources.count = 0;
	for (const struct listener *listener = membership->listeners; listener; listener = listener->next) {
		group_filter(&listener->group, &one);
		filter_merge(filter, &one);
	}
}

static struct listener *listener_find(struct membership *membership, const struct link *link)
{
	struct listener *listener;

	LL_FOREACH (membership->listeners, listener)
		if (listener->link == link)
			return listener;
	return NULL;
}

static void insert_by_link(struct membership *membership, struct listener *listener)
{
	struct listener **at = &membership->listeners;

	while (*at != NULL && (*at)->link->id < listener->link->id)
		at = &(*at)->next;
	listener->next = *at;
	*at = listener;
}

static struct listener *listener_new(struct instance *instance, struct membership *membership,
                                     struct link *link)
{
	enum family family = addr_family(&membership->group);
	struct listener *listener;

	if (link->family[family].group_count >= link->settings.groups_max) {
		instance_drop(instance, link, family, DROP_GROUPS_MAX);
		return NULL;
	}
	listener = pool_take(instance->pool, sizeof *listener);
	if (listener == NULL ||
	    !deadlines_reserve(&instance->deadlines, instance->listener_count + 1 + 2 * LINKS_MAX)) {
		pool_give(instance->pool, listener, sizeof *listener);
		instance_drop(instance, link, family, DROP_MEMORY);
		return NULL;
	}
	listener->membership = membership;
	listener->link = link;
	listener->deadline.kind = DEADLINE_LISTENER;
	group_init(&listener->group);
	insert_by_link(membership, listener);
	link->family[family].group_count++;
	instance->listener_count++;
	return listener;
}

static void set_asking(struct instance *instance, struct listener *listener, bool asking)
{
	if (listener->asking == asking)
		return;
	listener->asking = asking;
	if (asking)
		DL_APPEND2(instance->asking, listener, query_prev, query_next);
	else
		DL_DELETE2(instance->asking, listener, query_prev, query_next);
}

static void listener_free(struct instance *instance, struct listener *listener)
{
	struct membership *membership = listener->membership;

	LL_DELETE(membership->listeners, listener);
	set_asking(instance, listener, false);
	deadlines_remove(&instance->deadlines, &listener->deadline);
	group_fini(&listener->group, instance->pool);
	listener->link->family[addr_family(&membership->group)].group_count--;
	instance->listener_count--;
	pool_give(instance->pool, listener, sizeof *listener);
}

void listener_arm(struct instance *instance, struct listener *listener)
{
	deadlines_no_later_than(&instance->deadlines, &listener->deadline, group_deadline(&listener->group));
}

static void tell(struct instance *instance, const struct listener *listener, enum event_kind kind,
                 enum filter_mode before)
{
	struct event event = {
		.kind = (uint8_t)kind,
		.link = listener->link->id,
		.family = (uint8_t)addr_family(&listener->membership->group),
		.before = (uint8_t)before,
		.after = listener->group.mode,
		.count = listener->group.source_count,
		.group = listener->membership->group,
	};

	if (listener->group.source_count > 0)
		event.source = listener->group.sources[0].addr;
	events_push(&instance->events, &event);
}

/* Acts on what group_apply or group_expire has told. The listener, and with its last one the membership, may
 * be freed. */
static void listener_act(struct instance *instance, struct listener *listener, mtime now, unsigned flags,
                         enum filter_mode before, bool is_new)
{
	struct membership *membership = listener->membership;
	enum family family = addr_family(&membership->group);

	if (flags & GROUP_SOURCES_MAX)
		instance_drop(instance, listener->link, family, DROP_SOURCES_MAX);
	if (flags & GROUP_MEMORY)
		instance_drop(instance, listener->link, family, DROP_MEMORY);
	if (flags & GROUP_QUERY)
		set_asking(instance, listener, true);
	if (group_is_empty(&listener->group)) {
		if (!is_new)
			tell(instance, listener, EVENT_LEAVE, before);
		listener_free(instance, listener);
	} else {
		if (flags & GROUP_CHANGED)
			tell(instance, listener, is_new ? EVENT_JOIN : EVENT_FILTER, before);
		listener_arm(instance, listener);
	}
	if (flags & GROUP_CHANGED) {
		membership_mark(instance, membership);
		forward_update(instance, membership, now);
	}
	membership_release(instance, membership);
}

/* A record that takes away, or names nothing, makes no state where there is none. */
static bool can_create(enum record_type type, const struct sources *sources)
{
	if (type == IS_EX || type == TO_EX)
		return true;
	return type != BLOCK && sources->count > 0;
}

void membership_record(struct instance *instance, struct link *link, mtime now, enum version version,
                       enum record_type type, const struct addr *group, const struct sources *sources)
{
	struct link_family *state = &link->family[addr_family(group)];
	struct membership *membership = membership_find(instance, group);
	struct listener *listener = membership ? listener_find(membership, link) : NULL;
	bool is_new = listener == NULL;
	enum filter_mode before;
	unsigned flags;

	if (is_new && !can_create(type, sources))
		return;
	if (membership == NULL)
		membership = membership_get(instance, group);
	if (membership == NULL) {
		instance_drop(instance, link, addr_family(group), DROP_MEMORY);
		return;
	}
	if (is_new)
		listener = listener_new(instance, membership, link);
	if (listener == NULL) {
		membership_release(instance, membership);
		return;
	}
	before = listener->group.mode;
	flags = group_expire(&listener->group, &state->timers, now);
	flags |= group_apply(&listener->group, instance->pool, &state->timers, now, version, type, sources);
	listener_act(instance, listener, now, flags, before, is_new);
}

void membership_heard_query(struct instance *instance, struct link *link, mtime now, const struct addr *group,
                            const struct sources *sources)
{
	struct membership *membership = membership_find(instance, group);
	struct listener *listener = membership ? listener_find(membership, link) : NULL;

	if (listener == NULL)
		return;
	group_heard_query(&listener->group, &link->family[addr_family(group)].timers, now, sources);
	listener_arm(instance, listener);
}

void listener_expire(struct instance *instance, struct listener *listener, mtime now)
{
	enum family family = addr_family(&listener->membership->group);
	enum filter_mode before = listener->group.mode;
	unsigned flags = group_expire(&listener->group, &listener->link->family[family].timers, now);

	listener_act(instance, listener, now, flags, before, false);
}

void membership_drop_link(struct instance *instance, struct link *link, enum family family, mtime now)
{
	struct membership *membership, *next;

	HASH_ITER (hh, instance->memberships, membership, next) {
		struct listener *listener = listener_find(membership, link);

		if (listener == NULL || addr_family(&membership->group) != family)
			continue;
		tell(instance, listener, EVENT_LEAVE, listener->group.mode);
		listener_free(instance, listener);
		membership_mark(instance, membership);
		forward_update(instance, membership, now);
	}
}

void membership_querier_changed(struct instance *instance, struct link *link, enum family family, mtime now)
{
	struct listener *listener, *next;
	bool was_querier = link->family[family].timers.querier;
	bool querier = querier_is_elected(&link->family[family].querier, now);

	link_refresh_timers(link, family, now);
	if (!querier) {
		DL_FOREACH_SAFE2 (instance->asking, listener, next, query_next) {
			if (listener->link != link || addr_family(&listener->membership->group) != family)
				continue;
			group_cancel_queries(&listener->group);
			set_asking(instance, listener, false);
		}
	}
	/* Routes depend on who is elected, not on what the querier tells. */
	if (was_querier != querier && link->family[family].group_count > 0)
		forward_update_all(instance, family, now);
}

void membership_reconfigure_link(struct instance *instance, struct link *link, enum family family, mtime now)
{
	struct group_timers *timers = &link->family[family].timers;
	mtime before = timers->membership_interval;
	struct membership *membership, *next;

	link_refresh_timers(link, family, now);
	if (timers->membership_interval <= before)
		return;
	HASH_ITER (hh, instance->memberships, membership, next) {
		struct listener *listener = listener_find(membership, link);

		if (listener != NULL && addr_family(&membership->group) == family)
			group_extend(&listener->group, timers->membership_interval - before);
	}
}
