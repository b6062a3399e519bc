/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The configuration: read once, checked whole, then immutable; a reload makes a new one. There are two
 * syntaxes, distinguished by content (config_is_legacy): libconfig's, and the lines of the startup guide
 * (`protocol IGMPv2`, `eth0 ==> eth1`). Both yield the same struct config. Used only by the owner thread.
 */
#ifndef MCPROXY_DAEMON_CONFIG_CONFIG_H
#define MCPROXY_DAEMON_CONFIG_CONFIG_H

#include "core/contract/link_change.h"
#include "core/contract/settings.h"
#include "core/policy/sets.h"

#include <stddef.h>

#define CONFIG_NAME_SIZE     64 /* instance name */
#define CONFIG_LINK_SIZE     LINK_PATTERN_SIZE
#define CONFIG_LINKS_MAX     64 /* links named per instance */
#define CONFIG_INSTANCES_MAX 64
#define CONFIG_SOCKET_SIZE   108                         /* sun_path */
#define CONFIG_ACCOUNT_SIZE  32                          /* name of a user or group */
#define CONFIG_SOCKET        "/run/mcproxy/control.sock" /* default */
#define CONFIG_SOCKET_MODE   0660
#define CONFIG_TABLE_DEFAULT 0          /* the kernel's */
#define CONFIG_TABLE_OWN     UINT32_MAX /* a number that no other program uses */
#define CONFIG_TABLE_MAX     999999999
#define CONFIG_PRIORITY_AUTO 10 /* how far the owner's nice value is lowered */

struct config_link {
	char name[CONFIG_LINK_SIZE]; /* an interface name, a pattern with * ? [, or @addresses */
	struct link_settings settings;
};

struct config_instance {
	/* configured, or the name of the first upstream link, or of the first downstream link */
	char name[CONFIG_NAME_SIZE];
	size_t upstream_count; /* 0: a querier only */
	size_t downstream_count;
	uint32_t table;              /* kernel table: a number, CONFIG_TABLE_DEFAULT or _OWN */
	bool family_named[FAMILIES]; /* named in `protocol`, not only implied */
	struct instance_settings settings;
	struct config_link upstream[CONFIG_LINKS_MAX];
	struct config_link downstream[CONFIG_LINKS_MAX];
};

/* The control socket: where it is, and who may use it. */
struct config_control {
	char socket[CONFIG_SOCKET_SIZE]; /* empty: no control socket */
	char group[CONFIG_ACCOUNT_SIZE]; /* owns the socket and may change the daemon; empty: root only */
	unsigned mode;                   /* of the socket */
};

/* A filter that the links of a configuration use; the configuration holds it. */
struct config_policy {
	struct config_policy *next;
	const struct policy *policy;
};

/* The same for groups that it lists. */
struct config_group_map {
	struct config_group_map *next;
	const struct group_map *map;
};

struct config {
	struct config_control control;
	struct config_instance *instances;
	size_t instance_count;
	char user[CONFIG_ACCOUNT_SIZE];  /* of a daemon that root starts; empty: mcproxy, if it exists */
	char group[CONFIG_ACCOUNT_SIZE]; /* empty: that user's */
	char *status_file;               /* NULL: none */
	struct policy_sets sets;
	struct config_policy *policies; /* of all links */
	struct config_group_map *group_maps;
	uint8_t owner_priority; /* how far the owner's nice value is below 0; 0: unchanged */
	bool owner_priority_named;
	uint32_t ring_size; /* messages for each direction and instance, a power of two */
	const char *text;   /* of its file, while that is read; otherwise NULL */
	int64_t read_at;    /* milliseconds since the epoch, just before its file was read */
};

#define CONFIG_ERROR_SIZE 256

/* Reads and checks a file. NULL, with a text in error (`file:line: option: reason`), when it is invalid. */
struct config *config_load(const char *path, char error[CONFIG_ERROR_SIZE]);
/* The same at the start of the program, when the path may also name a pipe: /dev/stdin, /dev/fd/N. */
struct config *config_load_first(const char *path, char error[CONFIG_ERROR_SIZE]);
/* From instances on the command line, each one a text such as "eth0 ==> eth1 eth2"; all else has its default. */
struct config *config_from_lines(char *const lines[], size_t count, char error[CONFIG_ERROR_SIZE]);
void config_free(struct config *config);
/* Uses the filters of the running configuration where those of the next one are equal, so that a reload does not change
 * their links. */
void config_filters_share(struct config *next, const struct config *running);
/* The same for static groups and ssm_map. */
void config_group_maps_share(struct config *next, const struct config *running);

/* Does a downstream link of the instance have a version of the family? */
bool config_instance_wants(const struct config_instance *instance, enum family family);

/* The syntax of a text. Comments and strings apart, `==>` or a `protocol` without = or : after it makes it
 * the guide's syntax. */
bool config_is_legacy(const char *text);

#endif
