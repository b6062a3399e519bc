/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What `explain` and `doctor` examine: the daemon's answers and the machine itself, read once. What could
 * not be read is NULL, and the reason is kept for the report.
 */
#ifndef MCPROXY_CTL_DIAGNOSIS_GATHER_H
#define MCPROXY_CTL_DIAGNOSIS_GATHER_H

#include "ctl/client/options.h"
#include "ctl/client/session_problem.h"
#include "ctl/firewall/firewall.h"
#include "ctl/machine/interfaces.h"

#include <json-c/json.h>
#include <sys/types.h>

/* The daemon's answers to `show`: lists of objects. All are NULL when it does not answer. */
struct daemon_view {
	struct json_object *status; /* one object */
	struct json_object *instances;
	struct json_object *links;
	struct json_object *upstream;
	struct json_object *routes;
	struct json_object *groups;         /* members, if one group was asked for */
	struct json_object *memberships;    /* upstream: of that group, or else of those for discovery */
	struct json_object *filters, *sets; /* if one group was asked for: all */
	struct session_problem problem;     /* why it does not answer */
	pid_t pid_elsewhere; /* not 0: it runs in another network namespace, and is not asked */
};

/* Asks the daemon for everything. With a group, only its routes and members; NULL: all routes. Keeps the
 * first items of long lists. False when the daemon does not answer, or when it runs elsewhere. */
bool gather_daemon(const struct ctl *ctl, const char *group, struct daemon_view *view);
/* What an overview needs, at once: no groups, and the routes only if they are few. Also from a daemon that runs
 * elsewhere. False after a message. */
bool gather_daemon_briefly(const struct ctl *ctl, struct daemon_view *view);
void daemon_view_free(struct daemon_view *view);

/* The element of a list whose members have these texts (NULL: any); NULL when there is none. */
struct json_object *view_find(struct json_object *list, const char *key, const char *text, const char *key2,
                              const char *text2);
size_t view_count(struct json_object *list); /* 0 for NULL */

/* The rules of nft and iptables. NULL when they cannot be read: *why is then a constant text. */
struct firewall *gather_firewall(const char **why);

/* Packets that the reverse path filter has dropped since the start of the machine; -1: not known. */
long long gather_rp_drops(void);

/* The program that holds the multicast routing socket of a family. */
struct table_owner {
	bool has_kernel; /* the kernel can route multicast of this family */
	bool taken;
	pid_t pid;
	char name[64]; /* "": only root can see it */
};
void gather_table_owner(enum family family, struct table_owner *owner);

#endif
