/* SPDX-License-Identifier: BSD-2-Clause
 *
 * All addresses of an interface in one family, the best one, and the lists that instances get. The best one is
 * the source of queries and reports: the oldest primary IPv4 address, or the lowest IPv6 address. Owner
 * thread.
 */
#ifndef MCPROXY_CORE_TABLES_ADDRESSES_H
#define MCPROXY_CORE_TABLES_ADDRESSES_H

#include "core/base/addr.h"
#include "core/base/index.h"
#include "core/contract/link_change.h"
#include "core/policy/ranges.h"

struct addresses {
	struct index index; /* of struct address, the oldest first */
	enum family family;
	struct addr best; /* unspecified: there is none */
	/* As in struct link_addresses. */
	uint8_t count;
	uint8_t subnet_count;
	bool subnets_unknown;
	struct link_subnet subnets[LINK_SUBNETS_MAX]; /* IPv4 only */
	struct addr list[LINK_ADDRESSES_MAX];
	uint32_t changes; /* grows when a list changes */
};

void addresses_init(struct addresses *addresses, enum family family);
void addresses_fini(struct addresses *addresses);
/* Empties `from`; `to` must be empty. */
void addresses_move(struct addresses *to, struct addresses *from);

/* Adds an address, unless it is known. False when memory is short. */
bool addresses_add(struct addresses *addresses, const struct interface_address *added);
void addresses_remove(struct addresses *addresses, const struct interface_address *removed);

/* Is one of them in the range? */
bool addresses_meet(const struct addresses *addresses, const struct range *range);

/* Around a dump: addresses that were not added between the two are removed. */
void addresses_dump_begin(struct addresses *addresses);
void addresses_dump_end(struct addresses *addresses);

/* Writes the lists of both families of an interface. */
void addresses_list(const struct addresses addresses[FAMILIES], struct link_addresses *list);

#endif
