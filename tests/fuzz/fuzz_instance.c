/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The engine: the input is a story of links, packets, upcalls, counters, snapshots and time, told to an owner
 * that checks every request. What it learns from them must in the end be what the engine shows in its
 * snapshots.
 *
 * The owner keeps its side of the contract: an id is used again only when it was given back, and the families
 * of an input agree.
 */
#include "fuzz.h"
#include "fuzz_policies.h"

#include "core/router/instance.h"
#include "core/router/prefetch.h"
#include "core/wire/mrd.h"

#include <stdio.h>

#define LINKS        6
#define GROUPS       8
#define SOURCES      8
#define REQUESTS_MAX 1000000 /* of one turn */

enum id_state { ID_FREE, ID_USED, ID_WAITING };

struct route {
	bool known;
	uint8_t link;
	uint64_t links;
};

struct owner {
	struct instance *instance;
	struct wire stream;
	mtime now;
	bool lazy; /* pulls little by little */
	bool stopping;
	bool stopped;
	enum id_state ids[LINKS];
	bool usable[LINKS][FAMILIES];
	uint8_t roles[LINKS];
	const struct policy *filter_in[LINKS], *filter_out[LINKS]; /* the engine holds them */
	struct route routes[GROUPS][SOURCES];
	size_t flows_seen; /* of the walk at the end */
	bool last_walk;
	bool more;
};

static const uint8_t group_texts[GROUPS][4] = {
	{239, 1, 1, 1},   {239, 1, 1, 2}, {232, 1, 1, 1}, {224, 0, 0, 251},
	{239, 255, 0, 1}, {224, 0, 1, 1}, {10, 0, 0, 1},  {238, 0, 0, 1},
};

/* Even families IPv4, odd IPv6; some of them not to be proxied. */
static struct addr nth_group(uint8_t n, enum family family)
{
	struct addr addr = {{0xff, (uint8_t)(n == 3 ? 0x02 : n == 2 ? 0x3e : 0x05), [15] = (uint8_t)(n + 1)}};

	if (n == 6)
		addr.bytes[0] = 0x20;
	return family == FAMILY_IPV4 ? addr_from_ipv4(group_texts[n]) : addr;
}

static struct addr nth_source(uint8_t n, enum family family)
{
	struct addr addr = {{0x20, 0x01, 0x0d, 0xb8, [15] = (uint8_t)(n + 1)}};

	if (n == SOURCES - 1)
		return addr_unspecified(family);
	return family == FAMILY_IPV4 ? addr_from_ipv4_number(0x0a090901u + n) : addr;
}

/* Where the owner keeps what it ready of (source, group); upcalls use one family per group number. */
static struct route *route_of(struct owner *owner, const struct addr *source, const struct addr *group)
{
	for (uint8_t g = 0; g < GROUPS; g++) {
		struct addr addr = nth_group(g, g % 2);

		for (uint8_t s = 0; s < SOURCES && addr_equal(&addr, group); s++) {
			struct addr from = nth_source(s, g % 2);

			if (addr_equal(&from, source))
				return &owner->routes[g][s];
		}
	}
	assert(!"a route for something that never sent");
	return NULL;
}

static void check_links(const struct owner *owner, uint64_t links)
{
	for (unsigned id = 0; id < LINKS_MAX; id++)
		if (links >> id & 1)
			assert(id < LINKS && owner->ids[id] != ID_FREE);
}

/* A route goes only where the filters let it. */
static void check_filters(const struct owner *owner, const struct request *request)
{
	char input[LINK_NAME_SIZE];

	snprintf(input, sizeof input, "eth%u", request->link);
	for (unsigned id = 0; id < LINKS; id++)
		if (request->links >> id & 1)
			assert(fuzz_policy_allows(owner->filter_in[request->link], &request->source,
			                          &request->group, input) &&
			       fuzz_policy_allows(owner->filter_out[id], &request->source, &request->group,
			                          input));
}

