/* SPDX-License-Identifier: BSD-2-Clause */
#include "proxy.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNTERS_INTERVAL   (10 * MTIME_SECOND)
#define ROUTE_TIMEOUT       (30 * MTIME_SECOND)
#define MUTEX_HOLD          (25 * MTIME_SECOND)
#define SERVER_STATION      100
#define LOWER_PROXY_STATION 10

static _Alignas(8) uint8_t payload[REQUEST_PAYLOAD_MAX];

struct proxy_link *proxy_link_by_id(struct proxy *proxy, unsigned id)
{
	for (unsigned i = 0; i < proxy->link_count; i++)
		if (proxy->links[i].id == id && proxy->links[i].present)
			return &proxy->links[i];
	return NULL;
}

/* What the engine requests. */

/* RFC 4286; no station of the simulation reads it. False: it is another message. */
static bool do_discovery(struct proxy *proxy, const struct request *request, const struct frame *frame)
{
	const struct proxy_link *link = proxy_link_by_id(proxy, request->link);
	bool is_discovery, terminates;
	const char *problem = frame_read_discovery(frame, &is_discovery, &terminates);

	if (!is_discovery)
		return false;
	if (problem != NULL)
		world_fail(proxy->world, "proxy %u: malformed router discovery: %s", proxy->number, problem);
	if (link == NULL || !link->usable[request->family] || link->role == ROLE_UPSTREAM)
		world_fail(proxy->world, "proxy %u: router discovery on link %u, which is not usable",
		           proxy->number, request->link);
	if (!terminates && (link->settings.router_discovery == ROUTER_DISCOVERY_OFF ||
	                    (link->settings.router_discovery == ROUTER_DISCOVERY_AUTO &&
	                     !link->port.segment->rivals[request->family]->has_lower_address)))
		world_fail(proxy->world, "proxy %u: an advertisement on link %u, where it is the querier",
		           proxy->number, request->link);
	world_count(proxy->world, TALLY_DISCOVERY);
	return true;
}

static void do_send(struct proxy *proxy, const struct request *request, size_t size)
{
	struct proxy_link *link = proxy_link_by_id(proxy, request->link);
	struct frame *frame = frame_copy(request->family, payload, size);
	struct frame_query query;
	const char *problem;

	if (do_discovery(proxy, request, frame)) {
		frame_drop(frame);
		return;
	}
	problem = frame_read_query(frame, &query);
	if (link == NULL || !link->usable[request->family] || link->role == ROLE_UPSTREAM)
		world_fail(proxy->world, "proxy %u: a query on link %u, which is not usable", proxy->number,
		           request->link);
	if (problem != NULL)
		world_fail(proxy->world, "proxy %u: a malformed query: %s", proxy->number, problem);
	if (!addr_equal(&query.from, &link->addr[request->family]) ||
	    query.version != link->settings.version[request->family])
		world_fail(proxy->world, "proxy %u: a query of another address or version", proxy->number);
	world_count(proxy->world, query.group == GROUP_NONE ? TALLY_GENERAL_QUERIES : TALLY_SPECIFIC_QUERIES);
	port_send(&link->port, frame);
}

static struct want read_filter(struct proxy *proxy, const struct request *request, size_t size)
{
	struct want want = {.exclude = request->mode == FILTER_EXCLUDE};

	for (size_t at = 0; at < size; at += sizeof(struct addr)) {
		struct addr addr;
		int source;

		memcpy(&addr, payload + at, sizeof addr);
		source = universe_source_number(&addr);
		if (source < 0 || want.sources >> source & 1)
			world_fail(proxy->world, "proxy %u: a filter with a false source", proxy->number);
		want.sources |= (uint64_t)1 << source;
	}
	return want;
}

