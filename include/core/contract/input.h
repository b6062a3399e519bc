/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What an engine gets: one message of a fixed size, some with a payload. All but packets, upcalls and reviews carry
 * a state, never a difference, so that the newest one counts.
 */
#ifndef MCPROXY_CORE_CONTRACT_INPUT_H
#define MCPROXY_CORE_CONTRACT_INPUT_H

#include "core/base/addr.h"

enum input_kind {
	INPUT_PACKET = 1, /* payload: the packet from the IP header on */
	/* A stream without an entry, or (wrong_link) one that did not arrive on the input of its entry. */
	INPUT_UPCALL,
	INPUT_LINK,     /* payload: struct link_change */
	INPUT_COUNTERS, /* of an entry */
	INPUT_SNAPSHOT, /* a page is wanted */
	INPUT_EVENTS,   /* wanted: whether all events are wanted, or only notable ones */
	INPUT_STOP,
	INPUT_PING,     /* REQUEST_PONG is wanted */
	INPUT_SETTINGS, /* payload: struct instance_settings */
	INPUT_REPEAT,   /* requests of the family were lost: the engine requests its whole state again */
	/* For the worker, not the engine: it reads the link's packets of the family from fd, and owns it. */
	INPUT_LISTEN,
	/* The memberships of the groups of a prefix (group, prefix_length; 0: all) are doubtful, on a link or on
	 * every_link: the hosts are asked about them at once. */
	INPUT_REVIEW,
	/* An entry that an earlier run has left in the kernel: the stream arrives by the link, and goes to `heard`. */
	INPUT_ADOPTED,
	INPUT_ALL_ADOPTED, /* that was the last one: REQUEST_ALL_ADOPTED is wanted */
};

struct input {
	uint8_t kind;   /* enum input_kind */
	uint8_t link;   /* id */
	uint8_t family; /* enum family */
	union {
		uint8_t wrong_link; /* upcall */
		uint8_t wanted;     /* events */
		uint8_t first;      /* snapshot: start a new walk */
		uint8_t truncated;  /* packet */
		uint8_t every_link; /* review */
	};
	union {
		uint32_t wrong_link_packets; /* counters */
		int32_t fd;                  /* listen */
		uint32_t prefix_length;      /* review: of the v4-mapped form */
		struct {
			uint8_t cursor; /* snapshot: below SNAPSHOT_CURSORS */
			uint8_t what;   /* enum snapshot_kind */
		};
	};
	struct addr
		source; /* upcall, counters; packet: the sender's MAC address (addr_from_mac), or unspecified */
	struct addr group;
	union {
		uint64_t packets; /* counters, since the entry was installed */
		uint64_t heard;   /* adopted: the set of links where hosts have asked for the stream */
	};
	uint64_t bytes; /* counters, adopted */
};

_Static_assert(sizeof(struct input) <= 56, "fits a message of the channel");

#endif
