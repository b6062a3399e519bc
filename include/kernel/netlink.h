/* SPDX-License-Identifier: BSD-2-Clause
 *
 * News of interfaces and addresses from rtnetlink: a dump of what is there, then every change. Each piece of
 * news is complete in itself (level-triggered). Owner thread only.
 */
#ifndef MCPROXY_KERNEL_NETLINK_H
#define MCPROXY_KERNEL_NETLINK_H

#include "core/base/addr.h"
#include "core/contract/link_change.h"

enum netlink_kind {
	NETLINK_LINK,      /* an interface is there: name, up, multicast, mtu */
	NETLINK_LINK_GONE, /* it is not any more */
	NETLINK_ADDRESS, /* it has this address, its own one on a point-to-point link; IPv6 addresses are told
	                  * when they are ready, secondary IPv4 ones when they become primary */
	NETLINK_ADDRESS_GONE, /* or proved to be a duplicate; it need not have been told */
	NETLINK_OVERRUN,      /* news was lost: a new dump follows by itself; NETLINK_DUMP_END ends it */
	NETLINK_DUMP_END,     /* the dump is complete: what was not told is not there */
};

struct netlink_news {
	enum netlink_kind kind;
	int ifindex;
	char name[16];
	bool up;        /* administratively up and running (carrier) */
	bool multicast; /* IFF_MULTICAST */
	bool point_to_point;
	uint32_t mtu;
	struct link_attachment attachment;
	bool moved; /* the kernel announces that it is attached to another place: a bond has failed over, or a
	             * virtual machine has moved */
	struct addr address;
};

struct netlink; /* opaque */

/* Opens the socket, subscribes, and asks for the first dump (read it with netlink_receive). 0 or -errno. */
int netlink_open(struct netlink **netlink);
void netlink_close(struct netlink *netlink);
/* Asks for a new dump, after netlink_receive has failed: what was told before may be out of date. 0 or
 * -errno. */
int netlink_refresh(struct netlink *netlink);
int netlink_fd(const struct netlink *netlink);

/* Reads what waits, without blocking, and calls tell for each piece of news in order. 0 or -errno. */
int netlink_receive(struct netlink *netlink, void (*tell)(void *context, const struct netlink_news *news),
                    void *context);

#endif
