/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What should be, computed from what the hosts want alone: no timers, no messages, no state.
 */
#ifndef MCPROXY_SIM_ORACLE_H
#define MCPROXY_SIM_ORACLE_H

#include "proxy.h"

/* How exact a check is. */
enum strictness {
	NOTHING_MISSING, /* every host has what it wants; more may go out */
	/* and nothing goes where no host wants it, except what is blocked slowly (oracle_note_change) */
	PROMPT,
	EXACT, /* and nothing goes where no host wants it */
};

/* The filter that a proxy should report on an upstream link. */
struct want oracle_upstream(const struct world *world, const struct proxy_link *upstream, enum family family,
                            unsigned group);
/* Do the filters of both links allow a packet that enters by the one to leave by the other? */
bool oracle_passes(const struct proxy_link *input, const struct proxy_link *output, unsigned group,
                   unsigned source);
/* Called before a host changes its want. Notes slow groups: a station stops excluding while others on its
 * segment exclude sources. These are blocked only after a group membership interval, because the others'
 * answers make them running sources first (RFC 9776 section 6.4.2, the rows TO_IN and IS_EX). */
void oracle_note_change(struct world *world, const struct member *host, unsigned group, struct want want);
/* The same for a proxy that is restarted. */
void oracle_note_restart(struct world *world, const struct proxy *proxy);
/* All is quiet: nothing is slow any more. */
void oracle_forget_changes(struct world *world);

/* Compares the filters that all proxies want upstream with those that they should want. */
void oracle_check_filters(struct world *world, enum family family, enum strictness strictness);
/* Compares where copies of a packet were seen with where they should have been. */
void oracle_check_packet(struct world *world, const struct data_packet *packet, enum strictness strictness);

#endif
