/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Queries of another version than that of a downstream link. Hosts answer in the older version for some minutes after
 * the last one; in IGMPv2 and MLDv1 they cannot name sources.
 */
#ifndef MCPROXY_CTL_DIAGNOSIS_OLD_QUERIES_H
#define MCPROXY_CTL_DIAGNOSIS_OLD_QUERIES_H

#include "ctl/machine/interfaces.h"

#include <json-c/json.h>

struct old_queries {
	char querier[128]; /* "10.0.1.5", "the bridge br0 itself", "a bridge or switch without an address" */
	const char *version; /* of its queries; borrowed from the link's object */
	const char *own;     /* of the link */
	double age;          /* of the last one, seconds */
	double left;         /* until hosts return to the version of the link, if no more follow */
	bool is_bridge;      /* the link is the bridge that sends them */
	bool is_older;
};

/* False when no such query is in force on the link, an object of `show links`. */
bool old_queries_find(const struct interfaces *interfaces, struct json_object *link,
                      struct old_queries *found);
/* The command for a Linux bridge, with NAME or BRIDGE: "ip link set dev br0 type bridge mcast_igmp_version 3". */
void old_queries_command(const struct old_queries *found, const char *link, char *text, size_t size);

#endif
