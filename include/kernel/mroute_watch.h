/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What happens to multicast routing, whoever does it: entries, vifs and policy rules, as netlink tells of
 * them. The kernel tells of a change before the call that made it returns; so when everything that waits is
 * read, the last word on an entry is what the kernel holds. What the caller did itself is told as well. An
 * audit tells all entries of a family, a part at each call. Owner thread only.
 */
#ifndef MCPROXY_KERNEL_MROUTE_WATCH_H
#define MCPROXY_KERNEL_MROUTE_WATCH_H

#include "core/base/addr.h"
#include "kernel/rules.h"

#define WATCH_OUTPUTS 32 /* the kernel's vifs */

enum watch_kind {
	MROUTE_ENTRY,      /* an entry is there, with these links; unresolved ones are not told */
	MROUTE_ENTRY_GONE, /* it was deleted; its links are not told */
	MROUTE_VIFS,       /* a vif of that interface came or went */
	WATCH_ROUTER,      /* a program began or ended to route multicast of that family, in some table */
	WATCH_RP_FILTER,   /* rp_filter of an interface, or of all, was changed by sysctl */
	MROUTE_RULE_GONE,  /* a rule of the kind that is made in kernel/rules.h was deleted */
	MROUTE_OVERRUN,    /* something was lost: anything may have changed */
};

struct mroute_news {
	enum watch_kind kind;
	enum family family;
	uint32_t table; /* MRT_TABLE_DEFAULT, or a number; of entries */
	struct addr source;
	struct addr group;
	int input;                  /* ifindex; 0: the vif's interface is gone */
	int outputs[WATCH_OUTPUTS]; /* likewise */
	size_t output_count;
	int ifindex; /* of vifs */
	struct rule rule;
};

typedef void mroute_watch_handler(void *context, const struct mroute_news *news);

struct watch; /* opaque */

/* 0 or -errno. */
int mroute_watch_open(struct watch **watch);
void mroute_watch_close(struct watch *watch);
int mroute_watch_fd(const struct watch *watch);
/* Reads what waits, all of it, without blocking. */
void mroute_watch_receive(struct watch *watch, mroute_watch_handler *tell, void *context);

/* Begins to tell the entries of all tables of a family, as they are. 0 or -errno. */
int mroute_watch_audit_begin(struct watch *watch, enum family family);
/* Tells the next part of them: 1 when there is more, 0 at the end, or -errno. The part was put together when
 * the part before it was read. */
int mroute_watch_audit_next(struct watch *watch, mroute_watch_handler *tell, void *context);

#endif
