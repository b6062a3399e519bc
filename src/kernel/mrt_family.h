/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The differences between the multicast routing sockets of IPv4 and IPv6: option numbers, structures,
 * upcalls. Each family has a table in its own file, because the kernel headers of the families conflict
 * easily. Private to mrt.c.
 */
#ifndef MCPROXY_KERNEL_MRT_FAMILY_H
#define MCPROXY_KERNEL_MRT_FAMILY_H

#include "kernel/mrt.h"
#include "kernel/socket_option.h"

#include <errno.h>
#include <sys/socket.h>

struct mrt_family {
	int domain;
	int protocol;
	int level; /* of the options below */
	int init;
	int done;
	int table;
	int flush;
	int assert;
	int pim;

	/* All return 0 or -errno. */
	int (*pass_upcalls_only)(int fd);
	int (*add_vif)(int fd, unsigned vif, int ifindex, uint8_t threshold);
	int (*del_vif)(int fd, unsigned vif);
	bool (*has_vif)(int fd, unsigned vif);
	int (*change_route)(int fd, bool wanted, const struct addr *source, const struct addr *group,
	                    unsigned input_vif, uint32_t output_vifs, const uint8_t thresholds[MRT_VIFS]);
	int (*route_counters)(int fd, const struct addr *source, const struct addr *group,
	                      struct mrt_counters *counters);

	/* False for a message of another kind. */
	bool (*decode)(const uint8_t *message, size_t size, struct mrt_upcall *upcall);
};

extern const struct mrt_family mrt_ipv4;
extern const struct mrt_family mrt_ipv6;

#endif
