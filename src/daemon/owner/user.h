/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The user that the daemon becomes when root starts it. Owner thread, before there are others.
 */
#ifndef MCPROXY_DAEMON_OWNER_USER_H
#define MCPROXY_DAEMON_OWNER_USER_H

#include "daemon/config/config.h"

#include <stdbool.h>

/* Becomes the configured user, or mcproxy if that exists, and gives it RUN_DIRECTORY with what earlier runs
 * left there. changed: whether the process has a user of its own now; name: its user. 0, or the exit status
 * after a message. */
int user_become(const struct config *config, bool *changed, char name[CONFIG_ACCOUNT_SIZE]);

#endif
