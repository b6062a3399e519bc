/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The file of the control socket, and the rights of its peers. Owner thread.
 */
#ifndef MCPROXY_DAEMON_CONTROL_SOCKET_H
#define MCPROXY_DAEMON_CONTROL_SOCKET_H

#include "daemon/owner/owner.h"

/* Listens there, with the configured mode and group; the descriptor, or -1 after a message. *group: the
 * number of the configured group, or OWNER_NO_GROUP. A socket without a listener is replaced.
 * taking_over: the earlier run may still listen there, which is no news. */
int control_socket_open(const struct config_control *config, bool taking_over, gid_t *group);
/* May the peer of a connection change the daemon? Root, the daemon's own user, and the group's members
 * may. */
bool control_socket_may_change(int fd, gid_t group);

#endif
