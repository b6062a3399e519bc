/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A multicast routing (MRT) socket: one per family and kernel table. Adds vifs and forwarding entries, reads
 * their counters, and receives upcalls, nothing else (a socket filter keeps reports out). Policy-free: does
 * what it is told and returns 0 or -errno. Owner thread only.
 */
#ifndef MCPROXY_KERNEL_MRT_H
#define MCPROXY_KERNEL_MRT_H

#include "core/base/addr.h"
#include "core/base/mtime.h"

#include <stddef.h>

#define MRT_VIFS          32 /* the kernel's limit per table, both families */
#define MRT_TABLE_DEFAULT 0  /* do not choose a table */
#define MRT_TTL_THRESHOLD 1

struct mrt; /* opaque */

/* -EADDRINUSE: another multicast router owns the table. -EPERM, -ENOPROTOOPT (kernel without multicast
 * routing). Sets MRT_ASSERT and MRT_PIM as WRONGVIF repair needs them, and the receive buffer. The table is
 * empty. */
int mrt_open(struct mrt **mrt, enum family family, uint32_t table);
/* Whether a socket owns a table, which is what a multicast router does that runs. Tries to own it, so the
 * table exists afterwards. */
bool mrt_is_owned(enum family family, uint32_t table);
/* Clears what it set and closes; the kernel flushes vifs and entries. */
void mrt_close(struct mrt *mrt);
int mrt_fd(const struct mrt *mrt);

/* An interface may be made two vifs of IPv4 without an error: see to it that it is not. -EOVERFLOW: IPv6 vifs
 * need an interface index below 65536. -EADDRINUSE: the number is taken. */
int mrt_add_vif(struct mrt *mrt, unsigned vif, int ifindex);
/* -EADDRNOTAVAIL: there is none, perhaps because its interface was deleted. */
int mrt_del_vif(struct mrt *mrt, unsigned vif);

bool mrt_has_vif(struct mrt *mrt, unsigned vif);

/* Adds or updates the entry (source, group) with incoming vif and outgoing vif set; no outgoing vif makes a
 * negative entry that drops without an upcall. */
int mrt_set_route(struct mrt *mrt, const struct addr *source, const struct addr *group, unsigned input_vif,
                  uint32_t output_vifs);
int mrt_del_route(struct mrt *mrt, const struct addr *source, const struct addr *group);

struct mrt_counters {
	uint64_t packets;
	uint64_t bytes;
	uint64_t wrong_vif;
};
int mrt_route_counters(struct mrt *mrt, const struct addr *source, const struct addr *group,
                       struct mrt_counters *counters);

enum mrt_upcall_kind { MRT_UPCALL_NOCACHE, MRT_UPCALL_WRONGVIF };
struct mrt_upcall {
	enum mrt_upcall_kind kind;
	unsigned vif;
	struct addr source;
	struct addr group;
	bool igmp; /* for an IGMP message to the group, not for a packet of a stream */
};
/* Reads up to `max` waiting messages without blocking; returns how many upcalls are among them (other kinds
 * are skipped), 0 when none waits, -errno on error.
 *
 * Where the kernel itself is a member of the group, an IGMP message to the group makes an upcall as data
 * does. An upcall carries the IP options of its packet, hence the Router Alert of such a message. For a
 * message without options (IGMPv1, some hosts of IGMPv2) the socket gets the message itself just before the
 * upcall. */
int mrt_receive(struct mrt *mrt, mtime now, struct mrt_upcall *upcalls, size_t max);

#endif
