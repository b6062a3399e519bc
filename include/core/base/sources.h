/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sets of source addresses: sorted arrays without duplicates, and the set operations of the RFCs. The caller
 * provides the memory of each set and its capacity. Pure values, no thread rules.
 */
#ifndef MCPROXY_CORE_BASE_SOURCES_H
#define MCPROXY_CORE_BASE_SOURCES_H

#include "core/base/addr.h"

#include <stddef.h>

struct sources {
	struct addr *list; /* ascending, no duplicates */
	size_t count;
	size_t capacity;
};

/* An empty set that uses the caller's memory. */
struct sources sources_on(struct addr *list, size_t capacity);

/* Sorts the list and drops duplicates; returns the new count. */
size_t sources_normalize(struct addr *list, size_t count);

bool sources_has(const struct sources *set, const struct addr *source);
bool sources_equal(const struct sources *a, const struct sources *b);
/* Appends a source that is larger than all others in the set; false when there is no room. */
bool sources_append(struct sources *set, const struct addr *source);
bool sources_insert(struct sources *set, const struct addr *source); /* false when there is no room */

/* result = a + b, a * b, a - b. The result must not share memory with a or b; false when it exceeds its
 * capacity. */
bool sources_union(struct sources *result, const struct sources *a, const struct sources *b);
bool sources_intersection(struct sources *result, const struct sources *a, const struct sources *b);
bool sources_difference(struct sources *result, const struct sources *a, const struct sources *b);

/* a -= b, a *= b in place. */
void sources_subtract(struct sources *a, const struct sources *b);
void sources_intersect(struct sources *a, const struct sources *b);

#endif