static void told_route(struct owner *owner, const struct request *request)
{
	struct route *route = route_of(owner, &request->source, &request->group);
	uint64_t input = (uint64_t)1 << request->link;

	route->known = request->kind == REQUEST_ROUTE;
	if (!route->known)
		return;
	assert((request->links & input) == 0);
	assert(addr_is_proxied_group(&request->group) && addr_is_source(&request->source));
	check_links(owner, request->links | input);
	check_filters(owner, request);
	route->link = request->link;
	route->links = request->links;
}

static void told_membership(const struct request *request, const struct addr *sources, size_t size)
{
	enum family family = addr_family(&request->group);

	assert(size == request->count * sizeof *sources && request->mode <= FILTER_EXCLUDE);
	assert(addr_is_proxied_group(&request->group) && request->family == family);
	for (size_t i = 0; i < request->count; i++) {
		assert(addr_family(&sources[i]) == family && addr_is_source(&sources[i]));
		assert(i == 0 || addr_compare(&sources[i - 1], &sources[i]) < 0);
	}
}

/* Switches take both messages that a router sends. */
static void told_discovery(const struct packet *packet)
{
	enum mrd_type type;

	assert(mrd_decode(packet, &type) == DROP_NONE && type != MRD_SOLICITATION);
	assert(addr_equal(&packet->destination, &mrd_all_snoopers[packet->family]));
}

static void told_packet(const struct owner *owner, const struct request *request, const uint8_t *data,
                        size_t size)
{
	enum family family = request->family;
	struct packet packet;
	struct message message;

	assert(owner->usable[request->link][family] && owner->roles[request->link] == ROLE_DOWNSTREAM);
	assert(packet_parse(family, data, size, &packet) == DROP_NONE);
	assert(addr_equal(&packet.destination, &request->group));
	if (mrd_is_message(&packet)) {
		told_discovery(&packet);
		return;
	}
	assert(!owner->stopping);
	assert((family == FAMILY_IPV4 ? igmp_decode(&packet, &message) : mld_decode(&packet, &message)) ==
	       DROP_NONE);
	assert(message.kind == MESSAGE_QUERY);
}

static void told_page(struct owner *owner, const struct request *request, const struct snapshot_item *records,
                      size_t size)
{
	assert(request->count <= SNAPSHOT_PAGE_ITEMS && size == request->count * sizeof *records);
	for (size_t i = 0; i < request->count; i++) {
		const struct snapshot_flow *flow = &records[i].flow;
		struct route *route;

		assert(records[i].kind < SNAPSHOT_KINDS);
		if (!owner->last_walk)
			continue;
		route = route_of(owner, &flow->source, &flow->group);
		assert(records[i].kind == SNAPSHOT_FLOWS && route->known);
		assert(route->link == flow->input && route->links == flow->outputs);
		owner->flows_seen++;
	}
	owner->more = request->more;
}

static void told_link_free(struct owner *owner, uint8_t id)
{
	assert(id < LINKS && owner->ids[id] == ID_WAITING);
	owner->ids[id] = ID_FREE;
	for (uint8_t g = 0; g < GROUPS; g++)
		for (uint8_t s = 0; s < SOURCES; s++)
			assert(!owner->routes[g][s].known || (owner->routes[g][s].link != id &&
			                                      (owner->routes[g][s].links >> id & 1) == 0));
}

