/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The packet socket of one link and family: receives every IGMP (or MLD) packet that arrives there, whole
 * from the IP header on, and sends packets that the core has built. Own packets are not seen. It also makes
 * the link a member of the routers' groups (224.0.0.2, 224.0.0.22; ff02::2, ff02::16) and all-multicast, so
 * that switches and network cards pass them. Policy-free, 0 or -errno. Owner thread only, but for
 * link_socket_receive: a worker calls it on a duplicate of the descriptor.
 *
 * The link may be down and without an address. Nothing is checked or put together for the reader: checksums,
 * lengths and fragments are his business. Packets of a VLAN on top of the link, and to another host, are left
 * out.
 */
#ifndef MCPROXY_KERNEL_LINK_SOCKET_H
#define MCPROXY_KERNEL_LINK_SOCKET_H

#include "core/base/addr.h"

#include <stddef.h>

#define LINK_SOCKET_BATCH      64   /* packets received per call at most */
#define LINK_SOCKET_PACKET_MAX 9216 /* longer ones are cut, but by link_socket_receive_long */
#define LINK_SOCKET_LONG_MAX   65535

struct link_socket; /* opaque */

/* -ENODEV: no such interface, or one without this family. -EPFNOSUPPORT: a kind of link that is not served
 * (InfiniBand). */
int link_socket_open(struct link_socket **socket, int ifindex, enum family family);
void link_socket_close(struct link_socket *socket);
int link_socket_fd(const struct link_socket *socket);

/* Where packets are received; one for each thread that does. Of its 600 kB only what is used takes memory. */
struct link_room;                      /* opaque */
struct link_room *link_room_new(void); /* NULL when memory is short */
void link_room_free(struct link_room *room);

struct link_packet {
	const uint8_t *data; /* from the IP header on; valid until the next receive into that room, a longer
	                        one until link_room_release */
	size_t length;       /* bytes at data */
	bool truncated;
};
/* Up to `max` waiting packets (at most LINK_SOCKET_BATCH) of a link socket's descriptor with one system call;
 * their number, 0 when none waits, or -errno. That the link went down is no error. */
int link_socket_receive(int fd, struct link_room *room, struct link_packet *packets, size_t max);
/* The same on a link whose MTU is larger than LINK_SOCKET_PACKET_MAX: asks for the size of each packet first,
 * with one more system call. A longer packet is the last of those received. Memory for it is taken when it
 * comes, one at a time, and is the room's until link_room_release; without memory it is cut. */
int link_socket_receive_long(int fd, struct link_room *room, struct link_packet *packets, size_t max);
/* Frees the longer packet that the room may hold. */
void link_room_release(struct link_room *room);
/* Takes what waits and forgets it. */
void link_socket_discard(struct link_socket *socket);

struct link_send {
	const uint8_t *data; /* from the IP header on */
	size_t length;
	struct addr destination; /* a multicast group: gives the link-layer address */
};
/* Sends them in order; returns how many went out before the first failure, or -errno when none did
 * (-ENETDOWN: the link is down). */
int link_socket_send(struct link_socket *socket, const struct link_send *sends, size_t count);

/* Packets that the kernel dropped on this socket since the last call, because its buffer was full. */
uint32_t link_socket_drops(struct link_socket *socket);

#endif
