/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/engine.h"

#include "core/policy/group_map.h"
#include "core/policy/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define RULES_MAX 16

struct engine engine;
static _Alignas(8) uint8_t engine_payload[REQUEST_PAYLOAD_MAX];

const struct link_settings usual_link_settings = {
	.version = {VERSION_3, VERSION_3},
	.querier_election = true,
	.robustness = 2,
	.query_interval = 125000,
	.query_response_interval = 10000,
	.last_member_query_interval = 1000,
	.groups_max = 131072,
	.sources_max = 1024,
	.hosts_max = 128,
};

const struct instance_settings usual_settings = {
	.routes_max = 65536,
	.route_timeout = 60000,
	.memory_max = (uint64_t)64 << 20,
	.upstream_choice = CHOICE_ALL,
};

void forget(void)
{
	for (size_t i = 0; i < engine.kept_count; i++)
		free(engine.kept[i].payload);
	engine.kept_count = 0;
}

static void engine_close(void)
{
	forget();
	free(engine.kept);
	instance_free(engine.instance);
	memset(&engine, 0, sizeof engine);
}

void engine_open(const struct instance_settings *settings)
{
	engine_close();
	engine.instance = instance_new(settings, 0x1234567890abcdef);
	engine.now = 1000000;
	engine.link_settings = usual_link_settings;
	assert_non_null(engine.instance);
}

/* What every request must be like, whatever the inputs. */
static void check_request(const struct request *request, size_t size)
{
	assert_in_range(request->kind, REQUEST_SEND, REQUEST_ALL_ADOPTED);
	assert_true(size <= REQUEST_PAYLOAD_MAX);
	assert_true(request->link < LINKS_MAX || request->kind == REQUEST_EVENT ||
	            (request->kind == REQUEST_MEMBERSHIP && request->link == LINK_ALL));
	if (request->kind == REQUEST_ROUTE)
		assert_int_equal(request->links & (uint64_t)1 << request->link, 0);
	if (request->kind == REQUEST_MEMBERSHIP)
		assert_int_equal(size, request->count * sizeof(struct addr));
	if (request->kind == REQUEST_SNAPSHOT)
		assert_int_equal(size, request->count * sizeof(struct snapshot_item));
	if (request->kind == REQUEST_SEND)
		assert_true(size > 0);
}

bool pull_one(void)
{
	struct kept_request kept = {.at = engine.now};

	if (!instance_pull(engine.instance, engine.now, &kept.request, engine_payload, &kept.payload_size))
		return false;
	check_request(&kept.request, kept.payload_size);
	if (engine.kept_count == engine.kept_capacity) {
		engine.kept_capacity = engine.kept_capacity ? 2 * engine.kept_capacity : 64;
		engine.kept = realloc(engine.kept, engine.kept_capacity * sizeof kept);
		assert_non_null(engine.kept);
	}
	kept.payload = kept.payload_size > 0 ? heap_copy(engine_payload, kept.payload_size) : NULL;
	engine.kept[engine.kept_count++] = kept;
	return true;
}

void turn(void)
{
	int more = 1000;

	do {
		instance_expire(engine.instance, engine.now);
		while (pull_one())
			continue;
	} while (instance_deadline(engine.instance) <= engine.now && more-- > 0);
	assert_true(instance_deadline(engine.instance) > engine.now);
}

void pass(mtime interval)
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

void give(const struct input *input, const void *payload, size_t size)
{
	uint8_t *copy = heap_copy(payload, size);

	instance_input(engine.instance, engine.now, input, copy, size);
	free(copy);
}

void give_packet(uint8_t link, enum family family, const struct craft *craft)
{
	struct input input = {.kind = INPUT_PACKET, .link = link, .family = (uint8_t)family};

	give(&input, craft->bytes, craft->size);
}

void receive(uint8_t link, struct craft craft)
{
	give_packet(link, craft.bytes[0] >> 4 == 6 ? FAMILY_IPV6 : FAMILY_IPV4, &craft);
	turn();
}

const char *host_of(uint8_t link, const char *group)
{
	static char text[32];

	snprintf(text, sizeof text, strchr(group, ':') ? "fe80::%u:5" : "10.0.%u.5", link);
	return text;
}

void join(uint8_t link, const char *group)
{
	receive(link, craft_old(host_of(link, group), VERSION_2, group, false));
}

void leave(uint8_t link, const char *group)
{
	receive(link, craft_old(host_of(link, group), VERSION_2, group, true));
}

