/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/tables/addresses.h"

#include <stdlib.h>

#define SEED 0 /* only this machine's administrator chooses these addresses */

struct address {
	struct index_node node;
	struct addr addr;
	bool seen; /* in the current dump */
};

void addresses_init(struct addresses *addresses, enum family family)
{
	*addresses = (struct addresses){.family = family, .best = addr_unspecified(family)};
}

void addresses_fini(struct addresses *addresses)
{
	struct index_node *node, *newer;

	for (node = addresses->index.oldest; node != NULL; node = newer) {
		newer = node->newer;
		free(node);
	}
	index_fini(&addresses->index);
}

void addresses_move(struct addresses *to, struct addresses *from)
{
	*to = *from;
	addresses_init(from, from->family);
}

static struct address *find(const struct addresses *addresses, const struct addr *addr)
{
	struct index_node *node = index_find(&addresses->index, addr_hash(addr, SEED));

	while (node != NULL && !addr_equal(&((struct address *)node)->addr, addr))
		node = index_find_next(node);
	return (struct address *)node;
}

static void consider(struct addresses *addresses, const struct address *address)
{
	if (addr_is_unspecified(&addresses->best) ||
	    (addresses->family == FAMILY_IPV6 && addr_compare(&address->addr, &addresses->best) < 0))
		addresses->best = address->addr;
}

static void choose(struct addresses *addresses)
{
	const struct index_node *node = addresses->index.oldest;

	addresses->best = addr_unspecified(addresses->family);
	for (; node != NULL; node = node->newer) {
		consider(addresses, (const struct address *)node);
		if (addresses->family == FAMILY_IPV4)
			break;
	}
}

bool addresses_add(struct addresses *addresses, const struct addr *addr)
{
	struct address *address = find(addresses, addr);

	if (address == NULL) {
		address = calloc(1, sizeof *address);
		if (address == NULL)
			return false;
		address->addr = *addr;
		if (!index_add(&addresses->index, &address->node, addr_hash(addr, SEED))) {
			free(address);
			return false;
		}
		consider(addresses, address);
	}
	address->seen = true;
	return true;
}

static void drop(struct addresses *addresses, struct address *address)
{
	index_remove(&addresses->index, &address->node);
	free(address);
}

void addresses_remove(struct addresses *addresses, const struct addr *addr)
{
	struct address *address = find(addresses, addr);
	bool was_best = addr_equal(addr, &addresses->best);

	if (address == NULL)
		return;
	drop(addresses, address);
	if (was_best)
		choose(addresses);
}

void addresses_dump_begin(struct addresses *addresses)
{
	struct index_node *node = addresses->index.oldest;

	for (; node != NULL; node = node->newer)
		((struct address *)node)->seen = false;
}

void addresses_dump_end(struct addresses *addresses)
{
	struct index_node *node, *newer;

	for (node = addresses->index.oldest; node != NULL; node = newer) {
		newer = node->newer;
		if (!((struct address *)node)->seen)
			drop(addresses, (struct address *)node);
	}
	choose(addresses);
}
