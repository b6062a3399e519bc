/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/review.h"

#include "core/policy/policy.h"
#include "core/router/election.h"
#include "core/router/filtering.h"
#include "core/router/group_queries.h"
#include "core/router/group_timers.h"
#include "core/router/membership.h"

static struct link_group *on_link(struct membership *membership, const struct link *link)
{
	struct link_group *link_group = link_group_first(membership);

	while (link_group != NULL && link_group->link != link)
		link_group = link_group_next(link_group);
	return link_group;
}

/* Hosts of version 1 answer general queries only. */
static void ask(struct instance *instance, struct link_group *link_group, mtime now)
{
	enum family family = addr_family(&link_group->membership->group);
	struct link *link = link_group->link;
	const struct group_timers *timers = &link->family[family].timers;

	if (group_version(&link_group->group, timers, now) > VERSION_1) {
		if (group_ask_again(&link_group->group, timers, now) & GROUP_QUERY)
			link_group_set_asking(instance, link_group, true);
	} else if (timers->querier) {
		group_lower(&link_group->group, election_substitute(instance, link, family, now,
		                                                    timers->last_member_query_count));
	}
	link_group_arm(instance, link_group);
}

static void query_generally(struct instance *instance, struct link *link, mtime now)
{
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++)
		if (link->family[family].usable && link->family[family].timers.querier)
			election_query(instance, link, family, now);
}

void review_groups(struct instance *instance, const struct link *link, mtime now, const struct addr *prefix,
                   unsigned length)
{
	struct membership *membership = membership_oldest(instance);
	struct link_group *link_group;

	for (; membership != NULL; membership = membership_newer(membership)) {
		if (length > 0 && !addr_in_prefix(&membership->group, prefix, length))
			continue;
		for (link_group = link_group_first(membership); link_group != NULL;
		     link_group = link_group_next(link_group))
			if (link_group->link->role == ROLE_DOWNSTREAM &&
			    (link == NULL || link_group->link == link))
				ask(instance, link_group, now);
	}
	for (unsigned id = 0; id < LINKS_MAX && length == 0; id++)
		if (instance->links[id] != NULL && instance->links[id]->role == ROLE_DOWNSTREAM &&
		    (link == NULL || instance->links[id] == link))
			query_generally(instance, instance->links[id], now);
}

/* The next host behind this one; NULL: no more. */
static const struct member_host *next_host(const struct group *group, mtime now, const struct addr *after)
{
	const struct members *members = group->members;

	for (uint16_t i = 0; members != NULL && i < members->count; i++)
		if (members->list[i].until > now && addr_compare(&members->list[i].host, after) > 0)
			return &members->list[i];
	return NULL;
}

static void correct_hosts(struct instance *instance, struct link_group *link_group, mtime now)
{
	struct membership *membership = link_group->membership;
	struct link *link = link_group->link;
	struct addr host = {{0}};
	const struct member_host *member;

	while (link_group != NULL && (member = next_host(&link_group->group, now, &host)) != NULL) {
		struct sources wanted = stored_filter_view(&member->filter).sources;
		struct filter filter = {.mode = member->filter.mode,
		                        .sources = sources_on(instance->scratch, REQUEST_SOURCES_MAX)};

		host = member->host;
		for (size_t i = 0; i < wanted.count; i++)
			sources_append(&filter.sources, &wanted.list[i]);
		if (filtering_narrow_host(instance, link, &host, &membership->group, &filter))
			link_group_correct(instance, link_group, now, &host,
			                   filter.mode == FILTER_EXCLUDE ? TO_EX : TO_IN, &filter.sources);
		link_group = on_link(membership, link);
	}
}

void review_hosts(struct instance *instance, struct link *link, enum family family, mtime now)
{
	const struct policy *policy = link->settings.filter_out;
	const struct group_timers *timers = &link->family[family].timers;
	struct membership *membership = membership_oldest(instance);

	for (; membership != NULL; membership = membership_newer(membership)) {
		struct link_group *link_group = on_link(membership, link);
		const struct group *group;

		if (link_group == NULL || addr_family(&membership->group) != family ||
		    !policy_may_deny_report(policy, &membership->group))
			continue;
		group = &link_group->group;
		if (group->members != NULL && members_are_known(group->members, now) &&
		    group_version(group, timers, now) == VERSION_3 && !policy_uses_macs(policy))
			correct_hosts(instance, link_group, now);
		else
			ask(instance, link_group, now);
	}
}
