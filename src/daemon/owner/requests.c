/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/requests.h"

#include "core/tables/links.h"
#include "daemon/log/event_log.h"
#include "daemon/log/log.h"
#include "daemon/owner/adoption.h"
#include "daemon/owner/instances.h"
#include "daemon/owner/kernel_table.h"
#include "daemon/owner/owner.h"
#include "daemon/owner/send_queue.h"
#include "daemon/owner/upcalls.h"
#include "daemon/owner/uplink.h"
#include "daemon/owner/yields.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LOOK_FAR          8 /* messages ahead whose memory is prefetched */
#define LOOK_NEAR         4
#define REPEAT_INTERVAL   (2 * MTIME_SECOND)
#define REQUESTS_PER_TURN 1024 /* of one worker, so that the others get their share */

/* A worker assumes that its requests are done. Where memory was short the owner makes it request everything
 * again. */
static void postpone(struct owner *owner, struct instance_slot *instance, mtime now, enum family family,
                     const char *what)
{
	instance->postponed++;
	instance->repeat_due[family] = true;
	if (instance->repeat_at == 0)
		instance->repeat_at = now + REPEAT_INTERVAL;
	/* Once: a flood may do this with every group. */
	if (!owner->logged_memory)
		warnx("instance %s: out of memory for %s: some have to wait; trying again",
		      instance->config->name, what);
	owner->logged_memory = true;
}

static void repeat(struct instance_slot *instance, mtime now)
{
	instance->repeat_at = 0;
	for (uint8_t family = 0; family < FAMILIES; family++) {
		struct input input = {.kind = INPUT_REPEAT, .family = family};

		if (!instance->repeat_due[family])
			continue;
		if (worker_tell(instance->channel, &input, NULL, 0))
			instance->repeat_due[family] = false;
		else
			instance->repeat_at = now + REPEAT_INTERVAL;
	}
}

void requests_repeat(struct owner *owner, mtime now)
{
	for (size_t i = 0; i < owner->instance_count; i++)
		if (owner->instances[i].repeat_at != 0 && owner->instances[i].repeat_at <= now)
			repeat(&owner->instances[i], now);
}

mtime requests_deadline(const struct owner *owner)
{
	mtime at = MTIME_NEVER;

	for (size_t i = 0; i < owner->instance_count; i++)
		if (owner->instances[i].repeat_at != 0)
			at = mtime_min(at, owner->instances[i].repeat_at);
	return at;
}

static void send_packet(struct owner *owner, struct instance_slot *instance, const struct request *request,
                        const void *packet, size_t size)
{
	struct table *table = instance->tables[request->family];
	unsigned number = links_vif(owner->links, instance->number, request->link, request->family);
	struct vif *vif = table != NULL && number != LINKS_NO_VIF ? table->vifs[number] : NULL;

	if (vif == NULL || size > LINK_SOCKET_PACKET_MAX)
		return;
	memcpy(send_queue_room(owner->send_queue, vif->socket, &vif->sends_failed), packet, size);
	send_queue_put(owner->send_queue, size, &request->group);
}

static void set_membership(struct owner *owner, struct instance_slot *instance, mtime now,
                           const struct request *request, const void *sources)
{
	struct filter filter = {.mode = request->mode};
	struct links_port port;

	if (instance->tables[request->family] != NULL)
		routes_retry_upcalls(instance->tables[request->family]->routes, instance->number,
		                     &request->group);
	/* The host only reads the list; its payload stays valid for the call. */
	memcpy(&filter.sources.list, &sources, sizeof sources);
	filter.sources.count = filter.sources.capacity = request->count;
	if (request->link != LINK_ALL &&
	    !links_find_port(owner->links, instance->number, request->link, &port))
		return;
	for (struct uplink *uplink = owner->uplinks; uplink; uplink = uplink->next) {
		if (uplink->family != request->family || !(uplink->instances >> instance->number & 1))
			continue;
		if (request->link != LINK_ALL && strcmp(uplink->name, port.name) != 0)
			continue;
		if (!host_want(uplink->host, now, instance->number, &request->group, &filter, request->links))
			postpone(owner, instance, now, request->family, "memberships");
	}
}

static void set_route(struct owner *owner, struct instance_slot *instance, mtime now,
                      const struct request *request)
{
	struct table *table = instance->tables[request->family];
	struct route_key key = {.source = request->source, .group = request->group};
	unsigned input = links_vif(owner->links, instance->number, request->link, request->family);
	uint32_t outputs = links_vifs(owner->links, instance->number, request->links, request->family);

	if (table == NULL)
		return;
	if (request->kind == REQUEST_ROUTE_NONE || input == LINKS_NO_VIF) {
		routes_unwant(table->routes, &key, instance->number);
		if (request->more)
			routes_ask_again(table->routes, &key, input == LINKS_NO_VIF ? 0 : input);
		return;
	}
	if (!routes_want(table->routes, &key, instance->number, input, outputs))
		postpone(owner, instance, now, request->family, "routes");
	else if (owner->instance_count > 1)
		upcalls_share(owner, table, &key);
}

