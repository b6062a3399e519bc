/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Policy rules of multicast routing: which kernel table the packets of an interface are looked up in. Those
 * made here bear RULES_PRIORITY and RULES_PROTOCOL, and are found again by them; a kill leaves them behind.
 * Each call is one exchange with the kernel, and returns 0 or -errno. Owner thread only.
 */
#ifndef MCPROXY_KERNEL_RULES_H
#define MCPROXY_KERNEL_RULES_H

#include "core/base/addr.h"

#define RULES_PRIORITY  4605 /* before the kernel's own rule, which has 32767 */
#define RULES_PROTOCOL  17   /* RTPROT_MROUTED: a multicast daemon */
#define RULES_NAME_SIZE 16

struct rule {
	enum family family;
	/* Packets that this machine sends on the interface, instead of those that come in there. Without such
	 * a rule IPv4 looks them up in the default table, and IPv6 does not loop them back if nobody routes
	 * there.
	 */
	bool output;
	char interface[RULES_NAME_SIZE];
	uint32_t table;
};

struct rules; /* opaque */

int rules_open(struct rules **rules);
void rules_close(struct rules *rules);

/* -EEXIST: it is there already. */
int rules_add(struct rules *rules, const struct rule *rule);
/* -ENOENT: it was not there. */
int rules_delete(struct rules *rules, const struct rule *rule);
/* Tells all rules of a family that were made here, by whatever process. -EAFNOSUPPORT or -EOPNOTSUPP: the
 * kernel was built without several tables. */
int rules_list(struct rules *rules, enum family family, void (*tell)(void *context, const struct rule *rule),
               void *context);

#endif
