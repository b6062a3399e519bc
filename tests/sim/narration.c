/* SPDX-License-Identifier: BSD-2-Clause */
#include "narration.h"

#include "core/wire/igmp.h"
#include "core/wire/mld.h"
#include "support/craft.h"

#include <inttypes.h>

static void narrate_addr(FILE *to, const char *before, const struct addr *addr)
{
	char text[ADDR_TEXT_SIZE];

	fprintf(to, "%s%s", before, addr_format(addr, text));
}

/* A bool that was read from a file may hold any byte. */
static unsigned flag(const bool *at)
{
	uint8_t byte;

	memcpy(&byte, at, sizeof byte);
	return byte;
}

static void narrate_wire_sources(FILE *to, const uint8_t *at, size_t count, enum family family)
{
	fputc('{', to);
	for (size_t i = 0; i < count; i++) {
		struct addr addr = wire_get_addr(at + i * addr_wire_size(family), family);

		narrate_addr(to, i > 0 ? " " : "", &addr);
	}
	fputc('}', to);
}

static void narrate_sources(FILE *to, const uint8_t *at, size_t size)
{
	struct addr addr;

	fputc('{', to);
	for (size_t i = 0; i + sizeof addr <= size; i += sizeof addr) {
		memcpy(&addr, at + i, sizeof addr);
		narrate_addr(to, i > 0 ? " " : "", &addr);
	}
	fputc('}', to);
}

static void narrate_links(FILE *to, uint64_t links)
{
	const char *before = "";

	fputc('{', to);
	for (int id = 0; id < LINKS_MAX; id++) {
		if (!(links >> id & 1))
			continue;
		fprintf(to, "%s%d", before, id);
		before = " ";
	}
	fputc('}', to);
}

static void narrate_query(FILE *to, enum family family, const struct query *query)
{
	fprintf(to, ": %s query", version_name(family, query->version));
	if (!addr_is_unspecified(&query->group))
		narrate_addr(to, " ", &query->group);
	if (query->source_count > 0) {
		fputc(' ', to);
		narrate_wire_sources(to, query->sources, query->source_count, family);
	}
	fprintf(to, ", %" PRIu32 " ms%s, robustness %u, every %" PRIu32 " ms", query->max_response,
	        query->suppress ? ", suppress" : "", query->robustness, query->query_interval);
}

static void narrate_report(FILE *to, struct message *message)
{
	struct record record;

	fprintf(to, ": %s report", version_name(message->family, message->report.version));
	while (message_next_record(message, &record)) {
		narrate_addr(to, " ", &record.group);
		fprintf(to, " %s", record_type_name(record.type));
		narrate_wire_sources(to, record.sources, record.source_count, message->family);
	}
}

void narrate_packet(FILE *to, enum family family, const uint8_t *data, size_t size)
{
	struct packet packet;
	struct message message;
	enum drop drop = packet_parse(family, data, size, &packet);

	if (drop == DROP_NONE)
		drop = family == FAMILY_IPV4 ? igmp_decode(&packet, &message) : mld_decode(&packet, &message);
	if (drop != DROP_NONE) {
		fprintf(to, ": %s, %zu bytes", drop_name(drop), size);
		return;
	}
	narrate_addr(to, " ", &packet.source);
	narrate_addr(to, " > ", &packet.destination);
	if (message.kind == MESSAGE_QUERY)
		narrate_query(to, family, &message.query);
	else
		narrate_report(to, &message);
}

static void narrate_link_family(FILE *to, const struct link_change *change, enum family family)
{
	fprintf(to, ", %s", version_name(family, change->settings.version[family]));
	fputs(change->family[family].usable ? " up" : " down", to);
	narrate_addr(to, " ", &change->family[family].address);
}

static void narrate_link(FILE *to, const void *payload, size_t size)
{
	struct link_change change;

	if (size != sizeof change)
		return;
	memcpy(&change, payload, sizeof change);
	fprintf(to, " %.*s: %s, %s", LINK_NAME_SIZE, change.name, change.present ? "present" : "gone",
	        change.role == ROLE_UPSTREAM ? "upstream" : "downstream");
	for (int family = 0; family < FAMILIES; family++)
		narrate_link_family(to, &change, family);
	fprintf(to, ", robustness %u, query every %" PRIu32 " ms%s", change.settings.robustness,
	        change.settings.query_interval,
	        change.settings.fast_leave    ? ", fast leave"
	        : change.settings.track_hosts ? ", hosts tracked"
	                                      : "");
}

