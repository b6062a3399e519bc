/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reads the configuration in libconfig's syntax: `instances = ( "eth0 ==> eth1" );`.
 */
#ifndef MCPROXY_DAEMON_CONFIG_TREE_H
#define MCPROXY_DAEMON_CONFIG_TREE_H

#include "daemon/config/config.h"

/* Adds the content of a text to an empty configuration. False, with a text in error (`path:line: key:
 * reason`), when it is invalid. */
bool config_tree_read(struct config *config, const char *path, const char *text,
                      char error[CONFIG_ERROR_SIZE]);

#endif
