/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Packets on their way out, gathered for one link at a time and sent with one system call. A packet for
 * another link, or one more than fit, sends what is there first, so that the order stays; whoever puts
 * packets in sends the rest when he is done. Owner thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_SEND_QUEUE_H
#define MCPROXY_DAEMON_OWNER_SEND_QUEUE_H

#include "kernel/link_socket.h"

#include <stdint.h>

/* Room for the next packet to that socket, of LINK_SOCKET_PACKET_MAX bytes; `failures` counts those that
 * could not be sent. Both must live until the packets are out. */
uint8_t *send_queue_room(struct link_socket *socket, uint64_t *failures);
/* The room was filled. */
void send_queue_put(size_t length, const struct addr *destination);
void send_queue_send(void);

#endif