void narrate_input(FILE *to, const struct input *input, const void *payload, size_t size)
{
	static const char *const names[] = {
		[INPUT_PACKET] = "packet",     [INPUT_UPCALL] = "upcall",
		[INPUT_LINK] = "link",         [INPUT_COUNTERS] = "counters",
		[INPUT_SNAPSHOT] = "snapshot", [INPUT_EVENTS] = "events",
		[INPUT_STOP] = "stop",         [INPUT_PING] = "ping",
		[INPUT_SETTINGS] = "settings", [INPUT_REPEAT] = "repeat",
		[INPUT_LISTEN] = "listen",     [INPUT_REVIEW] = "review",
		[INPUT_ADOPTED] = "adopted",   [INPUT_ALL_ADOPTED] = "all adopted",
	};

	fprintf(to, "%s",
	        input->kind >= INPUT_PACKET && input->kind <= INPUT_ALL_ADOPTED ? names[input->kind]
	                                                                        : "unknown");
	switch ((enum input_kind)input->kind) {
	case INPUT_PACKET:
		fprintf(to, " link %u", input->link);
		narrate_packet(to, input->family, payload, size);
		break;
	case INPUT_UPCALL:
		narrate_addr(to, " ", &input->source);
		narrate_addr(to, " > ", &input->group);
		fprintf(to, " link %u%s", input->link, input->wrong_link ? ", not the route's" : "");
		break;
	case INPUT_LINK:
		fprintf(to, " %u", input->link);
		narrate_link(to, payload, size);
		break;
	case INPUT_COUNTERS:
		narrate_addr(to, " ", &input->source);
		narrate_addr(to, " > ", &input->group);
		fprintf(to, " %" PRIu64 " packets", input->packets);
		break;
	case INPUT_SNAPSHOT:
		fprintf(to, " cursor %u kind %u%s", input->cursor, input->what,
		        input->first ? ", from the start" : "");
		break;
	case INPUT_EVENTS:
		fputs(input->wanted ? " wanted" : " not wanted", to);
		break;
	case INPUT_REVIEW:
		narrate_addr(to, " ", &input->group);
		fprintf(to, " link %u%s", input->link, input->every_link ? ", every link" : "");
		break;
	case INPUT_ADOPTED:
		narrate_addr(to, " ", &input->source);
		narrate_addr(to, " > ", &input->group);
		fprintf(to, " link %u, heard on %" PRIx64, input->link, input->heard);
		break;
	case INPUT_STOP:
	case INPUT_PING:
	case INPUT_ALL_ADOPTED:
	case INPUT_SETTINGS:
	case INPUT_REPEAT:
	case INPUT_LISTEN:
		break;
	}
	fputc('\n', to);
}

static void narrate_upstream_query(FILE *to, const uint8_t *payload, size_t size)
{
	struct upstream_query query;

	if (size < sizeof query)
		return;
	memcpy(&query, payload, sizeof query);
	narrate_addr(to, " from ", &query.querier);
	narrate_addr(to, " ", &query.group);
	fputc(' ', to);
	narrate_sources(to, payload + sizeof query, size - sizeof query);
	fprintf(to,
	        " version %u, %" PRIu32 " ms, suppress %u, robustness %u, every %" PRIu32 " ms, %u sources",
	        query.version, query.max_response, flag(&query.suppress), query.robustness,
	        query.query_interval, query.source_count);
}

static void narrate_event(FILE *to, const struct event *event)
{
	fprintf(to, " %s link %u family %u", event->kind < EVENT_KINDS ? event_name(event->kind) : "unknown",
	        event->link, event->family);
	narrate_addr(to, " ", &event->source);
	narrate_addr(to, " > ", &event->group);
	fprintf(to, " %u -> %u, %u, %" PRIu64, event->before, event->after, event->count, event->value);
}

static void narrate_snapshot_link(FILE *to, const struct snapshot_link *link)
{
	fprintf(to, "link %u %.*s role %u family %u version %u usable %u querier %u", link->id,
	        LINK_NAME_SIZE, link->name, link->role, link->family, link->version, flag(&link->usable),
	        flag(&link->querier));
	narrate_addr(to, " ", &link->address);
	narrate_addr(to, " other ", &link->other_querier);
	fprintf(to,
	        " groups %" PRIu32 " left %" PRIu32 " %" PRIu32 " %" PRIu32 " every %" PRIu32
	        " robustness %u",
	        link->groups, link->other_querier_left, link->next_query_left, link->membership_interval,
	        link->query_interval, link->robustness);
}

