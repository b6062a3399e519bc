/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/host/joins.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define JOINS_MEMORY_MAX                                                                                     \
	((size_t)256 << 20) /* the wanted groups are the real limit; this is the last resort */
#define FIRST_SLOTS 16

/* A socket: how many groups it holds, and whether the kernel takes no more there. */
struct slot {
	unsigned memberships;
	bool full;
};

struct joins {
	unsigned groups_max;
	unsigned sources_max;
	struct pool *pool;
	struct slot *slots;
	uint32_t slot_count;
	uint32_t slot_capacity;
	uint32_t first_with_room; /* no slot below this one has room */
	/* Taken before an operation, so that memory for its result cannot be missing. */
	struct join_part *spare_part;
	struct addr *spare_list;
};

struct joins *joins_new(unsigned groups_max, unsigned sources_max)
{
	struct joins *joins = calloc(1, sizeof *joins);

	if (joins == NULL)
		return NULL;
	joins->groups_max = groups_max ? groups_max : UINT32_MAX;
	joins->sources_max = sources_max ? sources_max : 1;
	joins->pool = pool_new(JOINS_MEMORY_MAX);
	if (joins->pool != NULL)
		return joins;
	free(joins);
	return NULL;
}

void joins_free(struct joins *joins)
{
	if (joins == NULL)
		return;
	pool_free(joins->pool);
	free(joins->slots);
	free(joins);
}

uint32_t joins_slot_count(const struct joins *joins)
{
	return joins->slot_count;
}

unsigned joins_slot_memberships(const struct joins *joins, uint32_t slot)
{
	return joins->slots[slot].memberships;
}

static bool slot_has_room(const struct joins *joins, uint32_t slot)
{
	return !joins->slots[slot].full && joins->slots[slot].memberships < joins->groups_max;
}

static bool row_uses(const struct join_row *row, uint32_t slot)
{
	for (const struct join_part *part = row->parts; part; part = part->next)
		if (part->slot == slot)
			return true;
	return false;
}

/* A slot with room that does not hold this group yet, or else a new one. False when memory is short. */
static bool find_slot(struct joins *joins, struct join_row *row, uint32_t *found)
{
	struct slot *slots;
	uint32_t slot, capacity = joins->slot_capacity ? 2 * joins->slot_capacity : FIRST_SLOTS;

	while (joins->first_with_room < joins->slot_count && !slot_has_room(joins, joins->first_with_room))
		joins->first_with_room++;
	for (slot = joins->first_with_room; slot < joins->slot_count; slot++)
		if (slot_has_room(joins, slot) && !row_uses(row, slot))
			break;
	*found = slot;
	if (slot < joins->slot_capacity)
		return true;
	slots = realloc(joins->slots, capacity * sizeof *slots);
	if (slots == NULL) {
		row->memory_short = true;
		return false;
	}
	joins->slots = slots;
	joins->slot_capacity = capacity;
	return true;
}

static void slot_add(struct joins *joins, uint32_t slot)
{
	if (slot == joins->slot_count)
		joins->slots[joins->slot_count++] = (struct slot){0};
	joins->slots[slot].memberships++;
}

static void slot_remove(struct joins *joins, uint32_t slot)
{
	joins->slots[slot].memberships--;
	joins->slots[slot].full = false;
	if (slot < joins->first_with_room)
		joins->first_with_room = slot;
}

static struct join_part *part_of(const struct join_row *row, uint32_t slot)
{
	for (struct join_part *part = row->parts; part; part = part->next)
		if (part->slot == slot)
			return part;
	return NULL;
}

static size_t list_bytes(const struct joins *joins)
{
	return joins->sources_max * sizeof(struct addr);
}

/* Takes the memory for the result of an operation that adds something. */
static bool reserve(struct joins *joins)
{
	if (joins->spare_part == NULL)
		joins->spare_part = pool_take(joins->pool, sizeof *joins->spare_part);
	if (joins->spare_list == NULL)
		joins->spare_list = pool_take(joins->pool, list_bytes(joins));
	return joins->spare_part != NULL && joins->spare_list != NULL;
}

