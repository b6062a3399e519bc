/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The parts of a configuration that are about policy: `sets`, `filter_in` and `filter_out`. On failure, all functions return
 * false and set error to a text that begins with the place.
 */
#ifndef MCPROXY_DAEMON_CONFIG_FILTERS_H
#define MCPROXY_DAEMON_CONFIG_FILTERS_H

#include "daemon/config/options.h"

/* The default filters: upstream links pass no discovery. */
bool config_filters_default(struct config *config, const char *path, struct config_scope *scope,
                            char error[CONFIG_ERROR_SIZE]);

/* The `sets` of the top level. */
bool config_sets_read(struct config *config, const struct config_setting_t *root, const char *path,
                      char error[CONFIG_ERROR_SIZE]);

/* The filters of a top level, an instance or a link: they replace those in the scope. */
bool config_filters_read(struct config *config, const struct config_setting_t *group, const char *path,
                         struct config_scope *scope, char error[CONFIG_ERROR_SIZE]);

void config_filters_free(struct config *config);

#endif
