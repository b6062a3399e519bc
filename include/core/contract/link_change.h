/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The state of a link as the owner announces it to an instance (payload of INPUT_LINK). Plain values. Each
 * message carries the whole state, so only the newest one counts.
 */
#ifndef MCPROXY_CORE_CONTRACT_LINK_CHANGE_H
#define MCPROXY_CORE_CONTRACT_LINK_CHANGE_H

#include "core/contract/settings.h"

#include <string.h>

#define LINKS_MAX         64 /* ids of one instance: sets of links are 64-bit masks */
#define LINK_NAME_SIZE    16
#define LINK_PATTERN_SIZE 64 /* a name, alternative name, pattern or @prefix of the configuration */

/* Is it a pattern of glob(7), which stands for all interfaces that match it? */
static inline bool is_glob(const char *pattern)
{
	return strpbrk(pattern, "*?[") != NULL;
}

enum link_role { ROLE_UPSTREAM, ROLE_DOWNSTREAM };

/* An address of an interface. */
struct interface_address {
	struct addr address;
	struct addr network; /* the address that `length` applies to: its own, or the peer's */
	uint8_t length;      /* of the prefix, in bits of the family's addresses */
	bool secondary;      /* IPv4: the interface has an older address in the same subnet */
};

/* The visible part of where an interface is attached. When it changes, there may be another switch or router
 * behind the interface, which knows none of the memberships. */
struct link_attachment {
	uint32_t carrier_ups; /* how often its carrier came up; 0: not known */
	uint8_t hardware[32]; /* its MAC address, padded with 0 */
};

#define LINK_ADDRESSES_MAX 16 /* passed to an instance, of each family */
#define LINK_SUBNETS_MAX   16

struct link_subnet {
	uint8_t prefix[4];
	uint8_t length; /* in bits, 1..31 */
};

/* The router's addresses on a link, and the IPv4 subnets that they are in. A longer list of addresses is cut. A
 * list of more subnets is left out: then any address may belong to the link. An address without a subnet (/32)
 * adds none, as on tunnels. */
struct link_addresses {
	uint8_t address_count[FAMILIES];
	uint8_t subnet_count;
	bool subnets_unknown; /* there are more than LINK_SUBNETS_MAX */
	struct link_subnet subnets[LINK_SUBNETS_MAX];
	struct addr addresses[FAMILIES][LINK_ADDRESSES_MAX]; /* IPv6: only link-local ones */
};

struct link_change {
	bool present; /* false: the link is gone; its id is free after REQUEST_LINK_FREE */
	uint8_t role; /* enum link_role */
	char name[LINK_NAME_SIZE];
	uint32_t mtu;
	uint32_t elections; /* grows with each reload: the querier election starts again */
	struct link_settings settings;
	struct link_addresses addresses;
	struct {
		bool usable;         /* up, with a vif; IPv6: with a link-local address */
		struct addr address; /* source of queries; unspecified: none */
	} family[FAMILIES];
};

#endif
