/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading of recordings (include/daemon/worker/recording.h). Trusts nothing: every record that it returns may be
 * given to an engine, and for a damaged file it says where the damage is, and what it is.
 */
#ifndef MCPROXY_SIM_RECORDING_H
#define MCPROXY_SIM_RECORDING_H

#include "daemon/worker/recording.h"

/* A filter or a group map, as its parts come. */
struct read_object {
	struct recording_object head;
	uint8_t instance;
	uint8_t *bytes;
	size_t size;        /* that have come */
	const void *object; /* NULL: parts are missing */
};

struct recording {
	uint8_t *bytes;
	size_t size;
	size_t at; /* offset of the next record */
	struct read_object *objects;
	size_t object_count;
	const char *problem; /* why it cannot be read, or not further; NULL: nothing wrong */
};

struct recorded {
	size_t offset; /* in the file */
	struct recording_head head;
	struct link_change change; /* the payload of INPUT_LINK */
	union {
		struct recording_start start;
		struct recording_object object;
		struct input input;
		struct request request;
	};
	/* At any alignment. In the settings of a link, objects stand in place of their numbers; who gives the input
	 * to an engine holds them first. */
	const uint8_t *payload;
	size_t payload_size;
};

/* Returns false when it cannot read the file; recording->problem says why. Close it in either case. */
bool recording_open(struct recording *recording, const char *path);
void recording_close(struct recording *recording);

/* The next record; false at the end, and when recording->problem says what is wrong with the record at
 * recording->at. */
bool recording_next(struct recording *recording, struct recorded *recorded);

#endif