static void do_membership(struct proxy *proxy, const struct request *request, size_t size)
{
	int group = universe_group_number(&request->group);
	struct want want = read_filter(proxy, request, size);
	char text[WANT_TEXT_SIZE];

	if (group < 0 || size != request->count * sizeof(struct addr))
		world_fail(proxy->world, "proxy %u: a malformed membership", proxy->number);
	world_count(proxy->world, TALLY_MEMBERSHIPS_REQUESTED);
	world_note(proxy->world, "proxy %u: family %u group %d upstream %s", proxy->number, request->family,
	           group, want_format(want, text));
	for (unsigned number = 0; number < proxy_upstreams(proxy); number++) {
		if (request->link != LINK_ALL && request->link != proxy_upstream(proxy, number)->id)
			continue;
		proxy->wanted[number][request->family][group] = want;
		proxy->open[number][request->family][group] = request->links;
	}
	if (request->links != 0 && !want_equal(want, WANT_ALL))
		world_fail(
			proxy->world,
			"proxy %u: links where every source is wanted, and a filter upstream that is not so",
			proxy->number);
	if (request->link == LINK_ALL || request->link == proxy->links[0].id)
		uplink_want(proxy->links[0].uplink[request->family], request, payload);
}

/* Takes the query that the engine has to pass on next. */
static struct frame_query next_upstream_query(struct proxy *proxy, enum family family, bool general)
{
	struct frame_query next = general ? proxy->general[family] : proxy->specific[0];

	if (general ? !proxy->general_due[family] : proxy->specific_count == 0)
		world_fail(proxy->world, "proxy %u: passes on an upstream query that it did not receive",
		           proxy->number);
	if (general)
		proxy->general_due[family] = false;
	else
		memmove(&proxy->specific[0], &proxy->specific[1], --proxy->specific_count * sizeof next);
	return next;
}

static void do_upstream_query(struct proxy *proxy, const struct request *request, size_t size)
{
	struct frame_query received;
	struct upstream_query passed_on;
	struct addr group;
	uint64_t sources = 0;

	memcpy(&passed_on, payload, sizeof passed_on);
	received = next_upstream_query(proxy, request->family, addr_is_unspecified(&passed_on.group));
	for (size_t at = sizeof passed_on; at < size; at += sizeof(struct addr))
		sources |= (uint64_t)1
		           << universe_source_number((const struct addr *)(const void *)(payload + at));
	group = received.group == GROUP_NONE ? addr_unspecified(request->family)
	                                     : universe_group(request->family, (unsigned)received.group);
	if (passed_on.version != received.version || passed_on.max_response != received.max_response ||
	    !addr_equal(&passed_on.group, &group) || !addr_equal(&passed_on.querier, &received.from) ||
	    sources != received.sources || passed_on.robustness != received.robustness ||
	    passed_on.query_interval != received.interval || passed_on.suppress != received.suppress)
		world_fail(proxy->world, "proxy %u: passes on an upstream query wrongly", proxy->number);
	uplink_receive_query(proxy->links[0].uplink[request->family], &passed_on,
	                     (const struct addr *)(const void *)(payload + sizeof passed_on));
}

static void do_link_free(struct proxy *proxy, const struct request *request)
{
	struct proxy_link *link = NULL;

	for (unsigned i = 0; i < proxy->link_count; i++)
		if (proxy->links[i].id == request->link)
			link = &proxy->links[i];
	if (link == NULL || !link->announced_gone)
		world_fail(proxy->world, "proxy %u: frees link %u, which is not gone", proxy->number,
		           request->link);
	if (kernel_names_link(proxy, request->link))
		world_fail(proxy->world, "proxy %u: frees link %u, which a route still names", proxy->number,
		           request->link);
	link->announced_gone = false;
}

