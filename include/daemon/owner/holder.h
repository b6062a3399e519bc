/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Families that another multicast router holds: the kernel has one such program for each family and table.
 * The daemon serves the other families, shows which program it is, and tries again: every 30 s, and as soon
 * as the kernel announces that a program has begun or ended to route multicast (kernel/mroute_watch.h). Owner
 * thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_HOLDER_H
#define MCPROXY_DAEMON_OWNER_HOLDER_H

#include "core/base/addr.h"
#include "core/base/mtime.h"
#include "kernel/mrt_owner.h"

#include <stdbool.h>

struct owner;
struct instance_slot;

#define HOLDER_TEXT_SIZE (MRT_OWNER_NAME_SIZE + 64)

/* The program that holds a family's multicast routing. */
struct holder {
	bool there;
	mtime searched_at; /* the last time */
	mtime missed_at;   /* since when it is not found; MTIME_NEVER: it is found */
	pid_t pid;         /* 0: not known */
	char program[MRT_OWNER_NAME_SIZE];
};

/* The kernel refused a family of an instance (EADDRINUSE): finds out which program holds it (a search every
 * 2 s at most), logs each holder once, and tries again later. */
void holder_found(struct owner *owner, struct instance_slot *instance, enum family family);
/* The family has its table: logs that where another program held it. */
void holder_gone(struct owner *owner, struct instance_slot *instance, enum family family);
/* The family is no longer configured. */
void holder_forget(struct owner *owner, struct instance_slot *instance, enum family family);
/* True when an instance before this one waits for the same table; this one waits with it. */
bool holder_share(struct owner *owner, struct instance_slot *instance, enum family family);

/* Does some instance wait? */
bool holders_are_waited_for(const struct owner *owner);
/* Tries again in 30 s at the latest. */
void holders_wait(struct owner *owner, mtime now);
/* Tries again with the next turn, or 250 ms after the last try: a program may open and close such sockets
 * all the time. */
void holders_try_now(struct owner *owner);

/* `igmpproxy (pid 12)`, or `another program`. */
const char *holder_text(const struct holder *holder, char text[HOLDER_TEXT_SIZE]);

#endif
