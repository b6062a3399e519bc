/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Policy rules of multicast routing: they select the kernel table in which the packets of an interface are
 * looked up. Rules of this daemon have RULES_PRIORITY and RULES_PROTOCOL, which identify them: they remain if
 * the daemon is killed. Each call is one exchange with the kernel, and returns 0 or -errno. Owner thread
 * only.
 */
#ifndef MCPROXY_KERNEL_RULES_H
#define MCPROXY_KERNEL_RULES_H

#include "core/base/addr.h"

#define RULES_PRIORITY  4605 /* before the kernel's own rule, which has 32767 */
#define RULES_PROTOCOL  17   /* RTPROT_MROUTED: a multicast daemon */
#define RULES_NAME_SIZE 16

struct rule {
	enum family family;
	/* Packets that this machine sends on the interface, instead of those that arrive there. Without such
	 * a rule IPv4 looks them up in the default table. IPv6 does not loop them back if no program routes
	 * there.
	 */
	bool output;
	char interface[RULES_NAME_SIZE];
	uint32_t table;
};

struct rules; /* opaque */

int rules_open(struct rules **rules);
void rules_close(struct rules *rules);

/* -EEXIST: the rule exists already. */
int rules_add(struct rules *rules, const struct rule *rule);
/* -ENOENT: there is no such rule. */
int rules_delete(struct rules *rules, const struct rule *rule);
/* Reports all rules of a family with that priority and protocol, from any process. -EAFNOSUPPORT or
 * -EOPNOTSUPP: the kernel was built without several tables. */
int rules_list(struct rules *rules, enum family family,
               void (*report)(void *context, const struct rule *rule), void *context);

struct nlmsghdr;

/* Reads a rule from a netlink message; false when it does not have that priority and protocol. */
bool rules_read(const struct nlmsghdr *header, struct rule *rule);

#endif
