/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which worker reads the IGMP and MLD packets of a link. The owner opens the socket of each link and hands a
 * duplicate of it to a worker: that of the instance whose link it is, or of the first one where several
 * instances share an upstream link (core/tables/link_names.h). That worker receives queries for all of them.
 * Owner thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_LINK_READERS_H
#define MCPROXY_DAEMON_OWNER_LINK_READERS_H

#include <stdint.h>

struct owner;
struct link_op;
struct vif;

/* LINK_ANNOUNCE: the worker has closed the sockets of the link's families that are not usable. */
void link_readers_link_changed(struct owner *owner, const struct link_op *op);
/* An instance has ended, and its sockets are closed. */
void link_readers_instance_ended(struct owner *owner, unsigned instance);
/* Once a turn: hands links without a reader to the workers that should read them. */
void link_readers_hand_out(struct owner *owner);

/* Packets that the socket has lost so far, because its buffer was full. */
uint64_t link_readers_lost(struct vif *vif);

#endif
