/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Token buckets of the source addresses on one link and family, in a table of fixed size: one host cannot use
 * the whole rate of its link. Pure; the instance's thread. Zeroed at first. What holds:
 *
 *   - A host that stays below the rate never loses a packet here, whatever others send. Only packets with the
 *     same 32-bit keyed hash take its tokens. Who does not know the seed can only send from its own address.
 *   - An address without a bucket gets a full one, so the first packets of a quiet host always pass. A full
 *     place is chosen for it: that bucket's host loses nothing, because it would get a full one again.
 *   - A host that floods keeps its empty bucket while its set has a fuller one to replace. Spoofed addresses
 *     may pass as often as they change; the bucket of the link bounds them, as it bounds everything.
 */
#ifndef MCPROXY_CORE_ROUTER_HOST_RATES_H
#define MCPROXY_CORE_ROUTER_HOST_RATES_H

#include "core/base/addr.h"
#include "core/base/bucket.h"

#define HOST_RATES_SETS 64 /* a power of two */
#define HOST_RATES_WAYS 4

struct host_rate {
	struct bucket bucket; /* not begun: the place is free */
	uint32_t hash;        /* of the source */
};

struct host_rates {
	struct addr last; /* the source of the latest packet */
	struct host_rate *last_rate;
	struct host_rate sets[HOST_RATES_SETS][HOST_RATES_WAYS];
};

/* May a packet of that source pass now? rate: packets a second; 0: no limit. The seed keys the hash. */
bool host_rates_pass(struct host_rates *rates, uint64_t seed, const struct addr *source, mtime now,
                     uint32_t rate);

#endif
