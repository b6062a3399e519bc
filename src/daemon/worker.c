/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker.h"

#include "daemon/clock.h"
#include "daemon/priority.h"
#include "daemon/sandbox.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#define LOOK_FAR        6 /* messages ahead, to have memory ready for them */
#define LOOK_NEAR       3
#define INPUTS_PER_TURN 256 /* after so many the requests go out first */

struct worker {
	struct channel channel;
	struct instance *instance;
	struct recorder *recorder;
	bool recording_ended; /* by an error; the owner has been rung */
	pthread_t thread;
};

static void sleep_until(struct worker *worker, mtime deadline)
{
	struct pollfd fd = {.fd = lane_fd(worker->channel.down), .events = POLLIN};
	mtime left = deadline == MTIME_NEVER ? 0 : deadline - clock_now();
	struct timespec timeout = {.tv_sec = left / 1000, .tv_nsec = (long)(left % 1000) * 1000000};

	if (deadline != MTIME_NEVER && left <= 0)
		timeout = (struct timespec){0};
	if (ppoll(&fd, 1, deadline == MTIME_NEVER ? NULL : &timeout, NULL) > 0)
		lane_acknowledge(worker->channel.down);
}

/* An input that comes soon. */
static void expect_input(const struct worker *worker, uint32_t places, enum expect step)
{
	const void *payload;
	size_t size;
	const struct input *input = lane_look_ahead(worker->channel.down, places, &payload, &size);

	if (input != NULL)
		instance_expect(worker->instance, input, payload, size, step);
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
		expect_input(worker, LOOK_FAR, EXPECT_FAR);
		expect_input(worker, LOOK_NEAR, EXPECT_NEAR);
		recorder_input(worker->recorder, now, &message.input, payload, size);
		instance_input(worker->instance, now, &message.input, payload, size);
	}
	lane_drained(worker->channel.down);
	return false;
}

enum outcome { OUTCOME_DONE, OUTCOME_FULL, OUTCOME_STOPPED };

/* Pulls requests while there is room for the largest one. */
static enum outcome give_requests(struct worker *worker, mtime now)
{
	struct lane *up = worker->channel.up;
	struct request *request;
	void *payload;
	size_t size;

	while ((request = lane_reserve(up, INSTANCE_PAYLOAD_MAX, &payload)) != NULL) {
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

/* The owner must learn that a recording has ended before its time: it is rung though nothing may be on the
 * lane. */
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

	priority_restore();
	/* A kernel that knows no such thing runs it as it is. */
	sandbox_worker();
	for (;;) {
		mtime now;
		enum outcome outcome;

		if (sleepy && lane_rest(worker->channel.down))
			sleep_until(worker, instance_deadline(worker->instance));
		now = clock_now();
		sleepy = take_inputs(worker, now);
		recorder_turn(worker->recorder, now);
		instance_expire(worker->instance, now);
		outcome = give_requests(worker, now);
		if (outcome == OUTCOME_FULL)
			recorder_full(worker->recorder, now);
		flush_recording(worker);
		lane_wake(worker->channel.up);
		if (outcome == OUTCOME_STOPPED)
			return NULL;
		/* Dirty state is left: sleep only if the owner has promised to ring when there is room. */
		if (outcome == OUTCOME_FULL && lane_starve(worker->channel.up))
			sleepy = false;
	}
}

static int open_all(struct worker *worker, const struct instance_settings *settings, uint64_t seed,
                    size_t ring_size, int record_fd, uint8_t number)
{
	int result = channel_open(&worker->channel, ring_size);

	if (result != 0)
		return result;
	worker->instance = instance_new(settings, seed);
	worker->recorder = record_fd >= 0 ? recorder_new(record_fd, number) : NULL;
	if (worker->instance == NULL || (record_fd >= 0 && worker->recorder == NULL))
		return -ENOMEM;
	recorder_start(worker->recorder, clock_now(), seed, settings);
	return -pthread_create(&worker->thread, NULL, worker_run, worker);
}

static void close_all(struct worker *worker)
{
	recorder_free(worker->recorder);
	instance_free(worker->instance);
	if (worker->channel.down != NULL)
		channel_close(&worker->channel);
	free(worker);
}

int worker_start(struct worker **worker, const struct instance_settings *settings, uint64_t seed,
                 size_t ring_size, int record_fd, uint8_t number)
{
	int result;

	*worker = calloc(1, sizeof **worker);
	if (*worker == NULL)
		return -ENOMEM;
	result = open_all(*worker, settings, seed, ring_size, record_fd, number);
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

int worker_recording_error(const struct worker *worker)
{
	return recorder_error(worker->recorder);
}
