/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The host side of IGMP and MLD on one link, as the standards describe it (RFC 1112, RFC 2236, RFC 9776
 * section 5, RFC 2710, RFC 9777 section 6): state-change reports with retransmission, answers to queries
 * after a random delay, fall-back to the version of an older querier, suppression in the older versions.
 * Plain and slow; it shares nothing with the daemon's.
 */
#ifndef MCPROXY_SIM_MEMBER_H
#define MCPROXY_SIM_MEMBER_H

#include "world.h"

struct interest {
	struct want want;
	uint8_t mode_left;                /* transmissions of a filter mode change */
	uint8_t source_left[SOURCES_MAX]; /* of a source list change */
	mtime respond_at;                 /* answer to a query of this group, or (older versions) a report */
	uint64_t asked;                   /* sources asked for; 0: the group */
	mtime repeat_at;                  /* older versions: the join is reported once more */
	bool last_reporter;
};

struct member {
	struct world *world;
	struct port port;
	uint8_t family;
	int version; /* the newest it speaks */
	bool suppresses;
	bool leaves_always;   /* also when another host was the last to report */
	bool reports_filters; /* version 3: every change as the whole new filter, TO_IN or TO_EX */
	struct addr addr;
	unsigned robustness;
	mtime query_interval;
	mtime v1_querier_until;
	mtime v2_querier_until;
	int spoken; /* version in use */
	mtime general_at;
	mtime change_at;
	mtime wake_at;
	struct interest interests[GROUPS_MAX];
};

struct member *member_new(struct world *world, struct segment *segment, enum family family, unsigned number,
                          int version);
void member_free(struct member *host);
/* The owner of the port attaches it. */
void member_init(struct member *host, struct world *world, enum family family, const struct addr *addr,
                 int version);
void member_receive(void *owner, const struct frame *frame);
void member_set_want(struct member *host, unsigned group, struct want want);
/* Its link comes up: reports everything again. */
void member_link_up(struct member *host);
void member_link_down(struct member *host);

#endif
