/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What should be, worked out anew from what the hosts want: no timers, no messages, no state.
 */
#ifndef MCPROXY_SIM_ORACLE_H
#define MCPROXY_SIM_ORACLE_H

#include "proxy.h"

/* How exactly it is looked at. */
enum strictness {
	NOTHING_MISSING, /* everybody has what it wants; more may go out */
	/* and nothing goes where nobody wants it, but for what is blocked slowly (oracle_note_change) */
	PROMPT,
	EXACT, /* and nothing goes where nobody wants it */
};

/* The filter that a proxy should ask for upstream. */
struct want oracle_upstream(const struct world *world, const struct proxy *proxy, enum family family,
                            unsigned group);
/* A host is about to have another want. When a station stops excluding and others on its segment exclude
 * sources, these are blocked only after a group membership interval, because the others' answers make them
 * running sources first (RFC 9776 section 6.4.2, the rows TO_IN and IS_EX). Notes such groups. */
void oracle_note_change(struct world *world, const struct member *host, unsigned group, struct want want);
/* The same for a proxy that is restarted. */
void oracle_note_restart(struct world *world, const struct proxy *proxy);
/* All is quiet: nothing is slow any more. */
void oracle_forget_changes(struct world *world);

/* Compares the filters that all proxies told with those they should have told. */
void oracle_check_filters(struct world *world, enum family family, enum strictness strictness);
/* Compares where copies of a packet were seen with where they should have been. */
void oracle_check_packet(struct world *world, const struct data_packet *packet, enum strictness strictness);

#endif
