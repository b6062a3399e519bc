/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The machine's interfaces: what netlink says of them goes into the table of links (core/tables/links.h),
 * whose operations make vifs and announce links to instances. Owner thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_INTERFACES_H
#define MCPROXY_DAEMON_OWNER_INTERFACES_H

#include "daemon/owner/loop.h"

struct owner;
struct netlink;

/* The member `interfaces` of struct owner. */
struct interface_watch {
	struct loop_source source;
	struct netlink *netlink;
	bool known;          /* the first dump is over */
	bool logged_failure; /* that netlink cannot be read */
	mtime refresh_at;    /* MTIME_NEVER: no message was lost */
};

/* False, with errno, when netlink cannot be opened. */
bool interfaces_open(struct owner *owner);
void interfaces_close(struct owner *owner);
/* Asks for all interfaces again when it is due, after a failure. */
void interfaces_refresh(struct owner *owner, mtime now);
/* Brings vifs, uplinks and instances to what the table of links wants. */
void interfaces_apply(struct owner *owner, mtime now);

#endif
