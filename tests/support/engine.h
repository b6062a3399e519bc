/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An engine under test, through its public contract alone: inputs are given, time passes from deadline to
 * deadline, and all requests are kept for the test to look at. What an owner must be able to count on is
 * asserted at each pull.
 *
 * Include it behind cmocka.h. Filters and routes are compared as text:
 *
 *     "EXCLUDE{}"  "INCLUDE{10.0.0.1 10.0.0.2}"  "never"            the newest REQUEST_MEMBERSHIP of a group
 *     "0 -> 1 2"   "1 ->" (negative)  "none"     "never"            the newest route request of (source,
 * group)
 */
#ifndef MCPROXY_TESTS_ENGINE_H
#define MCPROXY_TESTS_ENGINE_H

#include "core/router/instance.h"
#include "support/craft.h"

#include <stdio.h>

enum { UP, DOWN1, DOWN2, DOWN3 }; /* link ids */

struct told {
	struct request request;
	uint8_t *payload;
	size_t payload_size;
	mtime at;
};

struct engine {
	struct instance *instance;
	mtime now;
	struct told *told;
	size_t told_count;
	size_t told_capacity;
	struct link_settings link_settings; /* what links get by link_up */
	struct link_change links[LINKS_MAX];
};

static struct engine engine;
static _Alignas(8) uint8_t engine_payload[REQUEST_PAYLOAD_MAX];

static const struct link_settings usual_link_settings = {
	.version = {VERSION_3, VERSION_3},
	.robustness = 2,
	.query_interval = 125000,
	.query_response_interval = 10000,
	.last_member_query_interval = 1000,
	.groups_max = 131072,
	.sources_max = 1024,
	.hosts_max = 128,
};

static const struct instance_settings usual_settings = {
	.routes_max = 65536,
	.route_timeout = 60000,
	.memory_max = (uint64_t)64 << 20,
};

static inline void forget(void)
{
	for (size_t i = 0; i < engine.told_count; i++)
		free(engine.told[i].payload);
	engine.told_count = 0;
}

static inline void engine_close(void)
{
	forget();
	free(engine.told);
	instance_free(engine.instance);
	memset(&engine, 0, sizeof engine);
}

static inline void engine_open(const struct instance_settings *settings)
{
	engine_close();
	engine.instance = instance_new(settings, 0x1234567890abcdef);
	engine.now = 1000000;
	engine.link_settings = usual_link_settings;
	assert_non_null(engine.instance);
}

/* What every request must be like, whatever the inputs. */
static inline void check_request(const struct request *request, size_t size)
{
	assert_in_range(request->kind, REQUEST_SEND, REQUEST_PONG);
	assert_true(size <= REQUEST_PAYLOAD_MAX);
	assert_true(request->link < LINKS_MAX || request->kind == REQUEST_EVENT);
	if (request->kind == REQUEST_ROUTE)
		assert_int_equal(request->links & (uint64_t)1 << request->link, 0);
	if (request->kind == REQUEST_MEMBERSHIP)
		assert_int_equal(size, request->count * sizeof(struct addr));
	if (request->kind == REQUEST_SNAPSHOT)
		assert_int_equal(size, request->count * sizeof(struct snapshot_item));
	if (request->kind == REQUEST_SEND)
		assert_true(size > 0);
}

/* One pull; false when nothing was wanted. */
static inline bool pull_one(void)
{
	struct told told = {.at = engine.now};

	if (!instance_pull(engine.instance, engine.now, &told.request, engine_payload, &told.payload_size))
		return false;
	check_request(&told.request, told.payload_size);
	if (engine.told_count == engine.told_capacity) {
		engine.told_capacity = engine.told_capacity ? 2 * engine.told_capacity : 64;
		engine.told = realloc(engine.told, engine.told_capacity * sizeof told);
		assert_non_null(engine.told);
	}
	told.payload = told.payload_size > 0 ? heap_copy(engine_payload, told.payload_size) : NULL;
	engine.told[engine.told_count++] = told;
	return true;
}

static inline void turn(void)
{
	int more = 1000;

	do {
		instance_expire(engine.instance, engine.now);
		while (pull_one())
			continue;
	} while (instance_deadline(engine.instance) <= engine.now && more-- > 0);
	assert_true(instance_deadline(engine.instance) > engine.now);
}

/* Lets time pass, stopping at each deadline on the way. */
static inline void pass(mtime interval)
{
	mtime end = engine.now + interval;

	for (;;) {
		mtime at = instance_deadline(engine.instance);

		if (at > end)
			break;
		engine.now = at > engine.now ? at : engine.now;
		turn();
	}
	engine.now = end;
	turn();
}

