/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Addresses that several hosts of a link share, for example behind a device that translates or repeats their
 * reports under its own address. Such an address is detected when a fast leave has ended a group for it and
 * an answer from it still reports a membership: another host sent that. For some time its reports then count
 * as from no known host. A few of each are remembered; new ones replace the oldest. The instance's thread.
 */
#ifndef MCPROXY_CORE_ROUTER_SHARED_HOSTS_H
#define MCPROXY_CORE_ROUTER_SHARED_HOSTS_H

#include "core/base/addr.h"
#include "core/base/mtime.h"

#define SHARED_HOSTS_MAX 16

struct left_group {
	struct addr host;
	struct addr group;
	mtime until; /* an answer before then comes from another host than the one that left */
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
/* The host joined again, so later answers are its own. */
void shared_hosts_joined(struct shared_hosts *hosts, const struct addr *host, const struct addr *group);
/* The host answers that it is a member of a group without other members. True when that shows that its
 * address is shared; it counts as shared until `until`. */
bool shared_hosts_answered(struct shared_hosts *hosts, mtime now, const struct addr *host,
                           const struct addr *group, mtime until);
bool shared_hosts_has(const struct shared_hosts *hosts, mtime now, const struct addr *host);

#endif
