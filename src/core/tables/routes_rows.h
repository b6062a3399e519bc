/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The rows of the table of routes, with the claims of instances. Private to the modules routes (claims,
 * operations and their results), early_routes, routes_upcalls (instances that still need an upcall), and
 * routes_audit (what the kernel holds, and its counters). Other rooms use routes.h.
 */
#ifndef MCPROXY_CORE_TABLES_ROUTES_ROWS_H
#define MCPROXY_CORE_TABLES_ROUTES_ROWS_H

#include "core/base/index.h"
#include "core/base/pool.h"
#include "core/tables/routes.h"

#include <utlist.h>

/* One instance's claim. */
struct claim {
	struct claim *next;
	uint8_t instance;
	uint8_t input;
	bool early; /* the instance has not confirmed it */
	uint32_t outputs;
};

/* Packets that had arrived by an entry's input at that time. */
struct route_count {
	mtime at;
	uint32_t packets;
};

struct route {
	struct index_node node; /* first */
	struct route_key key;
	struct claim *claims; /* the oldest first */
	uint8_t arrival;      /* the vif by which the stream arrives, as the kernel reported last */
	uint8_t left;         /* the vif before that; the same: none */
	uint8_t home;         /* the last upstream vif before that; ROUTES_VIFS: none */
	bool rewrite;         /* another program may have removed the entry: write or delete it again */
	bool wrong;           /* netlink has reported an entry that differs */
	bool asked;           /* packets wait in the kernel, which releases them only for a new entry */
	bool held;            /* the kernel has an entry: held_input, held_outputs */
	bool dirty;
	bool copied;    /* a copy has arrived by another vif */
	bool ask_again; /* set a negative entry and delete it */
	uint8_t ask_input;
	uint8_t held_input;
	uint32_t held_outputs;
	uint32_t yielded; /* outputs that are left out of the entry */
	uint32_t written; /* the part of the audits in which the entry was written */
	struct route *dirty_prev, *dirty_next;
	struct route *prev, *next; /* in order of read_at, while held */
	mtime read_at;
	struct route_count counts[2];          /* at the reading before the last one, and at the last one */
	struct route *retry_prev, *retry_next; /* in order of retry_at */
	mtime retry_at;                        /* 0: not waiting */
	uint64_t upcalls_pending;              /* set of instances that still need the upcall */
	uint8_t pending_input;
	bool pending_due;                          /* they must get it now */
	struct route *pending_prev, *pending_next; /* in routes->upcalls_pending */
};

struct routes {
	struct pool *pool;
	uint64_t seed;
	mtime reading_interval;
	struct index index; /* by source and group */
	struct route *dirty;
	struct route *readings;
	struct route *retries;
	struct route *upcalls_pending[2]; /* [pending_due] */
	size_t uses[ROUTES_VIFS];         /* entries in the kernel that name the vif */
	size_t claimed[ROUTES_VIFS];      /* claims that name the vif */
	size_t readings_left;             /* readings to be made before they are due */
	size_t early_count;               /* claims that are early */
	uint64_t early_refused;           /* set of instances that get no early claims for now */
	uint32_t audit_part;
	uint64_t restored;
	struct route_key restored_key;
	uint64_t failures;
};

/* NULL when there is none. */
struct route *route_find(const struct routes *routes, const struct route_key *key);
/* Makes the route when there is none; NULL when memory is short. */
struct route *route_get(struct routes *routes, const struct route_key *key);
/* Frees the route, unless something still needs it. */
void route_release(struct routes *routes, struct route *route);
/* The route may need an operation. */
void route_mark(struct routes *routes, struct route *route);

/* The claim of an instance, and the oldest claim with that input; NULL when there is none. */
struct claim *route_find_claim(const struct route *route, unsigned instance);
const struct claim *route_find_claim_at(const struct route *route, unsigned input);
/* Makes or changes the claim of an instance; NULL when memory is short. */
struct claim *route_set_claim(struct routes *routes, const struct route_key *key, unsigned instance,
                              unsigned input, uint32_t outputs);
void route_remove_claim(struct routes *routes, struct route *route, unsigned instance);
/* Adds `by` to the uses of each vif that an entry or claim names. */
void route_count_vifs(size_t uses[ROUTES_VIFS], unsigned input, uint32_t outputs, int by);

/* The vif by which the stream arrives. The route must have claims. */
unsigned route_input(const struct route *route);
/* That vif, and the vifs that the stream leaves by. */
uint32_t route_vifs(const struct route *route);
/* Does an instance want the stream from one of these vifs? */
bool route_serves(const struct route *route, unsigned instance);

/* Sets the instances that still need the upcall of the stream. due: they must get it now. */
void route_set_pending(struct routes *routes, struct route *route, uint64_t upcalls_pending, bool due);
/* An instance does not need the upcall any more. */
void route_forget_pending(struct routes *routes, struct route *route, unsigned instance);

#endif
