/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/worker.h"

#include "core/router/prefetch.h"
#include "daemon/log/clock.h"
#include "daemon/sandbox/privileges.h"
#include "daemon/sandbox/system_calls.h"
#include "daemon/worker/receiver.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define LOOK_FAR        6 /* packets ahead, for prefetch_input */
#define LOOK_NEAR       3
#define INPUTS_PER_TURN 256 /* after that many the requests go out first */

_Static_assert(INSTANCE_QUERIES_MAX >= LINK_SOCKET_BATCH, "a batch of queries finds room");

struct worker {
	struct channel channel;
	struct receiver *receiver;
	struct instance *instance;
	struct recorder *recorder;
	bool recording_ended; /* by an error; the worker has rung the owner */
	pthread_t thread;
};

/* The nice value that the process began with. Written once, before there is any other thread. Linux keeps a
 * nice value for each thread, and a new thread inherits that of its creator. */
static int usual_priority;
static bool usual_priority_is_known;

int priority_raise(unsigned by)
{
	int raised = -(int)by;

	if (!usual_priority_is_known) {
		usual_priority = getpriority(PRIO_PROCESS, 0);
		usual_priority_is_known = true;
	}
	return setpriority(PRIO_PROCESS, 0, raised < usual_priority ? raised : usual_priority) == 0 ? 0
	                                                                                            : -errno;
}

static void restore_priority(void)
{
	if (usual_priority_is_known)
		setpriority(PRIO_PROCESS, 0, usual_priority);
}

static void take_input(struct worker *worker, mtime now, const struct input *input, const void *payload,
                       size_t size)
{
	if (input->kind == INPUT_LISTEN) {
		receiver_listen(worker->receiver, input);
		return;
	}
	if (input->kind == INPUT_LINK) {
		struct link_change change;

		memcpy(&change, payload, sizeof change);
		receiver_link(worker->receiver, input->link, &change);
	}
	recorder_input(worker->recorder, now, input, payload, size);
	instance_input(worker->instance, now, input, payload, size);
}

/* Hands a batch of inputs to the engine; false when there are more. */
static bool take_inputs(struct worker *worker, mtime now)
{
	union {
		struct input input;
		char body[LANE_BODY_SIZE];
	} message;
	const void *payload;
	size_t size;

	for (int i = 0; i < INPUTS_PER_TURN; i++) {
		if (!lane_next(worker->channel.down, &message, &payload, &size)) {
			lane_drained(worker->channel.down);
			return true;
		}
		take_input(worker, now, &message.input, payload, size);
	}
	lane_drained(worker->channel.down);
	return false;
}

/* A packet that comes soon. */
static void prefetch_packet(const struct worker *worker, const struct input *input,
                            const struct link_packet *packets, int count, int place, enum prefetch step)
{
	if (place < count)
		prefetch_input(worker->instance, input, packets[place].data, packets[place].length, step);
}

/* Queries from upstream wait in their sockets while the engine has no room for a batch of them. The worker
 * still reads the other links. There is room again when the owner has taken requests from the lane. */
static void check_query_room(struct worker *worker)
{
	receiver_read_upstream(worker->receiver, instance_query_room(worker->instance) >= LINK_SOCKET_BATCH);
}

/* One batch of each link that has packets. */
static void take_packets(struct worker *worker, mtime now)
{
	struct link_packet packets[LINK_SOCKET_BATCH];
	struct input input;
	int count;

	while ((count = receiver_take(worker->receiver, &input, packets)) > 0) {
		for (int i = 0; i < count; i++) {
			prefetch_packet(worker, &input, packets, count, i + LOOK_FAR, PREFETCH_FAR);
			prefetch_packet(worker, &input, packets, count, i + LOOK_NEAR, PREFETCH_NEAR);
			input.truncated = packets[i].truncated;
			input.source = packets[i].mac;
			take_input(worker, now, &input, packets[i].data, packets[i].length);
		}
		check_query_room(worker);
	}
}

enum outcome { OUTCOME_DONE, OUTCOME_FULL, OUTCOME_STOPPED };

/* Pulls requests while there is room for the largest one. */
static enum outcome give_requests(struct worker *worker, mtime now)
{
	struct lane *up = worker->channel.up;
	struct request *request;
	void *payload;
	size_t size;

