/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Streams that arrive on two links (core/tables/wrong_vif.h): which of the two is the copy, and what the log
 * says. Owner thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_COPIES_H
#define MCPROXY_DAEMON_OWNER_COPIES_H

#include "core/tables/routes.h"

struct owner;
struct table;

/* The counters of a stream show that packets arrive by its entry's input and by another vif: *vif, as far as
 * known. True: the stream comes from *vif, and what arrives by the input is the copy. */
bool copies_check(struct owner *owner, struct table *table, mtime now, const struct route_key *key,
                  const struct routes_entry *entry, unsigned *vif);

/* A packet of a stream has arrived by a vif that is not its input. Returns the upstream vif to which the stream
 * returns as soon as it arrives there. MRT_VIFS: none, because it already comes from upstream, or because its
 * source is on the link where it arrives. */
unsigned copies_find_home(struct owner *owner, const struct table *table, const struct route_key *key,
                          const struct routes_entry *entry, unsigned vif);
bool copies_is_upstream(struct owner *owner, const struct table *table, unsigned vif);

#endif
