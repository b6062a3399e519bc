/* SPDX-License-Identifier: BSD-2-Clause
 *
 * IGMP and MLD packets on their way in. The owner opens the socket of each link and hands a duplicate of it
 * to the worker that reads it: that of the instance whose link it is, or of the first one where several share
 * an upstream link (core/tables/link_names.h), which hears the querier for all of them.
 *
 * Owner thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_LINK_READERS_H
#define MCPROXY_DAEMON_OWNER_LINK_READERS_H

#include "daemon/owner/owner.h"

/* Nobody reads the link. */
#define LINK_READER_NONE ((struct link_reader){.instance = CONFIG_INSTANCES_MAX})

/* An instance was logged of its link: its worker has closed the sockets of families that are not usable. */
void link_readers_link_changed(struct owner *owner, const struct link_op *op);
/* An instance has ended, and its sockets are closed. */
void link_readers_instance_ended(struct owner *owner, unsigned instance);
/* With every turn: gives links that nobody reads to those who should. */
void link_readers_hand_out(struct owner *owner);

/* Lost in the socket so far, because its buffer was full. */
uint64_t link_readers_lost(struct vif *vif);

#endif
