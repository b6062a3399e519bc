/* SPDX-License-Identifier: BSD-2-Clause
 *
 * All that an owner and a worker thread share: inputs go down, requests come up. Each direction (a lane) is a
 * ring of messages, a buffer ring for their payloads (packets to send, source lists) and an eventfd on which
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
 *   lane_rest(in), poll lane_fd(in)  unless work is left over, see lane_starve
 *   lane_acknowledge(in)             before looking: a wake-up that comes later is about later messages
 *   while lane_next(in): ...         who stops before it says false must come back without being woken
 *   lane_drained(in)
 *   while lane_has_room(out) and there is work: lane_reserve(out), lane_commit(out)
 *   lane_wake(out)
 *
 * Full lanes. lane_reserve fails: the producer drops (events: counted) or keeps its dirty state.
 * Before a producer with dirty state sleeps it calls lane_starve, which sets the lane's starved flag and
 * looks for room once more; a consumer that has drained the lane takes that flag back and rings the
 * producer's eventfd. Either the producer sees the room or the consumer the flag: channel.c has the proof.
 */
#ifndef MCPROXY_DAEMON_WORKER_CHANNEL_H
#define MCPROXY_DAEMON_WORKER_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A message is one cache line; its last 8 bytes belong to the lane and say where the payload lies. */
#define LANE_MESSAGE_SIZE 64
#define LANE_BODY_SIZE    56
#define LANE_PAYLOAD_MAX  65536
#define LANE_SLOTS_MAX    (1U << 20)

struct lane;

struct channel {
	struct lane *down; /* owner -> worker: struct input */
	struct lane *up;   /* worker -> owner: struct request */
};

/* slots: messages per direction, a power of two from 2 to LANE_SLOTS_MAX; payload bytes per direction are
 * slots * 64, at least 256 KiB, of which only those that are used take memory.
 * 0 or -errno (-EINVAL for a bad number of slots); after an error there is nothing to close. */
int channel_open(struct channel *channel, size_t slots);
void channel_close(struct channel *channel);

/* Consumer's descriptor to poll: readable when there may be news, or room for a starved producer. */
int lane_fd(const struct lane *lane);

/* Producer. A slot for a message of LANE_BODY_SIZE bytes with room for payload_size more, at most
 * LANE_PAYLOAD_MAX, or NULL when either is full. The caller fills body and *payload (aligned to a cache line;
 * NULL when payload_size is 0) and commits, perhaps with fewer bytes than reserved. A reservation that is not
 * committed is void at the next one. */
void *lane_reserve(struct lane *lane, size_t payload_size, void **payload);
void lane_commit(struct lane *lane, size_t payload_size);
/* Producer. Room for a message with a payload of the largest size (LANE_PAYLOAD_MAX)? */
bool lane_has_room(struct lane *lane);
/* Producer. Wakes the consumer if anything was committed since the last wake-up, and if it sleeps: one system
 * call a batch at most. */
void lane_wake(struct lane *lane);
/* Producer. Wakes the consumer for something that is not on the lane. */
void lane_ring(struct lane *lane);
/* Producer, before sleeping with work left: true when there is room after all (do not sleep), false when the
 * consumer will ring the producer's own eventfd (that of the other lane) once it has drained. Includes
 * lane_wake. */
bool lane_starve(struct lane *lane);

/* Consumer. Copies the oldest message's body (LANE_BODY_SIZE bytes) out and lends its payload until the next
 * lane_next or lane_drained call on this lane; false when the lane is empty. */
bool lane_next(struct lane *lane, void *body, const void **payload, size_t *payload_size);
/* Consumer, while it handles a message: the body of the one so many places behind it and its payload, in
 * place, to have memory ready for it; NULL when it is not there, or not seen yet. Valid until lane_next. */
const void *lane_look_ahead(const struct lane *lane, uint32_t places, const void **payload,
                            size_t *payload_size);
/* Consumer, after its loop over lane_next ended: gives back the last payload and wakes a starved producer. */
void lane_drained(struct lane *lane);
/* Consumer, after lane_drained and before it sleeps: false when there are messages. Of `down` this must be
 * called: a consumer that did not say that it rests is not rung. (The owner sleeps on many lanes and is
 * always rung.) */
bool lane_rest(struct lane *lane);
/* Consumer, after poll and before lane_next: empties the eventfd. */
void lane_acknowledge(struct lane *lane);

#endif
