/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the kernel says of streams: that a new one arrives, or that one arrives by another vif than its
 * entry's. The owner announces both to the instances that know the link. Owner thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_UPCALLS_H
#define MCPROXY_DAEMON_OWNER_UPCALLS_H

#include "core/base/mtime.h"

#include <stdint.h>

struct owner;
struct table;
struct loop_source;
struct route_key;

/* The handler of tables' sources; context: the owner. */
void upcalls_receive(void *context, struct loop_source *source, mtime now);
/* Goes on with the upcalls that waited for members (adoption.h). */
void upcalls_resume(struct owner *owner, mtime now);
/* A route's outputs may be upstream links of other instances: the stream arrives there for them. Announces it
 * to those that do not have it. Returns the set of those whose channel is full; upcalls_retry announces it
 * later. */
uint64_t upcalls_share(struct owner *owner, struct table *table, const struct route_key *key);
/* Announces streams to the instances that had no room before. */
void upcalls_retry(struct owner *owner, struct table *table);
/* The handler of the sockets that yields.h opens: streams that arrive at their home move there. */
void upcalls_receive_copies(void *context, struct loop_source *source, mtime now);
/* Reads the counters of streams whose packets have arrived by a wrong vif. */
void upcalls_check_wrong_vif(struct owner *owner, struct table *table, mtime now);

#endif
