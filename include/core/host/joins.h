/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The kernel memberships of one upstream link and family: which socket holds which group and sources. Several
 * sockets share them, so that the kernel's limits (groups per socket, sources per filter) do not bind. Pure:
 * for a group and its wanted filter joins_next gives the next operation and joins_done records its result,
 * until no operation remains. Owner thread; the caller owns the rows.
 *
 * These rules decide what goes out on the wire:
 * - An INCLUDE list is joined source by source (ALLOW, BLOCK), on as many sockets as it needs.
 * - EXCLUDE is on one socket, and hides the lists of the other sockets.
 * - A change between the modes is one filter operation, never a leave and a join.
 * - The new memberships are joined before the old ones are left.
 */
#ifndef MCPROXY_CORE_HOST_JOINS_H
#define MCPROXY_CORE_HOST_JOINS_H

#include "core/base/filter.h"
#include "core/base/pool.h"

/* Longer INCLUDE lists are held as EXCLUDE{}, and filtered by the daemon's entries: to join thousands of
 * sources one by one would take too long. */
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
	bool superset;           /* EXCLUDE{} is held, because the kernel does not take the wanted list */
	bool refused;            /* the kernel refused a list; the caller clears this to retry */
	bool memory_short;       /* joins_next found an operation, but no memory to record its result */
};

enum join_op_kind { JOIN_GROUP, JOIN_LEAVE, JOIN_SOURCE, JOIN_LEAVE_SOURCE, JOIN_SET_FILTER };
struct join_op {
	enum join_op_kind kind;
	uint32_t slot;
	struct addr group;
	struct addr source;   /* of the two source operations */
	struct filter filter; /* of JOIN_SET_FILTER; points into the wanted filter or the row */
};

/* The next operation that brings the row nearer to the wanted filter (INCLUDE{}: no membership). False when
 * the row is there, or when no memory is left to record the result (row->memory_short). `wanted` must not
 * change until joins_done. */
bool joins_next(struct joins *joins, struct join_row *row, const struct addr *group,
                const struct filter *wanted, struct join_op *op);
/* Records its result, 0 or -errno. Returns 0: go on with joins_next at once. Returns -errno: the row must
 * rest, and the caller retries it later. */
int joins_done(struct joins *joins, struct join_row *row, const struct join_op *op, int result);

/* The union of what the sockets hold; false when it does not fit (then EXCLUDE{}). */
bool joins_filter(const struct join_row *row, struct filter *filter);

/* The kernel holds nothing of this group any more (its link is gone). */
void joins_forget(struct joins *joins, struct join_row *row);

/* Slots are numbered from 0; a slot whose number of memberships falls to 0 may be closed. */
uint32_t joins_slot_count(const struct joins *joins);
unsigned joins_slot_memberships(const struct joins *joins, uint32_t slot);

#endif
