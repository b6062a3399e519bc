/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/engine.h"

#include <assert.h>

#define SHARED_FOR_INTERVALS 10 /* group membership intervals: three quarters of an hour */

static struct listener *used(struct listener *listener)
{
	return listener != NULL && listener->link == NULL ? listener->next : listener;
}

struct listener *listener_first(struct membership *membership)
{
	return used(&membership->first);
}

struct listener *listener_next(const struct listener *listener)
{
	return listener->next;
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

	for (; node != NULL; node = index_find_next(node))
		if (addr_equal(&((struct membership *)node)->group, group))
			break;
	return (struct membership *)node;
}

struct membership *membership_find(struct instance *instance, const struct addr *group)
{
	return find(instance, group, addr_hash(group, instance->seed));
}

struct membership *membership_get(struct instance *instance, const struct addr *group)
{
	uint32_t hash = addr_hash(group, instance->seed);
	struct membership *membership = find(instance, group, hash);

	if (membership != NULL)
		return membership;
	membership = pool_take(instance->pool, sizeof *membership);
	if (membership == NULL)
		return NULL;
	membership->group = *group;
	membership->first.membership = membership;
	if (index_add(&instance->memberships, &membership->node, hash))
		return membership;
	pool_give(instance->pool, membership, sizeof *membership);
	return NULL;
}

void membership_release(struct instance *instance, struct membership *membership)
{
	if (listener_first(membership) != NULL || membership->flows != NULL || membership->dirty ||
	    membership->wanted_upstream)
		return;
	snapshot_skip(instance, membership);
	index_remove(&instance->memberships, &membership->node);
	pool_give(instance->pool, membership, sizeof *membership);
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
		if (addr_family(&membership->group) == family && listener_first(membership) != NULL)
			membership_mark(instance, membership);
}

uint64_t membership_open_links(struct membership *membership)
{
	const struct listener *listener = listener_first(membership);
	uint64_t links = 0;

	for (; listener != NULL; listener = listener_next(listener)) {
		if (!group_wants_all(&listener->group))
			return 0;
		links |= link_bit(listener->link);
	}
	return links;
}

void membership_filter(struct instance *instance, struct membership *membership, struct filter *filter)
{
	struct filter one = {.sources = sources_on(instance->scratch_merge, REQUEST_SOURCES_MAX)};
	const struct listener *listener = listener_first(membership);

	filter->mode = FILTER_INCLUDE;
	filter->sources.count = 0;
	for (; listener != NULL; listener = listener_next(listener)) {
		group_filter(&listener->group, &one);
		filter_merge(filter, &one);
	}
}

static struct listener *listener_find(struct membership *membership, const struct link *link)
{
	struct listener *listener = &membership->first;

	while (listener != NULL && listener->link != link)
		listener = listener->next;
	return listener;
}

/* The membership's own if it is free, or a new one behind it. */
static struct listener *take_listener(struct instance *instance, struct membership *membership)
{
	struct listener *listener = &membership->first;

	if (listener->link == NULL)
		return listener;
	listener = pool_take(instance->pool, sizeof *listener);
	if (listener == NULL)
		return NULL;
	listener->membership = membership;
	listener->next = membership->first.next;
	membership->first.next = listener;
	return listener;
}

static void give_listener(struct instance *instance, struct listener *listener)
{
	struct listener **at = &listener->membership->first.next;

	listener->link = NULL;
	if (listener == &listener->membership->first)
		return;
	while (*at != listener)
		at = &(*at)->next;
	*at = listener->next;
	pool_give(instance->pool, listener, sizeof *listener);
}

static struct listener *listener_new(struct instance *instance, struct membership *membership,
                                     struct link *link, mtime now)
{
	enum family family = addr_family(&membership->group);
	struct listener *listener;

	if (link->family[family].group_count >= link->settings.groups_max) {
		instance_drop(instance, link, family, DROP_GROUPS_MAX);
		return NULL;
	}
	listener = deadlines_reserve(&instance->deadlines, instance->listener_count + 1 + 2 * LINKS_MAX)
	                   ? take_listener(instance, membership)
	                   : NULL;
	if (listener == NULL) {
		instance_drop(instance, link, family, DROP_MEMORY);
		return NULL;
	}
	listener->link = link;
	listener->joined_at = now;
	listener->deadline.kind = DEADLINE_LISTENER;
	group_init(&listener->group);
	link->family[family].group_count++;
	instance->listener_count++;
	return listener;
}

/* In the list query_prev is never NULL. */
static bool is_asking(const struct listener *listener)
{
	return listener->query_prev != NULL;
}

void listener_set_asking(struct instance *instance, struct listener *listener, bool asking)
{
	if (is_asking(listener) == asking)
		return;
	if (asking) {
		DL_APPEND2(instance->asking, listener, query_prev, query_next);
		return;
	}
	DL_DELETE2(instance->asking, listener, query_prev, query_next);
	listener->query_prev = listener->query_next = NULL;
}

