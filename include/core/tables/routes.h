/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The forwarding entries of one kernel table and family: what the instances want, and what the kernel was
 * brought to hold. Pure: routes_pull gives the next operation, routes_done records its result. An entry that
 * is right is never written again. Owner thread.
 *
 * Vifs are those of the table at the time of the claim. A vif number must not be used again while
 * routes_vif_uses counts entries that name it, because the kernel would forward by them at once.
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

/* reading_interval: how often an entry's counters are read; seed keys the hash. NULL when memory is short. */
struct routes *routes_new(size_t memory_max, mtime reading_interval, uint64_t seed);
void routes_free(struct routes *routes);
/* From now on; a shorter one holds for readings that are due later, too. */
void routes_set_reading_interval(struct routes *routes, mtime now, mtime reading_interval);

struct route_key {
	struct addr source;
	struct addr group;
};

/* What an instance wants for a stream: packets from input go to outputs (none: they are dropped without an
 * upcall). False when memory is short. Of several instances with different inputs the one counts by whose
 * input the stream arrived last (routes_arrives; else the first one). The outputs of those that agree with it
 * are united, with those of instances for which the stream arrives by one of these outputs, and so on: an
 * upstream link that they share. */
bool routes_want(struct routes *routes, const struct route_key *key, unsigned instance, unsigned input,
                 uint32_t outputs);
/* What an instance, observed of the stream just now, is going to want: counts like its claim until it has observed
 * that. If it tells nothing, this ends when the entry's counters are due, or the kernel refuses the entry.
 * Nothing happens where the instance has a claim, when ROUTES_ASSUMED_MAX are waiting, and when memory is
 * short; nor for an instance that did not want what was assumed, since it has no room, until it gives up a
 * stream that it did want. */
void routes_assume(struct routes *routes, const struct route_key *key, unsigned instance, unsigned input,
                   uint32_t outputs);
/* The instance wants no entry. While others want it the kernel does not ask about the stream: so the instance
 * is observed of it again, as of one that it could not be observed of. */
void routes_unwant(struct routes *routes, const struct route_key *key, unsigned instance);
/* An instance is gone. */
void routes_unwant_all(struct routes *routes, unsigned instance);

/* The kernel says by which vif a stream arrives. Nothing happens while nobody wants it. */
void routes_arrives(struct routes *routes, const struct route_key *key, unsigned vif);

/* The kernel asked for an entry that it was given: somebody took it away, or a packet waits beside it. It is
 * deleted and made anew. */
void routes_lost(struct routes *routes, const struct route_key *key);
/* An upcall could not be observed to its instance: the next packet shall ask again. A claim for a negative entry
 * that is deleted as soon as it is set; instance as in routes_want. */
bool routes_ask_again(struct routes *routes, const struct route_key *key, unsigned input);

/* What the kernel is seen to hold for a key. The last word counts; at the end of a turn, when all of it was
 * observed, entries that are not right are written anew. */
struct route_observed {
	bool present;
	bool audited;     /* part of an audit: may be older than the entry is */
	unsigned input;   /* of a present one */
	uint32_t outputs; /* likewise */
	uint32_t
		vifs; /* those that are compared: vifs of interfaces that are gone the kernel does not tell */
};
enum route_verdict {
	ROUTE_RIGHT,
	ROUTE_WRONG,
	ROUTE_STRANGE, /* present, and not wanted here: others made it, or it has been deleted since */
};
enum route_verdict routes_observe(struct routes *routes, const struct route_key *key,
                                  const struct route_observed *observed);
/* How many entries others had changed or taken away that are right again, and the last of them. */
uint64_t routes_restored(const struct routes *routes, struct route_key *last);
/* To be called before each part of an audit is read, and before its first part is put together. */
void routes_audit(struct routes *routes);
/* The counters of all entries are read soon, one after the other, whenever they are due: what is not there is
 * found. */
void routes_read_all(struct routes *routes);

/* The instance whose claim decides about the input; false when nobody wants the entry. */
bool routes_first(const struct routes *routes, const struct route_key *key, unsigned *instance,
                  unsigned *input);
bool routes_is_wanted_by(const struct routes *routes, const struct route_key *key, unsigned instance);

/* An instance could not be observed of an upcall while another was, so that the kernel will not ask again: to be
 * tried until it is observed, wants the entry or the entry is gone. False when memory is short. */
bool routes_upcall_pending(struct routes *routes, const struct route_key *key, unsigned instance,
                           unsigned input);
/* The next entry that instances (a set) are to be observed of now; if they cannot be, routes_upcall_pending again. */
bool routes_pull_pending_upcall(struct routes *routes, struct route_key *key, unsigned *input,
                                uint64_t *instances);
/* An instance has a vif from now on: it is to be observed of all streams that arrive or leave there. Looks at
 * each entry. */
void routes_untold_at(struct routes *routes, unsigned vif, unsigned instance);
/* Does an instance want the stream from where it arrives, or from an output, as above? */
bool routes_serves(const struct routes *routes, const struct route_key *key, unsigned instance);
/* The vifs that the stream leaves by, as instances want it now. */
uint32_t routes_outputs(const struct routes *routes, const struct route_key *key);
/* A copy of the stream arrives by another vif. True the first time. */
bool routes_note_copy(struct routes *routes, const struct route_key *key);
/* An instance has members of a group: entries of it that it gave up are observed again now; without this, when
 * more of their packets were counted. Of many only some. */
void routes_retry_upcalls(struct routes *routes, unsigned instance, const struct addr *group);

enum route_op_kind { ROUTE_SET, ROUTE_DELETE };
struct route_op {
	enum route_op_kind kind;
	struct route_key key;
	unsigned input;
	uint32_t outputs;
};
/* The next operation; each must be answered by routes_done (0 or -errno) before the next pull. */
bool routes_pull(struct routes *routes, mtime now, struct route_op *op);
void routes_done(struct routes *routes, mtime now, const struct route_op *op, int result);
/* When there is an operation, perhaps once more, or counters are due; MTIME_NEVER. */
mtime routes_deadline(const struct routes *routes);

/* The next entry whose counters are due, and the set of instances that want it; its next reading is an
 * interval away. */
bool routes_pull_reading(struct routes *routes, mtime now, struct route_key *key, uint64_t *instances);

/* The entry as the kernel has it; false when it has none. */
struct routes_entry {
	unsigned input;
	uint32_t outputs;
	bool arrived; /* the kernel has said that the stream arrives by this input */
};
bool routes_get_entry(const struct routes *routes, const struct route_key *key, struct routes_entry *entry);

/* The packets of an entry that have arrived by its input, as its counters are read. If there are more of them,
 * instances that gave up the stream while others want it are observed of it again. */
void routes_counted(struct routes *routes, mtime now, const struct route_key *key, uint64_t packets);
/* Milliseconds between these packets, by what the last one or two reading intervals have brought. */
mtime routes_packet_interval(const struct routes *routes, mtime now, const struct route_key *key,
                             uint64_t packets);

/* Does an entry in the kernel, or a claim for one, name a vif? Then its number must not be given out. */
bool routes_vif_is_named(const struct routes *routes, unsigned vif);
/* Entries in the kernel that name a vif. */
size_t routes_vif_uses(const struct routes *routes, unsigned vif);
size_t routes_count(const struct routes *routes);
/* Operations that failed so far. */
uint64_t routes_failures(const struct routes *routes);

#endif