static inline void give(const struct input *input, const void *payload, size_t size)
{
	uint8_t *copy = heap_copy(payload, size);

	instance_input(engine.instance, engine.now, input, copy, size);
	free(copy);
}

static inline void give_packet(uint8_t link, enum family family, const struct craft *craft)
{
	struct input input = {.kind = INPUT_PACKET, .link = link, .family = (uint8_t)family};

	give(&input, craft->bytes, craft->size);
}

/* A packet arrives, and a turn of the loop follows. */
static inline void hear(uint8_t link, struct craft craft)
{
	give_packet(link, craft.bytes[0] >> 4 == 6 ? FAMILY_IPV6 : FAMILY_IPV4, &craft);
	turn();
}

/* A host on a link; its address says the link too. */
static inline const char *host_of(uint8_t link, const char *group)
{
	static char text[32];

	snprintf(text, sizeof text, strchr(group, ':') ? "fe80::%u:5" : "10.0.%u.5", link);
	return text;
}

static inline void join(uint8_t link, const char *group)
{
	hear(link, craft_old(host_of(link, group), VERSION_2, group, false));
}

static inline void leave(uint8_t link, const char *group)
{
	hear(link, craft_old(host_of(link, group), VERSION_2, group, true));
}

static inline void report(uint8_t link, enum record_type type, const char *group, const char *sources)
{
	hear(link, craft_record(host_of(link, group), type, group, sources));
}

static inline void give_upcall(uint8_t link, const char *source, const char *group, bool wrong_link)
{
	struct input input = {.kind = INPUT_UPCALL,
	                      .link = link,
	                      .wrong_link = wrong_link,
	                      .source = addr_of(source),
	                      .group = addr_of(group)};

	input.family = (uint8_t)addr_family(&input.group);
	instance_input(engine.instance, engine.now, &input, NULL, 0);
}

static inline void upcall(uint8_t link, const char *source, const char *group)
{
	give_upcall(link, source, group, false);
	turn();
}

static inline void wrong_link(uint8_t link, const char *source, const char *group)
{
	give_upcall(link, source, group, true);
	turn();
}

static inline void counters(const char *source, const char *group, uint64_t packets)
{
	struct input input = {.kind = INPUT_COUNTERS,
	                      .source = addr_of(source),
	                      .group = addr_of(group),
	                      .packets = packets};

	input.family = (uint8_t)addr_family(&input.group);
	input.bytes = packets * 100;
	instance_input(engine.instance, engine.now, &input, NULL, 0);
	turn();
}

/* Tells the engine of a link as engine.links[id] has it now. */
static inline void give_link(uint8_t id)
{
	struct input input = {.kind = INPUT_LINK, .link = id};

	give(&input, &engine.links[id], sizeof engine.links[id]);
	turn();
}

static inline void link_up(uint8_t id, enum link_role role)
{
	char text[32];
	struct link_change *change = &engine.links[id];

	*change = (struct link_change){
		.present = true, .role = (uint8_t)role, .mtu = 1500, .settings = engine.link_settings};
	snprintf(change->name, sizeof change->name, "eth%u", id);
	snprintf(text, sizeof text, "10.0.%u.1", id);
	change->family[FAMILY_IPV4].usable = true;
	change->family[FAMILY_IPV4].address = addr_of(text);
	snprintf(text, sizeof text, "fe80::%u:1", id);
	change->family[FAMILY_IPV6].usable = true;
	change->family[FAMILY_IPV6].address = addr_of(text);
	give_link(id);
}

static inline void link_down(uint8_t id)
{
	engine.links[id].family[FAMILY_IPV4].usable = false;
	engine.links[id].family[FAMILY_IPV6].usable = false;
	give_link(id);
}

static inline void link_gone(uint8_t id)
{
	engine.links[id].present = false;
	give_link(id);
}

/* One upstream and two downstream links, past their startup queries. */
static inline void usual_links(void)
{
	link_up(UP, ROLE_UPSTREAM);
	link_up(DOWN1, ROLE_DOWNSTREAM);
	link_up(DOWN2, ROLE_DOWNSTREAM);
	pass(40000);
	forget();
}

static inline int open_usual(void **state)
{
	(void)state;
	engine_open(&usual_settings);
	usual_links();
	return 0;
}

static inline int open_empty(void **state)
{
	(void)state;
	engine_open(&usual_settings);
	return 0;
}

static inline int close_any(void **state)
{
	(void)state;
	engine_close();
	return 0;
}

#define engine_test(function) cmocka_unit_test_setup_teardown(function, open_usual, close_any)
#define empty_test(function)  cmocka_unit_test_setup_teardown(function, open_empty, close_any)

static inline size_t told_of(enum request_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < engine.told_count; i++)
		count += engine.told[i].request.kind == kind;
	return count;
}