static void listener_free(struct instance *instance, struct listener *listener)
{
	struct membership *membership = listener->membership;

	listener_set_asking(instance, listener, false);
	deadlines_remove(&instance->deadlines, &listener->deadline);
	group_fini(&listener->group, instance->pool);
	listener->link->family[addr_family(&membership->group)].group_count--;
	instance->listener_count--;
	give_listener(instance, listener);
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
static void listener_act(struct instance *instance, struct listener *listener, unsigned flags,
                         enum filter_mode before, bool is_new)
{
	struct membership *membership = listener->membership;
	enum family family = addr_family(&membership->group);

	if (flags & GROUP_SOURCES_MAX)
		instance_drop(instance, listener->link, family, DROP_SOURCES_MAX);
	if (flags & GROUP_MEMORY)
		instance_drop(instance, listener->link, family, DROP_MEMORY);
	if (flags & GROUP_HOSTS_MAX)
		instance_drop(instance, listener->link, family, DROP_HOSTS_MAX);
	if (flags & GROUP_QUERY)
		listener_set_asking(instance, listener, true);
	if (group_is_empty(&listener->group)) {
		if (!is_new)
			tell(instance, listener, EVENT_LEAVE, before);
		listener_free(instance, listener);
	} else {
		if (flags & GROUP_CHANGED)
			tell(instance, listener, is_new ? EVENT_JOIN : EVENT_FILTER, before);
		listener_arm(instance, listener);
	}
	if (flags & GROUP_CHANGED)
		membership_mark(instance, membership);
	membership_release(instance, membership);
}

void membership_expect(const struct instance *instance, const struct record *records, size_t count)
{
	uint32_t hashes[MEMBERSHIP_EXPECTED_MAX];

	if (count < 2)
		return;
	for (size_t i = 0; i < count; i++) {
		hashes[i] = addr_hash(&records[i].group, instance->seed);
		index_expect(&instance->memberships, hashes[i], EXPECT_FAR);
	}
	for (size_t i = 0; i < count; i++)
		index_expect(&instance->memberships, hashes[i], EXPECT_NEAR);
}

/* A record that takes away, or names nothing, makes no state where there is none. */
static bool can_create(enum record_type type, const struct sources *sources)
{
	if (type == IS_EX || type == TO_EX)
		return true;
	return type != BLOCK && sources->count > 0;
}

/* The host of a record, or nobody where its address turns out to be that of several. */
static struct addr identify(struct link_family *state, mtime now, const struct addr *host,
                            const struct record *record, bool is_new)
{
	mtime until = now + SHARED_FOR_INTERVALS * state->timers.membership_interval;
	bool is_answer = record->type == IS_IN || record->type == IS_EX;

	if (is_new && is_answer)
		shared_hosts_answered(&state->shared, now, host, &record->group, until);
	else if (is_new)
		shared_hosts_joined(&state->shared, host, &record->group);
	return shared_hosts_has(&state->shared, now, host) ? addr_unspecified(addr_family(&record->group))
	                                                   : *host;
}

/* The group's state after a record that may have ended it. */
static void note_fast_leave(struct link_family *state, mtime now, const struct addr *host,
                            const struct record *record, const struct group *group)
{
	if ((record->type == TO_IN || record->type == BLOCK) && group_is_empty(group))
		shared_hosts_left(&state->shared, host, &record->group,
		                  now + state->timers.membership_interval);
}

void membership_record(struct instance *instance, struct link *link, mtime now, enum version version,
                       const struct addr *host, const struct record *record, const struct sources *sources)
{
	const struct addr *group = &record->group;
	struct link_family *state = &link->family[addr_family(group)];
	struct membership *membership = membership_find(instance, group);
	struct listener *listener = membership ? listener_find(membership, link) : NULL;
	bool is_new = listener == NULL, fast_leave = state->timers.fast_leave;
	struct addr identified = *host;
	enum filter_mode before;
	unsigned flags;

	if (is_new && !can_create(record->type, sources))
		return;
	if (membership == NULL)
		membership = membership_get(instance, group);
	if (membership == NULL) {
		instance_drop(instance, link, addr_family(group), DROP_MEMORY);
		return;
	}
	if (is_new)
		listener = listener_new(instance, membership, link, now);
	if (listener == NULL) {
		membership_release(instance, membership);
		return;
	}
	if (fast_leave)
		identified = identify(state, now, host, record, is_new);
	before = listener->group.mode;
	flags = group_expire(&listener->group, &state->timers, now);
	flags |= group_apply(&listener->group, instance->pool, &state->timers, now, version, &identified,
	                     record->type, sources);
	if (fast_leave && !is_new)
		note_fast_leave(state, now, host, record, &listener->group);
	listener_act(instance, listener, flags, before, is_new);
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

	listener_act(instance, listener, flags, before, false);
}

void membership_drop_link(struct instance *instance, struct link *link, enum family family, mtime now)
{
	struct membership *membership = membership_oldest(instance);

	for (; membership != NULL; membership = membership_newer(membership)) {
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

	instance->forwarding_due[family] = true;
	link_refresh_timers(link, family, now);
	if (!querier && !group_finishes_asking(&link->family[family].timers)) {
		DL_FOREACH_SAFE2 (instance->asking, listener, next, query_next) {
			if (listener->link != link || addr_family(&listener->membership->group) != family)
				continue;
			group_cancel_queries(&listener->group);
			listener_set_asking(instance, listener, false);
		}
	}
	/* Routes depend on who is elected, not on what the querier tells. */
	if (was_querier != querier && link->family[family].group_count > 0)
		forward_update_all(instance, family, now);
}

void membership_reconfigure_link(struct instance *instance, struct link *link, enum family family, mtime now)
{
	const struct group_timers *timers = &link->family[family].timers;
	struct group_timers before = *timers;
	struct membership *membership = membership_oldest(instance);
	mtime longer;

	link_refresh_timers(link, family, now);
	longer = timers->membership_interval - before.membership_interval;
	if (longer <= 0)
		return;
	for (; membership != NULL; membership = membership_newer(membership)) {
		struct listener *listener = listener_find(membership, link);

		if (listener != NULL && addr_family(&membership->group) == family)
			group_extend(&listener->group, now + group_last_member_query_time(&before), longer);
	}
}
