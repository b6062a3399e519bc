/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Entries of the kernel's tables: brings them to where `routes` wants them, and reads their counters. Owner
 * thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_ENTRIES_H
#define MCPROXY_DAEMON_OWNER_ENTRIES_H

#include "core/base/mtime.h"

struct owner;
struct route_key;
struct table;

/* Writes and deletes the entries that differ from the table of routes. */
void entries_apply(struct owner *owner, struct table *table, mtime now);
/* Reads the counters that are due and announces them to the instances. */
void entries_read_counters(struct owner *owner, struct table *table, mtime now);
/* Announces the counters of one entry that is about to be deleted and made again, before they are lost: an entry that this
 * happens to often is never due. */
void entries_announce_counters(struct owner *owner, const struct table *table, const struct route_key *key);

#endif
