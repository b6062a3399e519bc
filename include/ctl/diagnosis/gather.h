/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What `explain` and `doctor` look at: the daemon's answers and the machine itself, read once. What could not
 * be read is NULL, and why is kept for the report.
 */
#ifndef MCPROXY_CTL_DIAGNOSIS_GATHER_H
#define MCPROXY_CTL_DIAGNOSIS_GATHER_H

#include "ctl/client/options.h"
#include "ctl/firewall/firewall.h"
#include "ctl/machine/interfaces.h"

#include <json-c/json.h>
#include <sys/types.h>

/* The daemon's answers to `show`: lists of its records. All NULL when it does not answer. */
struct daemon_view {
	struct json_object *status; /* one object */
	struct json_object *instances;
	struct json_object *links;
	struct json_object *upstream;
	struct json_object *routes;
	struct json_object *groups;      /* members, where one group was asked for */
	struct json_object *memberships; /* upstream, likewise */
	pid_t pid_elsewhere;             /* not 0: it is not asked, as it runs in another network namespace */
};

/* Asks for everything; of a group (or NULL: of all) the routes, and its members. False when the daemon does
 * not answer, after a message, or runs elsewhere. Of long lists the first records are kept. */
bool gather_daemon(const struct ctl *ctl, const char *group, struct daemon_view *view);
void daemon_view_free(struct daemon_view *view);

/* The element of a list whose members have these texts (NULL: any); NULL when there is none. */
struct json_object *view_find(struct json_object *list, const char *key, const char *text, const char *key2,
                              const char *text2);
size_t view_count(struct json_object *list); /* 0 for NULL */

/* The rules of nft and iptables. NULL when they cannot be read: *why tells, a text that lasts. */
struct firewall *gather_firewall(const char **why);

/* Who has the multicast routing socket of a family. */
struct table_owner {
	bool has_kernel; /* the kernel can route multicast of this family */
	bool taken;
	pid_t pid;
	char name[64]; /* "": only root can see whose it is */
};
void gather_table_owner(enum family family, struct table_owner *owner);

#endif
