/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Watches multicast routing by netlink: entries, vifs and policy rules, whichever program changes them, this
 * one included. The kernel reports a change before the call that makes it returns. So when all waiting
 * messages are read, the last message about an entry shows what the kernel holds. An audit reports all
 * entries of a family, a part at each call. Owner thread only.
 */
#ifndef MCPROXY_KERNEL_MROUTE_WATCH_H
#define MCPROXY_KERNEL_MROUTE_WATCH_H

#include "core/base/addr.h"
#include "kernel/rules.h"

#define MROUTE_NEWS_OUTPUTS 32 /* the kernel's vifs */

enum mroute_news_kind {
	MROUTE_ENTRY,      /* an entry is there, with these links; unresolved ones are not reported */
	MROUTE_ENTRY_GONE, /* it was deleted; its links are not reported */
	MROUTE_VIFS,       /* a vif of that interface came or went */
	MROUTE_ROUTER,     /* a program starts or stops to route multicast of that family, in any table */
	MROUTE_RP_FILTER,  /* rp_filter of an interface, or of all, was changed */
	MROUTE_RULE_GONE,  /* a rule with the priority and protocol of kernel/rules.h was deleted */
	MROUTE_OVERRUN,    /* messages were lost: anything may have changed */
};

struct mroute_news {
	enum mroute_news_kind kind;
	enum family family;
	uint32_t table; /* MRT_TABLE_DEFAULT, or a number; of entries */
	struct addr source;
	struct addr group;
	int input;                               /* ifindex; 0: the vif's interface is gone */
	int outputs[MROUTE_NEWS_OUTPUTS];        /* ifindex; 0: the vif's interface is gone */
	uint8_t thresholds[MROUTE_NEWS_OUTPUTS]; /* of the outputs: packets with a larger TTL pass */
	size_t output_count;
	int ifindex; /* of vifs */
	struct rule rule;
};

typedef void mroute_watch_handler(void *context, const struct mroute_news *news);

struct mroute_watch; /* opaque */

/* 0 or -errno. */
int mroute_watch_open(struct mroute_watch **watch);
void mroute_watch_close(struct mroute_watch *watch);
int mroute_watch_fd(const struct mroute_watch *watch);
/* Reads all that waits, without blocking. */
void mroute_watch_receive(struct mroute_watch *watch, mroute_watch_handler *report, void *context);

/* Starts an audit: reports the entries of all tables of a family. 0 or -errno. */
int mroute_watch_audit_begin(struct mroute_watch *watch, enum family family);
/* Readable when the next part is. */
int mroute_watch_audit_fd(const struct mroute_watch *watch);
/* Reports the next part of the audit: 1 when there is more, 0 at the end, or -errno. The kernel has built the
 * part when the part before was read. */
int mroute_watch_audit_next(struct mroute_watch *watch, mroute_watch_handler *report, void *context);

#endif