static void do_request(struct proxy *proxy, const struct request *request, size_t size)
{
	proxy->unchecked |= request->kind <= REQUEST_ROUTE_NONE;
	switch ((enum request_kind)request->kind) {
	case REQUEST_SEND:
		do_send(proxy, request, size);
		break;
	case REQUEST_FORWARDING:
		proxy->forwarding[request->family] = request->links;
		break;
	case REQUEST_MEMBERSHIP:
		do_membership(proxy, request, size);
		break;
	case REQUEST_ROUTE:
		kernel_set_route(proxy, request);
		break;
	case REQUEST_ROUTE_NONE:
		kernel_remove_route(proxy, request);
		break;
	case REQUEST_UPSTREAM_QUERY:
		do_upstream_query(proxy, request, size);
		break;
	case REQUEST_LINK_FREE:
		do_link_free(proxy, request);
		break;
	case REQUEST_SNAPSHOT:
		if (request->more)
			proxy->pages_wanted |= 1u << request->cursor;
		break;
	case REQUEST_EVENT:
	case REQUEST_STOPPED:
	case REQUEST_PONG:
	case REQUEST_ALL_ADOPTED:
		break;
	}
}

static void wake(void *object, mtime at);

static void arm(struct proxy *proxy, mtime at)
{
	if (at >= proxy->wake_at)
		return;
	proxy->wake_at = at;
	agenda_add(&proxy->world->agenda, at, wake, proxy);
}

/* How many requests find room in the ring this turn. */
static unsigned room(struct world *world)
{
	if (world->faults.full_ring == 0 || !random_percent(&world->random, world->faults.full_ring))
		return UINT32_MAX;
	world_count(world, TALLY_FULL_RINGS);
	return random_below(&world->random, 4);
}

/* One turn of a worker's loop behind its inputs; false when it had to stop for lack of room. */
static void digest_bytes(uint64_t *digest, const void *bytes, size_t size)
{
	for (const uint8_t *at = bytes; size > 0; at++, size--)
		*digest = (*digest ^ *at) * UINT64_C(1099511628211); /* FNV-1a */
}

/* Adds the meaning of a request, whatever its layout in memory. Leaves out snapshots and events: they describe
 * the engine and change nothing. */
static void digest_request(uint64_t *digest, const struct request *request, size_t size)
{
	const uint64_t numbers[] = {request->kind, request->link,  request->family,
	                            request->mode, request->count, request->links,
	                            size};

	if (request->kind == REQUEST_SNAPSHOT || request->kind == REQUEST_EVENT)
		return;
	digest_bytes(digest, numbers, sizeof numbers);
	digest_bytes(digest, &request->source, sizeof request->source);
	digest_bytes(digest, &request->group, sizeof request->group);
	if (request->kind == REQUEST_SEND || request->kind == REQUEST_MEMBERSHIP)
		digest_bytes(digest, payload, size);
}

static bool turn(struct proxy *proxy)
{
	mtime now = world_now(proxy->world);
	unsigned left = room(proxy->world);
	struct request request;
	size_t size;

	assert(!proxy->in_turn);
	proxy->in_turn = true;
	instance_expire(proxy->instance, now);
	recorder_turn(proxy->recorder, now);
	while (left > 0 && instance_pull(proxy->instance, now, &request, payload, &size)) {
		recorder_request(proxy->recorder, now, &request, payload, size);
		digest_request(&proxy->world->digest, &request, size);
		do_request(proxy, &request, size);
		left--;
	}
	if (left == 0)
		recorder_full(proxy->recorder, now);
	else if (proxy->unchecked)
		kernel_check_expected(proxy);
	recorder_flush(proxy->recorder);
	proxy->in_turn = false;
	return left > 0;
}

static void run(struct proxy *proxy)
{
	mtime now = world_now(proxy->world);
	bool done = turn(proxy);
	mtime deadline = instance_deadline(proxy->instance);

	if (done && deadline <= now)
		world_fail(proxy->world, "proxy %u: after its turn it is due again at once", proxy->number);
	if (!done || proxy->pages_wanted != 0)
		deadline = now + 1;
	if (deadline != MTIME_NEVER)
		arm(proxy, deadline);
}

