/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/control/monitor.h"

#include "core/base/filter.h"
#include "daemon/control/names.h"
#include "daemon/log/clock.h"

#define MONITOR_BACKLOG (4 * CONTROL_BACKLOG) /* events that come while more than this waits are lost */

void monitor_begin(struct client *client)
{
	if (!names_check(client))
		return;
	client_open_answer(client);
	json_string(&client->out, "command", "monitor");
	json_close(&client->out, '}');
	json_end_line(&client->out);
	client->monitoring = true;
	client->owner->control->monitors++;
}

void monitor_end(struct client *client)
{
	if (!client->monitoring)
		return;
	client->monitoring = false;
	client->owner->control->monitors--;
}

bool monitor_wants_events(const struct owner *owner)
{
	return owner->control->monitors > 0;
}

static bool is_wanted(const struct client *client, const struct instance_slot *instance, const char *link,
                      const struct event *event)
{
	const struct control_request *request = &client->request;

	if (request->instance[0] != '\0' && strcmp(request->instance, instance->config->name) != 0)
		return false;
	if (request->link[0] != '\0' && (link == NULL || strcmp(request->link, link) != 0))
		return false;
	return control_request_wants_group(request, &event->group);
}

static void put_outputs(struct json *json, const char *outputs)
{
	json_open(json, "outputs", '[');
	while (*outputs != '\0' && strcmp(outputs, " nowhere") != 0) {
		size_t size = strcspn(++outputs, " ");

		json_string_part(json, NULL, outputs, size);
		outputs += size;
	}
	json_close(json, ']');
}

static const char *mode_name(uint8_t mode)
{
	return filter_mode_name(mode == FILTER_EXCLUDE ? FILTER_EXCLUDE : FILTER_INCLUDE);
}

/* What an event's source address is. */
static const char *source_key(uint8_t kind)
{
	if (kind == EVENT_LINK)
		return "address";
	if (kind == EVENT_DROP || kind == EVENT_DENIED)
		return "host";
	if (kind == EVENT_QUERIER || kind == EVENT_OLDER_QUERY || kind == EVENT_FOREIGN_QUERIER)
		return "querier";
	return "source";
}

/* Whose report led to the event. */
static bool has_host(const struct event *event)
{
	return event->kind == EVENT_JOIN || event->kind == EVENT_LEAVING || event->kind == EVENT_LEAVE ||
	       event->kind == EVENT_HOST_JOIN || event->kind == EVENT_HOST_LEAVE ||
	       event->kind == EVENT_FILTER;
}

static void put_details(struct json *json, const struct event *event, const char *outputs)
{
	switch ((enum event_kind)event->kind) {
	case EVENT_LINK:
		json_boolean(json, "usable", event->after);
		break;
	case EVENT_QUERIER:
		json_boolean(json, "this_router", event->after);
		break;
	case EVENT_JOIN:
	case EVENT_UPSTREAM:
		if (event->kind == EVENT_JOIN && event->before != 0)
			json_boolean(json, "static", true);
		json_string(json, "mode", mode_name(event->after));
		json_number(json, "sources", event->count);
		break;
	case EVENT_LEAVE:
		json_string(json, "mode", mode_name(event->before));
		break;
	case EVENT_LEAVING:
	case EVENT_HOST_JOIN:
	case EVENT_HOST_LEAVE:
		break;
	case EVENT_FILTER:
		json_string(json, "before", mode_name(event->before));
		json_string(json, "mode", mode_name(event->after));
		json_number(json, "sources", event->count);
		break;
	case EVENT_QUERY:
		json_number(json, "sources", event->count);
		json_boolean(json, "suppress", event->after);
		break;
	case EVENT_ROUTE:
		put_outputs(json, outputs);
		break;
	case EVENT_OLDER_QUERY:
		json_string(json, "heard", version_name(event->family, event->before));
		json_string(json, "configured", version_name(event->family, event->after));
		break;
	case EVENT_DENIED:
		json_number(json, "line", event->value);
		break;
	case EVENT_DROP:
		json_string(json, "cause", drop_name(event->before));
		json_number(json, "count", event->value);
		break;
	case EVENT_FLOW:
	case EVENT_FLOW_MOVED:
	case EVENT_FLOW_GONE:
	case EVENT_FOREIGN_QUERIER:
	case EVENT_KINDS:
		break;
	}
}

static void put_lost(struct client *client)
{
	struct json *json = &client->out;

	client_open_answer(client);
	json_seconds(json, "time", (uint64_t)clock_wall());
	json_string(json, "event", "lost");
	json_number(json, "count", client->events_lost);
	json_close(json, '}');
	json_end_line(json);
	client->events_lost = 0;
}

static void write_event(struct json *json, const struct instance_slot *instance, const char *link,
                        const struct event *event, const char *outputs)
{
	json_open(json, NULL, '{');
	json_number(json, "version", CONTROL_VERSION);
	json_seconds(json, "time", (uint64_t)clock_wall());
	json_string(json, "event", event_name(event->kind));
	json_string(json, "instance", instance->config->name);
	if (link != NULL)
		json_string(json, "link", link);
	json_string(json, "family", family_name(event->family));
	if (addr_is_multicast(&event->group))
		json_addr(json, "group", &event->group);
	if (!addr_is_unspecified(&event->source))
		json_addr(json, source_key(event->kind), &event->source);
	if (has_host(event))
		json_addr(json, "host", &event->host);
	put_details(json, event, outputs);
	json_close(json, '}');
	json_end_line(json);
}

void monitor_event(struct owner *owner, const struct instance_slot *instance, const char *link,
                   const struct event *event, const char *outputs)
{
	struct json line = {0}; /* written once for all */

	if (!monitor_wants_events(owner))
		return;
	for (struct client *client = owner->control->clients; client; client = client->next) {
		if (!client->monitoring || !is_wanted(client, instance, link, event))
			continue;
		if (line.size == 0)
			write_event(&line, instance, link, event, outputs);
		if (client_backlog(client) >= MONITOR_BACKLOG || line.failed) {
			client->events_lost++;
			continue;
		}
		if (client->events_lost > 0)
			put_lost(client);
		json_copy(&client->out, &line);
	}
	json_fini(&line);
}
