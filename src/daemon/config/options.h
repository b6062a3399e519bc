/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The options: one table of keys with their types, units, ranges, defaults and the levels where they are
 * allowed.
 */
#ifndef MCPROXY_DAEMON_CONFIG_OPTIONS_H
#define MCPROXY_DAEMON_CONFIG_OPTIONS_H

#include "daemon/config/fail.h"

struct config_setting_t; /* libconfig's */

/* From the outermost to the innermost; one bit each. */
enum config_level { LEVEL_TOP = 1, LEVEL_INSTANCE = 2, LEVEL_LINK = 4 };

/* The values in force at one level: copied from the level around it, then overridden by the options of this
 * level. */
struct config_scope {
	struct link_settings link;
	struct instance_settings instance;
	const struct policy *filters[FILTER_DIRECTIONS][2]; /* for links of each role */
	const struct group_map *ssm_map;                    /* for downstream links */
	bool family_named[FAMILIES];
	uint32_t table; /* as in struct config_instance */
	uint32_t ring_size;
	uint32_t control_mode;
	uint8_t owner_priority;
	bool owner_priority_named;
	/* Valid as long as the libconfig tree; NULL: not configured. */
	const char *status_file;
	const char *control_socket;
	/* Empty: not configured. */
	char control_group[CONFIG_ACCOUNT_SIZE], user[CONFIG_ACCOUNT_SIZE], group[CONFIG_ACCOUNT_SIZE];
};

/* The defaults: IGMPv3 and MLDv2, neither of them named. */
void config_scope_init(struct config_scope *scope);

/* Reads the options of a libconfig group into a scope. Keys for parts of the file (`instances`, `name`,
 * `upstream`, `downstream`, `protocol`) are known, but left to the caller. False, with a text in error, for
 * keys that are not allowed there and for invalid values. */
bool config_options_read(const struct config_setting_t *group, enum config_level level, const char *path,
                         struct config_scope *scope, char error[CONFIG_ERROR_SIZE]);

/* The place of a libconfig setting: its file (path, unless the setting is in an included file), line and
 * key. Elements of a list have the key of the list. */
struct config_place config_setting_place(const struct config_setting_t *setting, const char *path);

/* The type of a libconfig setting for error texts: "a string", "a list", ... */
const char *config_setting_kind(const struct config_setting_t *setting);

/* The keys of the table, one after the other; NULL after the last. */
const char *config_option_key(size_t index);

#endif
