/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/wants.h"

#include "core/policy/group_map.h"
#include "core/router/choice.h"
#include "core/router/filtering.h"
#include "core/router/membership.h"

static bool has_members(const struct link_group *link_group)
{
	return link_group->link->role == ROLE_DOWNSTREAM;
}

bool wants_source(const struct link_group *link_group, const struct addr *source)
{
	return has_members(link_group) && (group_wants(&link_group->group, source) ||
	                                   group_map_wants(link_group->link->settings.static_groups,
	                                                   &link_group->membership->group, source));
}

/* A group wants all sources, too, where a host and the configuration each list what the other one lacks. Then early routes are
 * not installed, and nothing else changes. */
static bool wants_all(const struct link_group *link_group)
{
	return group_wants_all(&link_group->group) ||
	       group_map_wants_all(link_group->link->settings.static_groups, &link_group->membership->group);
}

uint64_t wants_open_links(struct membership *membership)
{
	const struct link_group *link_group = link_group_first(membership);
	uint64_t links = 0;

	for (; link_group != NULL; link_group = link_group_next(link_group)) {
		if (!has_members(link_group))
			continue;
		if (!wants_all(link_group))
			return 0;
		set64_add(&links, link_group->link->id);
	}
	return links;
}

bool wants_may_be_denied(struct membership *membership, const struct link *upstream)
{
	const struct link_group *link_group = link_group_first(membership);

	for (; link_group != NULL; link_group = link_group_next(link_group))
		if (has_members(link_group) &&
		    filtering_may_deny(upstream, link_group->link, &membership->group))
			return true;
	return false;
}

/* Hosts and the configuration together. */
static void filter_of_link(struct instance *instance, const struct link_group *link_group,
                           struct filter *filter)
{
	const struct group_map *map = link_group->link->settings.static_groups;
	struct filter listed = {.sources = sources_on(instance->scratch_filter[0], REQUEST_SOURCES_MAX)};

	group_filter(&link_group->group, filter);
	if (map == NULL)
		return;
	group_map_filter(map, &link_group->membership->group, &listed);
	filter_merge(filter, &listed);
}

void wants_filter(struct instance *instance, struct membership *membership, const struct link *upstream,
                  struct filter *filter, mtime now)
{
	struct filter one = {.sources = sources_on(instance->scratch_merge, REQUEST_SOURCES_MAX)};
	const struct link_group *link_group = link_group_first(membership);

	filter->mode = FILTER_INCLUDE;
	filter->sources.count = 0;
	for (; link_group != NULL; link_group = link_group_next(link_group)) {
		if (!has_members(link_group) && upstream != NULL && link_group->link != upstream)
			continue;
		filter_of_link(instance, link_group, &one);
		if (upstream != NULL && has_members(link_group))
			choice_narrow(instance, link_group->link, upstream, &membership->group, &one, now);
		else if (upstream != NULL)
			filtering_take_entering(instance, upstream, &membership->group, &one, now);
		filter_merge(filter, &one);
	}
}
