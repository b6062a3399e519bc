/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/membership.h"

#include "core/policy/group_map.h"
#include "core/router/group_queries.h"
#include "core/router/group_records.h"
#include "core/router/group_timers.h"

#define SHARED_FOR_INTERVALS 10 /* group membership intervals: about 45 minutes by default */

static struct link_group *link_group_find(struct membership *membership, const struct link *link)
{
	struct link_group *link_group = &membership->first;

	while (link_group != NULL && link_group->link != link)
		link_group = link_group->next;
	return link_group;
}

static void *take(const struct link *link, size_t size, bool reserved)
{
	return reserved ? pool_take_reserved(link->pool, size) : pool_take(link->pool, size);
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
	bool is_first = link_group_first(membership) == NULL;
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
	instance->joined_count += is_first;
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
	instance->joined_count -= link_group_first(membership) == NULL;
}

void link_group_arm(struct instance *instance, struct link_group *link_group)
{
	deadlines_no_later_than(&instance->deadlines, &link_group->deadline,
	                        group_deadline(&link_group->group));
}

static bool is_static(const struct link_group *link_group)
{
	return group_map_has(link_group->link->settings.static_groups, &link_group->membership->group);
}

/* No host wants the group any more. */
static void link_group_vacate(struct instance *instance, struct link_group *link_group)
{
	if (!is_static(link_group)) {
		link_group_free(instance, link_group);
		return;
	}
	link_group_set_asking(instance, link_group, false);
	deadlines_remove(&instance->deadlines, &link_group->deadline);
	group_fini(&link_group->group, link_group->link->pool);
}

/* host: whose report led to it; NULL: none. */
static void push_event(struct instance *instance, const struct link_group *link_group, enum event_kind kind,
                       enum filter_mode before, const struct addr *host)
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
	if (host != NULL)
		event.host = *host;
	events_push(&instance->events, &event);
}

/* The host that limits are logged with. */
static const struct addr *tracked(const struct link *link, enum family family, const struct addr *host)
{
	return link->family[family].timers.track_hosts ? host : NULL;
}

/* Acts on the flags of group_apply or group_expire. host: whose report it is; NULL: none. The link_group, and with the last one its membership, may
 * be freed. */
static void link_group_act(struct instance *instance, struct link_group *link_group, unsigned flags,
                           enum filter_mode before, bool is_new, const struct addr *host)
{
	struct membership *membership = link_group->membership;
	enum family family = addr_family(&membership->group);
	struct link *link = link_group->link;

