/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/members.h"

#define FIRST_CAPACITY 2

struct members *members_new(struct pool *pool)
{
	return pool_take(pool, sizeof(struct members));
}

static void give_list(struct members *members, struct pool *pool)
{
	pool_give(pool, members->list, members->capacity * sizeof *members->list);
}

void members_free(struct members *members, struct pool *pool)
{
	if (members == NULL)
		return;
	for (uint16_t i = 0; i < members->count; i++)
		stored_filter_clear(&members->list[i].filter, pool);
	give_list(members, pool);
	pool_give(pool, members, sizeof *members);
}

void members_lose(struct members *members, mtime until)
{
	if (members->unknown_until < until)
		members->unknown_until = until;
}

/* The index of a host, or where to insert it. */
static uint16_t find(const struct members *members, const struct addr *host, bool *found)
{
	uint16_t low = 0, high = members->count;

	*found = false;
	while (low < high) {
		uint16_t middle = (uint16_t)(low + (high - low) / 2);
		int order = addr_compare(&members->list[middle].host, host);

		if (order == 0)
			*found = true;
		if (order < 0)
			low = (uint16_t)(middle + 1);
		else
			high = middle;
	}
	return low;
}

static void remove_at(struct members *members, struct pool *pool, uint16_t place)
{
	stored_filter_clear(&members->list[place].filter, pool);
	members->count--;
	memmove(&members->list[place], &members->list[place + 1],
	        (size_t)(members->count - place) * sizeof *members->list);
}

static void remove_expired(struct members *members, struct pool *pool, mtime now)
{
	for (uint16_t i = members->count; i-- > 0;)
		if (members->list[i].until <= now)
			remove_at(members, pool, i);
}

static bool grow(struct members *members, struct pool *pool)
{
	size_t capacity = members->capacity ? 2 * (size_t)members->capacity : FIRST_CAPACITY;
	struct member_host *list;

	if (members->count < members->capacity)
		return true;
	if (capacity > UINT16_MAX)
		capacity = UINT16_MAX;
	list = capacity > members->count ? pool_take(pool, capacity * sizeof *list) : NULL;
	if (list == NULL)
		return false;
	if (members->count > 0)
		memcpy(list, members->list, members->count * sizeof *list);
	give_list(members, pool);
	members->list = list;
	members->capacity = (uint16_t)capacity;
	return true;
}

/* Adds a host that is not in the list, with the filter INCLUDE{}. */
static enum members_result add(struct members *members, struct pool *pool,
                               const struct members_limits *limits, mtime now, const struct addr *host)
{
	uint16_t place;
	bool found;

	if (members->count >= limits->hosts_max || members->count == members->capacity)
		remove_expired(members, pool, now);
	if (members->count >= limits->hosts_max)
		return MEMBERS_FULL;
	if (!grow(members, pool))
		return MEMBERS_NO_MEMORY;
	place = find(members, host, &found);
	memmove(&members->list[place + 1], &members->list[place],
	        (size_t)(members->count - place) * sizeof *members->list);
	members->list[place] = (struct member_host){.host = *host, .until = now};
	members->count++;
	return MEMBERS_NOTED;
}

static void want_everything(struct stored_filter *wanted, struct pool *pool)
{
	stored_filter_clear(wanted, pool);
	wanted->mode = FILTER_EXCLUDE;
}

static bool set(struct stored_filter *wanted, struct pool *pool, enum filter_mode mode,
                const struct sources *sources)
{
	struct filter before = stored_filter_view(wanted);
	struct filter filter = {.mode = mode, .sources = *sources};

	return filter_equal(&before, &filter) || stored_filter_set(wanted, pool, &filter);
}

