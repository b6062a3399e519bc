/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Commands of the control socket that change the daemon. Owner thread.
 */
#ifndef MCPROXY_DAEMON_CONTROL_MANAGE_H
#define MCPROXY_DAEMON_CONTROL_MANAGE_H

#include "daemon/control/client.h"

void reload_begin(struct client *client);
void reload_go_on(struct client *client);
void clear_begin(struct client *client);
void clear_go_on(struct client *client);
void loglevel_begin(struct client *client);

#endif
