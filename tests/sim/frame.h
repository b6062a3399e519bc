/* SPDX-License-Identifier: BSD-2-Clause
 *
 * IGMP and MLD packets as the simulated stations write and read them: a second, plain implementation of the
 * formats, so that a misreading of the engine's codecs does not cancel out.
 */
#ifndef MCPROXY_SIM_FRAME_H
#define MCPROXY_SIM_FRAME_H

#include "core/wire/message.h"
#include "want.h"

#define GROUP_NONE        (-1)
#define FRAME_MESSAGE_MAX 1400

struct frame {
	unsigned references;
	uint8_t family; /* enum family */
	bool is_query;
	/* Of reports, for the stations that listen to reports: */
	bool suppresses; /* an older report: others need not answer for this group */
	bool narrows;    /* a leave, or a record that takes sources away */
	int group;
	size_t size;
	uint8_t bytes[];
};

struct frame_record {
	enum record_type type;
	unsigned group;
	uint64_t sources;
};

struct frame_query {
	int version; /* enum version */
	int group;   /* GROUP_NONE: general */
	uint64_t sources;
	mtime max_response;
	bool suppress;
	unsigned robustness;
	mtime interval; /* 0: not given */
	struct addr from;
};

/* The address of a station on a link. */
struct addr station_addr(enum family family, unsigned segment, unsigned number);

struct frame *frame_query(enum family family, const struct frame_query *query);
/* Version 1 or 2: a report, or a leave. */
struct frame *frame_single(enum family family, const struct addr *from, int version, bool leave,
                           unsigned group);
/* As many of the records as one packet takes; returns how many. */
struct frame *frame_report(enum family family, const struct addr *from, const struct frame_record *records,
                           size_t count, size_t *taken);
/* Bytes from another source. */
struct frame *frame_copy(enum family family, const uint8_t *bytes, size_t size);
void frame_drop(struct frame *frame); /* one reference */

/* Is it an advertisement or termination of router discovery? Returns NULL, or what is wrong with it. */
const char *frame_read_discovery(const struct frame *frame, bool *is_discovery, bool *terminates);
/* Reads a query and checks every field. Returns NULL, or what is wrong with it. */
const char *frame_read_query(const struct frame *frame, struct frame_query *query);
/* The same for a report or leave from another source; fills in what stations that listen need. */
const char *frame_read_report(struct frame *frame);

#endif
