/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/base/filter.h"

bool filter_is_none(const struct filter *filter)
{
	return filter->mode == FILTER_INCLUDE && filter->sources.count == 0;
}

bool filter_equal(const struct filter *a, const struct filter *b)
{
	return a->mode == b->mode && sources_equal(&a->sources, &b->sources);
}

bool filter_passes(const struct filter *filter, const struct addr *source)
{
	return sources_has(&filter->sources, source) == (filter->mode == FILTER_INCLUDE);
}

static bool insert_all(struct sources *into, const struct sources *other)
{
	for (size_t i = 0; i < other->count; i++)
		if (!sources_insert(into, &other->list[i]))
			return false;
	return true;
}

static bool replace_all(struct sources *into, const struct sources *other)
{
	if (other->count > into->capacity)
		return false;
	if (other->count > 0)
		memcpy(into->list, other->list, other->count * sizeof *other->list);
	into->count = other->count;
	return true;
}

/* INCLUDE(A) with EXCLUDE(B): EXCLUDE(B - A). */
static bool merge_exclude_into_include(struct filter *into, const struct filter *other)
{
	struct sources *result = &into->sources;
	size_t included = result->count;

	/* B - A needs A until its end, so it is built behind A and then moved to the front. */
	into->mode = FILTER_EXCLUDE;
	for (size_t i = 0; i < other->sources.count; i++) {
		struct sources include = {.list = result->list, .count = included};

		if (sources_has(&include, &other->sources.list[i]))
			continue;
		if (result->count == result->capacity)
			return false;
		result->list[result->count++] = other->sources.list[i];
	}
	result->count -= included;
	if (result->count > 0)
		memmove(result->list, result->list + included, result->count * sizeof *result->list);
	return true;
}

static bool merge(struct filter *into, const struct filter *other)
{
	if (into->mode == FILTER_INCLUDE && other->mode == FILTER_INCLUDE)
		return insert_all(&into->sources, &other->sources);
	if (into->mode == FILTER_INCLUDE && into->sources.count == 0) {
		into->mode = FILTER_EXCLUDE;
		return replace_all(&into->sources, &other->sources);
	}
	if (into->mode == FILTER_INCLUDE)
		return merge_exclude_into_include(into, other);
	if (other->mode == FILTER_INCLUDE)
		sources_subtract(&into->sources, &other->sources);
	else
		sources_intersect(&into->sources, &other->sources);
	return true;
}

bool filter_merge(struct filter *into, const struct filter *other)
{
	if (merge(into, other))
		return true;
	into->mode = FILTER_EXCLUDE;
	into->sources.count = 0;
	return false;
}

const char *filter_mode_name(enum filter_mode mode)
{
	return mode == FILTER_INCLUDE ? "INCLUDE" : "EXCLUDE";
}
