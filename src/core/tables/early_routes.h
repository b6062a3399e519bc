/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Early routes: when a stream is new and the owner knows what an instance will want, it makes the claim at
 * once (routes_assume). The instance has got the upcall, and its own claim confirms or corrects the early
 * one. Private to the table of routes. Owner thread.
 *
 * An early claim never stays without an answer: it ends when the entry's counters are due, or when the kernel
 * refuses the entry. An instance that takes back an early claim has no room for the stream. It gets no other
 * early claims until it gives up a stream, because an entry that comes and goes would make the kernel ask
 * about each packet.
 */
#ifndef MCPROXY_CORE_TABLES_EARLY_ROUTES_H
#define MCPROXY_CORE_TABLES_EARLY_ROUTES_H

#include "core/tables/routes_rows.h"

/* The instance has made the claim itself: it is not early any more. */
void early_route_confirm(struct routes *routes, struct claim *claim);
/* The instance gives up its claim: notes whether it refuses early ones from now on. */
void early_route_unwant(struct routes *routes, const struct claim *claim);
/* The instance is gone. */
void early_route_forget_instance(struct routes *routes, unsigned instance);
/* Removes the early claims of a route; false: it has none. */
bool early_route_drop(struct routes *routes, struct route *route);

#endif
