/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A bounded lock-free ring for one producer and one consumer thread. Both use messages of a fixed size in
 * place. Indices are free-running and wrap.
 *
 *              | reserve, commit, slot_index, oldest_slot, has_room | peek, release, look_ahead
 *   -----------+----------------------------------------------------+--------------------------
 *   producer   | yes                                                | no
 *   consumer   | no                                                 | yes
 *
 * Any producer call may overlap any consumer call. ring_new and ring_free overlap nothing.
 */
#ifndef MCPROXY_DAEMON_WORKER_RING_H
#define MCPROXY_DAEMON_WORKER_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The distance between data that one thread writes often and data of the other thread. */
#define RING_CACHE_LINE 64

struct ring;

/* slots: a power of two, at least 2. NULL when memory is short. */
struct ring *ring_new(size_t slots, size_t message_size);
void ring_free(struct ring *ring);

/* Producer: the next free slot, or NULL when the ring is full; the same slot until ring_commit, which makes
 * its contents visible. The first slot is aligned to a cache line. */
void *ring_reserve(struct ring *ring);
void ring_commit(struct ring *ring);
bool ring_has_room(struct ring *ring);
/* Producer: the number, below `slots`, of the slot that ring_reserve returns next, for data beside the
 * ring. */
size_t ring_slot_index(const struct ring *ring);
/* Producer: the slot number of the oldest message that is not yet released; false when all are. Always loads
 * the consumer's index, which costs a cache miss; the other calls load it only when they must. */
bool ring_oldest_slot(struct ring *ring, size_t *slot);

/* Consumer: the oldest message, or NULL when the ring is empty; it stays valid until ring_release. */
const void *ring_peek(struct ring *ring);
void ring_release(struct ring *ring);
/* Consumer: the message that many places behind the oldest, valid until it is released; NULL when it is not
 * known yet. Never loads the producer's index, so it causes no cache miss for it. */
const void *ring_look_ahead(const struct ring *ring, uint32_t places);

#endif
