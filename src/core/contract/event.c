/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/contract/event.h"

#include "core/wire/drop.h"

/* Limits that are reached, and drops that the standards require to be logged (RFC 9777 section 5.1.14, RFC
 * 4604 section 2.2). */
static bool drop_is_notable(enum drop drop)
{
	return drop == DROP_GROUPS_MAX || drop == DROP_SOURCES_MAX || drop == DROP_HOSTS_MAX ||
	       drop == DROP_HOST_GROUPS_MAX || drop == DROP_ROUTES_MAX || drop == DROP_MEMORY ||
	       drop == DROP_SOURCE_ADDRESS || drop == DROP_SSM || drop == DROP_RATE;
}

bool event_is_notable(const struct event *event)
{
	if (event->kind == EVENT_OLDER_QUERY || event->kind == EVENT_FOREIGN_QUERIER)
		return true;
	/* Logged once for a host that sends queries from many addresses. */
	if (event->kind == EVENT_QUERIER)
		return event->before != event->after;
	return event->kind == EVENT_DROP && event->value == 1 && drop_is_notable((enum drop)event->before);
}

void events_push(struct events *events, const struct event *event)
{
	if (!events->wanted && !event_is_notable(event))
		return;
	if (events->head - events->tail == EVENTS_SIZE) {
		events->dropped++;
		return;
	}
	events->ring[events->head++ % EVENTS_SIZE] = *event;
}

bool events_pull(struct events *events, struct event *event)
{
	if (events->head == events->tail)
		return false;
	*event = events->ring[events->tail++ % EVENTS_SIZE];
	return true;
}

const char *event_name(enum event_kind kind)
{
	static const char *const names[EVENT_KINDS] = {
		[EVENT_LINK] = "link",
		[EVENT_QUERIER] = "querier",
		[EVENT_JOIN] = "join",
		[EVENT_LEAVING] = "leaving",
		[EVENT_LEAVE] = "leave",
		[EVENT_HOST_JOIN] = "host join",
		[EVENT_HOST_LEAVE] = "host leave",
		[EVENT_FILTER] = "filter",
		[EVENT_QUERY] = "query",
		[EVENT_UPSTREAM] = "upstream",
		[EVENT_FLOW] = "source",
		[EVENT_FLOW_MOVED] = "source moved",
		[EVENT_ROUTE] = "route",
		[EVENT_FLOW_GONE] = "source gone",
		[EVENT_FOREIGN_QUERIER] = "foreign querier",
		[EVENT_DENIED] = "denied",
		[EVENT_DROP] = "drop",
		[EVENT_OLDER_QUERY] = "older query",
	};

	return names[kind];
}
