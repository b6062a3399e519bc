/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Adding instances and links to a configuration, with the checks that hold in both syntaxes. All return false
 * (or NULL) with a text in error, which begins with the place.
 */
#ifndef MCPROXY_DAEMON_CONFIG_BUILD_H
#define MCPROXY_DAEMON_CONFIG_BUILD_H

#include "core/contract/link_change.h"
#include "daemon/config/fail.h"
#include "daemon/config/options.h"

/* "IGMPv2": its family and version. False when there is no such protocol. */
bool config_protocol_parse(const char *name, enum family *family, enum version *version);

/* Appends an instance without links. The pointer holds until the next one is added. */
struct config_instance *config_add_instance(struct config *config, const struct config_scope *scope,
                                            const struct config_place *place, char error[CONFIG_ERROR_SIZE]);

/* Names the newest instance. */
bool config_name_instance(struct config *config, const char *name, const struct config_place *place,
                          char error[CONFIG_ERROR_SIZE]);

/* Adds a link to the newest instance. */
bool config_add_link(struct config *config, enum link_role role, const char *name,
                     const struct link_settings *settings, const struct config_place *place,
                     char error[CONFIG_ERROR_SIZE]);

/* The newest instance is complete: it has downstream links, and a name now. */
bool config_finish_instance(struct config *config, const struct config_place *place,
                            char error[CONFIG_ERROR_SIZE]);

/* A whole instance from "eth0 ==> eth1 tun0". */
bool config_add_line(struct config *config, const struct config_scope *scope, const char *line,
                     const struct config_place *place, char error[CONFIG_ERROR_SIZE]);

#endif
