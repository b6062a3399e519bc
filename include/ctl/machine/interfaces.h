/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The machine's network interfaces as rtnetlink tells them: flags, carrier, addresses, and what a bridge
 * knows about queriers. A picture of one moment.
 */
#ifndef MCPROXY_CTL_MACHINE_INTERFACES_H
#define MCPROXY_CTL_MACHINE_INTERFACES_H

#include "core/base/addr.h"

#include <stddef.h>

#define INTERFACE_NAME_SIZE 16

struct interface {
	int index;
	unsigned mtu;
	int master; /* index of the bridge or bond it is a port of; 0: none */
	char name[INTERFACE_NAME_SIZE];
	bool up;        /* by the administrator */
	bool carrier;   /* and running */
	bool multicast; /* IFF_MULTICAST */
	bool loopback;
	bool is_bridge;
	bool snooping;              /* a bridge that looks at IGMP and MLD */
	bool asks_itself;           /* a bridge that is a querier when there is no other */
	bool told_queriers;         /* has_querier is known */
	bool has_querier[FAMILIES]; /* heard or its own */
	bool has_address[FAMILIES]; /* IPv6: a link-local one */
	struct addr address[FAMILIES];
};

struct interfaces {
	struct interface *list;
	size_t count;
};

struct nlmsghdr;

/* 0 or -errno; to be freed either way. */
int interfaces_read(struct interfaces *interfaces);
void interfaces_free(struct interfaces *interfaces);
/* Takes over one RTM_NEWLINK or RTM_NEWADDR message; false when memory is short. */
bool interfaces_take(struct interfaces *interfaces, const struct nlmsghdr *message);

/* NULL when there is none. */
const struct interface *interfaces_by_index(const struct interfaces *interfaces, int index);
const struct interface *interfaces_by_name(const struct interfaces *interfaces, const char *name);

#endif
