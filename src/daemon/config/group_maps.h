/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The keys `static` and `ssm_map`: lists of groups, with or without their sources. On failure, all functions return false and set
 * error to a text that begins with the place.
 */
#ifndef MCPROXY_DAEMON_CONFIG_GROUP_MAPS_H
#define MCPROXY_DAEMON_CONFIG_GROUP_MAPS_H

#include "core/contract/link_change.h"
#include "daemon/config/options.h"

/* The `ssm_map` of a level around links: it replaces that in the scope. */
bool config_ssm_map_read(struct config *config, const struct config_setting_t *group, const char *path,
                         struct config_scope *scope, char error[CONFIG_ERROR_SIZE]);
/* Both keys of a link, whose other options stand in scope->link. */
bool config_link_groups_read(struct config *config, const struct config_setting_t *group, enum link_role role,
                             const char *path, struct config_scope *scope, char error[CONFIG_ERROR_SIZE]);

void config_group_maps_free(struct config *config);

#endif
