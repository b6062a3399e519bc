/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The querier election of a link as the engine acts on it. querier.h decides who is elected; here its result
 * becomes an event, timers and routes: this router forwards to a downstream link only while it is the querier
 * there (RFC 4605 section 4.2). The instance's thread.
 */
#ifndef MCPROXY_CORE_ROUTER_ELECTION_H
#define MCPROXY_CORE_ROUTER_ELECTION_H

#include "core/router/engine.h"

/* The link became usable or has another address: this router starts as querier. */
void election_start(struct instance *instance, struct link *link, enum family family, mtime now);
/* Forgets the other querier of the link: a reload. This router starts as querier; the other one wins again by
 * its next query. Routes are the caller's. */
void election_restart(struct instance *instance, struct link *link, enum family family, mtime now);
/* Updates the link's timers and owed queries after any change of the link. Routes are the caller's. */
void election_refresh(struct instance *instance, struct link *link, enum family family, mtime now);
/* A query arrived on a downstream link. */
void election_receive(struct instance *instance, struct link *link, enum family family, mtime now,
                      const struct addr *from, const struct query *query);
/* Sends a general query at once. This router is the querier. */
void election_query(struct instance *instance, struct link *link, enum family family, mtime now);
/* `count` general queries take the place of specific ones. Returns the time by which the last answer must have arrived. */
mtime election_substitute(struct instance *instance, struct link *link, enum family family, mtime now,
                          uint8_t count);
/* Does what is due: takes over from a silent querier, and marks a general query. */
void election_expire(struct instance *instance, struct link *link, enum family family, mtime now);

#endif
