/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Streams that another router forwards to the same output. Where this router is not the querier and
 * forward_without_querier is "auto", it yields: it stops forwarding such a stream to that output while
 * packets of the other router, copies, arrive there. A row is one stream at one output.
 *
 *   waits    the kernel has reported a copy: a random time of at most 200 ms decides which of two routers
 *            yields first. For a stream with less than 40 packets/s it is up to 8 packet intervals
 *   checks   the next copy makes the router yield; after 3 packets of the stream without a copy the row ends
 *   yielded  ends when no copy has arrived for one second, while packets of the stream arrive by the input
 *
 * If two routers yield after the same packet, both see at once that the copies end. Each forwards again after
 * two packets without a copy, or some 15 ms, and waits up to twice as long the next time.
 *
 * A stream that arrives by a downstream vif may return to an upstream one, its home. The kernel reports at most
 * one packet by a wrong vif in 3 s, and for IPv6 also packets that it has looped back. So the copy socket also
 * looks for the stream at its home (yield_seek_home).
 *
 * The copy socket of the output's link (kernel/copy_socket.h) receives only the streams that yield_seek names,
 * at most YIELD_SOUGHT_MAX at a time, and each of them until its next copy. A yielded stream is sought four
 * times a second.
 *
 * Each vif has its own places, so that a flood of copies on one link does not take them from another. Pure.
 * Owner thread.
 */
#ifndef MCPROXY_CORE_TABLES_YIELD_H
#define MCPROXY_CORE_TABLES_YIELD_H

#include "core/tables/routes.h"

#define YIELD_PLACES     2048 /* rows at one output */
#define YIELD_SOUGHT_MAX 64

struct yield;

struct yield *yield_new(uint64_t seed); /* of the hash and of the random times; NULL when memory is short */
void yield_free(struct yield *yield);

/* A stream at one of its outputs. */
struct yield_place {
	struct route_key key;
	unsigned vif;
	unsigned input;
	bool home; /* not an output, but where the stream may return to */
};

enum yield_verdict {
	YIELD_NOTHING,
	YIELD_STOP,   /* yield: leave the output out of the entry */
	YIELD_RESUME, /* forward to it again */
	YIELD_HOME,   /* the stream arrives at its home */
};

/* A copy may arrive at an output. packets: those that have arrived by the input. named: the kernel has seen
 * the copy there, and not at another output. Has no effect when there is a row already, or no free place. */
void yield_doubt(struct yield *yield, mtime now, const struct yield_place *place, uint64_t packets,
                 bool named);
/* Looks for a stream at its home for 4 s; each call extends the time. */
void yield_seek_home(struct yield *yield, mtime now, const struct yield_place *place);
/* A copy has arrived. */
enum yield_verdict yield_copy(struct yield *yield, mtime now, const struct route_key *key, unsigned vif);
/* The next row whose time has come. The caller reads the counters and calls yield_check, or yield_remove
 * when there is no entry or the router may not yield there. */
bool yield_pull(const struct yield *yield, mtime now, struct yield_place *place);
enum yield_verdict yield_check(struct yield *yield, mtime now, const struct yield_place *place,
                               uint64_t packets);
/* YIELD_RESUME when the stream was yielded there. */
enum yield_verdict yield_remove(struct yield *yield, const struct yield_place *place);
/* Makes all rows due: the router may have become the querier, or the vif is gone. */
void yield_check_all(struct yield *yield);

/* The next vif whose copy socket must get a new set of streams. The caller calls yield_seek. */
bool yield_pull_vif(const struct yield *yield, mtime now, unsigned *vif);
/* The streams that it must receive from now on; returns their number. */
size_t yield_seek(struct yield *yield, mtime now, unsigned vif, struct route_key keys[YIELD_SOUGHT_MAX]);

mtime yield_deadline(const struct yield *yield);
/* Streams that are yielded now, and how many times one was yielded so far. */
size_t yield_count(const struct yield *yield);
uint64_t yield_total(const struct yield *yield);

#endif
