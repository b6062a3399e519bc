/* SPDX-License-Identifier: BSD-2-Clause
 *
 * All that an owner and a worker thread share: inputs go down, requests come up. Each direction is a lane: a
 * ring of messages, a buffer ring for their payloads (packets to send, source lists), and an eventfd on which
 * the consumer sleeps.
 *
 *   call                                               | down (inputs) | up (requests)
 *   ---------------------------------------------------+---------------+--------------
 *   lane_reserve, commit, has_room, wake, ring, starve | owner         | worker
 *   lane_next, look_ahead, drained, rest, acknowledge  | worker        | owner
 *
 * Any call of one thread may overlap any call of the other. channel_open and channel_close overlap nothing.
 *
 * One turn of a thread, which consumes one lane and produces into the other:
 *
 *   lane_rest(in), poll lane_fd(in)  unless work remains, see lane_starve
 *   lane_acknowledge(in)             before lane_next: a later wake-up is about later messages
 *   while lane_next(in): ...         a thread that stops earlier must not sleep before it continues
 *   lane_drained(in)
 *   while lane_has_room(out) and there is work: lane_reserve(out), lane_commit(out)
 *   lane_wake(out)
 *
 * Full lanes: lane_reserve fails. The producer drops events, which it counts, and keeps all other state
 * dirty. Before a producer with dirty state sleeps, it calls lane_starve, which sets the starved flag of the
 * lane and looks for room once more. A consumer that has drained the lane clears the flag and rings the
 * eventfd of the producer. Either the producer sees the room or the consumer sees the flag: channel.c has the
 * proof.
 */
#ifndef MCPROXY_DAEMON_WORKER_CHANNEL_H
#define MCPROXY_DAEMON_WORKER_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A message is one cache line. Its last 8 bytes belong to the lane: the position of the payload. */
#define LANE_MESSAGE_SIZE 64
#define LANE_BODY_SIZE    56
#define LANE_PAYLOAD_MAX  65536
#define LANE_SLOTS_MAX    (1U << 20)

struct lane;

struct channel {
	struct lane *down; /* owner -> worker: struct input */
	struct lane *up;   /* worker -> owner: struct request */
};

/* slots: messages per direction, a power of two from 2 to LANE_SLOTS_MAX. Each direction has slots * 64
 * payload bytes, at least 256 KiB; only used pages take memory. 0 or -errno (-EINVAL for a bad number of
 * slots); after an error there is nothing to close. */
int channel_open(struct channel *channel, size_t slots);
void channel_close(struct channel *channel);

/* The descriptor that the consumer polls: readable when there may be messages, or room for it as a starved
 * producer of the other lane. */
int lane_fd(const struct lane *lane);

/* Producer. Reserves a message of LANE_BODY_SIZE bytes and payload_size bytes of payload, at most
 * LANE_PAYLOAD_MAX; NULL when there is no room. The caller fills the body and *payload (aligned to a cache
 * line; NULL when payload_size is 0) and commits, perhaps with fewer bytes than reserved. The next
 * reservation replaces one that is not committed. */
void *lane_reserve(struct lane *lane, size_t payload_size, void **payload);
void lane_commit(struct lane *lane, size_t payload_size);
/* Producer. Is there room for a message with the largest payload (LANE_PAYLOAD_MAX)? */
bool lane_has_room(struct lane *lane);
/* Producer. Wakes the consumer if it sleeps and there was a commit since the last wake-up: at most one system
 * call for a batch. */
void lane_wake(struct lane *lane);
/* Producer. Wakes the consumer for a reason that is not on the lane. */
void lane_ring(struct lane *lane);
/* Producer, before it sleeps with work left. True: there is room, do not sleep. False: the consumer will ring
 * the eventfd of the producer (that of the other lane) when it has drained this one. Includes lane_wake. */
bool lane_starve(struct lane *lane);

/* Consumer. Copies the body of the oldest message (LANE_BODY_SIZE bytes) and lends its payload until the next
 * lane_next or lane_drained on this lane; false when the lane is empty. */
bool lane_next(struct lane *lane, void *body, const void **payload, size_t *payload_size);
/* Consumer, while it handles a message: body and payload of the message that many places behind it, in place,
 * to prefetch memory for it; NULL when it is not known yet. Valid until lane_next. */
const void *lane_look_ahead(const struct lane *lane, uint32_t places, const void **payload,
                            size_t *payload_size);
/* Consumer, after its loop over lane_next: returns the last payload and wakes a starved producer. */
void lane_drained(struct lane *lane);
/* Consumer, after lane_drained and before it sleeps: false when there are messages. A worker must call this
 * for `down`, because only a resting consumer is rung. (The owner sleeps on many lanes and is always
 * rung.) */
bool lane_rest(struct lane *lane);
/* Consumer, after poll and before lane_next: empties the eventfd. */
void lane_acknowledge(struct lane *lane);

#endif
