/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/channel.h"

#include "daemon/worker/ring.h"

#include <assert.h>
#include <errno.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAYLOAD_BYTES_MIN (256U * 1024)
/* Payloads begin on a cache line of their own: the consumer reads one while the producer writes the next. */
#define PAYLOAD_ALIGNMENT RING_CACHE_LINE

struct lane_message {
	unsigned char body[LANE_BODY_SIZE];
	uint32_t payload_offset;
	uint32_t payload_size;
};

_Static_assert(sizeof(struct lane_message) == LANE_MESSAGE_SIZE, "a message is one cache line");

/*
 * The payload bytes are a ring of the producer alone. Positions are free-running and wrap (bytes is a power
 * of two). Position p is at offset p & (bytes - 1), and a payload that would pass the end is at offset 0
 * instead:
 *
 *   oldest <= p < write   may still be read by the consumer       write - oldest <= bytes
 *
 * starts[slot] is the position of the payload of the message in that slot. So the oldest message that is not
 * released shows which bytes are free, and payloads need no atomics of their own. The release and acquire of
 * the ring's index order the consumer's reads of a payload before the producer's next writes there.
 */
struct lane {
	/* Constant after channel_open. */
	struct ring *ring;
	unsigned char *payloads;
	uint32_t bytes;
	int consumer_fd;
	int producer_fd; /* the other lane's consumer_fd; closed there */
	bool rests;      /* its consumer calls lane_rest */

	/* The producer's. */
	alignas(RING_CACHE_LINE) uint32_t write;
	uint32_t oldest;
	struct lane_message *reserved; /* NULL: nothing is */
	uint32_t reserved_at;
	uint32_t reserved_size;
	bool unannounced; /* committed since the last lane_wake */

	/* The consumer's, and the flag, which the producer touches only when it is out of room. */
	alignas(RING_CACHE_LINE) atomic_uint starved;
	atomic_uint resting;
	bool borrowed; /* the oldest message is lent to the caller */
	bool released; /* a message was, since the last lane_drained */

	/* The producer's. */
	alignas(RING_CACHE_LINE) uint32_t starts[];
};

static void lane_free(struct lane *lane)
{
	if (lane == NULL)
		return;
	if (lane->consumer_fd >= 0)
		close(lane->consumer_fd);
	if (lane->payloads != MAP_FAILED)
		munmap(lane->payloads, lane->bytes);
	ring_free(lane->ring);
	free(lane);
}