static bool pull_one(struct owner *owner)
{
	static _Alignas(8) uint8_t room[REQUEST_PAYLOAD_MAX];
	struct request request;
	uint8_t *payload;
	size_t size;

	if (!instance_pull(owner->instance, owner->now, &request, room, &size))
		return false;
	assert(size <= sizeof room && !owner->stopped);
	/* At the end this router only takes back that it is one. */
	assert(!owner->stopping || request.kind == REQUEST_SEND || request.kind == REQUEST_STOPPED);
	payload = fuzz_copy(room, size);
	switch ((enum request_kind)request.kind) {
	case REQUEST_SEND:
		told_packet(owner, &request, payload, size);
		break;
	case REQUEST_FORWARDING:
		assert(size == 0);
		check_links(owner, request.links);
		break;
	case REQUEST_MEMBERSHIP:
		check_links(owner, request.links);
		told_membership(&request, (const struct addr *)(const void *)payload, size);
		break;
	case REQUEST_ROUTE:
	case REQUEST_ROUTE_NONE:
		told_route(owner, &request);
		break;
	case REQUEST_UPSTREAM_QUERY:
		assert(size >= sizeof(struct upstream_query) && request.link < LINKS);
		fuzz_read(payload, size);
		break;
	case REQUEST_EVENT:
		assert(request.event.kind < EVENT_KINDS && event_name(request.event.kind) != NULL);
		break;
	case REQUEST_SNAPSHOT:
		told_page(owner, &request, (const struct snapshot_item *)(const void *)payload, size);
		break;
	case REQUEST_LINK_FREE:
		told_link_free(owner, request.link);
		break;
	case REQUEST_STOPPED:
		assert(owner->stopping);
		owner->stopped = true;
		break;
	case REQUEST_PONG:
	case REQUEST_ALL_ADOPTED:
		break;
	}
	free(payload);
	return true;
}

static void turn(struct owner *owner)
{
	size_t requests = 0, limit = owner->lazy ? 1 : REQUESTS_MAX;

	instance_expire(owner->instance, owner->now);
	while (requests < limit && pull_one(owner))
		requests++;
	assert(requests < REQUESTS_MAX);
	if (!owner->lazy)
		assert(instance_deadline(owner->instance) > owner->now);
}

static void give(struct owner *owner, const struct input *input, const void *payload, size_t size)
{
	uint8_t *copy = fuzz_copy(payload, size);

	for (enum prefetch step = PREFETCH_FAR; step <= PREFETCH_NEAR; step++)
		prefetch_input(owner->instance, input, copy, size, step);
	instance_input(owner->instance, owner->now, input, copy, size);
	free(copy);
}

static struct link_settings settings_of(struct wire *stream)
{
	uint8_t choice = fuzz_byte(stream), more = fuzz_byte(stream), last = fuzz_byte(stream);

	return (struct link_settings){
		.startup_query_count = last & 3,
		.startup_query_interval = last & 4 ? 2000 : 0,
		.older_host_present_interval = last & 8 ? 1000 : 0,
		.report_rate_max = last & 0x10 ? 3 : 0,
		.query_rate_max = last & 0x20 ? 1 + (last & 3) : 0,
		.host_report_rate_max = last & 0x40 ? (last & 1 ? HOST_REPORT_RATE_HALF : 2) : 0,
		.version = {choice & 3, choice >> 2 & 3},
		.fast_leave = choice >> 4 & 1,
		.track_hosts = more & 1,
		.forward_without_querier = (uint8_t)((choice >> 5 & 1) + (choice >> 6 & 1)),
		.querier_election = choice != 0xff,
		.oldest_version = {more >> 1 & 3, more >> 2 & 3},
		.router_discovery = more % 3,
		.robustness = last == 0xff ? 255 : (uint8_t)(1 + more % 7),
		.last_member_query_count = choice >> 6,
		.query_interval = 10000u + more * 100u,
		.query_response_interval = 1000u + more * 10u,
		.last_member_query_interval = 100u + more * 5u,
		.groups_max = more & 0x80 ? 3 : 1000,
		.sources_max = more & 0x40 ? 2 : 1024,
		.hosts_max = more & 0x10 ? 2 : 128,
		.host_groups_max = more & 8 ? 1 + (last & 3) : 0,
		.require_router_alert = last == 7,
		.verify_source_subnet = (last & 0x84) == 0x84,
		.order = choice >> 4 & 3,
		.ssm_prefix = {addr_from_ipv4_number(0xe8000000), {{0xff, 0x30}}},
		.ssm_length = {(uint8_t)(more & 0x20 ? 96 + 8 : 0), (uint8_t)(more & 0x20 ? 32 : 0)},
	};
}

