/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The machine's network interfaces as rtnetlink reports them: flags, carrier, addresses, and what a bridge
 * knows about queriers. A snapshot.
 */
#ifndef MCPROXY_CTL_MACHINE_INTERFACES_H
#define MCPROXY_CTL_MACHINE_INTERFACES_H

#include "core/base/addr.h"

#include <stddef.h>

#define INTERFACE_NAME_SIZE 16

struct interface_state {
	int index;
	unsigned mtu;
	int master; /* index of its bridge, bond or VRF; 0: none */
	char master_kind[16];
	int vlan_of; /* index of the interface whose frames of one VLAN it takes; 0: it is no VLAN interface */
	unsigned vlan;
	char name[INTERFACE_NAME_SIZE];
	bool up;        /* set by the administrator */
	bool carrier;   /* and running */
	bool multicast; /* IFF_MULTICAST */
	bool loopback;
	bool is_bridge;
	bool snooping;              /* a bridge that snoops IGMP and MLD */
	bool own_querier;           /* a bridge that becomes the querier if there is no other */
	bool old_queries[FAMILIES]; /* it then sends IGMPv2 or MLDv1 queries */
	bool knows_queriers;        /* has_querier is known */
	bool has_querier[FAMILIES]; /* another one, or the bridge itself */
	bool has_address[FAMILIES]; /* IPv6: a link-local one */
	struct addr address[FAMILIES];
};

struct interfaces {
	struct interface_state *list;
	size_t count;
};

struct nlmsghdr;

/* 0 or -errno; the caller frees the list in both cases. */
int interfaces_read(struct interfaces *interfaces);
void interfaces_free(struct interfaces *interfaces);
/* Applies one RTM_NEWLINK or RTM_NEWADDR message; false when memory is short. */
bool interfaces_take(struct interfaces *interfaces, const struct nlmsghdr *message);

/* NULL when there is none. */
const struct interface_state *interfaces_by_index(const struct interfaces *interfaces, int index);
const struct interface_state *interfaces_by_name(const struct interfaces *interfaces, const char *name);

/* The device that takes the packets of a port, as kernel/link_master_find.h finds it; false when there is none. */
struct link_master;
bool interfaces_master(const struct interfaces *interfaces, const struct interface_state *interface,
                       struct link_master *master);
/* The interface for a VLAN of another one; NULL when there is none. */
const struct interface_state *interfaces_vlan(const struct interfaces *interfaces, int parent, unsigned vlan);

#endif