/* 0 or -errno; the caller frees *result in both cases. */
static int lane_new(struct lane **result, size_t slots)
{
	size_t size = sizeof(struct lane) + slots * sizeof((*result)->starts[0]);
	struct lane *lane;
	void *memory;

	if (posix_memalign(&memory, RING_CACHE_LINE, size) != 0)
		return -ENOMEM;
	*result = lane = memory;
	*lane = (struct lane){.resting = 1, .bytes = (uint32_t)slots * LANE_MESSAGE_SIZE, .producer_fd = -1};
	if (lane->bytes < PAYLOAD_BYTES_MIN)
		lane->bytes = PAYLOAD_BYTES_MIN;
	lane->ring = ring_new(slots, LANE_MESSAGE_SIZE);
	/* Mapped, not allocated: unused pages take no memory. */
	lane->payloads = mmap(NULL, lane->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	lane->consumer_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (lane->consumer_fd < 0)
		return -errno;
	return lane->ring == NULL || lane->payloads == MAP_FAILED ? -ENOMEM : 0;
}

int channel_open(struct channel *channel, size_t slots)
{
	*channel = (struct channel){0};
	if (slots < 2 || slots > LANE_SLOTS_MAX || (slots & (slots - 1)) != 0)
		return -EINVAL;

	int error = lane_new(&channel->down, slots);

	if (error == 0)
		error = lane_new(&channel->up, slots);
	if (error != 0) {
		channel_close(channel);
		return error;
	}
	channel->down->rests = true;
	channel->down->producer_fd = channel->up->consumer_fd;
	channel->up->producer_fd = channel->down->consumer_fd;
	return 0;
}

void channel_close(struct channel *channel)
{
	lane_free(channel->down);
	lane_free(channel->up);
	*channel = (struct channel){0};
}

int lane_fd(const struct lane *lane)
{
	return lane->consumer_fd;
}

static void ring_bell(int fd)
{
	const uint64_t one = 1;
	ssize_t written = write(fd, &one, sizeof one);

	/* EAGAIN: the counter is at its limit, so the descriptor is already readable. */
	assert(written == (ssize_t)sizeof one || errno == EAGAIN);
}

static uint32_t round_up(size_t payload_size)
{
	return (uint32_t)((payload_size + PAYLOAD_ALIGNMENT - 1) & -(size_t)PAYLOAD_ALIGNMENT);
}

/* Loads the consumer's index. False when the consumer has released everything. */
static bool lane_look(struct lane *lane)
{
	size_t slot;
	bool some = ring_oldest_slot(lane->ring, &slot);

	lane->oldest = some ? lane->starts[slot] : lane->write;
	return some;
}

/* A position for the payload that is free as far as the producer knows. */
static bool lane_fits(const struct lane *lane, uint32_t size, uint32_t *position)
{
	uint32_t to_the_end = lane->bytes - (lane->write & (lane->bytes - 1));

	*position = size <= to_the_end ? lane->write : lane->write + to_the_end;
	return *position + size - lane->oldest <= lane->bytes;
}

static bool lane_find(struct lane *lane, size_t payload_size, uint32_t *position)
{
	uint32_t size = round_up(payload_size);

	if (lane_fits(lane, size, position))
		return true;
	lane_look(lane);
	return lane_fits(lane, size, position);
}

void *lane_reserve(struct lane *lane, size_t payload_size, void **payload)
{
	struct lane_message *message = ring_reserve(lane->ring);
	uint32_t position;

	assert(payload_size <= LANE_PAYLOAD_MAX);
	lane->reserved = NULL;
	if (message == NULL)
		return NULL;
	/* A batch on an empty lane starts at offset 0, so that a quiet daemon uses few pages. */
	if (!lane->unannounced && !lane_look(lane))
		lane->oldest = lane->write = 0;
	if (!lane_find(lane, payload_size, &position))
		return NULL;
	lane->reserved = message;
	lane->reserved_at = position;
	lane->reserved_size = (uint32_t)payload_size;
	if (payload != NULL)
		*payload = payload_size > 0 ? &lane->payloads[position & (lane->bytes - 1)] : NULL;
	return message->body;
}

void lane_commit(struct lane *lane, size_t payload_size)
{
	struct lane_message *message = lane->reserved;

	assert(message != NULL && payload_size <= lane->reserved_size);

	/* Without a payload the position stays, even if the reservation was at offset 0. */
	uint32_t start = payload_size > 0 ? lane->reserved_at : lane->write;

	lane->starts[ring_slot_index(lane->ring)] = start;
	lane->write = start + round_up(payload_size);
	message->payload_offset = start & (lane->bytes - 1);
	message->payload_size = (uint32_t)payload_size;
	ring_commit(lane->ring);
	lane->reserved = NULL;
	lane->unannounced = true;
}

bool lane_has_room(struct lane *lane)
{
	uint32_t position;

	return ring_has_room(lane->ring) && lane_find(lane, LANE_PAYLOAD_MAX, &position);
}

void lane_wake(struct lane *lane)
{
	if (!lane->unannounced)
		return;
	lane->unannounced = false;
	if (!lane->rests || atomic_exchange_explicit(&lane->resting, 0, memory_order_acq_rel) != 0)
		ring_bell(lane->consumer_fd);
}

void lane_ring(struct lane *lane)
{
	ring_bell(lane->consumer_fd);
}

/*
 * A consumer at work needs no bell, which is a system call. As in the proof below, only exchanges change the
 * flag:
 *
 *   consumer, in lane_rest                     producer, in lane_commit and lane_wake
 *   R1  resting: exchange by 1                 W1  commit messages (store the ring's tail)
 *   R2  look for messages (load the tail)      W2  resting: exchange by 0
 *       sleep if there are none                    ring the consumer if it was 1
 *
 * W2 before R1: it synchronizes with R1, so R2 sees the messages of W1. W2 after R1: the first such W2 reads
 * 1 and rings, and the eventfd keeps that. After another wake-up, or messages at R2, the flag stays set,
 * which costs one needless bell.
 */
bool lane_rest(struct lane *lane)
{
	if (lane->rests)
		atomic_exchange_explicit(&lane->resting, 1, memory_order_acq_rel);
	return ring_peek(lane->ring) == NULL;
}

/*
 * Why no producer sleeps forever beside a lane that has room.
 *
 *   producer, in lane_starve                   consumer, in lane_next and lane_drained
 *   P1  starved: exchange by 1                 C1  release messages (store the ring's head)
 *   P2  look for room (load the ring's head)   C2  starved: exchange by 0
 *       sleep if there is none                     ring the producer if it was 1
 *
 * Only exchanges change the flag. All of them are in one order, and each reads what the one before it wrote.
 * Take a P1, and the C1 and C2 of any turn of the consumer.
 *
 * C2 before P1: P1 reads what C2 wrote, or what an exchange after C2 wrote, which continues the release of
 * C2. So C2 synchronizes with P1, C1 happens before P2, and P2 sees all the room that C1 made.
 *
 * C2 after P1: the first such C2 reads 1 and rings. The eventfd keeps that: if the producer does not sleep
 * yet, its poll returns at once.
 *
 * So a producer without room at P2 waits for messages that P2 did not see released. lane_starve begins with
 * lane_wake, so the consumer knows of all of them and will release some. The C2 that follows is not before
 * P1, or P2 would have seen them released. So it is after P1, and rings. If the room is still too small, the
 * producer starves again.
 *
 * With a plain store as P1 this would be a Dekker protocol: on both sides a store, and then a load of
 * something else. That needs sequential consistency of all four, and so a full barrier for every released
 * message. The exchange needs only acquire and release: the release at C2 keeps C1 above it, and the acquire
 * at P1 keeps P2 below it. (The release of P1 and the acquire of C2 only order the flag itself.)
 *
 * The flag stays set when the producer finds room at P2, or when something else wakes it. That costs one
 * needless wake-up.
 */
bool lane_starve(struct lane *lane)
{
	lane_wake(lane);
	atomic_exchange_explicit(&lane->starved, 1, memory_order_acq_rel);
	return lane_has_room(lane);
}

static void lane_give_back(struct lane *lane)
{
	if (!lane->borrowed)
		return;
	ring_release(lane->ring);
	lane->borrowed = false;
	lane->released = true;
}

bool lane_next(struct lane *lane, void *body, const void **payload, size_t *payload_size)
{
	lane_give_back(lane);

	const struct lane_message *message = ring_peek(lane->ring);

	if (message == NULL)
		return false;
	memcpy(body, message->body, LANE_BODY_SIZE);
	*payload = message->payload_size > 0 ? &lane->payloads[message->payload_offset] : NULL;
	*payload_size = message->payload_size;
	lane->borrowed = true;
	return true;
}

const void *lane_look_ahead(const struct lane *lane, uint32_t places, const void **payload,
                            size_t *payload_size)
{
	const struct lane_message *message = lane->borrowed ? ring_look_ahead(lane->ring, places) : NULL;

	if (message == NULL)
		return NULL;
	*payload = message->payload_size > 0 ? &lane->payloads[message->payload_offset] : NULL;
	*payload_size = message->payload_size;
	return message->body;
}

void lane_drained(struct lane *lane)
{
	lane_give_back(lane);
	if (!lane->released)
		return;
	lane->released = false;
	if (atomic_exchange_explicit(&lane->starved, 0, memory_order_acq_rel) != 0)
		ring_bell(lane->producer_fd);
}

void lane_acknowledge(struct lane *lane)
{
	uint64_t count;
	ssize_t got = read(lane->consumer_fd, &count, sizeof count);

	/* EAGAIN: there was no ring, which does not matter to the caller. */
	assert(got == (ssize_t)sizeof count || errno == EAGAIN);
}
