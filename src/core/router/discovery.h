/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Multicast Router Discovery (RFC 4286) of one downstream link and family: when to send the advertisements by
 * which snooping switches know the port of a router, and the termination. Pure; the instance's thread.
 *
 *   silent --start--> advertising: three at random times of less than 2 s each, then one every 20 s
 *   advertising --solicit--> the next advertisement comes at a random time within 2 s
 *   advertising --stop--> silent, with a termination if a switch may know this router
 */
#ifndef MCPROXY_CORE_ROUTER_DISCOVERY_H
#define MCPROXY_CORE_ROUTER_DISCOVERY_H

#include "core/base/mtime.h"

#include <stdbool.h>
#include <stdint.h>

#define DISCOVERY_ADVERTISEMENT_INTERVAL (20 * MTIME_SECOND) /* section 3.1.1 */
#define DISCOVERY_JITTER                 500                 /* section 3.1.2: 0.025 of the interval */
#define DISCOVERY_INITIAL_INTERVAL       (2 * MTIME_SECOND)  /* section 3.1.3 */
#define DISCOVERY_INITIAL_COUNT          3                   /* section 3.1.4 */
#define DISCOVERY_RESPONSE_DELAY         (2 * MTIME_SECOND)  /* section 9: MAX_RESPONSE_DELAY */
#define DISCOVERY_SPACING                100 /* at least; section 3.1.6: ten messages a second */

struct discovery {
	bool advertises;
	bool announced;     /* an advertisement went out, and no termination since */
	bool advertise_now; /* due, not yet sent */
	bool terminate_now;
	uint8_t initial_left; /* of the three at the start */
	mtime advertise_at;   /* the next advertisement; MTIME_NEVER: none */
	uint64_t random;      /* state of the generator of delays */
};

/* Silent. The seed is random, and differs between links. */
void discovery_init(struct discovery *discovery, uint64_t seed);
/* Starts or stops advertising. */
void discovery_set(struct discovery *discovery, bool wanted, mtime now);
/* A solicitation arrived. False when it needs no answer of its own: this router does not advertise, or the next
 * advertisement is due within the response delay (section 3.4). */
bool discovery_solicit(struct discovery *discovery, mtime now);
/* The link is no longer usable: no termination can be sent. */
void discovery_abandon(struct discovery *discovery);

/* Marks an advertisement that is due. */
void discovery_expire(struct discovery *discovery, mtime now);
mtime discovery_deadline(const struct discovery *discovery);
/* The due message was sent. */
void discovery_advertised(struct discovery *discovery, mtime now);
void discovery_terminated(struct discovery *discovery);

#endif
