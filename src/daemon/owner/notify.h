/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Messages to a service manager: datagrams of the protocol of sd_notify(3), written here so that the daemon
 * need not link libsystemd. Without NOTIFY_SOCKET every call does nothing. Never blocks. Owner thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_NOTIFY_H
#define MCPROXY_DAEMON_OWNER_NOTIFY_H

#include "core/base/mtime.h"

#include <stdbool.h>

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and takes them out of the environment. */
void notify_open(void);
void notify_close(void);
/* False also when the manager has ended, from the first message that did not reach it. */
bool notify_is_open(void);
/* How often the manager wants notify_watchdog at least; MTIME_NEVER: it does not. */
mtime notify_watchdog_interval(void);

/* False when the message could not be sent; true also when no manager is there to send to. */
bool notify_ready(void);     /* started, or done with reloading */
bool notify_reloading(void); /* notify_ready must follow */
bool notify_stopping(void);
bool notify_watchdog(void); /* all is well */
/* One line for people, without control characters; longer ones are cut. */
bool notify_status(const char *text);

/* The manager keeps a duplicate of the descriptor by that name, also when this process has ended. */
bool notify_store(int fd, const char *name);
/* It closes those of that name. */
bool notify_unstore(const char *name);
/* Waits until the manager can take another message. */
void notify_wait(mtime most);

#endif
