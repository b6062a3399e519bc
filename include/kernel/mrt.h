/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A multicast routing (MRT) socket: one per family and kernel table. Adds vifs and forwarding entries, reads
 * their counters, and receives upcalls; a socket filter keeps reports out. It decides nothing. Functions
 * return 0 or -errno. Owner thread only.
 */
#ifndef MCPROXY_KERNEL_MRT_H
#define MCPROXY_KERNEL_MRT_H

#include "core/base/addr.h"
#include "core/base/mtime.h"

#include <stddef.h>

#define MRT_VIFS          32 /* the kernel's limit per table, both families */
#define MRT_TABLE_DEFAULT 0  /* do not choose a table */
#define MRT_TTL_THRESHOLD 1
#define MRT_TTL_NEVER     255 /* no packet has a larger TTL: the kernel does not list such an output */

struct mrt; /* opaque */

/* Opens the socket; the table is empty then. -EADDRINUSE: another multicast router owns the table. -EPERM.
 * -ENOPROTOOPT: the kernel has no multicast routing. Sets MRT_ASSERT and MRT_PIM, so that the kernel makes
 * wrong-vif upcalls, and the receive buffer. */
int mrt_open(struct mrt **mrt, enum family family, uint32_t table);
/* Goes on with the socket of an earlier run, which owns its table: vifs and entries stay. Takes the descriptor over, on
 * failure, too. */
int mrt_adopt(struct mrt **mrt, enum family family, int fd);
/* Ends the table of a socket that no struct mrt has, whoever holds a duplicate. The caller closes the socket. */
void mrt_end(enum family family, int fd);
/* Does a socket of a running multicast router own the table? Tries to own it, so the table exists afterwards.
 * */
bool mrt_is_owned(enum family family, uint32_t table);
/* Resets the options and closes the socket; the kernel removes vifs and entries. */
void mrt_close(struct mrt *mrt);
int mrt_fd(const struct mrt *mrt);
/* Readable when mrt_receive has something to read. */
int mrt_wait_fd(const struct mrt *mrt);

/* IPv4 lets an interface become two vifs without an error: the caller must not do that. -EOVERFLOW: an IPv6
 * vif needs an interface index below 65536. -EADDRINUSE: the number is taken. */
int mrt_add_vif(struct mrt *mrt, unsigned vif, int ifindex);
/* The interface has that vif already. */
void mrt_adopt_vif(struct mrt *mrt, unsigned vif, int ifindex);
/* Packets leave by the vif only with a larger TTL. For vifs and entries that are made or written from now on; at first
 * MRT_TTL_THRESHOLD. The kernel has no such threshold for IPv6. */
void mrt_set_threshold(struct mrt *mrt, unsigned vif, uint8_t threshold);
uint8_t mrt_threshold(const struct mrt *mrt, unsigned vif);
/* -EADDRNOTAVAIL: there is no such vif, perhaps because its interface was deleted. */
int mrt_del_vif(struct mrt *mrt, unsigned vif);

bool mrt_has_vif(struct mrt *mrt, unsigned vif);

/* Adds or updates the entry (source, group). output_vifs: a set; 0 makes a negative entry, which drops
 * packets without an upcall. */
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
/* Reads up to `max` waiting messages without blocking, and skips other kinds than upcalls. Returns the number
 * of upcalls, 0 when none waits, or -errno.
 *
 * Where the kernel itself is a member of the group, an IGMP message to the group makes an upcall, as data
 * does. The upcall carries the IP options of its packet, and so the Router Alert of the message. A message
 * without it (IGMPv1, some hosts with IGMPv2) also reaches a raw socket, just before the upcall. */
int mrt_receive(struct mrt *mrt, mtime now, struct mrt_upcall *upcalls, size_t max);

#endif
