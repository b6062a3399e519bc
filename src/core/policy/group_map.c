/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/policy/group_map.h"

#include "core/policy/policy.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

struct mapped {
	struct group_map_entry entry;
	struct addr reach; /* the last group of all entries up to this one */
};

struct group_map {
	atomic_uint holders;
	size_t groups[FAMILIES];
	size_t count;
	struct mapped list[]; /* ascending by first group, last group and source; no duplicates */
};

static int compare(const void *a, const void *b)
{
	const struct group_map_entry *x = a, *y = b;
	int order = addr_compare(&x->groups.first, &y->groups.first);

	if (order == 0)
		order = addr_compare(&x->groups.last, &y->groups.last);
	return order != 0 ? order : addr_compare(&x->source, &y->source);
}

static size_t add_saturated(size_t a, uint64_t b)
{
	return b > SIZE_MAX - a ? SIZE_MAX : a + (size_t)b;
}

/* The addresses from first to last; UINT64_MAX: that many or more. */
static uint64_t distance(const struct addr *first, const struct addr *last)
{
	uint64_t between = addr_half(last->bytes + 8) - addr_half(first->bytes + 8);

	if (addr_half(first->bytes) != addr_half(last->bytes) || between == UINT64_MAX)
		return UINT64_MAX;
	return between + 1;
}

/* Counts the groups of the next entry that no entry before it has. */
static void count_groups(struct group_map *map, const struct range *groups)
{
	struct addr first = groups->first;
	size_t *count = &map->groups[addr_family(&first)];

	if (map->count > 0 && addr_compare(&map->list[map->count - 1].reach, &first) >= 0) {
		first = map->list[map->count - 1].reach;
		if (!addr_next(&first) || addr_compare(&first, &groups->last) > 0)
			return;
	}
	*count = add_saturated(*count, distance(&first, &groups->last));
}

static void append(struct group_map *map, const struct group_map_entry *entry)
{
	struct mapped *mapped = &map->list[map->count];

	if (map->count > 0 && compare(&mapped[-1].entry, entry) == 0)
		return;
	count_groups(map, &entry->groups);
	*mapped = (struct mapped){.entry = *entry, .reach = entry->groups.last};
	if (map->count > 0 && addr_compare(&mapped[-1].reach, &mapped->reach) > 0)
		mapped->reach = mapped[-1].reach;
	map->count++;
}

struct group_map *group_map_new(const struct group_map_entry *entries, size_t count)
{
	struct group_map *map = calloc(1, sizeof *map + count * sizeof map->list[0]);
	struct group_map_entry *sorted = calloc(count + 1, sizeof *sorted);

	assert(count <= GROUP_MAP_ENTRIES_MAX);
	if (map == NULL || sorted == NULL) {
		free(sorted);
		free(map);
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		sorted[i] = entries[i];
		/* One form of all sources in both families, which comes first. */
		if (addr_is_unspecified(&sorted[i].source))
			sorted[i].source = addr_unspecified(addr_family(&sorted[i].groups.first));
	}
	qsort(sorted, count, sizeof *sorted, compare);
	map->holders = 1;
	for (size_t i = 0; i < count; i++)
		append(map, &sorted[i]);
	free(sorted);
	return map;
}

/* Only the number of holders changes. */
static struct group_map *mutable(const struct group_map *map)
{
	return (struct group_map *)(uintptr_t)map;
}

void group_map_hold(const struct group_map *map)
{
	if (map != NULL)
		atomic_fetch_add_explicit(&mutable(map)->holders, 1, memory_order_relaxed);
}

void group_map_release(const struct group_map *map)
{
	if (map != NULL && atomic_fetch_sub_explicit(&mutable(map)->holders, 1, memory_order_acq_rel) == 1)
		free(mutable(map));
}

const struct group_map_entry *group_map_entry(const struct group_map *map, size_t n)
{
	return n < map->count ? &map->list[n].entry : NULL;
}

bool group_map_equal(const struct group_map *a, const struct group_map *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (compare(&a->list[i].entry, &b->list[i].entry) != 0)
			return false;
	return true;
}

size_t group_map_count(const struct group_map *map, enum family family)
{
	return map == NULL ? 0 : map->groups[family];
}

/* How many entries begin at or below the group. */
static size_t entries_to(const struct group_map *map, const struct addr *group)
{
	size_t low = 0, high = map == NULL ? 0 : map->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (addr_compare(&map->list[middle].entry.groups.first, group) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The entry of the group before those that a walk has seen; NULL: there are no more. The walk begins at entries_to. */
static const struct group_map_entry *previous(const struct group_map *map, const struct addr *group,
                                              size_t *place)
{
	while (*place > 0 && addr_compare(&map->list[*place - 1].reach, group) >= 0) {
		const struct group_map_entry *entry = &map->list[--*place].entry;

		if (addr_compare(&entry->groups.last, group) >= 0)
			return entry;
	}
	return NULL;
}

bool group_map_has(const struct group_map *map, const struct addr *group)
{
	size_t place = entries_to(map, group);

	return previous(map, group, &place) != NULL;
}

bool group_map_wants(const struct group_map *map, const struct addr *group, const struct addr *source)
{
	size_t place = entries_to(map, group);
	const struct group_map_entry *entry;

	while ((entry = previous(map, group, &place)) != NULL)
		if (addr_is_unspecified(&entry->source) || addr_equal(&entry->source, source))
			return true;
	return false;
}

bool group_map_wants_all(const struct group_map *map, const struct addr *group)
{
	const struct addr no_source = addr_unspecified(addr_family(group));

	return group_map_wants(map, group, &no_source);
}

bool group_map_next_source(const struct group_map *map, const struct addr *group, const struct addr *after,
                           struct addr *source)
{
	size_t place = entries_to(map, group);
	const struct group_map_entry *entry;
	bool found = false;

	if (group_map_wants_all(map, group))
		return false;
	while ((entry = previous(map, group, &place)) != NULL) {
		if (addr_compare(&entry->source, after) <= 0 ||
		    (found && addr_compare(&entry->source, source) >= 0))
			continue;
		*source = entry->source;
		found = true;
	}
	return found;
}

void group_map_filter(const struct group_map *map, const struct addr *group, struct filter *filter)
{
	size_t place = entries_to(map, group);
	const struct group_map_entry *entry;

	filter->mode = FILTER_INCLUDE;
	filter->sources.count = 0;
	while ((entry = previous(map, group, &place)) != NULL) {
		if (addr_is_unspecified(&entry->source)) {
			filter->mode = FILTER_EXCLUDE;
			filter->sources.count = 0;
			return;
		}
		assert(filter->sources.count < filter->sources.capacity);
		filter->sources.list[filter->sources.count++] = entry->source;
	}
	if (filter->sources.count > 1)
		filter->sources.count = sources_normalize(filter->sources.list, filter->sources.count);
}

bool group_map_next(const struct group_map *map, struct addr *group)
{
	size_t place = entries_to(map, group), walk = place;

	if (map == NULL || previous(map, group, &walk) != NULL)
		return map != NULL;
	if (place == map->count)
		return false;
	*group = map->list[place].entry.groups.first;
	return true;
}

void settings_hold(const struct link_settings *settings)
{
	policy_hold(settings->filter_in);
	policy_hold(settings->filter_out);
	group_map_hold(settings->static_groups);
	group_map_hold(settings->ssm_map);
}

void settings_release(const struct link_settings *settings)
{
	policy_release(settings->filter_in);
	policy_release(settings->filter_out);
	group_map_release(settings->static_groups);
	group_map_release(settings->ssm_map);
}
