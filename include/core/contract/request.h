/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What an engine wants. Requests are pulled from its dirty state, so each has the newest state, and a burst
 * of changes makes one request. Events are lost when the owner does not read them in time.
 */
#ifndef MCPROXY_CORE_CONTRACT_REQUEST_H
#define MCPROXY_CORE_CONTRACT_REQUEST_H

#include "core/contract/event.h"

#include <stddef.h>

/* Bytes of the largest payload. */
#define REQUEST_PAYLOAD_MAX 65536
#define REQUEST_SOURCES_MAX (REQUEST_PAYLOAD_MAX / sizeof(struct addr)) /* of a merged filter */

enum request_kind {
	REQUEST_SEND = 1, /* payload: a packet to send on a link; group: its destination */
	/* links: the downstream ones to which the router forwards now (link_forwards); yielding: those where
	 * a stream may be left to another router (link_may_yield) */
	REQUEST_FORWARDING,
	/* payload: sources; the filter wanted for a group on the upstream link, or on all (LINK_ALL); INCLUDE{}: none.
	 * If all members want every source, links are those with members; otherwise 0. */
	REQUEST_MEMBERSHIP,
	REQUEST_ROUTE, /* packets of (source, group) from link go to links; none: a negative entry */
	/* no entry for (source, group); more: its link is gone, and the kernel, which may still wait for an answer,
	 * must ask again with the next packet */
	REQUEST_ROUTE_NONE,
	/* payload: struct upstream_query and its sources; received on an upstream link */
	REQUEST_UPSTREAM_QUERY,
	REQUEST_EVENT,
	REQUEST_SNAPSHOT,  /* payload: the items of a page; more: the walk continues */
	REQUEST_LINK_FREE, /* the link's id may be used again */
	REQUEST_STOPPED,   /* the last one */
	REQUEST_PONG,      /* a sign of life */
	/* every INPUT_ADOPTED has been answered by its route, unless there was no room for one */
	REQUEST_ALL_ADOPTED,
};

#define LINK_ALL UINT8_MAX

struct upstream_query {
	struct addr querier;
	struct addr group;
	uint32_t max_response; /* milliseconds */
	uint32_t query_interval;
	uint8_t version; /* enum version */
	uint8_t robustness;
	bool suppress;
	bool about_sources;    /* about the sources that follow; none: it had only sources that cannot send */
	uint16_t source_count; /* a struct addr for each follows this struct */
};

struct request {
	union {
		struct {
			uint8_t kind; /* enum request_kind */
			uint8_t link; /* send, membership, route (incoming link), upstream query, link free */
			uint8_t family;
			uint8_t mode;   /* membership: enum filter_mode */
			uint8_t cursor; /* snapshot */
			bool more;      /* snapshot, no route */
			uint16_t count; /* membership: sources; snapshot: items */
			struct addr source;
			struct addr group;
			uint64_t links;
			uint64_t yielding; /* forwarding */
		};
		struct event event; /* event.request is the kind */
	};
};

_Static_assert(offsetof(struct request, kind) == offsetof(struct request, event.request), "the same byte");
_Static_assert(sizeof(struct request) <= 56, "fits a message of the channel");

#endif
