/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Memberships of this machine's own host side: sockets that join groups upstream. Each call is one system
 * call, and returns 0 or -errno. The pure table `joins` decides which socket holds what, and in which order.
 * Owner thread only.
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
/* Replaces the filter of a group that this socket has joined; one state change on the wire. INCLUDE{} leaves
 * the group. -EINVAL (for INCLUDE{} -EADDRNOTAVAIL): the socket has not joined the group. */
int join_set_filter(int fd, int ifindex, const struct addr *group, const struct filter *filter);

/* The kernel's limits: groups per socket (0: no limit) and sources per filter. */
unsigned join_groups_max(enum family family);
unsigned join_sources_max(enum family family);
/* The version that the kernel's host side speaks on an interface now (enum version), from /proc/net/igmp and
 * the force_* settings; VERSION_3 when it is unknown. For IPv6 only from the settings: the kernel does not
 * show the version of its querier. */
unsigned join_host_version(enum family family, const char *interface);
/* The version that force_igmp_version or force_mld_version sets there (enum version); VERSION_NONE: none. */
unsigned join_forced_version(enum family family, const char *interface);

/* The indexes of the interfaces where this machine is a member of an IPv6 group, by any program; at most
 * `max`; returns how many. The kernel loops back there what it forwards to the group. Reads the kernel's list
 * of all groups. */
size_t mld_member_interfaces(const struct addr *group, int *interfaces, size_t max);

#endif
