/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A bounded lock-free ring for one producer and one consumer thread. Messages of a fixed size are written and
 * read in place; indices run freely and wrap by themselves.
 *
 *              | reserve, commit, slot_index, oldest_slot, has_room | peek, release
 *   -----------+----------------------------------------------------+--------------
 *   producer   | yes                                                | no
 *   consumer   | no                                                 | yes, and look_ahead
 *
 * Any producer call may overlap any consumer call. ring_new and ring_free overlap nothing.
 */
#ifndef MCPROXY_DAEMON_WORKER_RING_H
#define MCPROXY_DAEMON_WORKER_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What one thread writes often lies this far from what the other one does. */
#define RING_CACHE_LINE 64

struct ring;

/* slots: a power of two, at least 2. NULL when memory is short. */
struct ring *ring_new(size_t slots, size_t message_size);
void ring_free(struct ring *ring);

/* Producer: the next free slot, or NULL when the ring is full; the same slot again until ring_commit, which
 * makes visible what was written there. The first slot is aligned to a cache line. */
void *ring_reserve(struct ring *ring);
void ring_commit(struct ring *ring);
bool ring_has_room(struct ring *ring);
/* Producer: the number, below `slots`, of the slot that ring_reserve gives next: for data kept beside the
 * ring. */
size_t ring_slot_index(const struct ring *ring);
/* Producer: the number of the slot of the oldest message not yet released; false when all are. Always asks
 * the consumer's index anew, which costs a cache miss; the other calls ask only when they must. */
bool ring_oldest_slot(struct ring *ring, size_t *slot);

/* Consumer: the oldest message, or NULL when the ring is empty; it stays valid until ring_release. */
const void *ring_peek(struct ring *ring);
void ring_release(struct ring *ring);
/* Consumer: the message so many places behind the oldest, if it has been seen already; it stays valid until
 * it is released. Never asks the producer, so it costs next to nothing. */
const void *ring_look_ahead(const struct ring *ring, uint32_t places);

#endif
