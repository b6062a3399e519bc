/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The addresses of an interface in one family, as many as it has, and the best of them: the one that queries
 * and reports are sent from. That is the IPv4 address that came first, and the lowest IPv6 address. Owner
 * thread.
 */
#ifndef MCPROXY_CORE_TABLES_ADDRESSES_H
#define MCPROXY_CORE_TABLES_ADDRESSES_H

#include "core/base/addr.h"
#include "core/base/index.h"

struct addresses {
	struct index index; /* of struct address, in order of coming */
	enum family family;
	struct addr best; /* unspecified: there is none */
};

void addresses_init(struct addresses *addresses, enum family family);
void addresses_fini(struct addresses *addresses);
/* Empties `from`; `to` must be empty. */
void addresses_move(struct addresses *to, struct addresses *from);

/* An address that is known is not added again. False when memory is short. */
bool addresses_add(struct addresses *addresses, const struct addr *addr);
void addresses_remove(struct addresses *addresses, const struct addr *addr);

/* Around a dump: addresses that were not added between the two are removed. */
void addresses_dump_begin(struct addresses *addresses);
void addresses_dump_end(struct addresses *addresses);

#endif