static void ask_for_pages(struct proxy *proxy)
{
	for (uint8_t cursor = 0; cursor < SNAPSHOT_CURSORS; cursor++) {
		struct input input = {.kind = INPUT_SNAPSHOT, .cursor = cursor};

		if (!(proxy->pages_wanted >> cursor & 1))
			continue;
		recorder_input(proxy->recorder, world_now(proxy->world), &input, NULL, 0);
		instance_input(proxy->instance, world_now(proxy->world), &input, NULL, 0);
	}
	proxy->pages_wanted = 0;
}

static void wake(void *object, mtime at)
{
	struct proxy *proxy = object;

	if (at != proxy->wake_at)
		return;
	proxy->wake_at = MTIME_NEVER;
	ask_for_pages(proxy);
	run(proxy);
}

void proxy_input(struct proxy *proxy, const struct input *input, const void *bytes, size_t size)
{
	struct world *world = proxy->world;

	recorder_input(proxy->recorder, world_now(world), input, bytes, size);
	instance_input(proxy->instance, world_now(world), input, bytes, size);
	/* Some turns have several inputs. */
	if (world->faults.full_ring > 0 && random_percent(&world->random, 50))
		arm(proxy, world_now(world));
	else
		run(proxy);
}

/* The newest one counts, but the earliest answer and the oldest version stand. */
static void note_general_query(struct proxy *proxy, enum family family, struct frame_query query)
{
	struct frame_query *kept = &proxy->general[family];

	if (proxy->general_due[family]) {
		query.max_response = mtime_min(query.max_response, kept->max_response);
		query.version = query.version < kept->version ? query.version : kept->version;
	}
	*kept = query;
	proxy->general_due[family] = true;
}

static void note_upstream_query(struct proxy *proxy, const struct frame *frame)
{
	struct frame_query query;

	if (frame_read_query(frame, &query) != NULL)
		return;
	if (query.group == GROUP_NONE) {
		note_general_query(proxy, frame->family, query);
		return;
	}
	if (instance_query_room(proxy->instance) == 0)
		world_fail(proxy->world, "proxy %u: no room for a query from upstream", proxy->number);
	proxy->specific[proxy->specific_count++] = query;
}

void proxy_receive(void *owner, const struct frame *frame)
{
	struct proxy_link *link = owner;
	struct input input = {.kind = INPUT_PACKET, .link = link->id, .family = frame->family};

	if (link->role == ROLE_UPSTREAM)
		note_upstream_query(link->proxy, frame);
	proxy_input(link->proxy, &input, frame->bytes, frame->size);
}

/* The owner forgets what was wanted on an upstream link that returns: the engine tells it again. */
static void forget_wants(struct proxy_link *link)
{
	struct proxy *proxy = link->proxy;

	for (unsigned number = 0; number < proxy_upstreams(proxy); number++) {
		if (proxy_upstream(proxy, number) != link)
			continue;
		memset(proxy->wanted[number], 0, sizeof proxy->wanted[number]);
		memset(proxy->open[number], 0, sizeof proxy->open[number]);
	}
	for (int family = 0; link->host != NULL && family < FAMILIES; family++)
		uplink_unwant_all(link->uplink[family]);
}

void proxy_link_changed(struct proxy_link *link)
{
	struct input input = {.kind = INPUT_LINK, .link = link->id};
	struct link_change change;

	memset(&change, 0, sizeof change);
	change.present = link->present;
	change.role = link->role;
	memcpy(change.name, link->name, sizeof link->name);
	change.mtu = 1500;
	change.settings = link->settings;
	change.settings.filter_in = rules_hold(link->in);
	change.settings.filter_out = rules_hold(link->out);
	change.addresses.subnet_count = 1;
	memcpy(change.addresses.subnets[0].prefix, addr_ipv4_bytes(&link->addr[FAMILY_IPV4]), 2);
	change.addresses.subnets[0].length = 16;
	for (int family = 0; family < FAMILIES; family++) {
		change.addresses.address_count[family] = 1;
		change.addresses.addresses[family][0] = link->addr[family];
	}
	if (link->present && link->was_gone)
		forget_wants(link);
	link->was_gone = !link->present;
	for (int family = 0; family < FAMILIES; family++) {
		bool usable = link->present && link->usable[family] && link->proxy->world->served[family];

		change.family[family].usable = usable;
		change.family[family].address = link->addr[family];
		if (link->host != NULL && link->port.up[family] && !usable)
			member_link_down(link->host + family);
		if (link->host != NULL)
			link->host[family].port.up[family] = usable;
		if (link->host != NULL && !link->port.up[family] && usable)
			member_link_up(link->host + family);
		link->port.up[family] = usable;
		if (link->host != NULL)
			uplink_link_changed(link->uplink[family], link->present);
	}
	if (!link->present)
		link->announced_gone = true;
	proxy_input(link->proxy, &input, &change, sizeof change);
}

