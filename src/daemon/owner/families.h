/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The families that an instance serves, and the kernel table of each. A family that another multicast router
 * holds waits for that router to end (holder.h). Owner thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_FAMILIES_H
#define MCPROXY_DAEMON_OWNER_FAMILIES_H

#include "daemon/owner/loop.h"

struct owner;
struct instance_slot;

/* Gives an instance its tables, and opens those that no other instance has opened. upcalls: the handler of
 * new tables. A family that cannot start is left out, after a message, if the configuration only implies it.
 * 0, or the exit status after a message. */
int families_open(struct owner *owner, struct instance_slot *instance, loop_handler *upcalls);
/* The same for an instance that goes on with another configuration of the same kernel table. */
int families_reopen(struct owner *owner, struct instance_slot *instance, loop_handler *upcalls);
/* Opens families that wait, when it is due; once a turn, before operations of links. */
void families_retry(struct owner *owner, mtime now, loop_handler *upcalls);

#endif