/* The senders of packets made right are in the larger subnet, and not in the smaller one. */
static struct link_addresses addresses_of(uint8_t id, const struct link_settings *settings)
{
	return (struct link_addresses){
		.address_count = {1, 1},
		.subnet_count = settings->robustness % 2,
		.subnets = {{{10}, (uint8_t)(settings->robustness == 7 ? 24 : 23)}},
		.addresses = {{addr_from_ipv4_number(0x0a000101u + id)},
	                      {{{0xfe, 0x80, [14] = id, [15] = 1}}}},
	};
}

static void change_link(struct owner *owner)
{
	uint8_t id = fuzz_byte(&owner->stream) % LINKS, choice = fuzz_byte(&owner->stream);
	struct input input = {.kind = INPUT_LINK, .link = id};
	struct link_change change = {
		.present = choice & 0x0f,
		.role = choice >> 4 & 1 ? ROLE_UPSTREAM : ROLE_DOWNSTREAM,
		.mtu = choice & 0x80 ? 576 : 1500,
		.settings = settings_of(&owner->stream),
		.family = {{choice & 1, addr_from_ipv4_number(choice & 4 ? 0 : 0x0a000101u + id)},
	                   {choice & 2, {{0xfe, 0x80, [14] = id, [15] = (uint8_t)(1 + (choice >> 6 & 1))}}}},
	};

	if (owner->ids[id] == ID_WAITING || (owner->ids[id] == ID_FREE && !change.present))
		return;
	change.settings.version[FAMILY_IPV6] = change.settings.version[FAMILY_IPV6] == VERSION_1
	                                               ? VERSION_2
	                                               : change.settings.version[FAMILY_IPV6];
	if (choice & 8)
		change.addresses = addresses_of(id, &change.settings);
	change.elections = choice >> 5 & 1;
	snprintf(change.name, sizeof change.name, "eth%u", id);
	change.settings.filter_in = fuzz_policy(change.settings.query_interval / 100 % 13);
	change.settings.filter_out = fuzz_policy(change.settings.query_interval / 1300 % 11);
	change.settings.static_groups = fuzz_map(change.settings.query_interval / 200 % 8);
	change.settings.ssm_map = fuzz_map(change.settings.query_interval / 700 % 8);
	owner->filter_in[id] = change.settings.filter_in;
	owner->filter_out[id] = change.settings.filter_out;
	assert(link_settings_equal(&change.settings, &change.settings));
	owner->ids[id] = change.present ? ID_USED : ID_WAITING;
	owner->roles[id] = change.role;
	for (int family = 0; family < FAMILIES; family++)
		owner->usable[id][family] = change.present && change.family[family].usable &&
		                            change.settings.version[family] != VERSION_NONE;
	give(owner, &input, &change, sizeof change);
}

static void packet_as_it_is(struct owner *owner)
{
	uint8_t link = fuzz_byte(&owner->stream);
	uint16_t size = fuzz_two_bytes(&owner->stream) % 1501;
	struct input input = {
		.kind = INPUT_PACKET, .link = link % LINKS, .family = link >> 7, .truncated = size == 1500};
	const uint8_t *bytes = wire_take(&owner->stream, size);

	if (bytes != NULL)
		give(owner, &input, bytes, size);
}

/* The bytes as a message in a packet whose header and checksums are right. */
static void packet_made_right(struct owner *owner)
{
	static const struct addr everybody[FAMILIES] = {{{[10] = 0xff, [11] = 0xff, [12] = 224, [15] = 22}},
	                                                {{0xff, 2, [15] = 0x16}}};
	uint8_t link = fuzz_byte(&owner->stream), from = fuzz_byte(&owner->stream),
		size = fuzz_byte(&owner->stream);
	enum family family = link >> 7;
	struct input input = {.kind = INPUT_PACKET, .link = link % LINKS, .family = (uint8_t)family};
	const struct addr *to = &everybody[family];
	struct addr source = family == FAMILY_IPV4 ? addr_from_ipv4_number(0x0a000100u + from)
	                                           : (struct addr){{0xfe, 0x80, [15] = from}};
	const uint8_t *bytes = wire_take(&owner->stream, size);
	uint8_t packet[PACKET_HEADER_IPV6 + 256], *message = packet + packet_header_size(family);

	if (bytes == NULL || size < 4)
		return;
	memcpy(message, bytes, size);
	wire_put16(message + 2, 0);
	wire_put16(message + 2,
	           wire_checksum(family == FAMILY_IPV4 ? 0 : wire_icmp6_pseudo_sum(&source, to, size),
	                         message, size));
	give(owner, &input, packet, packet_finish(family, packet, &source, to, size));
}

