/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Carries out core/tables/yield.h: where the router may yield, the sockets that receive copies, and the log.
 * Owner thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_YIELDS_H
#define MCPROXY_DAEMON_OWNER_YIELDS_H

#include "core/tables/yield.h"
#include "daemon/owner/loop.h"

struct owner;
struct table;

/* The kernel reports a packet of a stream by a wrong vif, which may be a copy. packets: those that have arrived
 * by the entry's input. */
void yields_upcall(struct owner *owner, struct table *table, mtime now, const struct route_key *key,
                   const struct routes_entry *entry, unsigned vif, uint64_t packets);
/* The querier of a link has changed: ends yields that no longer apply. */
void yields_querier_changed(struct table *table);
/* Does what is due. copies: the handler of the sockets, which calls yields_receive. */
void yields_apply(struct owner *owner, struct table *table, mtime now, loop_handler *copies);
/* Receives what waits in a socket. NULL when that is done; otherwise a stream arrives at its home in that
 * table, and the caller moves it and calls again. */
struct table *yields_receive(struct owner *owner, struct loop_source *source, mtime now,
                             struct yield_place *home);

#endif