void report(uint8_t link, enum record_type type, const char *group, const char *sources)
{
	receive(link, craft_record(host_of(link, group), type, group, sources));
}

void give_upcall(uint8_t link, const char *source, const char *group, bool wrong_link)
{
	struct input input = {.kind = INPUT_UPCALL,
	                      .link = link,
	                      .wrong_link = wrong_link,
	                      .source = addr_of(source),
	                      .group = addr_of(group)};

	input.family = (uint8_t)addr_family(&input.group);
	instance_input(engine.instance, engine.now, &input, NULL, 0);
}

void upcall(uint8_t link, const char *source, const char *group)
{
	give_upcall(link, source, group, false);
	turn();
}

void wrong_link(uint8_t link, const char *source, const char *group)
{
	give_upcall(link, source, group, true);
	turn();
}

void give_counters(const char *source, const char *group, uint64_t packets, uint32_t wrong)
{
	struct input input = {.kind = INPUT_COUNTERS,
	                      .source = addr_of(source),
	                      .group = addr_of(group),
	                      .packets = packets,
	                      .wrong_link_packets = wrong};

	input.family = (uint8_t)addr_family(&input.group);
	input.bytes = packets * 100;
	instance_input(engine.instance, engine.now, &input, NULL, 0);
	turn();
}

void counters(const char *source, const char *group, uint64_t packets)
{
	give_counters(source, group, packets, 0);
}

void give_link(uint8_t id)
{
	struct input input = {.kind = INPUT_LINK, .link = id};

	settings_hold(&engine.links[id].settings);
	give(&input, &engine.links[id], sizeof engine.links[id]);
	turn();
}

static const struct policy *compile(const char *text)
{
	struct policy_rule rules[RULES_MAX];
	struct policy_sets sets;
	enum policy_failure failure;
	char copy[1024], error[POLICY_ERROR_SIZE], *rest;
	struct policy *policy;
	size_t count = 0;

	if (text == NULL)
		return NULL;
	sets_init(&sets);
	snprintf(copy, sizeof copy, "%s", text);
	for (char *line = strtok_r(copy, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest), count++) {
		assert_true(count < RULES_MAX);
		if (!rule_parse(line, (unsigned)count + 1, &sets, &rules[count], error))
			fail_msg("%s", error);
	}
	policy = policy_new(rules, count, &failure);
	assert_non_null(policy);
	sets_fini(&sets);
	return policy;
}

void give_filters(uint8_t link, const char *in, const char *out)
{
	const struct policy *filter_in = compile(in), *filter_out = compile(out);

	engine.links[link].settings.filter_in = filter_in;
	engine.links[link].settings.filter_out = filter_out;
	give_link(link);
	policy_release(filter_in);
	policy_release(filter_out);
}

void link_up(uint8_t id, enum link_role role)
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

void link_down(uint8_t id)
{
	engine.links[id].family[FAMILY_IPV4].usable = false;
	engine.links[id].family[FAMILY_IPV6].usable = false;
	give_link(id);
}

void link_gone(uint8_t id)
{
	engine.links[id].present = false;
	give_link(id);
}

void usual_links(void)
{
	link_up(UP, ROLE_UPSTREAM);
	link_up(DOWN1, ROLE_DOWNSTREAM);
	link_up(DOWN2, ROLE_DOWNSTREAM);
	pass(40000);
	forget();
}

int open_usual(void **state)
{
	(void)state;
	engine_open(&usual_settings);
	usual_links();
	return 0;
}

int open_empty(void **state)
{
	(void)state;
	engine_open(&usual_settings);
	return 0;
}

int close_any(void **state)
{
	(void)state;
	engine_close();
	return 0;
}

size_t requests_of(enum request_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < engine.kept_count; i++)
		count += engine.kept[i].request.kind == kind;
	return count;
}

const struct event *newest_event(enum event_kind kind)
{
	for (size_t i = engine.kept_count; i-- > 0;)
		if (engine.kept[i].request.kind == REQUEST_EVENT && engine.kept[i].request.event.kind == kind)
			return &engine.kept[i].request.event;
	return NULL;
}

size_t events_of(enum event_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < engine.kept_count; i++)
		count += engine.kept[i].request.kind == REQUEST_EVENT &&
		         engine.kept[i].request.event.kind == kind;
	return count;
}

void want_events(bool wanted)
{
	struct input input = {.kind = INPUT_EVENTS, .wanted = wanted};

	instance_input(engine.instance, engine.now, &input, NULL, 0);
}

