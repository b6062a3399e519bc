/* SPDX-License-Identifier: BSD-2-Clause
 *
 * News of interfaces and addresses from rtnetlink: first a dump of all, then every change. Each piece of news
 * states the whole state of its object (level-triggered). Owner thread only.
 */
#ifndef MCPROXY_KERNEL_NETLINK_H
#define MCPROXY_KERNEL_NETLINK_H

#include "core/base/addr.h"
#include "core/contract/link_change.h"

enum netlink_kind {
	NETLINK_LINK,      /* an interface is there: name, up, multicast, mtu */
	NETLINK_LINK_GONE, /* it is gone */
	NETLINK_ADDRESS,   /* it has this address, on a point-to-point link the local one. IPv6 addresses come
	                    * when they are usable */
	NETLINK_ADDRESS_GONE, /* or proved to be a duplicate; it may come without NETLINK_ADDRESS before */
	NETLINK_OVERRUN,      /* news was lost: a new dump follows, and ends with NETLINK_DUMP_END */
	NETLINK_DUMP_END,     /* the dump is complete: what it did not report is gone */
};

#define NETLINK_ALTNAMES_SIZE 512

struct netlink_news {
	enum netlink_kind kind;
	int ifindex;
	char name[16];
	char altnames
		[NETLINK_ALTNAMES_SIZE]; /* each ends with a zero, the last one with two; those that fit */
	bool up;                         /* administratively up and running (carrier) */
	bool multicast;                  /* IFF_MULTICAST */
	bool point_to_point;
	uint32_t mtu;
	bool has_master; /* it is a port of a bridge, a member of a bond, ... */
	struct link_attachment attachment;
	bool moved; /* the kernel announces that the interface is attached elsewhere: a bond has failed over,
	             * or a virtual machine has moved */
	struct interface_address address;
};

struct netlink; /* opaque */

/* Opens the socket, subscribes, and asks for the first dump (read it with netlink_receive). 0 or -errno. */
int netlink_open(struct netlink **netlink);
void netlink_close(struct netlink *netlink);
/* Asks for a new dump after netlink_receive has failed: earlier news may be out of date. 0 or -errno. */
int netlink_refresh(struct netlink *netlink);
int netlink_fd(const struct netlink *netlink);

/* Reads what waits, without blocking, and calls report for each piece of news in order. 0 or -errno. */
int netlink_receive(struct netlink *netlink, void (*report)(void *context, const struct netlink_news *news),
                    void *context);

#endif