static void receive_upstream_query(struct owner *owner, struct instance_slot *instance, mtime now,
                                   const struct request *request, const void *payload)
{
	struct links_port port;
	struct uplink *uplink;

	if (!links_find_port(owner->links, instance->number, request->link, &port))
		return;
	uplink = uplink_find(owner, request->family, port.name);
	if (uplink != NULL)
		host_receive_query(
			uplink->host, now, payload,
			(const struct addr *)(const void *)((const struct upstream_query *)payload + 1));
}

/* The names of a set of links, each after a space. */
static void format_links(struct owner *owner, unsigned instance, uint64_t links, char *text, size_t size)
{
	struct links_port port;
	size_t used = 0;

	snprintf(text, size, " nowhere");
	for (; links != 0 && used < size; links &= links - 1)
		if (links_find_port(owner->links, instance, (uint8_t)__builtin_ctzll(links), &port))
			used += (size_t)snprintf(text + used, size - used, " %s", port.name);
}

static void take_event(struct owner *owner, struct instance_slot *instance, const struct event *event)
{
	struct links_port port;
	char outputs[256] = "";
	const char *link =
		links_find_port(owner->links, instance->number, event->link, &port) ? port.name : NULL;

	if (event->kind == EVENT_ROUTE)
		format_links(owner, instance->number, event->value, outputs, sizeof outputs);
	event_log_write(instance->config->name, link, event, outputs);
	if (owner->control != NULL)
		owner->control_handlers->event(owner, instance, link, event, outputs);
}

static void take_request(struct owner *owner, struct instance_slot *instance, mtime now,
                         const struct request *request, const void *payload, size_t size)
{
	switch ((enum request_kind)request->kind) {
	case REQUEST_SEND:
		send_packet(owner, instance, request, payload, size);
		break;
	case REQUEST_FORWARDING:
		instance->forwarding[request->family] = request->links;
		instance->yielding[request->family] = request->yielding;
		yields_querier_changed(instance->tables[request->family]);
		break;
	case REQUEST_MEMBERSHIP:
		set_membership(owner, instance, now, request, payload);
		break;
	case REQUEST_ROUTE:
	case REQUEST_ROUTE_NONE:
		set_route(owner, instance, now, request);
		break;
	case REQUEST_UPSTREAM_QUERY:
		receive_upstream_query(owner, instance, now, request, payload);
		break;
	case REQUEST_EVENT:
		take_event(owner, instance, &request->event);
		break;
	case REQUEST_SNAPSHOT:
		snapshot_reader_deliver(owner, instance, request, payload);
		break;
	case REQUEST_LINK_FREE:
		links_id_free(owner->links, instance->number, request->link);
		break;
	case REQUEST_STOPPED:
		loop_unwatch(&owner->loop, &instance->source);
		instance->channel = NULL;
		adoption_answered(owner, instance);
		snapshot_reader_instance_stopped(owner, instance->number);
		break;
	case REQUEST_PONG:
		service_pong(owner, instance);
		break;
	case REQUEST_ALL_ADOPTED:
		adoption_answered(owner, instance);
		break;
	}
}

/* Prefetches the memory of a request that comes soon. */
static void prefetch_request(struct owner *owner, const struct instance_slot *instance, uint32_t places,
                             enum prefetch step)
{
	const void *payload;
	size_t size;
	const struct request *request = lane_look_ahead(instance->channel->up, places, &payload, &size);

	if (request == NULL || request->kind != REQUEST_MEMBERSHIP)
		return;
	for (struct uplink *uplink = owner->uplinks; uplink; uplink = uplink->next)
		if (uplink->family == request->family && uplink->instances >> instance->number & 1)
			host_prefetch(uplink->host, &request->group, step);
}

static void take_requests(struct owner *owner, struct instance_slot *instance, mtime now)
{
	struct channel *channel = instance->channel;
	union {
		struct request request;
		char body[LANE_BODY_SIZE];
	} message;
	const void *payload;
	size_t size;
	int count = 0;

	instance->again = false;
	lane_acknowledge(channel->up);
	recording_log_error(owner, worker_recording_error(instance->worker));
	while (lane_next(channel->up, &message, &payload, &size)) {
		instance->requests++;
		prefetch_request(owner, instance, LOOK_FAR, PREFETCH_FAR);
		prefetch_request(owner, instance, LOOK_NEAR, PREFETCH_NEAR);
		take_request(owner, instance, now, &message.request, payload, size);
		if (instance->channel == NULL)
			return;
		if (++count < REQUESTS_PER_TURN)
			continue;
		/* The rest comes with the next turn, after the others. */
		lane_drained(channel->up);
		instance->again = owner->loop.again = true;
		return;
	}
	lane_drained(channel->up);
}

void requests_take(void *context, struct loop_source *source, mtime now)
{
	struct owner *owner = context;

	take_requests(owner, (struct instance_slot *)source, now);
	send_queue_send(owner->send_queue);
}

void requests_take_rest(struct owner *owner, mtime now)
{
	for (size_t i = 0; i < owner->instance_count; i++)
		if (owner->instances[i].again && owner->instances[i].channel != NULL)
			requests_take(owner, &owner->instances[i].source, now);
}
