/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Families that another multicast router holds: the kernel has one such program for each family and table.
 * The daemon serves the rest, shows which program it is, and tries again: every 30 s, and as soon as the
 * kernel announces that a program has begun or ended to route multicast (kernel/mroute_watch.h). Owner thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_HOLDER_H
#define MCPROXY_DAEMON_OWNER_HOLDER_H

#include "daemon/owner/owner.h"

#define HOLDER_TEXT_SIZE (MRT_OWNER_NAME_SIZE + 32)

/* A family of an instance was refused with EADDRINUSE: finds out who holds it, and logs that once for each
 * holder. */
void holder_found(struct owner *owner, struct instance_slot *instance, enum family family);
/* The family has its table: logs it where it had not. */
void holder_gone(struct owner *owner, struct instance_slot *instance, enum family family);
/* The family is not configured any more. */
void holder_forget(struct owner *owner, struct instance_slot *instance, enum family family);
/* True when an instance before this one waits for the same table; this one waits with it. */
bool holder_share(struct owner *owner, struct instance_slot *instance, enum family family);

/* Does some instance wait? */
bool holders_are_waited_for(const struct owner *owner);
/* Tries again with the next turn. */
void holders_try_now(struct owner *owner);
/* Tries again when it is due; once a turn, before operations of links. */
void holders_apply(struct owner *owner, mtime now);

/* `igmpproxy (pid 12)`, or `another program`. */
const char *holder_text(const struct holder *holder, char text[HOLDER_TEXT_SIZE]);

#endif
