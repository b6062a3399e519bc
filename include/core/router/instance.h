/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The engine of one `upstream ==> downstreams` instance: pure, without system calls or a clock. Its caller
 * gives it inputs and time, and pulls requests:
 *
 *     instance_input(i, now, &input, payload, size)   for each input, in order
 *     instance_expire(i, now)                         once a turn
 *     while (instance_pull(i, now, &request, ...))    until it has none, or the caller has no room
 *     sleep until instance_deadline(i) or the next input
 *
 * `now` never goes back. One thread at a time per instance. The same engine runs in the daemon, the
 * simulator, replay and the fuzzers.
 */
#ifndef MCPROXY_CORE_ROUTER_INSTANCE_H
#define MCPROXY_CORE_ROUTER_INSTANCE_H

#include "core/contract/input.h"
#include "core/contract/link_change.h"
#include "core/contract/request.h"
#include "core/contract/snapshot_items.h"

/* The limit on specific upstream queries that wait to be pulled. */
#define INSTANCE_QUERIES_MAX 256

struct instance;

/* The seed keys the hash tables. NULL when memory is short. */
struct instance *instance_new(const struct instance_settings *settings, uint64_t seed);
void instance_free(struct instance *instance);

void instance_input(struct instance *instance, mtime now, const struct input *input, const void *payload,
                    size_t payload_size);
/* How many packets of upstream links it can take before a pull without a drop: each may be a query that needs
 * room. The caller leaves further packets in their socket. */
unsigned instance_query_room(const struct instance *instance);
void instance_expire(struct instance *instance, mtime now);
/* When to call instance_expire next. The time may be too early; then that call only corrects it. If
 * instance_expire has work left, the time is `now` or earlier, so that the caller takes inputs in between. */
mtime instance_deadline(struct instance *instance);
/* The next request; false when there is none. The payload has room for REQUEST_PAYLOAD_MAX bytes, aligned to
 * 8. */
bool instance_pull(struct instance *instance, mtime now, struct request *request, void *payload,
                   size_t *payload_size);

#endif
