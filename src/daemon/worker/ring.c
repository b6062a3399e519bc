/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/ring.h"

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>

/*
 * Message number n lies in slot n & mask. Numbers are 32 bits and wrap; only their differences count:
 *
 *   head <= n < tail   committed, not yet released        0 <= tail - head <= slots
 *
 * Each side writes only its own line, which also has its copy of the other side's index. A stale copy is
 * safe: the ring looks too full to the producer, and too empty to the consumer. So a side loads the other's
 * line only when its copy shows no work.
 */
struct ring {
	/* Constant after ring_new. */
	uint32_t mask;
	size_t message_size;

	/* Written by the producer. */
	alignas(RING_CACHE_LINE) _Atomic uint32_t tail;
	uint32_t head_seen;

	/* Written by the consumer. */
	alignas(RING_CACHE_LINE) _Atomic uint32_t head;
	uint32_t tail_seen;

	alignas(RING_CACHE_LINE) unsigned char slots[];
};

_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "32-bit atomics must be lock-free");

struct ring *ring_new(size_t slots, size_t message_size)
{
	assert(slots >= 2 && slots <= UINT32_MAX / 2 && (slots & (slots - 1)) == 0);
	assert(message_size > 0);
	if (slots > (SIZE_MAX - sizeof(struct ring) - RING_CACHE_LINE) / message_size)
		return NULL;

	size_t size = sizeof(struct ring) + slots * message_size;
	struct ring *ring;
	void *memory;

	if (posix_memalign(&memory, RING_CACHE_LINE, size) != 0)
		return NULL;
	ring = memory;
	ring->mask = (uint32_t)slots - 1;
	ring->message_size = message_size;
	/* The numbers start one round before they wrap, so that every use of a ring tests the wrap. */
	ring->head_seen = ring->tail_seen = -(uint32_t)slots;
	atomic_init(&ring->tail, ring->tail_seen);
	atomic_init(&ring->head, ring->head_seen);
	return ring;
}

void ring_free(struct ring *ring)
{
	free(ring);
}

static uint32_t own_index(const _Atomic uint32_t *index)
{
	/* A thread sees its own writes in order, with any memory order. */
	return atomic_load_explicit(index, memory_order_relaxed);
}

/* Acquire: no write to a slot, or to its payload, may move up before this load, because the consumer may
 * still read it. */
static void look_at_head(struct ring *ring)
{
	ring->head_seen = atomic_load_explicit(&ring->head, memory_order_acquire);
}

static bool is_full(const struct ring *ring)
{
	return own_index(&ring->tail) - ring->head_seen > ring->mask;
}

bool ring_has_room(struct ring *ring)
{
	if (is_full(ring))
		look_at_head(ring);
	return !is_full(ring);
}

size_t ring_slot_index(const struct ring *ring)
{
	return own_index(&ring->tail) & ring->mask;
}

void *ring_reserve(struct ring *ring)
{
	if (!ring_has_room(ring))
		return NULL;
	return &ring->slots[ring_slot_index(ring) * ring->message_size];
}

void ring_commit(struct ring *ring)
{
	uint32_t tail = own_index(&ring->tail);

	/* Release: no write to the message may move down past this store, or the consumer could read a part
	 * of it. */
	atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
}

bool ring_oldest_slot(struct ring *ring, size_t *slot)
{
	look_at_head(ring);
	*slot = ring->head_seen & ring->mask;
	return ring->head_seen != own_index(&ring->tail);
}

const void *ring_peek(struct ring *ring)
{
	uint32_t head = own_index(&ring->head);

	/* Acquire: no read of the message may move up before this load, or it could see the message before
	 * it. */
	if (head == ring->tail_seen)
		ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
	if (head == ring->tail_seen)
		return NULL;
	return &ring->slots[(head & ring->mask) * ring->message_size];
}

const void *ring_look_ahead(const struct ring *ring, uint32_t places)
{
	uint32_t head = own_index(&ring->head);

	if (ring->tail_seen - head <= places)
		return NULL;
	return &ring->slots[((head + places) & ring->mask) * ring->message_size];
}

void ring_release(struct ring *ring)
{
	uint32_t head = own_index(&ring->head);

	/* Release: no read of the message may move down past this store, or it could see the next message
	 * there. */
	atomic_store_explicit(&ring->head, head + 1, memory_order_release);
}
