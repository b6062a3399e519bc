/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A worker: the thread that runs the engine of one instance. It reads and parses packets from any host, so it
 * needs few system calls: ppoll, recvmmsg on the sockets of its links, read and write on its two eventfds and
 * on a recording, and close when a link is gone. The owner calls the functions below; all else goes through
 * the channel.
 */
#ifndef MCPROXY_DAEMON_WORKER_WORKER_H
#define MCPROXY_DAEMON_WORKER_WORKER_H

#include "core/router/instance.h"
#include "daemon/worker/channel.h"
#include "daemon/worker/recording.h"

struct worker; /* opaque */

/* Makes the engine, opens a channel of ring_size slots and starts the thread. recording_fd: the descriptor of
 * the recording, or -1; number: the instance in it. 0 or -errno. */
int worker_start(struct worker **worker, const struct instance_settings *settings, uint64_t seed,
                 size_t ring_size, int recording_fd, uint8_t number);
/* Waits for the thread, which ends after INPUT_STOP, and frees everything. Returns the last
 * worker_recording_error. */
int worker_finish(struct worker *worker);

struct channel *worker_channel(struct worker *worker);
/* Puts an input with its payload on the lane down; lane_wake announces it. False when there is no channel (NULL), or
 * no room: then the worker rings the lane up when it has made room. Owner thread. */
bool worker_tell(struct channel *channel, const struct input *input, const void *payload, size_t size);

/* Raises the priority of the calling thread, which is the owner, above that of the workers: it passes on
 * every input, and the workers may be busy with a flood. The nice value becomes -by, unless the process began
 * with a lower one. It is no real-time policy, under which a flood could starve the machine. Workers run at
 * the nice value that the process began with. 0 or -errno (-EACCES: not permitted). */
int priority_raise(unsigned by);

/* The errno of a write that failed and ended the recording, else 0. After such an error the worker rings the
 * lane `up`. Any thread. */
int worker_recording_error(const struct worker *worker);

#endif
