/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The inside of the table of routes, shared by the modules that make it up: routes (claims, operations and
 * their results), routes_observe (what the kernel tells of entries, and instances are to be observed). Everybody
 * else uses routes.h.
 */
#ifndef MCPROXY_CORE_TABLES_ROUTES_INSIDE_H
#define MCPROXY_CORE_TABLES_ROUTES_INSIDE_H

#include "core/base/index.h"
#include "core/base/pool.h"
#include "core/tables/routes.h"

#include <utlist.h>

/* One instance's claim. */
struct claim {
	struct claim *next;
	uint8_t instance;
	uint8_t input;
	bool assumed; /* the instance has not observed it */
	uint32_t outputs;
};

/* Packets that had arrived by an entry's input. */
struct route_count {
	mtime at;
	uint32_t packets;
};

struct route {
	struct index_node node; /* first */
	struct route_key key;
	struct claim *claims; /* the oldest first */
	uint8_t arrival;      /* the vif by which the kernel said last that the stream arrives */
	bool rewrite; /* somebody may have taken the entry away: write or delete it whatever is held */
	bool wrong;   /* so the kernel has observed */
	bool asked;   /* the kernel keeps packets for want of an entry: only a new one lets them go */
	bool held;    /* the kernel has an entry, as below */
	bool dirty;
	bool copied;    /* a copy has arrived by another vif */
	bool ask_again; /* set a negative entry and delete it */
	uint8_t ask_input;
	uint8_t held_input;
	uint32_t held_outputs;
	uint32_t written; /* in which part of the audits */
	struct route *dirty_prev, *dirty_next;
	struct route *prev, *next; /* in order of read_at, while held */
	mtime read_at;
	struct route_count counts[2];          /* at the reading before the last one, and at the last one */
	struct route *retry_prev, *retry_next; /* in order of retry_at */
	mtime retry_at;                        /* 0: not waiting */
	uint64_t upcalls_pending;              /* set of instances that do not know of the stream */
	uint8_t pending_input;
	bool pending_due;                          /* to be observed now */
	struct route *pending_prev, *pending_next; /* of those that are due, or of those that are not */
};

struct routes {
	struct pool *pool;
	uint64_t seed;
	mtime reading_interval;
	struct index index; /* by source and group */
	struct route *dirty;
	struct route *readings;
	struct route *retries;
	struct route *upcalls_pending[2]; /* [due] */
	size_t uses[ROUTES_VIFS];         /* entries held that name it */
	size_t claimed[ROUTES_VIFS];      /* claims that name it */
	size_t readings_left;             /* to be read before they are due */
	size_t assumed;                   /* claims that are */
	uint64_t full; /* set of instances that refused a stream and have given up none since */
	uint32_t audit_part;
	uint64_t restored;
	struct route_key restored_key;
	uint64_t failures;
};

/* routes.c */

/* NULL when there is none. */
struct route *route_find(const struct routes *routes, const struct route_key *key);
/* Made when there is none; NULL when memory is short. */
struct route *route_get(struct routes *routes, const struct route_key *key);
/* The claim of an instance; NULL when there is none. */
struct claim *route_find_claim(const struct route *route, unsigned instance);
/* The vif by which the stream arrives. It has claims. */
unsigned route_input(const struct route *route);
/* That vif, and the vifs that the stream leaves by. */
uint32_t route_vifs(const struct route *route);
/* Does an instance want the stream as it comes, from one of these vifs? */
bool route_serves(const struct route *route, unsigned instance);
/* Its entry may not be right any more. */
void route_mark(struct routes *routes, struct route *route);
/* Frees a row that nothing keeps; any other stays. */
void route_release(struct routes *routes, struct route *route);
/* What instances have not observed by now they do not want; false: there was nothing of that kind. */
bool route_drop_assumed(struct routes *routes, struct route *route);

/* routes_observe.c */

/* The set of instances that do not know of the stream. due: they are to be observed now. */
void route_set_pending(struct routes *routes, struct route *route, uint64_t upcalls_pending, bool due);
/* An instance need not be observed. */
void route_forget_pending(struct routes *routes, struct route *route, unsigned instance);

#endif