/* Adds sources to the list, or (joining false) removes them. */
static bool change(struct stored_filter *wanted, struct pool *pool, const struct sources *sources,
                   bool joining)
{
	struct filter before = stored_filter_view(wanted);
	size_t size = (before.sources.count + sources->count) * sizeof(struct addr);
	struct sources changed = {0};
	bool done, needed = false;

	/* A record that only refreshes changes nothing. */
	for (size_t i = 0; i < sources->count && !needed; i++)
		needed = sources_has(&before.sources, &sources->list[i]) != joining;
	if (!needed)
		return true;
	changed.list = pool_take(pool, size);
	if (changed.list == NULL)
		return false;
	changed.capacity = size / sizeof(struct addr);
	if (joining)
		sources_union(&changed, &before.sources, sources);
	else
		sources_difference(&changed, &before.sources, sources);
	done = set(wanted, pool, before.mode, &changed);
	pool_give(pool, changed.list, size);
	return done;
}

/* IS_IN may answer a query about some sources only, so it removes none. */
bool members_apply(struct stored_filter *wanted, struct pool *pool, enum record_type type,
                   const struct sources *sources)
{
	bool exclude = wanted->mode == FILTER_EXCLUDE;

	switch (type) {
	case IS_EX:
	case TO_EX:
		return set(wanted, pool, FILTER_EXCLUDE, sources);
	case TO_IN:
		return set(wanted, pool, FILTER_INCLUDE, sources);
	case IS_IN:
	case ALLOW:
		return change(wanted, pool, sources, !exclude);
	case BLOCK:
		return change(wanted, pool, sources, exclude);
	}
	return true;
}

/* So does IS_IN from a host in EXCLUDE mode: the report that changed its mode may be lost. */
bool members_renews(enum record_type type, const struct sources *sources)
{
	return type != BLOCK && (type == IS_EX || type == TO_EX || sources->count > 0);
}

enum members_result members_note(struct members *members, struct pool *pool,
                                 const struct members_limits *limits, mtime now, mtime until,
                                 const struct addr *host, enum record_type type,
                                 const struct sources *sources)
{
	enum members_result result = MEMBERS_NOTED;
	struct member_host *member;
	bool found;
	uint16_t place = find(members, host, &found);

	if (found && members->list[place].until <= now) {
		remove_at(members, pool, place);
		found = false;
	}
	if (!found && !members_renews(type, sources)) {
		/* The host stays a member, and its filter is not known. */
		if (type == BLOCK)
			members_lose(members, until);
		return MEMBERS_NOTED;
	}
	if (!found)
		result = add(members, pool, limits, now, host);
	if (result != MEMBERS_NOTED) {
		members_lose(members, until);
		return result;
	}
	if (!found)
		place = find(members, host, &found);
	member = &members->list[place];
	if (!members_apply(&member->filter, pool, type, sources)) {
		want_everything(&member->filter, pool);
		result = MEMBERS_NO_MEMORY;
	}
	if (member->filter.count > limits->sources_max)
		want_everything(&member->filter, pool);
	if (members_renews(type, sources))
		member->until = until;
	if (member->filter.mode == FILTER_INCLUDE && member->filter.count == 0)
		remove_at(members, pool, place);
	return result;
}

void members_extend(struct members *members, mtime by)
{
	for (uint16_t i = 0; i < members->count; i++)
		members->list[i].until += by;
	members->unknown_until += by;
}

bool members_are_known(const struct members *members, mtime now)
{
	return members->unknown_until <= now;
}

bool members_want(const struct members *members, mtime now, const struct addr *source)
{
	for (uint16_t i = 0; i < members->count; i++) {
		struct filter filter = stored_filter_view(&members->list[i].filter);

		if (members->list[i].until > now && filter_passes(&filter, source))
			return true;
	}
	return false;
}

bool members_has(const struct members *members, mtime now, const struct addr *host)
{
	bool found;
	uint16_t place = find(members, host, &found);

	return found && members->list[place].until > now;
}

size_t members_count(const struct members *members, mtime now)
{
	size_t count = 0;

	for (uint16_t i = 0; i < members->count; i++)
		count += members->list[i].until > now;
	return count;
}
