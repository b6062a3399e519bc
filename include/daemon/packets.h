/* SPDX-License-Identifier: BSD-2-Clause
 *
 * IGMP and MLD packets on their way in: read from the sockets of links in batches, limited in rate, and put
 * unread into the channels of the instances. A link whose instance's channel is full is not read until there
 * is room: what comes meanwhile waits in the socket, and a burst is not lost. A link that several instances
 * share is always read, so that none holds up the others; what does not fit is dropped and counted.
 *
 * Owner thread.
 */
#ifndef MCPROXY_DAEMON_PACKETS_H
#define MCPROXY_DAEMON_PACKETS_H

#include "daemon/owner.h"

/* A link's socket is readable: `ready` of its loop_source. */
void packets_take(struct owner *owner, struct loop_source *source, mtime now);
/* With every turn: reads links again whose channels have room. */
void packets_resume(struct owner *owner);
/* The settings and the MTU of a link that an instance was told. */
void packets_set_link(struct owner *owner, const struct link_op *op);

/* Lost in the socket so far, because its buffer was full. */
uint64_t packets_lost_in_socket(struct vif *vif);

#endif
