/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The device that takes the packets of an interface: the bridge of a port, the bond or team of a member. Multicast is
 * routed by that device, not by its ports. The members of a VRF keep their packets, and so have no such device here.
 */
#ifndef MCPROXY_KERNEL_LINK_MASTER_H
#define MCPROXY_KERNEL_LINK_MASTER_H

#include <stdbool.h>
#include <stddef.h>

struct link_master {
	char name[16]; /* of the outermost one: of the bridge, for a member of a bond in a bridge */
	char kind[16]; /* of the one just above the interface: "bridge", "bond", ... */
	char next[16]; /* the name of that one */
};

/* Does a device of this kind take the packets of its ports? */
bool link_master_takes(const char *kind);
/* "lanp1 is a port of bridge br-lan: use br-lan" */
void link_master_text(const char *interface, const struct link_master *master, char *text, size_t size);

#endif
