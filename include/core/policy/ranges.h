/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sets of addresses given by ranges: what a rule names with an address, a prefix, a range or a set. MAC addresses
 * are members too: they sort after all addresses that a host can have. Plain values, no thread rules.
 */
#ifndef MCPROXY_CORE_POLICY_RANGES_H
#define MCPROXY_CORE_POLICY_RANGES_H

#include "core/base/addr.h"

#include <stddef.h>

/* From the first address to the last one, both included. */
struct range {
	struct addr first, last;
};

struct ranges {
	struct range *list; /* on the heap; ascending and disjoint after ranges_normalize */
	size_t count, capacity;
};

/* Reads an address, a prefix (10.0.0.0/8), a range (10.0.0.1-10.0.0.9) or a MAC address. Returns NULL, or the
 * reason why the text is none of them. */
const char *range_parse(const char *text, struct range *range);
bool range_is_mac(const struct range *range);
#define RANGE_TEXT_SIZE (2 * ADDR_TEXT_SIZE)
/* The text in the shortest form that range_parse reads; of MAC addresses, the first one. Returns text. */
char *range_format(const struct range *range, char text[RANGE_TEXT_SIZE]);

void ranges_fini(struct ranges *ranges);
/* False when memory is short. */
bool ranges_add(struct ranges *ranges, const struct range *range);
bool ranges_add_all(struct ranges *ranges, const struct ranges *others);
/* Sorts the ranges, and joins those that overlap or touch. */
void ranges_normalize(struct ranges *ranges);
bool ranges_has_mac(const struct ranges *ranges);
/* Does the set, which is normalized, contain the address? */
bool ranges_has(const struct ranges *ranges, const struct addr *addr);

/* The next address in order; false for the last one. */
bool addr_next(struct addr *addr);

#endif
