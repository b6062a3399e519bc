/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/static_groups.h"

#include "core/policy/group_map.h"
#include "core/router/membership.h"

/* The next group of the family from this one on. The groups of IPv4, in the form of IPv6, come before the others. */
static bool next_group(const struct group_map *map, enum family family, struct addr *group)
{
	return group_map_next(map, group) && addr_family(group) == family;
}

static struct addr first_group(enum family family)
{
	return family == FAMILY_IPV4 ? addr_from_ipv4_number(0xe0000000) : (struct addr){.bytes = {0xff}};
}

static void push_join(struct instance *instance, const struct link *link, const struct addr *group)
{
	const struct group_map *map = link->settings.static_groups;
	struct addr source, last = {{0}};
	struct event event = {
		.kind = EVENT_JOIN,
		.link = link->id,
		.family = (uint8_t)addr_family(group),
		.before = true,
		.after = group_map_wants_all(map, group) ? FILTER_EXCLUDE : FILTER_INCLUDE,
		.group = *group,
	};

	for (; group_map_next_source(map, group, &last, &source); last = source)
		if (event.count++ == 0)
			event.source = source;
	events_push(&instance->events, &event);
}

void static_groups_refresh(struct instance *instance, struct link *link, enum family family, mtime now,
                           const struct group_map *before)
{
	const struct group_map *map = link->settings.static_groups;
	struct addr group;
	bool more = true;

	if (map == before)
		return;
	for (group = first_group(family); more && next_group(before, family, &group);
	     more = addr_next(&group))
		if (!group_map_has(map, &group))
			membership_abandon(instance, link, &group);
	more = true;
	for (group = first_group(family); more && next_group(map, family, &group); more = addr_next(&group))
		if (membership_keep(instance, link, now, &group) && instance->events.wanted)
			push_join(instance, link, &group);
}