/* A report with one record about one of the usual groups and sources, the likeliest story. */
static void usual_report(struct owner *owner)
{
	uint8_t link = fuzz_byte(&owner->stream), record = fuzz_byte(&owner->stream),
		mask = fuzz_byte(&owner->stream);
	uint8_t g = record % GROUPS;
	enum family family = g % 2;
	struct addr group = nth_group(g, family), sources[8], from = nth_source(0, family), to = group;
	struct input input = {.kind = INPUT_PACKET, .link = link % LINKS, .family = (uint8_t)family};
	uint8_t packet[512], *message = packet + packet_header_size(family);
	struct report_writer writer;
	size_t size, count = 0;

	for (uint8_t n = 0; n < 8; n++)
		if (mask >> n & 1)
			sources[count++] = nth_source(n, family);
	if (family == FAMILY_IPV6)
		from = (struct addr){{0xfe, 0x80, [15] = 99}};
	report_writer_open(&writer, family, message, sizeof packet - packet_header_size(family));
	report_writer_add(&writer, IS_IN + record / GROUPS % 6, &group, sources, count);
	if (family == FAMILY_IPV4) {
		size = link & 0x40   ? igmp_encode_report(message, VERSION_1 + (link >> 5 & 1), &group)
		       : link & 0x80 ? igmp_encode_leave(message, &group)
		                     : igmp_finish_report(&writer);
	} else {
		to = link & 0x40 ? group : link & 0x80 ? mld_all_routers : mld_v2_routers;
		size = link & 0x40   ? mld_encode_report(message, &group, &from)
		       : link & 0x80 ? mld_encode_done(message, &group, &from)
		                     : mld_finish_report(&writer, &from);
	}
	give(owner, &input, packet, packet_finish(family, packet, &from, &to, size));
}

static struct input about_flow(struct owner *owner, enum input_kind kind)
{
	uint8_t link = fuzz_byte(&owner->stream), what = fuzz_byte(&owner->stream);
	uint8_t g = what % GROUPS, s = what / GROUPS % SOURCES;

	return (struct input){
		.kind = (uint8_t)kind,
		.link = link % LINKS,
		.family = g % 2,
		.source = nth_source(s, g % 2),
		.group = nth_group(g, g % 2),
	};
}

static void upcall(struct owner *owner)
{
	struct input input = about_flow(owner, INPUT_UPCALL);
	uint8_t choice = fuzz_byte(&owner->stream);

	input.wrong_link = choice & 1;
	if ((choice & 0xc0) == 0x80) {
		input.kind = INPUT_ADOPTED;
		input.wrong_link = 0;
		input.heard = choice & 0x3f;
	} else if (choice == 0xc0) {
		input = (struct input){.kind = INPUT_ALL_ADOPTED};
	}
	give(owner, &input, NULL, 0);
}

static void counters(struct owner *owner)
{
	struct input input = about_flow(owner, INPUT_COUNTERS);

	input.packets = fuzz_byte(&owner->stream);
	input.bytes = input.packets * 1316;
	input.wrong_link_packets = (uint32_t)input.packets / 2;
	give(owner, &input, NULL, 0);
}

static void snapshot(struct owner *owner)
{
	uint8_t choice = fuzz_byte(&owner->stream);
	struct input input = {
		.kind = INPUT_SNAPSHOT,
		.link = fuzz_byte(&owner->stream) % LINKS,
		.first = choice & 1,
		.cursor = choice >> 1 & 15,
		.what = choice >> 5,
	};

	give(owner, &input, NULL, 0);
}

