/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Outgoing packets: gathers those for one link and sends them with one system call. A packet for another
 * link, or one more than fit, first sends what is there, so that the order stays. The caller that adds
 * packets sends the rest when it is done. Owner thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_SEND_QUEUE_H
#define MCPROXY_DAEMON_OWNER_SEND_QUEUE_H

#include "kernel/link_socket.h"

#include <stdint.h>

struct send_queue; /* opaque */

/* NULL when memory is short. Memory for packets is used only as far as packets fill it. */
struct send_queue *send_queue_new(void);
void send_queue_free(struct send_queue *queue);

/* Room for the next packet to that socket, of LINK_SOCKET_PACKET_MAX bytes; `failures` counts packets that
 * could not be sent. Both must live until the packets are sent. Room that is not filled sends nothing; the
 * socket may then be NULL. */
uint8_t *send_queue_room(struct send_queue *queue, struct link_socket *socket, uint64_t *failures);
/* The room was filled. */
void send_queue_put(struct send_queue *queue, size_t length, const struct addr *destination);
void send_queue_send(struct send_queue *queue);

#endif
