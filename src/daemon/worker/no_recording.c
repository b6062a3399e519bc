/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Stands for recording.c in a build without diagnostics. No recording can be made, so every recorder is NULL.
 */
#include "daemon/worker/recording.h"

#include <errno.h>

int recording_create(const char *path)
{
	(void)path;
	return -EOPNOTSUPP;
}

struct recorder *recorder_new(int fd, uint8_t instance)
{
	(void)fd;
	(void)instance;
	return NULL;
}

void recorder_free(struct recorder *recorder)
{
	(void)recorder;
}

void recorder_start(struct recorder *recorder, mtime now, uint64_t seed,
                    const struct instance_settings *settings)
{
	(void)recorder;
	(void)now;
	(void)seed;
	(void)settings;
}

void recorder_input(struct recorder *recorder, mtime now, const struct input *input, const void *payload,
                    size_t size)
{
	(void)recorder;
	(void)now;
	(void)input;
	(void)payload;
	(void)size;
}

void recorder_turn(struct recorder *recorder, mtime now)
{
	(void)recorder;
	(void)now;
}

void recorder_request(struct recorder *recorder, mtime now, const struct request *request,
                      const void *payload, size_t size)
{
	(void)recorder;
	(void)now;
	(void)request;
	(void)payload;
	(void)size;
}

void recorder_full(struct recorder *recorder, mtime now)
{
	(void)recorder;
	(void)now;
}

void recorder_flush(struct recorder *recorder)
{
	(void)recorder;
}

int recorder_error(const struct recorder *recorder)
{
	(void)recorder;
	return 0;
}