static void configure(struct owner *owner, uint8_t what)
{
	struct input input = {.kind = INPUT_SETTINGS};
	struct instance_settings settings = {
		.routes_max = 1 + (what >> 3 & 7) * 10,
		.route_timeout = 10000,
		.memory_max = what & 0x40 ? 100000 : 1 << 20,
		.upstream_choice = what % 3,
		.mutex_hold = 5000,
	};

	assert(instance_settings_equal(&settings, &settings));
	give(owner, &input, &settings, sizeof settings);
}

static void events(struct owner *owner)
{
	uint8_t what = fuzz_byte(&owner->stream);
	struct input input = {.kind = INPUT_EVENTS, .wanted = what & 1};

	give(owner, &input, NULL, 0);
	if (what & 2)
		give(owner, &(struct input){.kind = INPUT_PING}, NULL, 0);
	if (what & 4)
		configure(owner, what);
	if (what & 0x20)
		give(owner,
		     &(struct input){.kind = INPUT_REVIEW,
		                     .link = what % LINKS,
		                     .every_link = what >> 6 & 1,
		                     .group = addr_from_ipv4_number(0xef000000),
		                     .prefix_length = what & 0x80 ? 96 + 8 : 0},
		     NULL, 0);
	if (what & 8)
		give(owner, &(struct input){.kind = INPUT_REPEAT, .family = what >> 4 & 1}, NULL, 0);
}

static void stop(struct owner *owner)
{
	struct input input = {.kind = INPUT_STOP};

	if (fuzz_byte(&owner->stream) != 0xff)
		return;
	owner->stopping = true;
	give(owner, &input, NULL, 0);
}

static void step(struct owner *owner)
{
	switch (fuzz_byte(&owner->stream) % 16) {
	case 0:
		change_link(owner);
		break;
	case 1:
		packet_as_it_is(owner);
		break;
	case 2:
	case 3:
		packet_made_right(owner);
		break;
	case 4:
	case 5:
	case 6:
		usual_report(owner);
		break;
	case 7:
	case 8:
		upcall(owner);
		break;
	case 9:
		counters(owner);
		break;
	case 10:
		snapshot(owner);
		break;
	case 11:
		events(owner);
		break;
	case 12:
		owner->now += fuzz_two_bytes(&owner->stream);
		break;
	case 13:
		owner->now = instance_deadline(owner->instance) < MTIME_NEVER &&
		                             instance_deadline(owner->instance) > owner->now
		                     ? instance_deadline(owner->instance)
		                     : owner->now;
		break;
	case 14:
		owner->lazy = fuzz_byte(&owner->stream) & 1;
		break;
	default:
		stop(owner);
	}
}

/* The routes that were requested last are all that exist. */
static void compare_routes(struct owner *owner)
{
	struct input input = {.kind = INPUT_SNAPSHOT, .what = SNAPSHOT_FLOWS, .first = 1};
	size_t known = 0;

	owner->lazy = false;
	turn(owner);
	if (owner->stopping)
		return;
	owner->last_walk = true;
	do {
		give(owner, &input, NULL, 0);
		turn(owner);
		input.first = 0;
	} while (owner->more);
	for (uint8_t g = 0; g < GROUPS; g++)
		for (uint8_t s = 0; s < SOURCES; s++)
			known += owner->routes[g][s].known;
	assert(known == owner->flows_seen);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct owner owner = {.stream = {data, size}, .now = 1000000};
	uint8_t choice = fuzz_byte(&owner.stream);
	struct instance_settings settings = {
		.routes_max = choice & 0x0f ? 2u + (choice & 0x0f) : 1000,
		.route_timeout = 20000,
		.memory_max = choice & 0xf0 ? (uint64_t)(choice >> 4) * 17000 : 1u << 24,
	};

	owner.instance = instance_new(&settings, choice);
	assert(owner.instance != NULL);
	while (owner.stream.left > 0 && !owner.stopped) {
		step(&owner);
		turn(&owner);
	}
	compare_routes(&owner);
	instance_free(owner.instance);
	return 0;
}