static struct join_part *part_new(struct joins *joins, struct join_row *row, uint32_t slot,
                                  enum filter_mode mode)
{
	struct join_part *part = joins->spare_part;

	assert(part != NULL);
	joins->spare_part = NULL;
	part->slot = slot;
	part->filter.mode = mode;
	part->next = row->parts;
	row->parts = part;
	slot_add(joins, slot);
	return part;
}

static void part_free(struct joins *joins, struct join_row *row, struct join_part *part)
{
	struct join_part **at = &row->parts;

	while (*at != part)
		at = &(*at)->next;
	*at = part->next;
	if (part->filter.mode == FILTER_EXCLUDE)
		row->superset = false;
	slot_remove(joins, part->slot);
	if (part->filter.sources.list != NULL)
		pool_give(joins->pool, part->filter.sources.list, list_bytes(joins));
	pool_give(joins->pool, part, sizeof *part);
}

void joins_forget(struct joins *joins, struct join_row *row)
{
	while (row->parts != NULL)
		part_free(joins, row, row->parts);
	row->refused = false;
}

static void part_set_sources(struct joins *joins, struct join_part *part, const struct addr *list,
                             size_t count)
{
	struct sources *sources = &part->filter.sources;

	if (sources->list == NULL && count > 0) {
		assert(joins->spare_list != NULL);
		sources->list = joins->spare_list;
		sources->capacity = joins->sources_max;
		joins->spare_list = NULL;
	}
	if (count > 0)
		memcpy(sources->list, list, count * sizeof *list);
	sources->count = count;
}

static bool set_filter(struct join_op *op, uint32_t slot, enum filter_mode mode,
                       const struct sources *sources, size_t count)
{
	op->kind = JOIN_SET_FILTER;
	op->slot = slot;
	op->filter = (struct filter){.mode = mode, .sources = {.list = sources->list, .count = count}};
	return true;
}

static bool leave(struct join_op *op, const struct join_part *part)
{
	op->kind = JOIN_LEAVE;
	op->slot = part->slot;
	return true;
}

static struct join_part *exclude_part(const struct join_row *row)
{
	for (struct join_part *part = row->parts; part; part = part->next)
		if (part->filter.mode == FILTER_EXCLUDE)
			return part;
	return NULL;
}

/* Wanted: EXCLUDE(list), on one socket. */
static bool next_exclude(struct joins *joins, struct join_row *row, const struct sources *list,
                         struct join_op *op)
{
	static const struct sources none = {0};
	bool too_long = row->refused || list->count > joins->sources_max;
	const struct sources *wanted = too_long && list->count > 0 ? &none : list;
	struct join_part *part = exclude_part(row);

	row->superset = part != NULL && wanted != list;
	if (row->parts == NULL) {
		op->kind = JOIN_GROUP;
		return find_slot(joins, row, &op->slot);
	}
	if (part == NULL)
		return set_filter(op, row->parts->slot, FILTER_EXCLUDE, wanted, wanted->count);
	if (!sources_equal(&part->filter.sources, wanted))
		return set_filter(op, part->slot, FILTER_EXCLUDE, wanted, wanted->count);
	/* EXCLUDE hides the lists on other sockets: leaving them sends no report. */
	if (row->parts != part)
		return leave(op, row->parts);
	return part->next != NULL && leave(op, part->next);
}

/* The first wanted source that no INCLUDE part holds, from index `from` on. */
static const struct addr *first_missing(const struct join_row *row, const struct sources *list, size_t from)
{
	for (size_t i = from; i < list->count; i++) {
		bool held = false;

		for (const struct join_part *part = row->parts; part && !held; part = part->next)
			held = part->filter.mode == FILTER_INCLUDE &&
			       sources_has(&part->filter.sources, &list->list[i]);
		if (!held)
			return &list->list[i];
	}
	return NULL;
}

