/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A packet socket that receives the headers of certain streams on one link: packets that arrive there,
 * whatever rp_filter does with them. It never receives what this machine sends, and no packet that the kernel
 * loops back to it (PACKET_LOOPBACK). At first it receives nothing. Functions return 0 or -errno. Owner thread.
 */
#ifndef MCPROXY_KERNEL_COPY_SOCKET_H
#define MCPROXY_KERNEL_COPY_SOCKET_H

#include "core/base/addr.h"

#include <stddef.h>

#define COPY_SOCKET_STREAMS 64

/* A stream to receive, or that of a received packet. */
struct copy {
	struct addr source;
	struct addr group;
};

/* The descriptor, or -errno. */
int copy_socket_open(int ifindex, enum family family);
/* Receives these streams from now on, at most COPY_SOCKET_STREAMS. Packets of the former ones may wait. */
int copy_socket_seek(int fd, enum family family, const struct copy *streams, size_t count);
/* Takes the next packet that waits. False: none waits. */
bool copy_socket_receive(int fd, enum family family, struct copy *copy);

#endif
