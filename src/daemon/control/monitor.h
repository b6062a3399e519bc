/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The command `monitor`: events as they happen, until the client goes. Owner thread.
 */
#ifndef MCPROXY_DAEMON_CONTROL_MONITOR_H
#define MCPROXY_DAEMON_CONTROL_MONITOR_H

#include "daemon/control/client.h"

void monitor_begin(struct client *client);
void monitor_end(struct client *client);

/* Is some client a monitor? */
bool monitor_wants_events(const struct owner *owner);
/* Sends an event to the monitors that asked for it; the arguments are those of struct control_handlers. */
void monitor_event(struct owner *owner, const struct instance_slot *instance, const char *link,
                   const struct event *event, const char *outputs);

#endif
