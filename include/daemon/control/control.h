/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The control socket (docs/control.md): a Unix stream on which clients ask for JSON. Answers are made a page
 * per loop turn and only as fast as the client reads, so that nobody who is slow, or means no good, delays
 * the owner or makes it hold much memory. Owner thread.
 */
#ifndef MCPROXY_DAEMON_CONTROL_CONTROL_H
#define MCPROXY_DAEMON_CONTROL_CONTROL_H

#include "core/base/mtime.h"
#include "core/contract/event.h"

struct owner;
struct instance_slot;

/* Opens the configured socket into owner->control. What goes wrong is logged; the daemon works without. */
void control_open(struct owner *owner);
void control_close(struct owner *owner);
/* The configuration of the socket has changed. Clients that are connected stay. */
void control_reopen(struct owner *owner);
/* Opens it where that has failed, such as beside another daemon. */
void control_retry(struct owner *owner);

/* Makes answers, sends them, drops clients that do not read; once a turn. */
void control_turn(struct owner *owner, mtime now);
mtime control_deadline(const struct owner *owner);

/* Does some client monitor events? */
bool control_wants_events(const struct owner *owner);
/* Tells an event to those that do. link: its name or NULL; outputs: of a route, the names of links, each
 * after a space. */
void control_event(struct owner *owner, const struct instance_slot *instance, const char *link,
                   const struct event *event, const char *outputs);

#endif
