/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where a worker's packets come from: the sockets of its links, which it reads itself, without the owner.
 * They are duplicates of the owner's, which come by INPUT_LISTEN and belong to the receiver from then on.
 *
 * The first packets after a pause are taken at once. Should the worker be woken more often than once a
 * millisecond, packets wait for the next one and are taken by the batch: waking costs more than a packet.
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

/* bell: a descriptor to sleep on beside the sockets, not owned. NULL when memory is short. */
struct receiver *receiver_new(int bell);
void receiver_free(struct receiver *receiver);

/* INPUT_LISTEN: the socket takes the place of the one that the link had in the family. */
void receiver_listen(struct receiver *receiver, const struct input *input);
/* What a link was told: it is not read in families in which it is not usable, and its MTU says whether
 * packets longer than LINK_SOCKET_PACKET_MAX may come. */
void receiver_link(struct receiver *receiver, uint8_t id, const struct link_change *change);

/* Are packets of upstream links to be read from now on? At first they are. */
void receiver_read_upstream(struct receiver *receiver, bool wanted);
/* Sleeps until the bell rings, packets are to be taken or the deadline comes; not at all when that has
 * passed. True when the bell rang. */
bool receiver_wait(struct receiver *receiver, mtime deadline);
/* After receiver_wait, until it gives 0: packets of a link that waits to be read, at most LINK_SOCKET_BATCH.
 * input is made the INPUT_PACKET of all of them, but for `truncated`. They are valid until the next call. */
int receiver_take(struct receiver *receiver, struct input *input, struct link_packet *packets);

#endif
