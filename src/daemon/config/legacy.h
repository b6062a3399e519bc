/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The configuration lines of the startup guide: `protocol IGMPv2` and `upstream ==> downstream...`.
 */
#ifndef MCPROXY_DAEMON_CONFIG_LEGACY_H
#define MCPROXY_DAEMON_CONFIG_LEGACY_H

#include "daemon/config/config.h"

/* Adds the instances of a text to an empty configuration. False, with a text in error (`path:line:
 * reason`), when a line is invalid. */
bool config_legacy_read(struct config *config, const char *path, const char *text,
                        char error[CONFIG_ERROR_SIZE]);

#endif
