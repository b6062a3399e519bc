/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The packet socket of one link and family. It receives every IGMP (or MLD) packet that arrives there, from
 * the IP header on, and sends packets that the core has built. It does not receive packets that this machine
 * sends. It also makes the link a member of the routers' groups (224.0.0.2, 224.0.0.22; ff02::2, ff02::16)
 * and all-multicast, so that switches and network cards pass the packets. It decides nothing. Functions
 * return 0 or -errno. Owner thread only, except link_socket_receive: a worker calls it on a duplicate of the
 * descriptor.
 *
 * The link may be down or have no address. The reader must check lengths and checksums itself, and gets
 * fragments as they arrive. The filter leaves out packets of a VLAN on top of the link, and packets to
 * another host.
 */
#ifndef MCPROXY_KERNEL_LINK_SOCKET_H
#define MCPROXY_KERNEL_LINK_SOCKET_H

#include "core/base/addr.h"

#include <stddef.h>

#define LINK_SOCKET_BATCH      64   /* packets received per call at most */
#define LINK_SOCKET_PACKET_MAX 9216 /* link_socket_receive cuts longer ones */
#define LINK_SOCKET_LONG_MAX   65535

struct link_socket; /* opaque */

/* -ENODEV: there is no such interface, or it does not have this family. -EPFNOSUPPORT: this kind of link is
 * not supported (InfiniBand). inherited: the packet socket of an earlier run on that interface, with what waits in it;
 * taken over, on failure, too. -1: none. */
int link_socket_open(struct link_socket **socket, int ifindex, enum family family, int inherited);
/* Is it a packet socket on that interface? */
bool link_socket_is_on(int fd, int ifindex);
void link_socket_close(struct link_socket *socket);
int link_socket_fd(const struct link_socket *socket);
/* The socket that is a member of the routers' groups there. */
int link_socket_membership_fd(const struct link_socket *socket);

/* Room for received packets; one for each thread that receives. Of its 600 kB only the used part takes
 * memory. */
struct link_room;                      /* opaque */
struct link_room *link_room_new(void); /* NULL when memory is short */
void link_room_free(struct link_room *room);

struct link_packet {
	const uint8_t *data; /* from the IP header on; valid until the next receive into that room, a long
	                        packet until link_room_release */
	size_t length;       /* bytes at data */
	bool truncated;
	struct addr mac; /* the sender's, by addr_from_mac; unspecified: the link has none */
};
/* Receives up to `max` waiting packets (at most LINK_SOCKET_BATCH) with one system call. Returns their
 * number, 0 when none waits, or -errno. It is no error that the link went down. */
int link_socket_receive(int fd, struct link_room *room, struct link_packet *packets, size_t max);
/* The same on a link whose MTU is larger than LINK_SOCKET_PACKET_MAX: one more system call asks for the size
 * of each packet first. A long packet is the last one of a call. The room allocates memory for it, and keeps
 * that until link_room_release; when memory is short, the packet is cut. */
int link_socket_receive_long(int fd, struct link_room *room, struct link_packet *packets, size_t max);
/* Frees the long packet of the room, if there is one. */
void link_room_release(struct link_room *room);
/* Receives and discards what waits. */
void link_socket_discard(struct link_socket *socket);

struct link_send {
	const uint8_t *data; /* from the IP header on */
	size_t length;
	struct addr destination; /* a multicast group: gives the link-layer address */
};
/* Sends packets in order. Returns how many went out before the first failure, or -errno when none did
 * (-ENETDOWN: the link is down). */
int link_socket_send(struct link_socket *socket, const struct link_send *sends, size_t count);

/* Packets that the kernel dropped on this socket since the last call, because its buffer was full. */
uint32_t link_socket_drops(struct link_socket *socket);

#endif
