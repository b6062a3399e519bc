/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Messages to a service manager (notify.h): that the daemon is ready, which links it uses, and that it is
 * alive. Where the manager has a watchdog, the owner pings each worker at half its interval, and feeds the
 * watchdog when all have answered. Without a manager nothing here costs a wake-up. A build may leave all of
 * it out (MCPROXY_NOTIFY). Owner thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_SERVICE_H
#define MCPROXY_DAEMON_OWNER_SERVICE_H

#include "core/base/mtime.h"

#include <stdbool.h>

struct owner;
struct instance_slot;

/* The member `service` of struct owner. */
struct service {
	bool ready_reported;
	bool links_changed; /* since the status text was sent; set by the modules that change links */
	mtime round_at;     /* the next round of the watchdog; MTIME_NEVER: there is none */
	mtime retry_at;     /* a message could not be sent; MTIME_NEVER */
};

/* The member `heartbeat` of struct instance_slot. */
enum heartbeat {
	HEARTBEAT_ANSWERED,
	HEARTBEAT_WANTED, /* to be pinged: its channel was full so far */
	HEARTBEAT_ASKED,
	HEARTBEAT_MISSED, /* no answer for a round, which was logged */
};

void service_open(struct owner *owner, mtime now);
void service_close(struct owner *owner);
/* Before the sources of a turn are served, so that no packet takes the room of the pings. */
void service_ping(struct owner *owner, mtime now);
/* At the end of a turn. */
void service_report(struct owner *owner, mtime now);
mtime service_deadline(const struct owner *owner);

void service_pong(struct owner *owner, struct instance_slot *instance); /* REQUEST_PONG */
/* A reload begins; it ends with service_reloaded, which service_report announces at the end of the turn. */
void service_reloading(struct owner *owner);
void service_reloaded(struct owner *owner);
void service_stopping(struct owner *owner);

#endif
