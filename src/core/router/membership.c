/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/membership.h"

#include "core/router/group_queries.h"
#include "core/router/group_records.h"
#include "core/router/group_timers.h"

#include <assert.h>

#define SHARED_FOR_INTERVALS 10 /* group membership intervals: about 45 minutes by default */

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

	for (; node != NULL; node = index_find_next(node))
		if (addr_equal(&((struct membership *)node)->group, group))
			break;
	return (struct membership *)node;
}

uint32_t membership_hash(struct instance *instance, const struct addr *group)
{
	struct group_hash *kept = &instance->hashes[group->bytes[15] % GROUP_HASHES];

	if (!addr_equal(&kept->group, group))
		*kept = (struct group_hash){*group, addr_hash(group, instance->seed)};
	return kept->hash;
}

struct membership *membership_find(struct instance *instance, const struct addr *group)
{
	return find(instance, group, membership_hash(instance, group));
}

static void *take(const struct link *link, size_t size, bool reserved)
{
	return reserved ? pool_take_reserved(link->pool, size) : pool_take(link->pool, size);
}

struct membership *membership_get(struct instance *instance, const struct link *link,
                                  const struct addr *group, bool reserved)
{
	uint32_t hash = membership_hash(instance, group);
	struct membership *membership = find(instance, group, hash);

	if (membership != NULL)
		return membership;
	membership = take(link, sizeof *membership, reserved);
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

static void mark(struct instance *instance, struct membership *membership)
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
			mark(instance, membership);
}

uint64_t membership_open_links(struct membership *membership)
{
	const struct link_group *link_group = link_group_first(membership);
	uint64_t links = 0;

	for (; link_group != NULL; link_group = link_group_next(link_group)) {
		if (!group_wants_all(&link_group->group))
			return 0;
		set64_add(&links, link_group->link->id);
	}
	return links;
}

void membership_filter(struct instance *instance, struct membership *membership, struct filter *filter)
{
	struct filter one = {.sources = sources_on(instance->scratch_merge, REQUEST_SOURCES_MAX)};
	const struct link_group *link_group = link_group_first(membership);

	filter->mode = FILTER_INCLUDE;
	filter->sources.count = 0;
	for (; link_group != NULL; link_group = link_group_next(link_group)) {
		group_filter(&link_group->group, &one);
		filter_merge(filter, &one);
	}
}

static struct link_group *link_group_find(struct membership *membership, const struct link *link)
{
	struct link_group *link_group = &membership->first;

	while (link_group != NULL && link_group->link != link)
		link_group = link_group->next;
	return link_group;
}

/* The one in the membership if it is unused, or a new one behind it. */
static struct link_group *take_link_group(const struct link *link, struct membership *membership,
                                          bool reserved)
{
	struct link_group *link_group = &membership->first;

	if (link_group->link == NULL)
		return link_group;
	link_group = take(link, sizeof *link_group, reserved);
	if (link_group == NULL)
		return NULL;
	link_group->membership = membership;
	link_group->next = membership->first.next;
	membership->first.next = link_group;
	return link_group;
}

static void give_link_group(struct link_group *link_group)
{
	struct link_group **at = &link_group->membership->first.next;
	struct pool *pool = link_group->link->pool;

	link_group->link = NULL;
	if (link_group == &link_group->membership->first)
		return;
	while (*at != link_group)
		at = &(*at)->next;
	*at = link_group->next;
	pool_give(pool, link_group, sizeof *link_group);
}

static struct link_group *link_group_new(struct instance *instance, struct membership *membership,
                                         struct link *link, mtime now, bool reserved)
{
	enum family family = addr_family(&membership->group);
	struct link_group *link_group;

	link_group = deadlines_reserve(&instance->deadlines, instance->link_group_count + 1 + 2 * LINKS_MAX)
	                     ? take_link_group(link, membership, reserved)
	                     : NULL;
	if (link_group == NULL)
		return NULL;
	membership_pay(instance, membership, link);
	link_group->link = link;
	link_group->joined_at = now;
	link_group->deadline.kind = DEADLINE_LINK_GROUP;
	group_init(&link_group->group);
	link->family[family].group_count++;
	instance->link_group_count++;
	return link_group;
}

/* In a list of utlist, prev is never NULL. */
static bool is_asking(const struct link_group *link_group)
{
	return link_group->query_prev != NULL;
}

void link_group_set_asking(struct instance *instance, struct link_group *link_group, bool asking)
{
	if (is_asking(link_group) == asking)
		return;
	if (asking) {
		DL_APPEND2(instance->asking, link_group, query_prev, query_next);
		return;
	}
	DL_DELETE2(instance->asking, link_group, query_prev, query_next);
	link_group->query_prev = link_group->query_next = NULL;
}

static void link_group_free(struct instance *instance, struct link_group *link_group)
{
	struct membership *membership = link_group->membership;

	link_group_set_asking(instance, link_group, false);
	deadlines_remove(&instance->deadlines, &link_group->deadline);
	group_fini(&link_group->group, link_group->link->pool);
	link_group->link->family[addr_family(&membership->group)].group_count--;
	instance->link_group_count--;
	give_link_group(link_group);
}

void link_group_arm(struct instance *instance, struct link_group *link_group)
{
	deadlines_no_later_than(&instance->deadlines, &link_group->deadline,
	                        group_deadline(&link_group->group));
}

static void push_event(struct instance *instance, const struct link_group *link_group, enum event_kind kind,
                       enum filter_mode before)
{
	struct event event = {
		.kind = (uint8_t)kind,
		.link = link_group->link->id,
		.family = (uint8_t)addr_family(&link_group->membership->group),
		.before = (uint8_t)before,
		.after = link_group->group.mode,
		.count = link_group->group.source_count,
		.group = link_group->membership->group,
	};

