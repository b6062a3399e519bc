/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Addresses that several hosts of a link use, such as those behind a device that translates or repeats their
 * reports under its own. One of them shows when a fast leave has ended a group for it, and it answers
 * nevertheless that it is a member: that was another one. From then on its reports tell no host for a while.
 * A few of each are remembered, the oldest ones go. Owned by the instance's thread.
 */
#ifndef MCPROXY_CORE_ROUTER_SHARED_HOSTS_H
#define MCPROXY_CORE_ROUTER_SHARED_HOSTS_H

#include "core/base/addr.h"
#include "core/base/mtime.h"

#define SHARED_HOSTS_MAX 16

struct left_group {
	struct addr host;
	struct addr group;
	mtime until; /* an answer up to then is not that of whoever left */
};

struct shared_host {
	struct addr host;
	mtime until;
};

struct shared_hosts {
	struct left_group left[SHARED_HOSTS_MAX];
	struct shared_host shared[SHARED_HOSTS_MAX];
	uint8_t next_left;
	uint8_t next_shared;
	mtime shared_until; /* none of them is shared after that */
};

/* A fast leave of the host has ended the group. */
void shared_hosts_left(struct shared_hosts *hosts, const struct addr *host, const struct addr *group,
                       mtime until);
/* It joined again, so that answers are its own. */
void shared_hosts_joined(struct shared_hosts *hosts, const struct addr *host, const struct addr *group);
/* It answers that it is a member of a group that has no other. True if it is found to be shared, until
 * then. */
bool shared_hosts_answered(struct shared_hosts *hosts, mtime now, const struct addr *host,
                           const struct addr *group, mtime until);
bool shared_hosts_has(const struct shared_hosts *hosts, mtime now, const struct addr *host);

#endif
