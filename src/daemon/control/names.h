/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The names that a request filters by: whether there are such an instance and such a link.
 */
#ifndef MCPROXY_DAEMON_CONTROL_NAMES_H
#define MCPROXY_DAEMON_CONTROL_NAMES_H

#include "daemon/control/client.h"

/* False after an answer that lists the names that exist. A link exists if the configuration names or matches it, even
 * if its interface is missing. */
bool names_check(struct client *client);

#endif