static bool join_source(struct joins *joins, struct join_row *row, const struct addr *source,
                        struct join_op *op)
{
	op->kind = JOIN_SOURCE;
	op->source = *source;
	for (const struct join_part *part = row->parts; part; part = part->next) {
		if (part->filter.mode == FILTER_INCLUDE && !part->full &&
		    part->filter.sources.count < joins->sources_max) {
			op->slot = part->slot;
			return true;
		}
	}
	return find_slot(joins, row, &op->slot);
}

/* Wanted: INCLUDE(list), not empty. Coming from EXCLUDE, one change of the filter brings the first sources;
 * the others are joined before, while EXCLUDE hides them. If the kernel refuses that change, all sources are
 * joined before EXCLUDE is left. */
static bool next_include(struct joins *joins, struct join_row *row, const struct sources *list,
                         struct join_op *op)
{
	const struct join_part *exclude = exclude_part(row);
	size_t most = list->count < joins->sources_max ? list->count : joins->sources_max;
	size_t by_filter = exclude == NULL || row->refused ? 0 : most;
	const struct addr *missing = first_missing(row, list, by_filter);

	row->superset = false;
	if (missing != NULL)
		return join_source(joins, row, missing, op);
	if (exclude != NULL)
		return by_filter > 0 ? set_filter(op, exclude->slot, FILTER_INCLUDE, list, by_filter)
		                     : leave(op, exclude);
	for (const struct join_part *part = row->parts; part; part = part->next) {
		for (size_t i = 0; i < part->filter.sources.count; i++) {
			if (sources_has(list, &part->filter.sources.list[i]))
				continue;
			op->kind = JOIN_LEAVE_SOURCE;
			op->slot = part->slot;
			op->source = part->filter.sources.list[i];
			return true;
		}
	}
	return false;
}

/* Joins all sources instead of a very long INCLUDE list. */
static bool next_superset(struct joins *joins, struct join_row *row, struct join_op *op)
{
	static const struct sources none = {0};
	bool found = next_exclude(joins, row, &none, op);

	row->superset = exclude_part(row) != NULL;
	return found;
}

static bool find_next(struct joins *joins, struct join_row *row, const struct filter *wanted,
                      struct join_op *op)
{
	if (wanted->mode == FILTER_INCLUDE && wanted->sources.count > JOINS_INCLUDE_MAX)
		return next_superset(joins, row, op);
	if (wanted->mode == FILTER_EXCLUDE)
		return next_exclude(joins, row, &wanted->sources, op);
	if (wanted->sources.count > 0)
		return next_include(joins, row, &wanted->sources, op);
	row->superset = row->refused = false;
	return row->parts != NULL && leave(op, row->parts);
}

static bool adds_something(const struct join_op *op)
{
	return op->kind != JOIN_LEAVE && op->kind != JOIN_LEAVE_SOURCE;
}

bool joins_next(struct joins *joins, struct join_row *row, const struct addr *group,
                const struct filter *wanted, struct join_op *op)
{
	*op = (struct join_op){.group = *group};
	row->memory_short = false;
	if (!find_next(joins, row, wanted, op))
		return false;
	row->memory_short = adds_something(op) && !reserve(joins);
	return !row->memory_short;
}

static void record_join(struct joins *joins, struct join_row *row, const struct join_op *op,
                        enum filter_mode mode)
{
	struct join_part *part = part_of(row, op->slot);

	if (part == NULL)
		part = part_new(joins, row, op->slot, mode);
	if (mode == FILTER_EXCLUDE)
		return;
	if (part->filter.sources.list == NULL)
		part_set_sources(joins, part, &op->source, 1);
	else
		sources_insert(&part->filter.sources, &op->source);
}

