/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Adds instances and links to a configuration, with the checks that apply to both syntaxes. On failure, all
 * functions return false (or NULL) and set error to a text that begins with the place.
 */
#ifndef MCPROXY_DAEMON_CONFIG_BUILD_H
#define MCPROXY_DAEMON_CONFIG_BUILD_H

#include "core/contract/link_change.h"
#include "daemon/config/fail.h"
#include "daemon/config/options.h"

/* "IGMPv2": its family and version. False when there is no such protocol. */
bool config_protocol_parse(const char *name, enum family *family, enum version *version);

/* Appends an instance without links. The pointer is valid until the next instance is added. */
struct config_instance *config_add_instance(struct config *config, const struct config_scope *scope,
                                            const struct config_place *place, char error[CONFIG_ERROR_SIZE]);

/* Names the newest instance. */
bool config_name_instance(struct config *config, const char *name, const struct config_place *place,
                          char error[CONFIG_ERROR_SIZE]);

/* Adds a link to the newest instance. */
/* What the levels around a link of this role give it. Of reset_rp_filter, that is for upstream links only: a
 * downstream link keeps its protection unless its own group names the key. */
struct link_settings config_role_settings(const struct config_scope *scope, enum link_role role);
bool config_add_link(struct config *config, enum link_role role, const char *name,
                     const struct link_settings *settings, const struct config_place *place,
                     char error[CONFIG_ERROR_SIZE]);

/* Completes the newest instance: it needs downstream links, and gets a name if it has none. */
bool config_finish_instance(struct config *config, const struct config_place *place,
                            char error[CONFIG_ERROR_SIZE]);

/* A whole instance from "eth0 ==> eth1 tun0". */
bool config_add_line(struct config *config, const struct config_scope *scope, const char *line,
                     const struct config_place *place, char error[CONFIG_ERROR_SIZE]);

#endif