/* Events: the newest of a kind since the last forget, and how many. */
static inline const struct event *newest_event(enum event_kind kind)
{
	for (size_t i = engine.told_count; i-- > 0;)
		if (engine.told[i].request.kind == REQUEST_EVENT && engine.told[i].request.event.kind == kind)
			return &engine.told[i].request.event;
	return NULL;
}

static inline size_t events_of(enum event_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < engine.told_count; i++)
		count += engine.told[i].request.kind == REQUEST_EVENT &&
		         engine.told[i].request.event.kind == kind;
	return count;
}

static inline void want_events(bool wanted)
{
	struct input input = {.kind = INPUT_EVENTS, .wanted = wanted};

	instance_input(engine.instance, engine.now, &input, NULL, 0);
}

static inline const char *filter_text(const struct told *told, char *text, size_t size)
{
	size_t used = (size_t)snprintf(text, size, "%s{", filter_mode_name(told->request.mode));

	for (size_t i = 0; i < told->request.count; i++) {
		char source[ADDR_TEXT_SIZE];
		struct addr addr;

		memcpy(&addr, told->payload + i * sizeof addr, sizeof addr);
		used += (size_t)snprintf(text + used, size - used, "%s%s", i > 0 ? " " : "",
		                         addr_format(&addr, source));
		assert_true(used < size);
	}
	snprintf(text + used, size - used, "}");
	return text;
}

static inline const char *membership_of(const char *group)
{
	static char text[4096];
	struct addr addr = addr_of(group);

	for (size_t i = engine.told_count; i-- > 0;)
		if (engine.told[i].request.kind == REQUEST_MEMBERSHIP &&
		    addr_equal(&engine.told[i].request.group, &addr))
			return filter_text(&engine.told[i], text, sizeof text);
	return "never";
}

/* Of the newest REQUEST_MEMBERSHIP of a group; 0 when there was none. */
static inline uint64_t open_links_of(const char *group)
{
	struct addr addr = addr_of(group);

	for (size_t i = engine.told_count; i-- > 0;)
		if (engine.told[i].request.kind == REQUEST_MEMBERSHIP &&
		    addr_equal(&engine.told[i].request.group, &addr))
			return engine.told[i].request.links;
	return 0;
}

/* The newest REQUEST_FORWARDING of a family; 0 when there was none. */
static inline uint64_t forwarding_of(enum family family)
{
	for (size_t i = engine.told_count; i-- > 0;)
		if (engine.told[i].request.kind == REQUEST_FORWARDING &&
		    engine.told[i].request.family == family)
			return engine.told[i].request.links;
	return 0;
}

static inline const char *route_text(const struct request *request, char *text, size_t size)
{
	size_t used = (size_t)snprintf(text, size, "%u ->", request->link);

	if (request->kind == REQUEST_ROUTE_NONE)
		return "none";
	for (unsigned id = 0; id < LINKS_MAX; id++)
		if (request->links >> id & 1)
			used += (size_t)snprintf(text + used, size - used, " %u", id);
	return text;
}

static inline const char *route_of(const char *source, const char *group)
{
	static char text[256];
	struct addr from = addr_of(source), to = addr_of(group);

	for (size_t i = engine.told_count; i-- > 0;) {
		const struct request *request = &engine.told[i].request;

		if (request->kind != REQUEST_ROUTE && request->kind != REQUEST_ROUTE_NONE)
			continue;
		if (addr_equal(&request->source, &from) && addr_equal(&request->group, &to))
			return route_text(request, text, sizeof text);
	}
	return "never";
}

/* A query that was sent, decoded; valid while the request is kept. */
struct sent_query {
	uint8_t link;
	mtime at;
	struct packet packet;
	struct query query;
};

/* The n-th query of those kept, counted from 0; false when there are not so many. */
static inline bool nth_query(size_t n, struct sent_query *sent)
{
	for (size_t i = 0; i < engine.told_count; i++) {
		const struct told *told = &engine.told[i];
		enum family family = told->request.family;
		struct message message;

		if (told->request.kind != REQUEST_SEND || n-- > 0)
			continue;
		assert_int_equal(packet_parse(family, told->payload, told->payload_size, &sent->packet),
		                 DROP_NONE);
		assert_int_equal(family == FAMILY_IPV4 ? igmp_decode(&sent->packet, &message)
		                                       : mld_decode(&sent->packet, &message),
		                 DROP_NONE);
		assert_int_equal(message.kind, MESSAGE_QUERY);
		assert_true(addr_equal(&sent->packet.destination, &told->request.group));
		assert_true(sent->packet.router_alert);
		sent->query = message.query;
		sent->link = told->request.link;
		sent->at = told->at;
		return true;
	}
	return false;
}

#endif