static void ask_for_snapshot(struct proxy *proxy)
{
	struct random *random = &proxy->world->random;
	struct input input = {.kind = INPUT_SNAPSHOT, .first = 1};

	input.cursor = (uint8_t)random_below(random, SNAPSHOT_CURSORS);
	input.what = (uint8_t)random_below(random, SNAPSHOT_SOURCES);
	input.link = proxy->links[random_below(random, proxy->link_count)].id;
	proxy_input(proxy, &input, NULL, 0);
}

static void tick(void *object, mtime at)
{
	struct proxy *proxy = object;

	kernel_read_counters(proxy);
	if (random_percent(&proxy->world->random, 20))
		ask_for_snapshot(proxy);
	agenda_add(&proxy->world->agenda, at + COUNTERS_INTERVAL, tick, proxy);
}

static struct proxy_link *add_link(struct proxy *proxy, struct segment *segment, enum link_role role,
                                   unsigned station)
{
	struct proxy_link *link = &proxy->links[proxy->link_count];

	assert(proxy->link_count < PROXY_LINKS_MAX);
	/* Ids all over the range, no two the same. */
	link->id = (uint8_t)((proxy->link_count * 11 + proxy->number * 17) % LINKS_MAX);
	proxy->link_count++;
	link->proxy = proxy;
	link->role = (uint8_t)role;
	snprintf(link->name, sizeof link->name, "eth%u", link->id);
	link->present = true;
	link->port.owner = link;
	link->port.receive = proxy_receive;
	link->port.receives_reports = role == ROLE_DOWNSTREAM;
	for (int family = 0; family < FAMILIES; family++) {
		link->usable[family] = proxy->world->served[family];
		link->addr[family] = station_addr(family, segment->number, station);
	}
	segment_attach(segment, &link->port);
	return link;
}

static void add_hosts(struct proxy *proxy, struct proxy_link *link, struct segment *segment)
{
	link->host = calloc(FAMILIES, sizeof *link->host);
	assert(link->host != NULL);
	for (int family = 0; family < FAMILIES; family++) {
		member_init(link->host + family, proxy->world, family, &link->addr[family], VERSION_3);
		segment_attach(segment, &link->host[family].port);
		link->uplink[family] =
			uplink_new(link->host + family, proxy->number * FAMILIES + (unsigned)family);
	}
	segment->stations++;
}

struct proxy *proxy_new(struct world *world, unsigned number, struct segment *upstream)
{
	struct proxy *proxy = calloc(1, sizeof *proxy);

	assert(proxy != NULL);
	proxy->world = world;
	proxy->number = number;
	proxy->depth = upstream->depth;
	proxy->wake_at = MTIME_NEVER;
	proxy->settings = (struct instance_settings){.routes_max = SOURCES_MAX * GROUPS_MAX * FAMILIES,
	                                             .route_timeout = ROUTE_TIMEOUT,
	                                             .memory_max = 64 << 20,
	                                             .mutex_hold = MUTEX_HOLD};
	add_hosts(proxy, add_link(proxy, upstream, ROLE_UPSTREAM, LOWER_PROXY_STATION + number), upstream);
	return proxy;
}

