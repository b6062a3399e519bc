/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The routes of one kernel table and family: what the instances want, and the entries that the kernel holds.
 * Pure: routes_pull gives the next operation, routes_done records its result. An entry that is right is never
 * written again. Owner thread.
 *
 * Vifs are those of the table at the time of the claim. While routes_vif_is_named returns true for a vif
 * number, no other interface may get the number: the kernel would forward by the old entries at once.
 */
#ifndef MCPROXY_CORE_TABLES_ROUTES_H
#define MCPROXY_CORE_TABLES_ROUTES_H

#include "core/base/addr.h"
#include "core/base/mtime.h"

#include <stddef.h>

#define ROUTES_VIFS        32
#define ROUTES_INSTANCES   64
#define ROUTES_ASSUMED_MAX 256

struct routes;

/* reading_interval: between two readings of an entry's counters; seed keys the hash. NULL when memory is
 * short. */
struct routes *routes_new(size_t memory_max, mtime reading_interval, uint64_t seed);
void routes_free(struct routes *routes);
/* The memory for that many routes with a claim of one instance each, in bytes. */
size_t routes_memory(size_t count);
/* A smaller limit frees nothing. */
void routes_set_memory_max(struct routes *routes, size_t memory_max);
/* Sets the interval; a shorter one also brings forward the readings that are due later. */
void routes_set_reading_interval(struct routes *routes, mtime now, mtime reading_interval);

struct route_key {
	struct addr source;
	struct addr group;
};

/* An instance claims a stream: packets from input go to outputs. No outputs: the kernel drops the packets
 * without an upcall. False when memory is short.
 *
 * If instances claim different inputs, the input by which the stream arrived last decides (routes_arrives;
 * else the input of the oldest claim). The outputs of all claims with that input are united. An output may be
 * an upstream link that other instances share: the stream arrives there for them, so their outputs are added,
 * and so on. */
bool routes_want(struct routes *routes, const struct route_key *key, unsigned instance, unsigned input,
                 uint32_t outputs);
/* Makes an early claim: what an instance will claim for a stream whose upcall it has just got. It counts
 * until the instance makes its own claim or gives up this one. Otherwise it ends when the entry's counters
 * are due, or when the kernel refuses the entry. Nothing happens:
 * - where the instance has a claim already;
 * - when ROUTES_ASSUMED_MAX early claims wait, or memory is short;
 * - after the instance gave up an early claim for lack of room, until it gives up a claim of its own. */
void routes_assume(struct routes *routes, const struct route_key *key, unsigned instance, unsigned input,
                   uint32_t outputs);
/* The kernel has the entry from an earlier run, and packets have arrived by its input. Early claims must follow for the
 * instances that may want it, all before the next routes_pull: an entry without claims is deleted. False when memory is
 * short, or the route is known. */
bool routes_adopt(struct routes *routes, mtime now, const struct route_key *key, unsigned input,
                  uint32_t outputs, uint64_t packets);
/* The early claim of an instance for such an entry; the limit of routes_assume does not count. */
void routes_adopt_claim(struct routes *routes, const struct route_key *key, unsigned instance, unsigned input,
                        uint32_t outputs);
/* Ends that claim, which the instance has not answered for lack of room. */
void routes_end_adopted(struct routes *routes, const struct route_key *key, unsigned instance);
/* The instance wants no entry. While others want it, the kernel does not ask about the stream. So the
 * instance gets the upcall again later, like an instance that did not get it the first time. */
void routes_unwant(struct routes *routes, const struct route_key *key, unsigned instance);
/* An instance is gone. */
void routes_unwant_all(struct routes *routes, unsigned instance);

/* The kernel reports by which vif a stream arrives. Nothing happens while no instance wants it. */
void routes_arrives(struct routes *routes, const struct route_key *key, unsigned vif);

/* The stream leaves that upstream vif, and may return there. */
void routes_set_home(struct routes *routes, const struct route_key *key, unsigned vif);

/* The kernel asked for an entry that it was given: another program removed the entry, or a packet waits
 * beside it. The entry is deleted and made again. */
void routes_lost(struct routes *routes, const struct route_key *key);
/* An upcall could not be sent to its instance, and the next packet must cause another one: a negative entry
 * is made, and deleted as soon as it is set. False when memory is short. */
bool routes_ask_again(struct routes *routes, const struct route_key *key, unsigned input);

/* What the kernel needs to know of a vif has changed: the entries that have it as an output are written again. Visits each
 * entry. */
void routes_rewrite(struct routes *routes, unsigned vif);

/* What netlink reports of an entry. The last report for a key counts. At the end of a turn, when all reports
 * have been read, entries that are not right are written again. */
