/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A worker: the thread that runs one instance's engine. It reads and parses what strangers send, and needs no
 * system call but ppoll, recvmmsg on the sockets of its links, and read and write on its two eventfds (and on
 * the recording, if there is one); and close, when a link is gone.
 * worker_start and worker_finish are called by the owner; everything in between goes through the channel.
 */
#ifndef MCPROXY_DAEMON_WORKER_WORKER_H
#define MCPROXY_DAEMON_WORKER_WORKER_H

#include "core/router/instance.h"
#include "daemon/worker/channel.h"
#include "daemon/worker/recording.h"

struct worker; /* opaque */

/* Makes the engine, opens a channel of ring_size slots and starts the thread. recording_fd: a descriptor to
 * record to, or -1; number: the instance's, for the recording. 0 or -errno. */
int worker_start(struct worker **worker, const struct instance_settings *settings, uint64_t seed,
                 size_t ring_size, int recording_fd, uint8_t number);
/* Waits for the thread, which ends after INPUT_STOP, and frees everything. The result of
 * worker_recording_error at the end. */
int worker_finish(struct worker *worker);

struct channel *worker_channel(struct worker *worker);
/* Puts an input with its payload on the lane down; lane_wake announces it. False when there is no channel (NULL), or
 * no room: then the worker rings the lane up when it has made room. Owner thread. */
bool worker_tell(struct channel *channel, const struct input *input, const void *payload, size_t size);

/* The errno of a write that failed and ended the recording, else 0. When it becomes known the lane `up` is
 * rung. Any thread. */
int worker_recording_error(const struct worker *worker);

#endif