static const char *filter_text(const struct kept_request *kept, char *text, size_t size)
{
	size_t used = (size_t)snprintf(text, size, "%s{", filter_mode_name(kept->request.mode));

	for (size_t i = 0; i < kept->request.count; i++) {
		char source[ADDR_TEXT_SIZE];
		struct addr addr;

		memcpy(&addr, kept->payload + i * sizeof addr, sizeof addr);
		used += (size_t)snprintf(text + used, size - used, "%s%s", i > 0 ? " " : "",
		                         addr_format(&addr, source));
		assert_true(used < size);
	}
	snprintf(text + used, size - used, "}");
	return text;
}

const char *membership_of(const char *group)
{
	static char text[4096];
	struct addr addr = addr_of(group);

	for (size_t i = engine.kept_count; i-- > 0;)
		if (engine.kept[i].request.kind == REQUEST_MEMBERSHIP &&
		    addr_equal(&engine.kept[i].request.group, &addr))
			return filter_text(&engine.kept[i], text, sizeof text);
	return "never";
}

const char *membership_on(uint8_t link, const char *group)
{
	static char text[4096];
	struct addr addr = addr_of(group);

	for (size_t i = engine.kept_count; i-- > 0;) {
		const struct request *request = &engine.kept[i].request;

		if (request->kind == REQUEST_MEMBERSHIP && addr_equal(&request->group, &addr) &&
		    (request->link == link || request->link == LINK_ALL))
			return filter_text(&engine.kept[i], text, sizeof text);
	}
	return "never";
}

uint64_t open_links_of(const char *group)
{
	struct addr addr = addr_of(group);

	for (size_t i = engine.kept_count; i-- > 0;)
		if (engine.kept[i].request.kind == REQUEST_MEMBERSHIP &&
		    addr_equal(&engine.kept[i].request.group, &addr))
			return engine.kept[i].request.links;
	return 0;
}

uint64_t forwarding_of(enum family family)
{
	for (size_t i = engine.kept_count; i-- > 0;)
		if (engine.kept[i].request.kind == REQUEST_FORWARDING &&
		    engine.kept[i].request.family == family)
			return engine.kept[i].request.links;
	return 0;
}

const char *route_text(const struct request *request, char *text, size_t size)
{
	size_t used = (size_t)snprintf(text, size, "%u ->", request->link);

	if (request->kind == REQUEST_ROUTE_NONE)
		return "none";
	for (unsigned id = 0; id < LINKS_MAX; id++)
		if (request->links >> id & 1)
			used += (size_t)snprintf(text + used, size - used, " %u", id);
	return text;
}

const char *route_of(const char *source, const char *group)
{
	static char text[256];
	struct addr from = addr_of(source), to = addr_of(group);

	for (size_t i = engine.kept_count; i-- > 0;) {
		const struct request *request = &engine.kept[i].request;

		if (request->kind != REQUEST_ROUTE && request->kind != REQUEST_ROUTE_NONE)
			continue;
		if (addr_equal(&request->source, &from) && addr_equal(&request->group, &to))
			return route_text(request, text, sizeof text);
	}
	return "never";
}

bool nth_query(size_t n, struct sent_query *sent)
{
	for (size_t i = 0; i < engine.kept_count; i++) {
		const struct kept_request *kept = &engine.kept[i];
		enum family family = kept->request.family;
		struct message message;

		if (kept->request.kind != REQUEST_SEND || n-- > 0)
			continue;
		assert_int_equal(packet_parse(family, kept->payload, kept->payload_size, &sent->packet),
		                 DROP_NONE);
		assert_int_equal(family == FAMILY_IPV4 ? igmp_decode(&sent->packet, &message)
		                                       : mld_decode(&sent->packet, &message),
		                 DROP_NONE);
		assert_int_equal(message.kind, MESSAGE_QUERY);
		assert_true(addr_equal(&sent->packet.destination, &kept->request.group));
		assert_true(sent->packet.router_alert);
		sent->query = message.query;
		sent->link = kept->request.link;
		sent->at = kept->at;
		return true;
	}
	return false;
}

struct link_change *use_family(uint8_t id, enum family family, bool usable)
{
	engine.links[id].family[family].usable = usable;
	return &engine.links[id];
}

size_t query_times(uint8_t link, enum family family, mtime since, mtime *times, size_t capacity)
{
	struct sent_query sent;
	size_t count = 0;

	for (size_t n = 0; nth_query(n, &sent); n++) {
		if (sent.link != link || sent.packet.family != family)
			continue;
		assert_true(count < capacity);
		times[count++] = sent.at - since;
	}
	return count;
}