struct route_observed {
	bool present;
	bool audited;     /* part of an audit: may be older than the entry is */
	unsigned input;   /* when present */
	uint32_t outputs; /* when present */
	uint32_t vifs;    /* to be compared; the kernel does not report vifs whose interfaces are gone */
};
enum route_verdict {
	ROUTE_RIGHT,
	ROUTE_WRONG,
	ROUTE_STRANGE, /* present but not wanted: another program made it, or it has been deleted since */
};
enum route_verdict routes_observe(struct routes *routes, const struct route_key *key,
                                  const struct route_observed *observed);
/* How many entries that other programs had changed or removed are right again, and the last of them. */
uint64_t routes_restored(const struct routes *routes, struct route_key *last);
/* Call it before the kernel builds the first part of an audit, and before each part is read. */
void routes_audit(struct routes *routes);
/* Makes the counters of all entries due soon, one after the other: so missing entries are found. */
void routes_read_all(struct routes *routes);

/* The instance whose claim decides the input; false when no instance wants the entry. */
bool routes_first(const struct routes *routes, const struct route_key *key, unsigned *instance,
                  unsigned *input);
/* The set of instances that want the entry. */
uint64_t routes_wanted_by(const struct routes *routes, const struct route_key *key);

/* An upcall reached another instance but not this one, so the kernel will not ask again. The owner retries
 * until the instance gets the upcall or wants the entry, or the entry is gone. False when memory is short. */
bool routes_upcall_pending(struct routes *routes, const struct route_key *key, unsigned instance,
                           unsigned input);
/* The next stream whose upcall must be sent now to a set of instances. Call routes_upcall_pending again for
 * those that cannot take it. */
bool routes_pull_pending_upcall(struct routes *routes, struct route_key *key, unsigned *input,
                                uint64_t *instances);
/* An instance has a vif from now on: it needs the upcalls of all streams that arrive or leave there. Visits
 * each entry. */
void routes_upcalls_pending_at(struct routes *routes, unsigned vif, unsigned instance);
/* Does an instance want the stream from where it arrives, or from an output that is its upstream link? */
bool routes_serves(const struct routes *routes, const struct route_key *key, unsigned instance);
/* The vifs that the stream leaves by, as instances want it now. */
uint32_t routes_outputs(const struct routes *routes, const struct route_key *key);
/* yielded: another router forwards the stream to an output, so the entry leaves that output out. The claims stay
 * as they are. Has no effect where there is no such route. */
void routes_yield(struct routes *routes, const struct route_key *key, unsigned vif, bool yielded);
/* The outputs that are left out. */
uint32_t routes_yielded(const struct routes *routes, const struct route_key *key);
/* A copy of the stream arrives by another vif. True the first time. */
bool routes_note_copy(struct routes *routes, const struct route_key *key);
/* An instance has members of a group: it gets the upcalls of the group's streams that it gave up now, not
 * when more packets have been counted. Visits a limited number of routes. */
void routes_retry_upcalls(struct routes *routes, unsigned instance, const struct addr *group);

enum route_op_kind { ROUTE_SET, ROUTE_DELETE };
struct route_op {
	enum route_op_kind kind;
	struct route_key key;
	unsigned input;
	uint32_t outputs;
};
/* The next operation. Answer it by routes_done (0 or -errno) before the next pull. */
bool routes_pull(struct routes *routes, mtime now, struct route_op *op);
void routes_done(struct routes *routes, mtime now, const struct route_op *op, int result);
/* When an operation may be due, or counters are; MTIME_NEVER. */
mtime routes_deadline(const struct routes *routes);

/* The next entry whose counters are due, and the set of instances that want it. The entry's next reading is
 * one interval later. */
bool routes_pull_reading(struct routes *routes, mtime now, struct route_key *key, uint64_t *instances);

/* The entry as the kernel has it; false when it has none. */
struct routes_entry {
	unsigned input;
	uint32_t outputs;
	unsigned left; /* the vif by which the stream arrived before; the same when there was none */
	unsigned home; /* the last upstream vif by which it arrived before; ROUTES_VIFS: none */
	bool arrived;  /* the kernel has reported that the stream arrives by this input */
};
bool routes_get_entry(const struct routes *routes, const struct route_key *key, struct routes_entry *entry);

/* Records the packets of an entry that have arrived by its input. If there are more than at the last reading,
 * instances that gave up the stream while others want it get the upcall again. */
void routes_counted(struct routes *routes, mtime now, const struct route_key *key, uint64_t packets);
/* Milliseconds between packets of the stream, measured over the last one or two reading intervals. */
mtime routes_packet_interval(const struct routes *routes, mtime now, const struct route_key *key,
                             uint64_t packets);

/* Does an entry in the kernel, or a claim, name a vif? Then no other interface may get its number. */
bool routes_vif_is_named(const struct routes *routes, unsigned vif);
/* Entries in the kernel that name a vif. */
size_t routes_vif_uses(const struct routes *routes, unsigned vif);
size_t routes_count(const struct routes *routes);
/* Operations that failed so far. */
uint64_t routes_failures(const struct routes *routes);

#endif
