/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Recordings: every input of every engine with its time, and the requests that followed, so that a problem in
 * the field can be replayed through the same engine (tests/sim/replay). All instances share one file. Each
 * worker collects the steps of a turn in its own struct recorder and appends them with one write, so that
 * turns of several workers do not mix.
 *
 * File: struct recording_file, then steps: struct recording_head and `size` bytes of body. Numbers have the
 * machine's own form: only the build that made a recording can replay it.
 *
 *   RECORDING_START    struct recording_start    the engine is made
 *   RECORDING_INPUT    struct input, payload     instance_input(now)
 *   RECORDING_TURN     nothing                   instance_expire(now)
 *   RECORDING_REQUEST  struct request, payload   instance_pull(now) returned this
 *   RECORDING_FULL     nothing                   no room for more requests: no instance_pull returned false
 *   RECORDING_OBJECT   struct recording_object, payload  a part of a filter or a group map
 *
 * In the settings of a link, the number of an object stands in place of each pointer; 0: NULL.
 *
 * The same calls in the same order give the same requests. So a recording omits what is known without it: the
 * calls of instance_deadline between turns, and the instance_pull that returns false at the end of a turn
 * without RECORDING_FULL. A turn without an input and without anything due changes nothing, and may be
 * omitted.
 */
#ifndef MCPROXY_DAEMON_WORKER_RECORDING_H
#define MCPROXY_DAEMON_WORKER_RECORDING_H

#include "core/router/instance.h"

#define RECORDING_MAGIC      "mcproxy recording 3\n"
#define RECORDING_MAGIC_SIZE (sizeof RECORDING_MAGIC - 1)

/* The first bytes of a file. The sizes show whether this build can read it. */
struct recording_file {
	char magic[RECORDING_MAGIC_SIZE];
	uint32_t input_size;
	uint32_t request_size;
	uint32_t link_change_size;
};

enum recording_kind {
	RECORDING_START = 1,
	RECORDING_INPUT,
	RECORDING_TURN,
	RECORDING_REQUEST,
	RECORDING_FULL,
	RECORDING_OBJECT,
	RECORDING_KINDS
};

struct recording_head {
	mtime now;
	uint32_t size; /* of the body */
	uint8_t kind;
	uint8_t instance;         /* its number */
	uint16_t head_of_payload; /* bytes of the body in front of the payload */
};

struct recording_start {
	uint64_t seed;
	struct instance_settings settings;
};

enum recording_object_kind {
	RECORDING_POLICY,   /* its source, without the terminating zero */
	RECORDING_GROUP_MAP /* its entries, struct group_map_entry */
};

#define RECORDING_OBJECTS_MAX 256 /* of one instance; later ones are left out, and the replay differs */

/* The parts of an object follow each other. */
struct recording_object {
	uint32_t number; /* from 1 on */
	uint32_t kind;   /* enum recording_object_kind */
	uint64_t size;   /* of the whole */
};

struct recorder; /* one per worker */

/* Makes (truncates) a recording file, mode 0600, and writes the magic; the descriptor, or -errno. */
int recording_create(const char *path);

/* A recorder that appends to that descriptor for one instance. NULL when memory is short. */
struct recorder *recorder_new(int fd, uint8_t instance);
void recorder_free(struct recorder *recorder);

/* All accept NULL and then do nothing. A write that fails ends the recording; recorder_error returns its
 * errno, for any thread. */
void recorder_start(struct recorder *recorder, mtime now, uint64_t seed,
                    const struct instance_settings *settings);
void recorder_input(struct recorder *recorder, mtime now, const struct input *input, const void *payload,
                    size_t size);
void recorder_turn(struct recorder *recorder, mtime now);
void recorder_request(struct recorder *recorder, mtime now, const struct request *request,
                      const void *payload, size_t size);
/* There was no room for more requests in this turn. */
void recorder_full(struct recorder *recorder, mtime now);
void recorder_flush(struct recorder *recorder); /* at the end of a turn: one write */
int recorder_error(const struct recorder *recorder);

#endif
