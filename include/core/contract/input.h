/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What an engine is told. One fixed-size message, perhaps with a payload. All but packets and upcalls carry a
 * state, never a difference, so that the newest one counts.
 */
#ifndef MCPROXY_CORE_CONTRACT_INPUT_H
#define MCPROXY_CORE_CONTRACT_INPUT_H

#include "core/base/addr.h"

enum input_kind {
	INPUT_PACKET = 1, /* payload: the packet from the IP header on */
	INPUT_UPCALL,   /* a stream without a route, or (wrong_link) one that came in by another link than its
	                   route says */
	INPUT_LINK,     /* payload: struct link_change */
	INPUT_COUNTERS, /* of a route */
	INPUT_SNAPSHOT, /* a page is wanted */
	INPUT_EVENTS,   /* wanted: events are to be told, or not any more */
	INPUT_STOP,
	INPUT_PING,     /* a sign of life is wanted */
	INPUT_SETTINGS, /* payload: struct instance_settings */
	INPUT_REPEAT,   /* requests of the family were lost: all that is wanted now is requested again */
	INPUT_LISTEN,   /* not for the engine but its worker: fd, which becomes the worker's, is where the
	                   link's packets of the family arrive from now on */
};

struct input {
	uint8_t kind;   /* enum input_kind */
	uint8_t link;   /* id */
	uint8_t family; /* enum family */
	union {
		uint8_t wrong_link; /* upcall */
		uint8_t wanted;     /* events */
		uint8_t first;      /* snapshot: start the walk anew */
		uint8_t truncated;  /* packet */
	};
	union {
		uint32_t wrong_link_packets; /* counters */
		int32_t fd;                  /* listen */
		struct {
			uint8_t cursor; /* snapshot: below SNAPSHOT_CURSORS */
			uint8_t what;   /* enum snapshot_kind */
		};
	};
	struct addr source; /* upcall, counters */
	struct addr group;
	uint64_t packets; /* counters, since the route was made */
	uint64_t bytes;
};

_Static_assert(sizeof(struct input) <= 56, "fits a message of the channel");

#endif
