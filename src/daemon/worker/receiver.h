/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where a worker's packets come from: the sockets of its links, which it reads itself, without the owner.
 * They are duplicates of the owner's sockets. They arrive by INPUT_LISTEN, and then belong to the receiver.
 *
 * The worker takes the first packets after a pause at once. If packets would wake it more than once a
 * millisecond, it takes the next ones in a batch, because a wake-up costs more than a packet.
 *
 * Packets of upstream links stay in their sockets while the engine has no room for the queries among them.
 *
 * Worker thread; receiver_new and receiver_free overlap nothing.
 */
#ifndef MCPROXY_DAEMON_WORKER_RECEIVER_H
#define MCPROXY_DAEMON_WORKER_RECEIVER_H

#include "core/contract/input.h"
#include "core/contract/link_change.h"
#include "kernel/link_socket.h"

struct receiver; /* opaque */

/* bell: a descriptor to poll beside the sockets, not owned. NULL when memory is short. */
struct receiver *receiver_new(int bell);
void receiver_free(struct receiver *receiver);

/* INPUT_LISTEN: the socket takes the place of the one that the link had in the family. */
void receiver_listen(struct receiver *receiver, const struct input *input);
/* INPUT_LINK: closes the sockets of families in which the link is not usable. The MTU shows whether packets
 * longer than LINK_SOCKET_PACKET_MAX are possible. */
void receiver_link(struct receiver *receiver, uint8_t id, const struct link_change *change);

/* Starts or stops the reading of upstream links. A new receiver reads them. */
void receiver_read_upstream(struct receiver *receiver, bool wanted);
/* Sleeps until the bell rings, packets can be taken or the deadline passes. True when the bell rang. */
bool receiver_wait(struct receiver *receiver, mtime deadline);
/* After receiver_wait, until it returns 0: takes up to LINK_SOCKET_BATCH packets of one link. *input becomes
 * the INPUT_PACKET of all of them, except `truncated`. The packets are valid until the next call. */
int receiver_take(struct receiver *receiver, struct input *input, struct link_packet *packets);

#endif