void proxy_serve(struct proxy *proxy, struct segment *segment, const struct link_settings *settings)
{
	struct proxy_link *link = add_link(proxy, segment, ROLE_DOWNSTREAM, SERVER_STATION);

	link->settings = *settings;
	segment->server = link;
}

void proxy_add_second(struct proxy *proxy)
{
	add_link(proxy, &proxy->world->second, ROLE_UPSTREAM, LOWER_PROXY_STATION + proxy->number);
	proxy->has_second = true;
}

unsigned proxy_upstreams(const struct proxy *proxy)
{
	return proxy->has_second ? UPSTREAMS_MAX : 1;
}

struct proxy_link *proxy_upstream(struct proxy *proxy, unsigned number)
{
	return &proxy->links[number == 0 ? 0 : proxy->link_count - 1];
}

void proxy_configure(struct proxy *proxy)
{
	struct input input = {.kind = INPUT_SETTINGS};

	proxy_input(proxy, &input, &proxy->settings, sizeof proxy->settings);
}

static void make_engine(struct proxy *proxy)
{
	struct world *world = proxy->world;
	struct input events = {.kind = INPUT_EVENTS, .wanted = random_percent(&world->random, 50)};
	uint64_t seed = random_next(&world->random);

	proxy->instance = instance_new(&proxy->settings, seed);
	assert(proxy->instance != NULL);
	recorder_start(proxy->recorder, world_now(world), seed, &proxy->settings);
	proxy_input(proxy, &events, NULL, 0);
	for (unsigned i = 0; i < proxy->link_count; i++)
		if (proxy->links[i].present)
			proxy_link_changed(&proxy->links[i]);
}

void proxy_start(struct proxy *proxy)
{
	struct world *world = proxy->world;
	struct link_settings upstream = proxy->links[1].settings;

	upstream.version[FAMILY_IPV4] = upstream.version[FAMILY_IPV6] = VERSION_3;
	upstream.oldest_version[FAMILY_IPV4] = upstream.oldest_version[FAMILY_IPV6] = VERSION_NONE;
	proxy->links[0].settings = upstream;
	if (proxy->has_second)
		proxy->links[proxy->link_count - 1].settings = upstream;
	if (world->recording_fd >= 0)
		proxy->recorder = recorder_new(world->recording_fd, (uint8_t)proxy->number);
	make_engine(proxy);
	agenda_add(&world->agenda, world_now(world) + random_below(&world->random, COUNTERS_INTERVAL), tick,
	           proxy);
}

void proxy_restart(struct proxy *proxy)
{
	instance_free(proxy->instance);
	kernel_flush(proxy);
	proxy->specific_count = 0;
	for (int family = 0; family < FAMILIES; family++) {
		uplink_unwant_all(proxy->links[0].uplink[family]);
		proxy->forwarding[family] = 0;
		proxy->general_due[family] = false;
		for (unsigned group = 0; group < GROUPS_MAX; group++) {
			for (unsigned number = 0; number < UPSTREAMS_MAX; number++) {
				proxy->wanted[number][family][group] = WANT_NONE;
				proxy->open[number][family][group] = 0;
			}
		}
	}
	for (unsigned i = 0; i < proxy->link_count; i++)
		proxy->links[i].announced_gone = false;
	make_engine(proxy);
}

void proxy_free(struct proxy *proxy)
{
	struct input stop = {.kind = INPUT_STOP};

	proxy_input(proxy, &stop, NULL, 0);
	instance_free(proxy->instance);
	recorder_free(proxy->recorder);
	kernel_flush(proxy);
	for (int family = 0; family < FAMILIES; family++)
		uplink_free(proxy->links[0].uplink[family]);
	for (unsigned i = 0; i < proxy->link_count; i++) {
		rules_free(proxy->links[i].in);
		rules_free(proxy->links[i].out);
	}
	free(proxy->links[0].host);
	free(proxy);
}
