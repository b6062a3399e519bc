/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Streams whose packets also arrive by a vif that is not their entry's input. There are four causes:
 * - The source has moved there.
 * - Another router puts a copy of the stream on that link.
 * - A host sends packets with the source's address.
 * - The kernel loops back what it sent (Linux does so for IPv6 if this machine is a member of the group on an
 *   outgoing link).
 *
 * The counters of the entry decide, after a few readings:
 *
 *   moved    the input was silent for several of the stream's own packet intervals, while several packets
 *            arrived by another vif until the end of that time
 *   copies   packets keep arriving by both vifs
 *
 * Where no instance wants the stream from the other vif, the entry keeps its input, and this is decided again every second.
 *
 * For each entry the kernel reports such a packet at most every 3 s. So a stream stays here for that time,
 * and a timer drives the readings: they show what happens without another upcall. A stream stays here while
 * its packets arrive by two vifs. Each vif has the same number of places.
 *
 * Pure. Owner thread.
 */
#ifndef MCPROXY_CORE_TABLES_WRONG_VIF_H
#define MCPROXY_CORE_TABLES_WRONG_VIF_H

#include "core/tables/routes.h"

#define WRONG_VIF_PLACES 512 /* streams whose packets by one vif are watched */

struct wrong_vif;

struct wrong_vif *wrong_vif_new(uint64_t seed); /* keys the hash; NULL when memory is short */
void wrong_vif_free(struct wrong_vif *wrong_vif);

/* The counters of an entry as the kernel has them, and its input. */
struct wrong_vif_reading {
	uint64_t packets; /* all */
	uint64_t wrong;   /* of these: by a wrong vif */
	unsigned input;
};

enum wrong_vif_verdict {
	WRONG_VIF_STAYS, /* for now */
	WRONG_VIF_MOVED, /* to *vif */
	WRONG_VIF_ASK, /* moved, but the last upcall is too old to name the vif: delete the entry and make it
	                   * again, then the kernel makes an upcall at once */
	WRONG_VIF_COPIES, /* packets arrive by *vif, too: wrong_vif_confirm, now or after a later check */
};

/* An upcall. interval: milliseconds between packets that arrived by the input (routes_packet_interval).
 * Returns STAYS, or MOVED after ASK. A stream without a place stays until the kernel reports it again. */
enum wrong_vif_verdict wrong_vif_upcall(struct wrong_vif *wrong_vif, mtime now, const struct route_key *key,
                                        unsigned vif, mtime interval,
                                        const struct wrong_vif_reading *reading);
/* The next stream whose counters are due. The caller reads them and calls wrong_vif_check, or
 * wrong_vif_remove when there is no entry. */
bool wrong_vif_pull(const struct wrong_vif *wrong_vif, mtime now, struct route_key *key);
enum wrong_vif_verdict wrong_vif_check(struct wrong_vif *wrong_vif, mtime now, const struct route_key *key,
                                       const struct wrong_vif_reading *reading, unsigned *vif);
void wrong_vif_remove(struct wrong_vif *wrong_vif, const struct route_key *key);
/* The answer to WRONG_VIF_COPIES. loops: how many times the kernel loops back each packet of the stream. True
 * when packets of another sender remain, for the first time here. */
bool wrong_vif_confirm(struct wrong_vif *wrong_vif, mtime now, const struct route_key *key, unsigned loops);
/* When counters are due; MTIME_NEVER. */
mtime wrong_vif_deadline(const struct wrong_vif *wrong_vif);

/* A stream of which a copy arrives now. */
struct wrong_vif_copy {
	struct route_key key;
	unsigned input;
	unsigned vif; /* of the copy */
};
/* False when no copy of that stream arrives. */
bool wrong_vif_find_copy(const struct wrong_vif *wrong_vif, const struct route_key *key,
                         struct wrong_vif_copy *copy);
/* Streams with copies: now, and found so far. */
size_t wrong_vif_copies(const struct wrong_vif *wrong_vif);
uint64_t wrong_vif_copies_found(const struct wrong_vif *wrong_vif);
/* How often a stream found no place so far. */
uint64_t wrong_vif_refused(const struct wrong_vif *wrong_vif);

#endif