	if (link_group->group.source_count > 0)
		event.source = link_group->group.sources[0].addr;
	events_push(&instance->events, &event);
}

/* Acts on the flags of group_apply or group_expire. The link_group, and with the last one its membership, may
 * be freed. */
static void link_group_act(struct instance *instance, struct link_group *link_group, unsigned flags,
                           enum filter_mode before, bool is_new, const struct addr *host)
{
	struct membership *membership = link_group->membership;
	enum family family = addr_family(&membership->group);

	if (flags & GROUP_SOURCES_MAX)
		engine_drop_host(instance, link_group->link, family, DROP_SOURCES_MAX, host);
	if (flags & GROUP_MEMORY)
		engine_drop_host(instance, link_group->link, family, DROP_MEMORY, host);
	if (flags & GROUP_HOSTS_MAX)
		engine_drop_host(instance, link_group->link, family, DROP_HOSTS_MAX, host);
	if (flags & GROUP_QUERY)
		link_group_set_asking(instance, link_group, true);
	if (group_is_empty(&link_group->group)) {
		if (!is_new)
			push_event(instance, link_group, EVENT_LEAVE, before);
		link_group_free(instance, link_group);
	} else {
		if (flags & GROUP_CHANGED)
			push_event(instance, link_group, is_new ? EVENT_JOIN : EVENT_FILTER, before);
		link_group_arm(instance, link_group);
	}
	if (flags & GROUP_CHANGED)
		mark(instance, membership);
	membership_release(instance, membership);
}

static bool is_exclude(enum record_type type)
{
	return type == IS_EX || type == TO_EX;
}

/* A record that only ends a membership, or has no sources, creates no state. */
static bool can_create(enum record_type type, const struct sources *sources)
{
	return is_exclude(type) || (type != BLOCK && sources->count > 0);
}

/* The state of a group on a link for a record that creates it; NULL: a limit was reached. EXCLUDE uses the
 * reserve: it works without a list of sources, so that such joins succeed while lists fill the memory. */
static struct link_group *link_group_create(struct instance *instance, struct link *link, mtime now,
                                            const struct record *record, const struct addr *host)
{
	enum family family = addr_family(&record->group);
	bool reserved = is_exclude(record->type);
	struct membership *membership;
	struct link_group *link_group;

	if (link->family[family].group_count >= link->settings.groups_max) {
		engine_drop_host(instance, link, family, DROP_GROUPS_MAX, host);
		return NULL;
	}
	membership = membership_get(instance, link, &record->group, reserved);
	link_group = membership ? link_group_new(instance, membership, link, now, reserved) : NULL;
	if (link_group != NULL)
		return link_group;
	engine_drop_host(instance, link, family, DROP_MEMORY, host);
	if (membership != NULL)
		membership_release(instance, membership);
	return NULL;
}

/* The host of a record, or the unspecified address where several hosts share its address. */
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

/* Remembers the host whose leave has ended the group at once. */
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
	struct link_group *link_group = membership ? link_group_find(membership, link) : NULL;
	bool is_new = link_group == NULL, fast_leave = state->timers.fast_leave;
	const struct addr *tracked = state->timers.track_hosts ? host : NULL;
	struct addr identified = *host;
	enum filter_mode before;
	unsigned flags;

	if (is_new && !can_create(record->type, sources))
		return;
	if (is_new)
		link_group = link_group_create(instance, link, now, record, tracked);
	if (link_group == NULL)
		return;
	if (fast_leave)
		identified = identify(state, now, host, record, is_new);
	before = link_group->group.mode;
	flags = group_expire(&link_group->group, &state->timers, now);
	flags |= group_apply(&link_group->group, link->pool, &state->timers, now, version, &identified,
	                     record->type, sources);
	if (fast_leave && !is_new)
		note_fast_leave(state, now, host, record, &link_group->group);
	link_group_act(instance, link_group, flags, before, is_new, tracked);
}

void membership_receive_query(struct instance *instance, struct link *link, mtime now,
                              const struct addr *group, const struct sources *sources, bool suppress)
{
	struct membership *membership = membership_find(instance, group);
	struct link_group *link_group = membership ? link_group_find(membership, link) : NULL;

	if (link_group == NULL)
		return;
	group_receive_query(&link_group->group, &link->family[addr_family(group)].timers, now, sources,
	                    suppress);
	link_group_arm(instance, link_group);
}

void link_group_expire(struct instance *instance, struct link_group *link_group, mtime now)
{
	enum family family = addr_family(&link_group->membership->group);
	enum filter_mode before = link_group->group.mode;
	unsigned flags = group_expire(&link_group->group, &link_group->link->family[family].timers, now);

	link_group_act(instance, link_group, flags, before, false, NULL);
}

bool membership_leave_link(struct instance *instance, struct membership *membership, const struct link *link)
{
	struct link_group *link_group = link_group_find(membership, link);

	if (link_group == NULL)
		return false;
	push_event(instance, link_group, EVENT_LEAVE, link_group->group.mode);
	link_group_free(instance, link_group);
	mark(instance, membership);
	return true;
}

void membership_cancel_queries(struct instance *instance, const struct link *link, enum family family)
{
	struct link_group *link_group, *next;

	DL_FOREACH_SAFE2 (instance->asking, link_group, next, query_next) {
		if (link_group->link != link || addr_family(&link_group->membership->group) != family ||
		    link_group->group.asking == ASKS_INSTEAD)
			continue;
		group_cancel_queries(&link_group->group);
		link_group_set_asking(instance, link_group, false);
	}
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
		struct link_group *link_group = link_group_find(membership, link);

		if (link_group != NULL && addr_family(&membership->group) == family)
			group_extend(&link_group->group, now + group_last_member_query_time(&before), longer);
	}
}