	if (flags & GROUP_SOURCES_MAX)
		engine_drop_host(instance, link, family, DROP_SOURCES_MAX, tracked(link, family, host));
	if (flags & GROUP_MEMORY)
		engine_drop_host(instance, link, family, DROP_MEMORY, tracked(link, family, host));
	if (flags & GROUP_HOSTS_MAX)
		engine_drop_host(instance, link, family, DROP_HOSTS_MAX, tracked(link, family, host));
	if (flags & GROUP_QUERY)
		link_group_set_asking(instance, link_group, true);
	if (group_is_empty(&link_group->group)) {
		if (!is_new)
			push_event(instance, link_group, EVENT_LEAVE, before, host);
		link_group_vacate(instance, link_group);
	} else {
		if (flags & GROUP_CHANGED)
			push_event(instance, link_group, is_new ? EVENT_JOIN : EVENT_FILTER, before, host);
		link_group_arm(instance, link_group);
	}
	if (flags & GROUP_CHANGED)
		membership_mark(instance, membership);
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

/* Static groups do not count. */
static bool has_groups_max(const struct link *link, enum family family)
{
	size_t kept = group_map_count(link->settings.static_groups, family);

	return link->family[family].group_count >= kept + link->settings.groups_max;
}

/* The state of a group on a link, which it creates; NULL: memory is short. */
static struct link_group *link_group_create(struct instance *instance, struct link *link, mtime now,
                                            const struct addr *group, bool reserved, const struct addr *host)
{
	struct membership *membership = membership_get(instance, link, group, reserved);
	struct link_group *link_group =
		membership ? link_group_new(instance, membership, link, now, reserved) : NULL;

	if (link_group != NULL)
		return link_group;
	engine_drop_host(instance, link, addr_family(group), DROP_MEMORY, host);
	if (membership != NULL)
		membership_release(instance, membership);
	return NULL;
}

/* The same for a record; NULL: a limit was reached. EXCLUDE uses the reserve: it works without a list of sources, so that such
 * joins succeed while lists fill the memory. */
static struct link_group *link_group_admit(struct instance *instance, struct link *link, mtime now,
                                           const struct record *record, const struct addr *host)
{
	enum family family = addr_family(&record->group);

	if (!has_groups_max(link, family))
		return link_group_create(instance, link, now, &record->group, is_exclude(record->type), host);
	engine_drop_host(instance, link, family, DROP_GROUPS_MAX, host);
	return NULL;
}

/* Does the record end what its host wanted of a group in that mode? */
static bool is_leave(enum record_type type, const struct sources *sources, enum filter_mode mode)
{
	return type == TO_IN ? sources->count == 0 : type == BLOCK && mode == FILTER_INCLUDE;
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

/* Is the host a tracked member? Not asked unless a reader wants events. */
static bool knows_host(const struct instance *instance, const struct link_group *link_group, mtime now,
                       const struct addr *host)
{
	const struct members *members = link_group->group.members;

	return instance->events.wanted && members != NULL && members_has(members, now, host);
}

/* A report of a host beside others, which leaves the state of the group as it was, or only makes queries. */
static void push_host_event(struct instance *instance, const struct link_group *link_group, mtime now,
                            const struct addr *host, bool was_member, bool leaving)
{
	bool is_member = knows_host(instance, link_group, now, host);

	if (leaving)
		push_event(instance, link_group, EVENT_LEAVING, link_group->group.mode, host);
	else if (was_member != is_member)
		push_event(instance, link_group, is_member ? EVENT_HOST_JOIN : EVENT_HOST_LEAVE,
		           link_group->group.mode, host);
}

/* For what host_groups_max counts. */
static struct host_groups_question places_question(const struct instance *instance, const struct link *link,
                                                   mtime now, const struct addr *host,
                                                   const struct addr *group,
                                                   const struct link_group *link_group)
{
	return (struct host_groups_question){
		.pool = link->pool,
		.seed = instance->seed,
		.groups_max = link->settings.host_groups_max,
		.now = now,
		.interval = link->family[addr_family(group)].timers.membership_interval,
		.joined_at = link_group != NULL ? link_group->joined_at : MTIME_NEVER,
		.host = host,
		.group = group,
	};
}

/* Is anything of the record left for the host? */
static bool has_places(struct instance *instance, struct link *link,
                       const struct host_groups_question *question, enum record_type type,
                       struct sources *sources)
{
	enum family family = addr_family(question->group);
	enum host_groups_answer answer;

	if (question->groups_max == 0)
		return true;
	answer = host_groups_count(&link->family[family].host_groups, question, type, sources);
	if (answer != HOST_GROUPS_FIT)
		engine_drop_host(instance, link, family, DROP_HOST_GROUPS_MAX, question->host);
	return answer != HOST_GROUPS_REFUSED;
}

void membership_record(struct instance *instance, struct link *link, mtime now, enum version version,
                       const struct reporting_host *reporter, const struct record *record,
                       struct sources *sources)
{
	const struct addr *host = &reporter->address;
	const struct addr *group = &record->group;
	struct link_family *state = &link->family[addr_family(group)];
	struct membership *membership = membership_find(instance, group);
	struct link_group *link_group = membership ? link_group_find(membership, link) : NULL;
	/* A static group is empty while no host wants it. */
	bool is_new = link_group == NULL || group_is_empty(&link_group->group);
	bool fast_leave = state->timers.fast_leave;
	struct addr identified = *host;
	/* Hosts without addresses differ in their MAC addresses. */
	struct host_groups_question places =
		places_question(instance, link, now, addr_is_unspecified(host) ? &reporter->mac : host, group,
	                        is_new ? NULL : link_group);
	enum filter_mode before;
	bool was_member, leaving;
	unsigned flags;

	if (is_new && !can_create(record->type, sources))
		return;
	if (!has_places(instance, link, &places, record->type, sources) ||
	    (is_new && !can_create(record->type, sources)))
		return;
	if (link_group == NULL)
		link_group = link_group_admit(instance, link, now, record,
		                              tracked(link, addr_family(group), host));
	if (link_group == NULL) {
		host_groups_forget(&state->host_groups, &places);
		return;
	}
	if (fast_leave)
		identified = identify(state, now, host, record, is_new);
	before = link_group->group.mode;
	was_member = knows_host(instance, link_group, now, host);
	flags = group_expire(&link_group->group, &state->timers, now);
	flags |= group_apply(&link_group->group, link->pool, &state->timers, now, version, &identified,
	                     record->type, sources);
	if (fast_leave && !is_new)
		note_fast_leave(state, now, host, record, &link_group->group);
	leaving = (flags & GROUP_QUERY) != 0 && is_leave(record->type, sources, before);
	if ((flags & GROUP_CHANGED) == 0)
		push_host_event(instance, link_group, now, host, was_member, leaving);
	link_group_act(instance, link_group, flags, before, is_new, host);
}

void membership_adopt(struct instance *instance, struct link *link, mtime now, const struct flow_key *stream)
{
	enum family family = addr_family(&stream->group);
	struct group_timers timers = link->family[family].timers;
	bool has_sources = timers.version == VERSION_3;
	struct record record = {.type = has_sources ? IS_IN : IS_EX, .group = stream->group};
	const struct addr nobody = addr_unspecified(family);
	struct addr source = stream->source;
	struct sources sources = sources_on(&source, 1);
	struct membership *membership = membership_find(instance, &stream->group);
	struct link_group *link_group = membership ? link_group_find(membership, link) : NULL;
	bool is_new = link_group == NULL || group_is_empty(&link_group->group);
	unsigned flags;

	sources.count = has_sources ? 1 : 0;
	if (!is_new && (link_group->group.members != NULL || group_wants(&link_group->group, &source)))
		return;
	if (!filtering_admit_adopted(instance, link, &record, &sources))
		return;
	if (link_group == NULL)
		link_group = link_group_admit(instance, link, now, &record, NULL);
	if (link_group == NULL)
		return;
	timers.membership_interval = link_settings_adoption_time(&link->settings);
	timers.fast_leave = timers.track_hosts = false;
	flags = group_apply(&link_group->group, link->pool, &timers, now, VERSION_3, &nobody, record.type,
	                    &sources);
	link_group_act(instance, link_group, flags, link_group->group.mode, is_new, NULL);
}

void link_group_correct(struct instance *instance, struct link_group *link_group, mtime now,
                        const struct addr *host, enum record_type type, struct sources *sources)
{
	const struct addr *group = &link_group->membership->group;
	struct link *link = link_group->link;
	struct host_groups_question places = places_question(instance, link, now, host, group, link_group);
	struct group_timers timers = link->family[addr_family(group)].timers;
	enum filter_mode before = link_group->group.mode;
	unsigned flags = group_expire(&link_group->group, &timers, now);

	has_places(instance, link, &places, type, sources);
	timers.fast_leave = timers.track_hosts = true;
	flags |= group_apply(&link_group->group, link->pool, &timers, now, VERSION_3, host, type, sources);
	link_group_act(instance, link_group, flags, before, false, host);
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

bool membership_keep(struct instance *instance, struct link *link, mtime now, const struct addr *group)
{
	struct membership *membership = membership_find(instance, group);
	struct link_group *link_group = membership ? link_group_find(membership, link) : NULL;

	bool is_new = link_group == NULL;

	if (is_new)
		link_group = link_group_create(instance, link, now, group, true, NULL);
	if (link_group == NULL)
		return false;
	membership_mark(instance, link_group->membership);
	return is_new;
}

void membership_abandon(struct instance *instance, struct link *link, const struct addr *group)
{
	struct membership *membership = membership_find(instance, group);
	struct link_group *link_group = membership ? link_group_find(membership, link) : NULL;

	if (link_group == NULL)
		return;
	if (group_is_empty(&link_group->group))
		membership_leave_link(instance, membership, link);
	else
		membership_mark(instance, membership);
}

bool membership_leave_link(struct instance *instance, struct membership *membership, const struct link *link)
{
	struct link_group *link_group = link_group_find(membership, link);

	if (link_group == NULL)
		return false;
	push_event(instance, link_group, EVENT_LEAVE, link_group->group.mode, NULL);
	link_group_free(instance, link_group);
	membership_mark(instance, membership);
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
