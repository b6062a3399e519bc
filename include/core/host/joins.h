/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Kernel memberships of one upstream link and family: which socket holds what, so that none of the kernel's
 * small limits binds (groups per socket, sources per filter). Pure: for a group and its wanted filter
 * joins_next gives the next operation, joins_done records its result, until nothing is left to do. Owner
 * thread; the caller owns the rows.
 *
 * Rules (what goes out on the wire depends on them): an INCLUDE list is joined source by source (ALLOW,
 * BLOCK) over as many sockets as it takes; EXCLUDE lies on one socket and hides the lists of the others; a
 * change between the modes is one filter operation, never leave and join; the new is joined before the old is
 * left.
 */
#ifndef MCPROXY_CORE_HOST_JOINS_H
#define MCPROXY_CORE_HOST_JOINS_H

#include "core/base/filter.h"
#include "core/base/pool.h"

/* Longer INCLUDE lists are held as EXCLUDE{}, and filtered in our own entries: joining thousands of sources
 * one by one would take the kernel, and us, too long. */
#define JOINS_INCLUDE_MAX 256

struct joins;

/* groups_max: memberships per socket; sources_max: sources per filter. NULL when memory is short. */
struct joins *joins_new(unsigned groups_max, unsigned sources_max);
void joins_free(struct joins *joins);

/* What one socket holds of a group. */
struct join_part {
	struct join_part *next;
	uint32_t slot;        /* the socket's number */
	bool full;            /* the kernel takes no more sources there */
	struct filter filter; /* INCLUDE{}: a membership whose filter is not known yet */
};

/* What the kernel holds of a group; zeroed at first. */
struct join_row {
	struct join_part *parts; /* at most one of them EXCLUDE */
	bool superset;           /* EXCLUDE{} is held, since the kernel does not take the wanted list */
	bool refused;            /* it refused a list; whoever clears this has it tried again */
	bool memory_short;       /* joins_next has found an operation, but no memory to record it */
};

enum join_op_kind { JOIN_GROUP, JOIN_LEAVE, JOIN_SOURCE, JOIN_LEAVE_SOURCE, JOIN_SET_FILTER };
struct join_op {
	enum join_op_kind kind;
	uint32_t slot;
	struct addr group;
	struct addr source;   /* of the two source operations */
	struct filter filter; /* of JOIN_SET_FILTER; points into the wanted filter or the row */
};

/* The next operation that brings the row nearer to the wanted filter (INCLUDE{}: none); false when it is
 * there, or when memory is short (row->memory_short): what the kernel does must not be forgotten. `wanted`
 * must stay as it is until joins_done. */
bool joins_next(struct joins *joins, struct join_row *row, const struct addr *group,
                const struct filter *wanted, struct join_op *op);
/* Its result, 0 or -errno. Returns 0 when it is worth going on with joins_next at once, otherwise the -errno
 * for which the row should rest and be tried again later. */
int joins_done(struct joins *joins, struct join_row *row, const struct join_op *op, int result);

/* What the kernel holds in all; false when it does not fit (then EXCLUDE{}). */
bool joins_filter(const struct join_row *row, struct filter *filter);

/* The kernel holds nothing of this group any more (its link is gone). */
void joins_forget(struct joins *joins, struct join_row *row);

/* Slots are numbered from 0; a slot whose number of memberships falls to 0 may be closed. */
uint32_t joins_slot_count(const struct joins *joins);
unsigned joins_slot_memberships(const struct joins *joins, uint32_t slot);

#endif
