/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Memberships of this machine's own host side: sockets that join groups upstream. One call here is one system
 * call; which socket holds what, and in which order, is decided by the pure table `joins`. 0 or -errno. Owner
 * thread only.
 */
#ifndef MCPROXY_KERNEL_JOIN_H
#define MCPROXY_KERNEL_JOIN_H

#include "core/base/filter.h"

/* A socket that can hold memberships; never bound to a port, receives nothing. The descriptor or -errno. */
int join_socket(enum family family);
void join_socket_close(int fd);

int join_group(int fd, int ifindex, const struct addr *group); /* EXCLUDE{} */
int join_leave(int fd, int ifindex, const struct addr *group);
int join_source(int fd, int ifindex, const struct addr *group, const struct addr *source);
int join_leave_source(int fd, int ifindex, const struct addr *group, const struct addr *source);
/* Replaces the filter of a group this socket has joined; one state-change on the wire. INCLUDE{} leaves.
 * -EINVAL (or, for INCLUDE{}, -EADDRNOTAVAIL): it has not. */
int join_set_filter(int fd, int ifindex, const struct addr *group, const struct filter *filter);

/* What the kernel allows: groups per socket (0: no limit) and sources per filter. */
unsigned join_groups_max(enum family family);
unsigned join_sources_max(enum family family);
/* The version that the kernel's host side speaks on an interface now (enum version), from /proc/net/igmp and
 * the force_* settings; VERSION_3 when that cannot be found. For IPv6 the settings alone: the kernel does not
 * show its querier's version. */
unsigned join_host_version(enum family family, const char *interface);
/* The version that force_igmp_version or force_mld_version demands there (enum version); VERSION_NONE:
 * none. */
unsigned join_forced_version(enum family family, const char *interface);

#endif