static void narrate_snapshot_item(FILE *to, const struct snapshot_item *record)
{
	switch ((enum snapshot_kind)record->kind) {
	case SNAPSHOT_INSTANCE:
		fprintf(to,
		        "instance memory %" PRIu64 " groups %" PRIu32 " flows %" PRIu32 " negative %" PRIu32,
		        record->instance.memory, record->instance.groups, record->instance.flows,
		        record->instance.negative_flows);
		fprintf(to, " lost %" PRIu64 " drops %" PRIu64 " %" PRIu64, record->instance.events_dropped,
		        record->instance.drops[0], record->instance.drops[1]);
		break;
	case SNAPSHOT_LINKS:
		narrate_snapshot_link(to, &record->link);
		break;
	case SNAPSHOT_GROUPS:
		narrate_addr(to, "group ", &record->group.group);
		fprintf(to,
		        " link %u mode %u version %u queried %u sources %u hosts %u rounds %u left %" PRIu32,
		        record->group.link, record->group.mode, record->group.version,
		        flag(&record->group.queried), record->group.sources, record->group.hosts,
		        record->group.rounds, record->group.left);
		break;
	case SNAPSHOT_RULES:
		fprintf(to,
		        "rule link %u direction %u number %" PRIu32 " line %" PRIu32
		        ": %.*s; reports %" PRIu32 " streams %" PRIu32,
		        record->rule.link, record->rule.direction, record->rule.number, record->rule.line,
		        SNAPSHOT_RULE_SIZE, record->rule.text, record->rule.reports, record->rule.streams);
		break;
	case SNAPSHOT_SOURCES:
		narrate_addr(to, "source ", &record->source.source);
		fprintf(to, " blocked %u left %" PRIu32, flag(&record->source.blocked), record->source.left);
		break;
	case SNAPSHOT_HOSTS:
		narrate_addr(to, "host ", &record->host.host);
		fprintf(to, " mode %u sources %u left %" PRIu32, record->host.mode, record->host.sources,
		        record->host.left);
		break;
	case SNAPSHOT_FLOWS:
		narrate_addr(to, "flow ", &record->flow.source);
		narrate_addr(to, " > ", &record->flow.group);
		fprintf(to, " from %u rounds %u to ", record->flow.input, record->flow.rounds);
		narrate_links(to, record->flow.outputs);
		fprintf(to, " packets %" PRIu64 " bytes %" PRIu64 " wrong %" PRIu32, record->flow.packets,
		        record->flow.bytes, record->flow.wrong_link);
		break;
	case SNAPSHOT_KINDS:
		break;
	}
}

static void narrate_snapshot(FILE *to, const struct request *request, const uint8_t *payload, size_t size)
{
	struct snapshot_item record;

	fprintf(to, " cursor %u, %u records%s", request->cursor, request->count,
	        request->more ? ", more" : "");
	for (size_t at = 0; at + sizeof record <= size; at += sizeof record) {
		memcpy(&record, payload + at, sizeof record);
		fputs("\n    ", to);
		narrate_snapshot_item(to, &record);
	}
}

static void narrate_route(FILE *to, const struct request *request)
{
	narrate_addr(to, " ", &request->source);
	narrate_addr(to, " > ", &request->group);
	fprintf(to, " from link %u to ", request->link);
	narrate_links(to, request->links);
}

static void narrate_membership(FILE *to, const struct request *request, const void *payload, size_t size)
{
	narrate_addr(to, " ", &request->group);
	fprintf(to, " %s", filter_mode_name(request->mode));
	narrate_sources(to, payload, size);
	fprintf(to, " (%u) open on ", request->count);
	narrate_links(to, request->links);
}

void narrate_request(FILE *to, const struct request *request, const void *payload, size_t size)
{
	static const char *const names[] = {
		[REQUEST_SEND] = "send",
		[REQUEST_FORWARDING] = "forwarding",
		[REQUEST_MEMBERSHIP] = "membership",
		[REQUEST_ROUTE] = "route",
		[REQUEST_ROUTE_NONE] = "no route",
		[REQUEST_UPSTREAM_QUERY] = "upstream query",
		[REQUEST_EVENT] = "event",
		[REQUEST_SNAPSHOT] = "snapshot",
		[REQUEST_LINK_FREE] = "link free",
		[REQUEST_STOPPED] = "stopped",
		[REQUEST_PONG] = "pong",
		[REQUEST_ALL_ADOPTED] = "all adopted",
	};

	fprintf(to, "%s", names[request->kind]);
	switch ((enum request_kind)request->kind) {
	case REQUEST_SEND:
		fprintf(to, " link %u", request->link);
		narrate_packet(to, request->family, payload, size);
		break;
	case REQUEST_FORWARDING:
		fprintf(to, " family %u to ", request->family);
		narrate_links(to, request->links);
		break;
	case REQUEST_MEMBERSHIP:
		narrate_membership(to, request, payload, size);
		break;
	case REQUEST_ROUTE:
	case REQUEST_ROUTE_NONE:
		narrate_route(to, request);
		break;
	case REQUEST_UPSTREAM_QUERY:
		fprintf(to, " link %u", request->link);
		narrate_upstream_query(to, payload, size);
		break;
	case REQUEST_EVENT:
		narrate_event(to, &request->event);
		break;
	case REQUEST_SNAPSHOT:
		narrate_snapshot(to, request, payload, size);
		break;
	case REQUEST_LINK_FREE:
		fprintf(to, " %u", request->link);
		break;
	case REQUEST_STOPPED:
	case REQUEST_PONG:
	case REQUEST_ALL_ADOPTED:
		break;
	}
	fputc('\n', to);
}