static void record_success(struct joins *joins, struct join_row *row, const struct join_op *op)
{
	struct join_part *part = part_of(row, op->slot);
	struct sources one = {.list = &(struct addr){{0}}, .count = 1};

	switch (op->kind) {
	case JOIN_GROUP:
		record_join(joins, row, op, FILTER_EXCLUDE);
		break;
	case JOIN_SOURCE:
		record_join(joins, row, op, FILTER_INCLUDE);
		break;
	case JOIN_LEAVE:
		part_free(joins, row, part);
		break;
	case JOIN_LEAVE_SOURCE:
		*one.list = op->source;
		sources_subtract(&part->filter.sources, &one);
		part->full = false;
		if (part->filter.sources.count == 0)
			part_free(joins, row, part);
		break;
	case JOIN_SET_FILTER:
		part_set_sources(joins, part, op->filter.sources.list, op->filter.sources.count);
		part->filter.mode = op->filter.mode;
		part->full = false;
		break;
	}
}

/* The error means that the kernel is already in the state that the operation asks for. */
static bool is_so_already(const struct join_op *op, int result)
{
	switch (op->kind) {
	case JOIN_SOURCE:
	case JOIN_LEAVE_SOURCE:
		return result == -EADDRNOTAVAIL;
	case JOIN_LEAVE:
		return result == -EADDRNOTAVAIL || result == -EINVAL || result == -ENODEV;
	case JOIN_GROUP:
	case JOIN_SET_FILTER:
		return false;
	}
	return false;
}

/* The socket takes no more memberships; another one may. */
static int try_another_slot(struct joins *joins, uint32_t slot, int result)
{
	if (slot >= joins->slot_count || joins->slots[slot].memberships == 0)
		return result;
	joins->slots[slot].full = true;
	return 0;
}

/* The kernel has no room for it. */
static int record_refusal(struct joins *joins, struct join_row *row, const struct join_op *op, int result)
{
	struct join_part *part = part_of(row, op->slot);

	if (op->kind == JOIN_SOURCE && part != NULL) {
		part->full = true;
		return 0;
	}
	if (op->kind == JOIN_SOURCE || op->kind == JOIN_GROUP)
		return try_another_slot(joins, op->slot, result);
	if (op->kind == JOIN_SET_FILTER && op->filter.sources.count > 0) {
		row->refused = true;
		return 0;
	}
	return result;
}

int joins_done(struct joins *joins, struct join_row *row, const struct join_op *op, int result)
{
	struct join_part *part = part_of(row, op->slot);
	bool is_lost = result == -EADDRNOTAVAIL || result == -EINVAL || result == -ENODEV;

	if (result == 0 || is_so_already(op, result)) {
		record_success(joins, row, op);
		return 0;
	}
	/* The socket has a membership that the row does not know: next_exclude or next_include sets its
	 * filter. */
	if (op->kind == JOIN_GROUP && result == -EADDRINUSE) {
		part_new(joins, row, op->slot, FILTER_INCLUDE);
		return 0;
	}
	/* That membership excludes sources, so it takes no source: a change of its filter comes first. */
	if (op->kind == JOIN_SOURCE && result == -EINVAL && part != NULL && part->filter.sources.count == 0) {
		part->filter.mode = FILTER_EXCLUDE;
		return 0;
	}
	if (result == -ENOBUFS || result == -ENOMEM)
		return record_refusal(joins, row, op, result);
	/* The kernel does not hold what the row says: forget that part and start again. After a filter
	 * operation start later, because an immediate retry could loop. */
	if (part != NULL && is_lost && (op->kind == JOIN_LEAVE_SOURCE || op->kind == JOIN_SET_FILTER)) {
		part_free(joins, row, part);
		return op->kind == JOIN_SET_FILTER ? result : 0;
	}
	return result;
}

bool joins_filter(const struct join_row *row, struct filter *filter)
{
	filter->mode = FILTER_INCLUDE;
	filter->sources.count = 0;
	for (const struct join_part *part = row->parts; part; part = part->next)
		if (!filter_merge(filter, &part->filter))
			return false;
	return true;
}
