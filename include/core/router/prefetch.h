/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Look-ahead: loads the memory of groups that are looked up soon, so that a look-up does not wait for it. A
 * caller with several inputs or records at hand calls this for the next ones, in two steps (enum prefetch).
 * Hints only: they change nothing, and an engine without them gives the same requests. The instance's thread.
 */
#ifndef MCPROXY_CORE_ROUTER_PREFETCH_H
#define MCPROXY_CORE_ROUTER_PREFETCH_H

#include "core/base/index.h"
#include "core/router/instance.h"

#define PREFETCH_RECORDS_MAX 16

/* This input comes soon: the group of its packet's first record. */
void prefetch_input(struct instance *instance, const struct input *input, const void *payload,
                    size_t payload_size, enum prefetch step);
/* These records come next, at most PREFETCH_RECORDS_MAX: both steps at once. */
void prefetch_records(struct instance *instance, const struct record *records, size_t count);

/* The group of a report's first record, read from where a valid IP packet has it. Checks bounds and nothing
 * else: from any other packet the result is arbitrary. False where the packet ends before. */
bool prefetch_guess_group(enum family family, const uint8_t *packet, size_t size, struct addr *group);

#endif
