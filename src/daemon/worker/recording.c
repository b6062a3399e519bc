/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/recording.h"

#include "core/policy/group_map.h"
#include "core/policy/policy.h"
#include "kernel/file.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A larger turn is written in several pieces of whole steps. Allocated at the start, because a worker in its
 * sandbox may not get more memory later. */
#define BUFFER_SIZE (4 * REQUEST_PAYLOAD_MAX)

struct recorder {
	int fd;
	atomic_int error; /* set by the worker, read by the owner too */
	uint8_t instance;
	size_t used;
	/* Filters and group maps that the file has; held, so that no other one gets their addresses. */
	const void *objects[RECORDING_OBJECTS_MAX];
	bool is_map[RECORDING_OBJECTS_MAX];
	uint32_t object_count;
	uint8_t buffer[BUFFER_SIZE];
};

/* 0 or -errno. */
static int write_all(int fd, const uint8_t *at, size_t size)
{
	while (size > 0) {
		ssize_t written = write(fd, at, size);

		if (written < 0 && errno != EINTR)
			return -errno;
		if (written > 0) {
			at += written;
			size -= (size_t)written;
		}
	}
	return 0;
}

int recording_create(const char *path)
{
	static const struct recording_file file = {
		.magic = RECORDING_MAGIC,
		.input_size = sizeof(struct input),
		.request_size = sizeof(struct request),
		.link_change_size = sizeof(struct link_change),
	};
	int fd = file_open(path, FILE_OUTPUT, 0600);
	int error;

	if (fd < 0)
		return fd;
	error = write_all(fd, (const uint8_t *)&file, sizeof file);
	if (error == 0)
		return fd;
	close(fd);
	return error;
}

struct recorder *recorder_new(int fd, uint8_t instance)
{
	struct recorder *recorder = malloc(sizeof *recorder);

	if (recorder == NULL)
		return NULL;
	recorder->fd = fd;
	atomic_init(&recorder->error, 0);
	recorder->instance = instance;
	recorder->used = 0;
	recorder->object_count = 0;
	memset(recorder->is_map, 0, sizeof recorder->is_map);
	return recorder;
}

void recorder_free(struct recorder *recorder)
{
	for (uint32_t i = 0; recorder != NULL && i < recorder->object_count; i++) {
		if (recorder->is_map[i])
			group_map_release(recorder->objects[i]);
		else
			policy_release(recorder->objects[i]);
	}
	free(recorder);
}

static void append(struct recorder *recorder, const void *bytes, size_t size)
{
	if (size > 0)
		memcpy(recorder->buffer + recorder->used, bytes, size);
	recorder->used += size;
}

static void add(struct recorder *recorder, enum recording_kind kind, mtime now, const void *body,
                size_t body_size, const void *payload, size_t payload_size)
{
	struct recording_head head = {
		.now = now,
		.size = (uint32_t)(body_size + payload_size),
		.kind = (uint8_t)kind,
		.head_of_payload = (uint16_t)body_size,
	};
	size_t size = sizeof head + body_size + payload_size;

	if (recorder == NULL || recorder->error != 0)
		return;
	assert(size <= BUFFER_SIZE);
	if (recorder->used + size > BUFFER_SIZE)
		recorder_flush(recorder);
	head.instance = recorder->instance;
	append(recorder, &head, sizeof head);
	append(recorder, body, body_size);
	append(recorder, payload, payload_size);
}

void recorder_start(struct recorder *recorder, mtime now, uint64_t seed,
                    const struct instance_settings *settings)
{
	struct recording_start start;

	memset(&start, 0, sizeof start);
	start.seed = seed;
	start.settings = *settings;
	add(recorder, RECORDING_START, now, &start, sizeof start, NULL, 0);
}

/* The number of an object that the file has from now on; 0: NULL, or there are too many. */
static uint32_t number_of(struct recorder *recorder, const void *object, bool *is_new)
{
	uint32_t number = 0;

	*is_new = false;
	if (object == NULL)
		return 0;
	while (number < recorder->object_count && recorder->objects[number] != object)
		number++;
	if (number == RECORDING_OBJECTS_MAX)
		return 0;
	*is_new = number == recorder->object_count;
	if (*is_new)
		recorder->objects[recorder->object_count++] = object;
	return number + 1;
}

/* Its source, in parts that fit a payload. */
static const struct policy *record_policy(struct recorder *recorder, mtime now, const struct policy *policy)
{
	bool is_new;
	struct recording_object object = {.number = number_of(recorder, policy, &is_new),
	                                  .kind = RECORDING_POLICY};
	const char *source = is_new ? policy_source(policy) : NULL;

	if (is_new) {
		policy_hold(policy);
		object.size = strlen(source);
	}
	for (size_t at = 0; is_new && at <= object.size; at += REQUEST_PAYLOAD_MAX) {
		size_t left = object.size - at;

		add(recorder, RECORDING_OBJECT, now, &object, sizeof object, source + at,
		    left < REQUEST_PAYLOAD_MAX ? left : REQUEST_PAYLOAD_MAX);
	}
	return (const struct policy *)(uintptr_t)object.number;
}

/* Each entry is a part. */
static const struct group_map *record_map(struct recorder *recorder, mtime now, const struct group_map *map)
{
	bool is_new;
	struct recording_object object = {.number = number_of(recorder, map, &is_new),
	                                  .kind = RECORDING_GROUP_MAP};
	size_t count = 0;

	if (is_new) {
		group_map_hold(map);
		recorder->is_map[object.number - 1] = true;
		while (group_map_entry(map, count) != NULL)
			count++;
		object.size = count * sizeof(struct group_map_entry);
	}
	for (size_t n = 0; n < count; n++)
		add(recorder, RECORDING_OBJECT, now, &object, sizeof object, group_map_entry(map, n),
		    sizeof(struct group_map_entry));
	return (const struct group_map *)(uintptr_t)object.number;
}

void recorder_input(struct recorder *recorder, mtime now, const struct input *input, const void *payload,
                    size_t size)
{
	struct link_change change;

	if (recorder != NULL && input->kind == INPUT_LINK && size == sizeof change) {
		struct link_settings *settings = &change.settings;

		memcpy(&change, payload, sizeof change);
		settings->filter_in = record_policy(recorder, now, settings->filter_in);
		settings->filter_out = record_policy(recorder, now, settings->filter_out);
		settings->static_groups = record_map(recorder, now, settings->static_groups);
		settings->ssm_map = record_map(recorder, now, settings->ssm_map);
		payload = &change;
	}
	add(recorder, RECORDING_INPUT, now, input, sizeof *input, payload, size);
}

void recorder_turn(struct recorder *recorder, mtime now)
{
	add(recorder, RECORDING_TURN, now, NULL, 0, NULL, 0);
}

void recorder_request(struct recorder *recorder, mtime now, const struct request *request,
                      const void *payload, size_t size)
{
	add(recorder, RECORDING_REQUEST, now, request, sizeof *request, payload, size);
}

void recorder_full(struct recorder *recorder, mtime now)
{
	add(recorder, RECORDING_FULL, now, NULL, 0, NULL, 0);
}

void recorder_flush(struct recorder *recorder)
{
	if (recorder == NULL || recorder->error != 0 || recorder->used == 0)
		return;
	recorder->error = -write_all(recorder->fd, recorder->buffer, recorder->used);
	recorder->used = 0;
}

int recorder_error(const struct recorder *recorder)
{
	return recorder ? recorder->error : 0;
}
