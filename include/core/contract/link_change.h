/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The state of a link as the owner announces it to an instance (payload of INPUT_LINK). Plain values. Each
 * message carries the whole state, so only the newest one counts.
 */
#ifndef MCPROXY_CORE_CONTRACT_LINK_CHANGE_H
#define MCPROXY_CORE_CONTRACT_LINK_CHANGE_H

#include "core/contract/settings.h"

#define LINKS_MAX      64 /* ids of one instance: sets of links are 64-bit masks */
#define LINK_NAME_SIZE 16

enum link_role { ROLE_UPSTREAM, ROLE_DOWNSTREAM };

/* The visible part of where an interface is attached. When it changes, there may be another switch or router
 * behind the interface, which knows none of the memberships. */
struct link_attachment {
	uint32_t carrier_ups; /* how often its carrier came up; 0: not known */
	uint8_t hardware[32]; /* its MAC address, padded with 0 */
};

struct link_change {
	bool present; /* false: the link is gone; its id is free after REQUEST_LINK_FREE */
	uint8_t role; /* enum link_role */
	char name[LINK_NAME_SIZE];
	uint32_t mtu;
	struct link_settings settings;
	struct {
		bool usable;         /* up, with a vif; IPv6: with a link-local address */
		struct addr address; /* source of queries; unspecified: none */
	} family[FAMILIES];
};

#endif
