/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What stands in a recording, byte by byte. That a recording replays to the same requests is the simulator's
 * to test.
 */
#include "daemon/worker/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct file {
	char path[64];
	int fd;
	uint8_t *bytes; /* read back */
	size_t size;
};

static int open_file(void **state)
{
	struct file *file = calloc(1, sizeof *file);
	int fd;

	assert_non_null(file);
	strcpy(file->path, "/tmp/test_record.XXXXXX");
	fd = mkstemp(file->path);
	assert_true(fd >= 0);
	close(fd);
	file->fd = recording_create(file->path);
	assert_true(file->fd >= 0);
	*state = file;
	return 0;
}

static int close_file(void **state)
{
	struct file *file = *state;

	close(file->fd);
	unlink(file->path);
	free(file->bytes);
	free(file);
	return 0;
}

static void read_back(struct file *file)
{
	struct stat status;
	int fd = open(file->path, O_RDONLY | O_CLOEXEC);

	assert_int_equal(fstat(fd, &status), 0);
	file->size = (size_t)status.st_size;
	file->bytes = realloc(file->bytes, file->size);
	assert_non_null(file->bytes);
	assert_int_equal(read(fd, file->bytes, file->size), file->size);
	close(fd);
}

/* Checks the record at an offset and returns the offset of the next one. */
static size_t expect_record(const struct file *file, size_t at, enum recording_kind kind, uint8_t instance,
                            mtime now, const void *body, size_t body_size, const void *payload,
                            size_t payload_size)
{
	struct recording_head head;

	assert_true(at + sizeof head <= file->size);
	memcpy(&head, file->bytes + at, sizeof head);
	at += sizeof head;
	assert_int_equal(head.kind, kind);
	assert_int_equal(head.instance, instance);
	assert_int_equal(head.now, now);
	assert_int_equal(head.size, body_size + payload_size);
	assert_int_equal(head.head_of_payload, body_size);
	assert_true(at + head.size <= file->size);
	if (body_size > 0)
		assert_memory_equal(file->bytes + at, body, body_size);
	if (payload_size > 0)
		assert_memory_equal(file->bytes + at + body_size, payload, payload_size);
	return at + head.size;
}

static void new_file_has_the_magic_only(void **state)
{
	struct file *file = *state;
	struct recording_file expected = {.magic = RECORDING_MAGIC,
	                                  .input_size = sizeof(struct input),
	                                  .request_size = sizeof(struct request),
	                                  .link_change_size = sizeof(struct link_change)};

	read_back(file);
	assert_int_equal(file->size, sizeof expected);
	assert_memory_equal(file->bytes, &expected, sizeof expected);
}

