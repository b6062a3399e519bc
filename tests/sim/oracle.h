/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What should be, worked out anew from what the hosts want: no timers, no messages, no state.
 */
#ifndef MCPROXY_SIM_ORACLE_H
#define MCPROXY_SIM_ORACLE_H

#include "world.h"

/* How exactly it is looked at. */
enum strictness {
	NOTHING_MISSING, /* everybody has what it wants; more may go out */
	PROMPT, /* and nothing goes where nobody wants it, but for slow groups (world.h) that somebody
	           excludes */
	EXACT,  /* and nothing goes where nobody wants it */
};

/* The filter that a proxy should ask for upstream. */
struct wish oracle_upstream(const struct world *world, const struct proxy *proxy, enum family family,
                            unsigned group);
/* Compares the filters that all proxies told with those they should have told. */
void oracle_check_filters(struct world *world, enum family family, enum strictness strictness);
/* Compares where copies of a packet were seen with where they should have been. */
void oracle_check_packet(struct world *world, const struct data_packet *packet, enum strictness strictness);

#endif
