/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A start that goes on with what an earlier run has left in the kernel: its MRT sockets with vifs and entries, its packet
 * sockets, and its memberships (store.h). There is no state file: entries and vifs are read back from the kernel.
 *
 *   1. A table takes its MRT socket from the store. Its vifs keep their numbers, and wait for the first list of interfaces.
 *   2. Vifs whose interfaces are still links are taken over; the others are deleted.
 *   3. Each entry becomes an early claim of its instances, which learn of it (INPUT_ADOPTED) before they read a packet.
 *   4. What the kernel reports upstream stays wanted. The sockets of the earlier run are closed when new ones hold the same.
 *   5. When hosts have had time to answer the first queries, what no host has asked for is left.
 *
 * A build without notifications to a service manager leaves this out. Owner thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_ADOPTION_H
#define MCPROXY_DAEMON_OWNER_ADOPTION_H

#include "core/tables/routes.h"

struct instance_slot;
struct mrt_upcall;
struct owner;
struct table;

/* Another process has made an entry in the meantime, perhaps the earlier run, which still ends: adopts it. False: no
 * adoption is going on. */
bool adoption_note(struct owner *owner, struct table *table, const struct route_key *key, unsigned input,
                   uint32_t outputs);
/* A stream that began while no daemon ran, or just now, to a group that the earlier run had joined: the upcall waits until a
 * host has asked for the group. The kernel keeps the first packets for 10 s. True: adoption_pull_held returns it later. */
bool adoption_holds(struct owner *owner, struct table *table, mtime now, const struct mrt_upcall *upcall);
/* The next upcall that need not wait any more. At the end of the adoption none needs to. */
bool adoption_pull_held(struct owner *owner, mtime now, struct table **table, struct mrt_upcall *upcall);
/* The instances do not know all entries yet: workers must read no packets. */
bool adoption_is_announcing(const struct owner *owner);
/* Streams that the configuration denies may still flow. */
bool adoption_is_settling(const struct owner *owner);
/* The instance has answered all entries that were announced to it, or has ended. */
void adoption_answered(struct owner *owner, const struct instance_slot *instance);
/* After the interfaces of a turn, and after its uplinks. */
void adoption_apply(struct owner *owner, mtime now);
void adoption_end_turn(struct owner *owner, mtime now);
mtime adoption_deadline(const struct owner *owner);

#endif
