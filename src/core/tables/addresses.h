/* SPDX-License-Identifier: BSD-2-Clause
 *
 * All addresses of an interface in one family, and the best one: the source of queries and reports. The best
 * one is the oldest IPv4 address, or the lowest IPv6 address. Owner thread.
 */
#ifndef MCPROXY_CORE_TABLES_ADDRESSES_H
#define MCPROXY_CORE_TABLES_ADDRESSES_H

#include "core/base/addr.h"
#include "core/base/index.h"

struct addresses {
	struct index index; /* of struct address, the oldest first */
	enum family family;
	struct addr best; /* unspecified: there is none */
};

void addresses_init(struct addresses *addresses, enum family family);
void addresses_fini(struct addresses *addresses);
/* Empties `from`; `to` must be empty. */
void addresses_move(struct addresses *to, struct addresses *from);

/* Adds an address, unless it is known. False when memory is short. */
bool addresses_add(struct addresses *addresses, const struct addr *addr);
void addresses_remove(struct addresses *addresses, const struct addr *addr);

/* Around a dump: addresses that were not added between the two are removed. */
void addresses_dump_begin(struct addresses *addresses);
void addresses_dump_end(struct addresses *addresses);

#endif
