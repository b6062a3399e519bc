/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Events: each change of an engine's state. The log, the event monitor and the tests read them; there is no
 * other tracing. When the reader is too slow, events are dropped and the drops counted.
 */
#ifndef MCPROXY_CORE_CONTRACT_EVENT_H
#define MCPROXY_CORE_CONTRACT_EVENT_H

#include "core/base/addr.h"

enum event_kind {
	EVENT_LINK,    /* after: 1 usable, 0 not */
	EVENT_QUERIER, /* source: the link's querier; before, after: 1 this router, 0 another */
	/* A group got its first member on a link; after: mode; count: sources, source: the first one; host: the
	 * one that reported it; before: whether the configuration keeps it instead. */
	EVENT_JOIN,
	EVENT_LEAVING, /* a host left, and mcproxy asks whether members remain; host: that host */
	EVENT_LEAVE, /* a group lost its last member on a link; before: mode; host: unspecified: it expired */
	EVENT_HOST_JOIN,  /* another host, where hosts are tracked: the group's state is as before; host */
	EVENT_HOST_LEAVE, /* a host that is tracked, while others remain; host */
	EVENT_FILTER,     /* mode or sources of a group on a link changed; before: mode; else as EVENT_JOIN */
	EVENT_QUERY,      /* sent; group: unspecified for a general query; count: sources; after: S flag */
	EVENT_UPSTREAM, /* what the instance wants upstream changed; after: mode; count: sources; source: the first */
	EVENT_FLOW,       /* a source appeared */
	EVENT_FLOW_MOVED, /* it arrives on another link than before */
	EVENT_FLOW_GONE,  /* it sent nothing for route_timeout, or its link is gone */
	EVENT_ROUTE,      /* value: set of the link ids where the source's packets go now */
	/* source: a querier of another version than the link's; before: its, after: ours */
	EVENT_OLDER_QUERY,
	EVENT_FOREIGN_QUERIER, /* source: a querier from outside the link's subnets, which is ignored */
	EVENT_DENIED, /* a filter leaves nothing of a host's join; source: the host; value: the rule's line */
	EVENT_DROP,   /* before: enum drop; value: its count; only when the count is a power of two */
	EVENT_KINDS
};

struct event {
	uint8_t request; /* enum request_kind, where the event is a request */
	uint8_t kind;    /* enum event_kind */
	uint8_t link;
	uint8_t family; /* enum family */
	uint8_t before;
	uint8_t after;
	uint16_t count;
	struct addr group;
	struct addr source;
	union {
		uint64_t value;
		struct addr host;
	};
};

#define EVENTS_SIZE 256 /* a power of two */

struct events {
	bool wanted;   /* false: only notable ones are kept */
	uint32_t head; /* free-running */
	uint32_t tail;
	uint64_t dropped; /* while the ring was full */
	struct event ring[EVENTS_SIZE];
};

/* Is it logged even when no reader wants events? */
bool event_is_notable(const struct event *event);

void events_push(struct events *events, const struct event *event);
bool events_pull(struct events *events, struct event *event);

const char *event_name(enum event_kind kind); /* "join", "route", ... */

#endif
