/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/base/sources.h"

#include <assert.h>
#include <stdlib.h>

struct sources sources_on(struct addr *list, size_t capacity)
{
	return (struct sources){.list = list, .count = 0, .capacity = capacity};
}

static int compare(const void *a, const void *b)
{
	return addr_compare(a, b);
}

/* Most hosts send sorted lists. */
static bool is_ascending(const struct addr *list, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (addr_compare(&list[i - 1], &list[i]) >= 0)
			return false;
	return true;
}

size_t sources_normalize(struct addr *list, size_t count)
{
	size_t kept = 0;

	if (is_ascending(list, count))
		return count;
	qsort(list, count, sizeof *list, compare);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || !addr_equal(&list[kept - 1], &list[i]))
			list[kept++] = list[i];
	return kept;
}

/* The index of a source, or where to insert it. */
static size_t find(const struct sources *set, const struct addr *source, bool *found)
{
	size_t low = 0, high = set->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = addr_compare(&set->list[middle], source);

		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*found = false;
	return low;
}

bool sources_has(const struct sources *set, const struct addr *source)
{
	bool found;

	find(set, source, &found);
	return found;
}

bool sources_equal(const struct sources *a, const struct sources *b)
{
	return a->count == b->count &&
	       (a->count == 0 || memcmp(a->list, b->list, a->count * sizeof *a->list) == 0);
}

bool sources_append(struct sources *set, const struct addr *source)
{
	if (set->count == set->capacity)
		return false;
	assert(set->count == 0 || addr_compare(&set->list[set->count - 1], source) < 0);
	set->list[set->count++] = *source;
	return true;
}

bool sources_insert(struct sources *set, const struct addr *source)
{
	bool found;
	size_t place = find(set, source, &found);

	if (found)
		return true;
	if (set->count == set->capacity)
		return false;
	memmove(&set->list[place + 1], &set->list[place], (set->count - place) * sizeof *set->list);
	set->list[place] = *source;
	set->count++;
	return true;
}

/* Walks over both sets in order. The flags say which sources the result keeps: those in a alone, in both, in
 * b alone. */
static bool combine(struct sources *result, const struct sources *a, const struct sources *b, bool only_a,
                    bool both, bool only_b)
{
	size_t i = 0, j = 0;

	result->count = 0;
	while (i < a->count || j < b->count) {
		int order = i == a->count ? 1 : j == b->count ? -1 : addr_compare(&a->list[i], &b->list[j]);
		const struct addr *source = order <= 0 ? &a->list[i] : &b->list[j];
		bool keep = order < 0 ? only_a : order == 0 ? both : only_b;

		i += order <= 0;
		j += order >= 0;
		if (keep && !sources_append(result, source))
			return false;
	}
	return true;
}

bool sources_union(struct sources *result, const struct sources *a, const struct sources *b)
{
	return combine(result, a, b, true, true, true);
}

bool sources_intersection(struct sources *result, const struct sources *a, const struct sources *b)
{
	return combine(result, a, b, false, true, false);
}

bool sources_difference(struct sources *result, const struct sources *a, const struct sources *b)
{
	return combine(result, a, b, true, false, false);
}

static void keep_if(struct sources *a, const struct sources *b, bool wanted)
{
	size_t kept = 0;

	for (size_t i = 0; i < a->count; i++)
		if (sources_has(b, &a->list[i]) == wanted)
			a->list[kept++] = a->list[i];
	a->count = kept;
}

void sources_subtract(struct sources *a, const struct sources *b)
{
	keep_if(a, b, false);
}

void sources_intersect(struct sources *a, const struct sources *b)
{
	keep_if(a, b, true);
}