static void new_file_is_private(void **state)
{
	struct file *file = *state;
	struct stat status;

	unlink(file->path);
	close(file->fd);
	file->fd = recording_create(file->path);
	assert_int_equal(fstat(file->fd, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
}

static void impossible_paths_give_the_reason(void **state)
{
	(void)state;
	assert_int_equal(recording_create("/nonexistent/directory/file"), -ENOENT);
	assert_int_equal(recording_create("/tmp"), -EISDIR);
	assert_int_equal(recording_create("/dev/full"), -ENXIO);
}

static void turn_is_written_at_once(void **state)
{
	struct file *file = *state;
	struct recorder *recorder = recorder_new(file->fd, 7);
	struct instance_settings settings = {.routes_max = 100, .route_timeout = 5000, .memory_max = 1 << 20};
	struct recording_start start = {.seed = 42, .settings = settings};
	struct input input = {.kind = INPUT_PACKET, .link = 3};
	struct request request = {.kind = REQUEST_SEND, .link = 3};
	size_t at = sizeof(struct recording_file);

	recorder_start(recorder, 1000, 42, &settings);
	recorder_input(recorder, 1001, &input, "packet", 6);
	recorder_turn(recorder, 1001);
	recorder_request(recorder, 1001, &request, "query", 5);
	recorder_full(recorder, 1001);
	read_back(file);
	assert_int_equal(file->size, at);

	recorder_flush(recorder);
	recorder_flush(recorder);
	read_back(file);
	at = expect_record(file, at, RECORDING_START, 7, 1000, &start, sizeof start, NULL, 0);
	at = expect_record(file, at, RECORDING_INPUT, 7, 1001, &input, sizeof input, "packet", 6);
	at = expect_record(file, at, RECORDING_TURN, 7, 1001, NULL, 0, NULL, 0);
	at = expect_record(file, at, RECORDING_REQUEST, 7, 1001, &request, sizeof request, "query", 5);
	at = expect_record(file, at, RECORDING_FULL, 7, 1001, NULL, 0, NULL, 0);
	assert_int_equal(at, file->size);
	recorder_free(recorder);
}

static void two_recorders_share_a_file(void **state)
{
	struct file *file = *state;
	struct recorder *first = recorder_new(file->fd, 0), *second = recorder_new(file->fd, 1);
	size_t at = sizeof(struct recording_file);

	recorder_turn(first, 1);
	recorder_turn(second, 2);
	recorder_turn(first, 3);
	recorder_flush(second);
	recorder_flush(first);
	read_back(file);
	at = expect_record(file, at, RECORDING_TURN, 1, 2, NULL, 0, NULL, 0);
	at = expect_record(file, at, RECORDING_TURN, 0, 1, NULL, 0, NULL, 0);
	at = expect_record(file, at, RECORDING_TURN, 0, 3, NULL, 0, NULL, 0);
	assert_int_equal(at, file->size);
	recorder_free(first);
	recorder_free(second);
}

static void large_turn_goes_out_in_whole_records(void **state)
{
	static uint8_t payload[REQUEST_PAYLOAD_MAX];
	struct file *file = *state;
	struct recorder *recorder = recorder_new(file->fd, 0);
	struct request request = {.kind = REQUEST_SNAPSHOT};
	size_t at = sizeof(struct recording_file);

	for (int i = 0; i < 20; i++) {
		memset(payload, i, sizeof payload);
		recorder_request(recorder, i, &request, payload, sizeof payload);
	}
	recorder_flush(recorder);
	read_back(file);
	for (int i = 0; i < 20; i++) {
		memset(payload, i, sizeof payload);
		at = expect_record(file, at, RECORDING_REQUEST, 0, i, &request, sizeof request, payload,
		                   sizeof payload);
	}
	assert_int_equal(at, file->size);
	recorder_free(recorder);
}

static void failing_write_stops_the_recording(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct recorder *recorder = recorder_new(fd, 0);

	(void)state;
	assert_int_equal(recorder_error(recorder), 0);
	recorder_turn(recorder, 1);
	recorder_flush(recorder);
	assert_int_equal(recorder_error(recorder), ENOSPC);
	recorder_turn(recorder, 2);
	recorder_flush(recorder);
	assert_int_equal(recorder_error(recorder), ENOSPC);
	recorder_free(recorder);
	close(fd);
}

static void without_a_recorder_nothing_happens(void **state)
{
	struct input input = {0};
	struct request request = {0};
	struct instance_settings settings = {0};

	(void)state;
	recorder_start(NULL, 1, 1, &settings);
	recorder_input(NULL, 1, &input, NULL, 0);
	recorder_turn(NULL, 1);
	recorder_request(NULL, 1, &request, NULL, 0);
	recorder_full(NULL, 1);
	recorder_flush(NULL);
	recorder_free(NULL);
	assert_int_equal(recorder_error(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(new_file_has_the_magic_only, open_file, close_file),
		cmocka_unit_test_setup_teardown(new_file_is_private, open_file, close_file),
		cmocka_unit_test(impossible_paths_give_the_reason),
		cmocka_unit_test_setup_teardown(turn_is_written_at_once, open_file, close_file),
		cmocka_unit_test_setup_teardown(two_recorders_share_a_file, open_file, close_file),
		cmocka_unit_test_setup_teardown(large_turn_goes_out_in_whole_records, open_file, close_file),
		cmocka_unit_test(failing_write_stops_the_recording),
		cmocka_unit_test(without_a_recorder_nothing_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
