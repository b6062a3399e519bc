/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The control socket (docs/control.md): a Unix stream on which clients ask for JSON. Each loop turn makes at most one
 * page of an answer, and only as fast as the client reads. So a slow or hostile client neither delays the owner nor
 * makes it hold much memory. Owner thread.
 */
#ifndef MCPROXY_DAEMON_CONTROL_CONTROL_H
#define MCPROXY_DAEMON_CONTROL_CONTROL_H

#include "daemon/owner/owner.h"

/* For owner_run. A build without json-c has handlers that only warn about a configured socket. */
extern const struct control_handlers control_handlers;

#endif
