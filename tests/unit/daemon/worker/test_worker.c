/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Inputs on their way to a worker: its end of the channel is played here.
 */
#include "daemon/worker/worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void inputs_arrive_until_the_lane_is_full(void **state)
{
	static const char payload[] = "payload";
	struct input input = {.kind = INPUT_PING};
	union {
		struct input input;
		char body[LANE_BODY_SIZE];
	} message;
	struct channel channel;
	const void *received;
	size_t size;

	(void)state;
	assert_int_equal(channel_open(&channel, 2), 0);
	assert_true(worker_tell(&channel, &input, payload, sizeof payload));
	assert_true(worker_tell(&channel, &input, NULL, 0));
	assert_false(worker_tell(&channel, &input, NULL, 0));
	assert_true(lane_next(channel.down, &message, &received, &size));
	assert_int_equal(message.input.kind, INPUT_PING);
	assert_int_equal(size, sizeof payload);
	assert_memory_equal(received, payload, sizeof payload);
	assert_true(lane_next(channel.down, &message, &received, &size));
	assert_int_equal(size, 0);
	lane_drained(channel.down);
	assert_true(worker_tell(&channel, &input, NULL, 0));
	channel_close(&channel);
}

/* A worker that has stopped has none. */
static void no_channel_takes_nothing(void **state)
{
	struct input input = {.kind = INPUT_PING};

	(void)state;
	assert_false(worker_tell(NULL, &input, NULL, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inputs_arrive_until_the_lane_is_full),
		cmocka_unit_test(no_channel_takes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
