/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The options: one table of keys with their types, units, ranges, defaults and the levels where they may
 * stand.
 */
#ifndef MCPROXY_DAEMON_CONFIG_OPTIONS_H
#define MCPROXY_DAEMON_CONFIG_OPTIONS_H

#include "daemon/config/fail.h"

struct config_setting_t; /* libconfig's */

/* From the outside in; one bit each. */
enum config_level { LEVEL_TOP = 1, LEVEL_INSTANCE = 2, LEVEL_LINK = 4 };

/* The values in force at one level: copied from the level around it, then overridden by what stands there. */
struct config_scope {
	struct link_settings link;
	struct instance_settings instance;
	bool family_named[FAMILIES];
	uint32_t table; /* as in struct config_instance */
	uint32_t ring_size;
	uint32_t control_mode;
	uint8_t owner_priority;
	bool owner_priority_named;
	/* These live as long as the libconfig tree; NULL: not configured. */
	const char *status_file;
	const char *control_socket;
	const char *control_group;
};

/* The defaults: IGMPv3 and MLDv2, neither of them named. */
void config_scope_init(struct config_scope *scope);

/* Reads the options of a libconfig group into a scope. Keys that stand for parts of the file (`instances`,
 * `name`, `upstream`, `downstream`, `protocol`) are known but left to the caller. False and a text in error
 * for keys that do not belong there and values that do not hold. */
bool config_options_read(const struct config_setting_t *group, enum config_level level, const char *path,
                         struct config_scope *scope, char error[CONFIG_ERROR_SIZE]);

/* Where a libconfig setting stands: its file (path unless it is in an included one), line and key; elements
 * of a list have the key of the list. */
struct config_place config_setting_place(const struct config_setting_t *setting, const char *path);

/* "a string", "a list", ...: what a libconfig setting is, for error texts. */
const char *config_setting_kind(const struct config_setting_t *setting);

/* The keys of the table, one after the other; NULL behind the last. */
const char *config_option_key(size_t index);

#endif