	while ((request = lane_reserve(up, REQUEST_PAYLOAD_MAX, &payload)) != NULL) {
		if (!instance_pull(worker->instance, now, request, payload, &size))
			return OUTCOME_DONE;
		bool stopped = request->kind == REQUEST_STOPPED;

		recorder_request(worker->recorder, now, request, payload, size);
		lane_commit(up, size);
		if (stopped)
			return OUTCOME_STOPPED;
	}
	return OUTCOME_FULL;
}

/* Rings the owner when an error has ended the recording, even if no request is on the lane. */
static void flush_recording(struct worker *worker)
{
	if (worker->recorder == NULL || worker->recording_ended)
		return;
	recorder_flush(worker->recorder);
	worker->recording_ended = recorder_error(worker->recorder) != 0;
	if (worker->recording_ended)
		lane_ring(worker->channel.up);
}

static void *worker_run(void *argument)
{
	struct worker *worker = argument;
	bool sleepy = true;

	restore_priority();
	/* The confinement of the process is in force, whatever these return. */
	privileges_drop_all();
	system_calls_limit_worker();
	for (;;) {
		mtime now;
		enum outcome outcome;

		check_query_room(worker);
		sleepy = sleepy && lane_rest(worker->channel.down);
		if (receiver_wait(worker->receiver, sleepy ? instance_deadline(worker->instance) : 0))
			lane_acknowledge(worker->channel.down);
		now = clock_now();
		sleepy = take_inputs(worker, now);
		take_packets(worker, now);
		recorder_turn(worker->recorder, now);
		instance_expire(worker->instance, now);
		outcome = give_requests(worker, now);
		if (outcome == OUTCOME_FULL)
			recorder_full(worker->recorder, now);
		flush_recording(worker);
		lane_wake(worker->channel.up);
		if (outcome == OUTCOME_STOPPED)
			return NULL;
		/* Dirty state is left: sleep only if the owner will ring when there is room. */
		if (outcome == OUTCOME_FULL && lane_starve(worker->channel.up))
			sleepy = false;
	}
}

static int open_all(struct worker *worker, const struct instance_settings *settings, uint64_t seed,
                    size_t ring_size, int recording_fd, uint8_t number)
{
	int result = channel_open(&worker->channel, ring_size);

	if (result != 0)
		return result;
	worker->receiver = receiver_new(lane_fd(worker->channel.down));
	worker->instance = instance_new(settings, seed);
	worker->recorder = recording_fd >= 0 ? recorder_new(recording_fd, number) : NULL;
	if (worker->receiver == NULL || worker->instance == NULL ||
	    (recording_fd >= 0 && worker->recorder == NULL))
		return -ENOMEM;
	recorder_start(worker->recorder, clock_now(), seed, settings);
	return -pthread_create(&worker->thread, NULL, worker_run, worker);
}

static void close_all(struct worker *worker)
{
	recorder_free(worker->recorder);
	instance_free(worker->instance);
	receiver_free(worker->receiver);
	if (worker->channel.down != NULL)
		channel_close(&worker->channel);
	free(worker);
}

int worker_start(struct worker **worker, const struct instance_settings *settings, uint64_t seed,
                 size_t ring_size, int recording_fd, uint8_t number)
{
	int result;

	*worker = calloc(1, sizeof **worker);
	if (*worker == NULL)
		return -ENOMEM;
	result = open_all(*worker, settings, seed, ring_size, recording_fd, number);
	if (result != 0) {
		close_all(*worker);
		*worker = NULL;
	}
	return result;
}

int worker_finish(struct worker *worker)
{
	int error;

	pthread_join(worker->thread, NULL);
	error = worker_recording_error(worker);
	close_all(worker);
	return error;
}

struct channel *worker_channel(struct worker *worker)
{
	return &worker->channel;
}

bool worker_tell(struct channel *channel, const struct input *input, const void *payload, size_t size)
{
	void *room, *message;

	if (channel == NULL)
		return false;
	message = lane_reserve(channel->down, size, &room);
	/* The worker rings when it has made room. If it has done so already it will not ring: room is there. */
	if (message == NULL && lane_starve(channel->down))
		message = lane_reserve(channel->down, size, &room);
	if (message == NULL)
		return false;
	memcpy(message, input, sizeof *input);
	if (size > 0)
		memcpy(room, payload, size);
	lane_commit(channel->down, size);
	return true;
}

int worker_recording_error(const struct worker *worker)
{
	return recorder_error(worker->recorder);
}
