/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sources of groups, as the configuration lists them: the static groups of a link (`static`), and the sources that joins
 * without sources stand for (`ssm_map`). Immutable after group_map_new, so that several threads may read it. In all functions
 * that only read, NULL is a map without groups.
 */
#ifndef MCPROXY_CORE_POLICY_GROUP_MAP_H
#define MCPROXY_CORE_POLICY_GROUP_MAP_H

#include "core/base/filter.h"
#include "core/contract/settings.h"
#include "core/policy/ranges.h"

/* So that the sources of a group fit every buffer for sources. */
#define GROUP_MAP_ENTRIES_MAX 4096

struct group_map_entry {
	struct range groups;
	struct addr source; /* unspecified: all sources */
};

/* The entries in any order, at most GROUP_MAP_ENTRIES_MAX. NULL when memory is short. */
struct group_map *group_map_new(const struct group_map_entry *entries, size_t count);
/* A map is freed when all that hold it have released it; group_map_new holds it once. Any thread. */
void group_map_hold(const struct group_map *map);
void group_map_release(const struct group_map *map);
/* The n-th entry in order; NULL: there are no more. */
const struct group_map_entry *group_map_entry(const struct group_map *map, size_t n);
bool group_map_equal(const struct group_map *a, const struct group_map *b);

/* How many different groups of the family it has; SIZE_MAX: that many or more. */
size_t group_map_count(const struct group_map *map, enum family family);
bool group_map_has(const struct group_map *map, const struct addr *group);
bool group_map_wants(const struct group_map *map, const struct addr *group, const struct addr *source);
/* INCLUDE of the group's sources, EXCLUDE{} where it has all, or INCLUDE{} where the map lacks the group. */
void group_map_filter(const struct group_map *map, const struct addr *group, struct filter *filter);
/* Does it list all sources of the group? */
bool group_map_wants_all(const struct group_map *map, const struct addr *group);
/* The first source of the group behind this one, where the map lists single ones; false: there is none. */
bool group_map_next_source(const struct group_map *map, const struct addr *group, const struct addr *after,
                           struct addr *source);
/* Moves to the first group that is not below it; false: there is none. */
bool group_map_next(const struct group_map *map, struct addr *group);

/* The filters and maps that settings refer to, all of them at once. */
void settings_hold(const struct link_settings *settings);
void settings_release(const struct link_settings *settings);

#endif
