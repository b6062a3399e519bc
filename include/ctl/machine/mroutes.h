/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The kernel's multicast forwarding entries of one group in all tables, and the unicast route back to a
 * source, as rtnetlink reports them.
 */
#ifndef MCPROXY_CTL_MACHINE_MROUTES_H
#define MCPROXY_CTL_MACHINE_MROUTES_H

#include "core/base/addr.h"

#include <stddef.h>

#define MROUTE_OUTPUTS 32 /* the kernel's limit of vifs in a table */

struct mroute {
	uint32_t table;
	struct addr source;
	struct addr group;
	bool resolved; /* it has an input, set by the daemon */
	int input;     /* interface index; 0: the interface no longer exists */
	int outputs[MROUTE_OUTPUTS];
	size_t output_count;
	uint64_t packets;
	uint64_t bytes;
	uint64_t wrong_input;
};

struct mroutes {
	struct addr group;
	struct mroute *list;
	size_t count;
};

struct nlmsghdr;

/* The entries of the group; 0 or -errno. The caller frees the list in both cases. */
int mroutes_read(struct mroutes *mroutes, const struct addr *group);
void mroutes_free(struct mroutes *mroutes);
/* Applies an RTM_NEWROUTE message of a multicast table; false when memory is short. */
bool mroutes_take(struct mroutes *mroutes, const struct nlmsghdr *message);
bool mroute_has_output(const struct mroute *mroute, int index);

/* Index of the output interface for packets to the address; or -errno, -ENETUNREACH when there is no
 * route. */
int route_lookup(const struct addr *address);

#endif
