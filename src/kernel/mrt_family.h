/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The differences between the multicast routing sockets of IPv4 and IPv6: option numbers, structures,
 * upcalls. Each family has a table in its own file, because the kernel headers of the families conflict
 * easily. Private to mrt.c.
 */
#ifndef MCPROXY_KERNEL_MRT_FAMILY_H
#define MCPROXY_KERNEL_MRT_FAMILY_H

#include "kernel/mrt.h"

#include <errno.h>
#include <sys/socket.h>

struct mrt_family {
	int domain;
	int protocol;
	int level; /* of the options below */
	int init;
	int table;
	int flush;
	int assert;
	int pim;

	/* All return 0 or -errno. */
	int (*pass_upcalls_only)(int fd);
	int (*add_vif)(int fd, unsigned vif, int ifindex);
	int (*del_vif)(int fd, unsigned vif);
	bool (*has_vif)(int fd, unsigned vif);
	int (*set_route)(int fd, const struct addr *source, const struct addr *group, unsigned input_vif,
	                 uint32_t output_vifs);
	int (*del_route)(int fd, const struct addr *source, const struct addr *group);
	int (*route_counters)(int fd, const struct addr *source, const struct addr *group,
	                      struct mrt_counters *counters);

	/* False for a message of another kind. */
	bool (*decode)(const uint8_t *message, size_t size, struct mrt_upcall *upcall);
};

extern const struct mrt_family mrt_ipv4;
extern const struct mrt_family mrt_ipv6;

static inline int mrt_set_option(int fd, int level, int name, const void *value, size_t size)
{
	return setsockopt(fd, level, name, value, (socklen_t)size) == 0 ? 0 : -errno;
}

#endif
