/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a host sends upstream: state-change reports with their repetitions, and answers to queries, in the
 * querier's version (RFC 9776 section 5, RFC 9777 section 6, RFC 2236 section 3, RFC 2710 section 4). One per
 * upstream link, family and provider, part of a host. A reporter builds packets from the newest state when it
 * sends them, with as many records in each as the MTU allows.
 *
 * Where the kernel keeps the memberships, the kernel repeats and answers (copies = 1, answers = false). The
 * reporter then sends each change once, where it is faster than the kernel (docs/rfc.md has the table), and
 * answers only the queries that the kernel drops. Pure; owner thread.
 *
 *   reporter_entry.h     a group: what is reported, what remains to be sent
 *   reporter_entries.h   the groups of a reporter, and the version that it speaks
 *   reporter_changes.h   state changes, and their repetitions
 *   reporter_queries.h   queries, and their absence
 */
#ifndef MCPROXY_CORE_HOST_REPORTER_H
#define MCPROXY_CORE_HOST_REPORTER_H

#include "core/host/reporter_changes.h"
#include "core/host/reporter_entries.h"
#include "core/host/reporter_queries.h"

/* settings: of the upstream link. The caller keeps them as long as the reporter, and calls reporter_set after
 * it has changed them. */
void reporter_init(struct reporter *reporter, enum family family, struct pool *pool,
                   const struct link_settings *settings, uint64_t seed);
void reporter_fini(struct reporter *reporter);
void reporter_set(struct reporter *reporter, mtime now, const struct reporter_role *role);

void reporter_expire(struct reporter *reporter, mtime now);
mtime reporter_deadline(struct reporter *reporter);
/* The next message, without IP header; returns its size, 0: none. Pull until there is none, with the same
 * capacity (at least that of 576-byte packets). source: this router's address. */
size_t reporter_pull(struct reporter *reporter, mtime now, uint8_t *message, size_t capacity,
                     const struct addr *source, struct addr *destination);

#endif
