/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The command `show`: lists of what the daemon has, made page by page. Owner thread.
 */
#ifndef MCPROXY_DAEMON_CONTROL_SHOW_H
#define MCPROXY_DAEMON_CONTROL_SHOW_H

#include "daemon/control/client.h"

void show_begin(struct client *client);
void show_go_on(struct client *client);
void show_end(struct client *client);

#endif
