/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/tables/addresses.h"

#include <stdlib.h>

#define SEED 0 /* only this machine's administrator chooses these addresses */

struct address {
	struct index_node node;
	struct interface_address is;
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
	uint32_t changes = to->changes + from->changes + 1;

	*to = *from;
	to->changes = changes;
	addresses_init(from, from->family);
}

/* The same address may be in several subnets. */
static struct address *find(const struct addresses *addresses, const struct interface_address *wanted)
{
	struct index_node *node = index_find(&addresses->index, addr_hash(&wanted->address, SEED));

	for (; node != NULL; node = index_find_next(&addresses->index, node)) {
		const struct interface_address *is = &((struct address *)node)->is;

		if (addr_equal(&is->address, &wanted->address) &&
		    addr_equal(&is->network, &wanted->network) && is->length == wanted->length)
			break;
	}
	return (struct address *)node;
}

static bool has(const struct addresses *addresses, const struct addr *addr)
{
	for (unsigned i = 0; i < addresses->count; i++)
		if (addr_equal(&addresses->list[i], addr))
			return true;
	return false;
}

static struct link_subnet subnet_of(const struct interface_address *address)
{
	const uint8_t *bytes = addr_ipv4_bytes(&address->network);
	struct link_subnet subnet = {.length = address->length};

	for (unsigned i = 0; i < sizeof subnet.prefix; i++) {
		unsigned bits = address->length > 8 * i ? address->length - 8 * i : 0;

		subnet.prefix[i] = bits >= 8 ? bytes[i] : (uint8_t)(bytes[i] & 0xff00 >> bits);
	}
	return subnet;
}

static bool adds_subnet(const struct addresses *addresses, const struct interface_address *address)
{
	return addresses->family == FAMILY_IPV4 && address->length >= 1 && address->length <= 31;
}

static void list_subnet(struct addresses *addresses, const struct interface_address *address)
{
	struct link_subnet subnet;

	if (!adds_subnet(addresses, address) || addresses->subnets_unknown)
		return;
	subnet = subnet_of(address);
	for (unsigned i = 0; i < addresses->subnet_count; i++)
		if (memcmp(&addresses->subnets[i], &subnet, sizeof subnet) == 0)
			return;
	addresses->changes++;
	addresses->subnets_unknown = addresses->subnet_count == LINK_SUBNETS_MAX;
	if (addresses->subnets_unknown)
		addresses->subnet_count = 0;
	else
		addresses->subnets[addresses->subnet_count++] = subnet;
}

static void consider(struct addresses *addresses, const struct interface_address *address)
{
	bool is_first = addr_is_unspecified(&addresses->best) && !address->secondary;

	if (is_first ||
	    (addresses->family == FAMILY_IPV6 && addr_compare(&address->address, &addresses->best) < 0))
		addresses->best = address->address;
	list_subnet(addresses, address);
	if (addresses->count == LINK_ADDRESSES_MAX || has(addresses, &address->address))
		return;
	addresses->list[addresses->count++] = address->address;
	addresses->changes++;
}

static void choose(struct addresses *addresses)
{
	const struct index_node *node = addresses->index.oldest;

	addresses->best = addr_unspecified(addresses->family);
	addresses->count = addresses->subnet_count = 0;
	addresses->subnets_unknown = false;
	addresses->changes++;
	for (; node != NULL; node = node->newer)
		consider(addresses, &((const struct address *)node)->is);
}

static void drop(struct addresses *addresses, struct address *address)
{
	index_remove(&addresses->index, &address->node);
	free(address);
}

bool addresses_add(struct addresses *addresses, const struct interface_address *added)
{
	struct address *address = find(addresses, added);

	/* A secondary address becomes primary behind all that are. */
	if (address != NULL && address->is.secondary != added->secondary) {
		drop(addresses, address);
		address = NULL;
	}
	if (address == NULL) {
		address = calloc(1, sizeof *address);
		if (address == NULL)
			return false;
		address->is = *added;
		if (!index_add(&addresses->index, &address->node, addr_hash(&added->address, SEED))) {
			free(address);
			return false;
		}
		consider(addresses, added);
	}
	address->seen = true;
	return true;
}

void addresses_remove(struct addresses *addresses, const struct interface_address *removed)
{
	struct address *address = find(addresses, removed);
	bool in_lists;

	if (address == NULL)
		return;
	in_lists = has(addresses, &removed->address) || addr_equal(&removed->address, &addresses->best) ||
	           (adds_subnet(addresses, removed) && !address->is.secondary);
	drop(addresses, address);
	if (in_lists)
		choose(addresses);
}

bool addresses_meet(const struct addresses *addresses, const struct range *range)
{
	const struct index_node *node = addresses->index.oldest;

	if (addr_family(&range->first) != addresses->family)
		return false; /* ::/0 contains the mapped form of all IPv4 addresses */
	for (; node != NULL; node = node->newer) {
		const struct addr *address = &((const struct address *)node)->is.address;

		if (addr_compare(address, &range->first) >= 0 && addr_compare(address, &range->last) <= 0)
			return true;
	}
	return false;
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
	bool dropped = false;

	for (node = addresses->index.oldest; node != NULL; node = newer) {
		newer = node->newer;
		if (((struct address *)node)->seen)
			continue;
		drop(addresses, (struct address *)node);
		dropped = true;
	}
	if (dropped)
		choose(addresses);
}

void addresses_list(const struct addresses addresses[FAMILIES], struct link_addresses *list)
{
	for (int family = 0; family < FAMILIES; family++) {
		list->address_count[family] = addresses[family].count;
		memcpy(list->addresses[family], addresses[family].list,
		       addresses[family].count * sizeof *addresses[family].list);
	}
	list->subnet_count = addresses[FAMILY_IPV4].subnet_count;
	list->subnets_unknown = addresses[FAMILY_IPV4].subnets_unknown;
	memcpy(list->subnets, addresses[FAMILY_IPV4].subnets, list->subnet_count * sizeof *list->subnets);
}
