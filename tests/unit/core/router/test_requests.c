/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Requests carry the newest wish, however slowly they are fetched: nothing is lost, bursts become one, what
 * matters comes first, and queries fit their link.
 */
#include "core/router/instance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/engine.h"

#define GROUPS  6
#define SOURCES 4
#define STEPS   3000

static const char *const groups[GROUPS] = {"239.1.1.1", "239.1.1.2", "239.1.1.3",
                                           "232.1.1.1", "ff05::1",   "ff3e::2"};
static const char *const ipv4_sources[SOURCES] = {"10.9.9.1", "10.9.9.2", "10.9.9.3", "10.9.9.4"};
static const char *const ipv6_sources[SOURCES] = {"2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8::4"};

/* What the owner knows in the end. */
struct outcome {
	char memberships[GROUPS][256];
	char routes[GROUPS][SOURCES][64];
	uint64_t open[GROUPS];
	uint64_t forwarding[FAMILIES];
	size_t requests;
};

static uint32_t next_random(uint32_t *random)
{
	*random = *random * 1664525u + 1013904223u;
	return *random >> 8;
}

static const char *source_of(unsigned group, unsigned n)
{
	return strchr(groups[group], ':') ? ipv6_sources[n] : ipv4_sources[n];
}

static void random_report(uint8_t link, unsigned group, uint32_t *random)
{
	enum record_type type = IS_IN + next_random(random) % 6;
	uint32_t mask = next_random(random) % (1u << SOURCES);
	char sources[128] = "";
	struct craft craft;

	for (unsigned n = 0; n < SOURCES; n++) {
		if (mask >> n & 1) {
			strcat(sources, source_of(group, n));
			strcat(sources, " ");
		}
	}
	craft = craft_record(host_of(link, groups[group]), type, groups[group], sources);
	give_packet(link, strchr(groups[group], ':') ? FAMILY_IPV6 : FAMILY_IPV4, &craft);
}

static void random_counters(unsigned group, unsigned source, uint32_t *random)
{
	struct input input = {
		.kind = INPUT_COUNTERS,
		.source = addr_of(source_of(group, source)),
		.group = addr_of(groups[group]),
		.packets = next_random(random) % 2,
	};

	instance_input(engine.instance, engine.now, &input, NULL, 0);
}

static void random_link_change(uint8_t link, uint32_t *random)
{
	struct input input = {.kind = INPUT_LINK, .link = link};

	engine.links[link].family[next_random(random) % 2].usable ^= true;
	give(&input, &engine.links[link], sizeof engine.links[link]);
}

/* The same steps for the same seed, whatever is pulled meanwhile. */
static void random_step(uint32_t *random)
{
	uint8_t link = (uint8_t)(next_random(random) % 4);
	unsigned group = next_random(random) % GROUPS, source = next_random(random) % SOURCES;

	switch (next_random(random) % 8) {
	case 0:
	case 1:
	case 2:
		random_report(link, group, random);
		break;
	case 3:
	case 4:
		give_upcall(link, source_of(group, source), groups[group], false);
		break;
	case 5:
		random_counters(group, source, random);
		break;
	case 6:
		if (next_random(random) % 8 == 0)
			random_link_change(link, random);
		break;
	default:
		engine.now += next_random(random) % 3000;
	}
	instance_expire(engine.instance, engine.now);
}

/* Never having heard of something is as good as knowing that it is not wanted. */
static void note_outcome(struct outcome *outcome)
{
	for (unsigned g = 0; g < GROUPS; g++) {
		const char *text = membership_of(groups[g]);

		strcpy(outcome->memberships[g], strcmp(text, "never") == 0 ? "INCLUDE{}" : text);
		outcome->open[g] = open_links_of(groups[g]);
		for (unsigned s = 0; s < SOURCES; s++) {
			text = route_of(source_of(g, s), groups[g]);
			strcpy(outcome->routes[g][s], strcmp(text, "never") == 0 ? "none" : text);
		}
	}
	for (int family = 0; family < FAMILIES; family++)
		outcome->forwarding[family] = forwarding_of(family);
	outcome->requests = requests_of(REQUEST_MEMBERSHIP) + requests_of(REQUEST_ROUTE) +
	                    requests_of(REQUEST_ROUTE_NONE);
}

static void run(uint32_t seed, unsigned pulls_per_step, struct outcome *outcome)
{
	engine_open(&usual_settings);
	link_up(UP, ROLE_UPSTREAM);
	link_up(DOWN1, ROLE_DOWNSTREAM);
	link_up(DOWN2, ROLE_DOWNSTREAM);
	link_up(DOWN3, ROLE_DOWNSTREAM);
	for (unsigned step = 0; step < STEPS; step++) {
		random_step(&seed);
		for (unsigned n = 0; n < pulls_per_step && pull_one(); n++)
			continue;
	}
	turn();
	note_outcome(outcome);
}

static void slow_owner_ends_up_knowing_the_same(void **state)
{
	static const unsigned paces[] = {0, 1, 2};

	(void)state;
	for (uint32_t seed = 1; seed <= 20; seed++) {
		struct outcome eager = {0};

		run(seed, UINT32_MAX, &eager);
		for (size_t i = 0; i < LENGTH(paces); i++) {
			struct outcome slow = {0};

			run(seed, paces[i], &slow);
			assert_true(slow.requests <= eager.requests);
			assert_memory_equal(slow.forwarding, eager.forwarding, sizeof slow.forwarding);
			for (unsigned g = 0; g < GROUPS; g++) {
				assert_string_equal(slow.memberships[g], eager.memberships[g]);
				assert_true(slow.open[g] == eager.open[g]);
				for (unsigned s = 0; s < SOURCES; s++)
					assert_string_equal(slow.routes[g][s], eager.routes[g][s]);
			}
		}
	}
}

/* The routes told last are those that the engine shows in its snapshot. */
static void told_routes_are_the_routes(void **state)
{
	(void)state;
	for (uint32_t seed = 101; seed <= 110; seed++) {
		struct input page = {.kind = INPUT_SNAPSHOT, .what = SNAPSHOT_FLOWS, .first = 1};
		struct outcome outcome = {0};
		const struct kept_request *kept;
		size_t routes = 0;

		run(seed, 1, &outcome);
		instance_input(engine.instance, engine.now, &page, NULL, 0);
		turn();
		kept = &engine.kept[engine.kept_count - 1];
		assert_int_equal(kept->request.kind, REQUEST_SNAPSHOT);
		for (unsigned n = 0; n < kept->request.count; n++) {
			struct snapshot_item record;
			char source[ADDR_TEXT_SIZE], group[ADDR_TEXT_SIZE], text[64];
			struct request as_request = {.kind = REQUEST_ROUTE};

			memcpy(&record, kept->payload + n * sizeof record, sizeof record);
			as_request.link = record.flow.input;
			as_request.links = record.flow.outputs;
			assert_string_equal(route_of(addr_format(&record.flow.source, source),
			                             addr_format(&record.flow.group, group)),
			                    route_text(&as_request, text, sizeof text));
		}
		for (unsigned g = 0; g < GROUPS; g++)
			for (unsigned s = 0; s < SOURCES; s++)
				routes += strcmp(outcome.routes[g][s], "none") != 0;
		assert_int_equal(kept->request.count, routes);
	}
}

static void burst_becomes_one_request(void **state)
{
	(void)state;
	give_upcall(UP, "10.9.9.9", "239.1.1.1", false);
	for (unsigned n = 0; n < 1000; n++) {
		struct craft craft =
			craft_record("10.0.1.5", n % 2 ? IS_EX : ALLOW, "239.1.1.1", n % 2 ? "" : "10.9.9.9");

		give_packet(n % 3 ? DOWN1 : DOWN2, FAMILY_IPV4, &craft);
	}
	turn();
	assert_int_equal(engine.kept_count, 2);
	assert_string_equal(membership_of("239.1.1.1"), "EXCLUDE{}");
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "0 -> 1 2");
}

static void what_came_and_went_is_not_told(void **state)
{
	struct craft there = craft_record("10.0.1.5", ALLOW, "239.1.1.1", "10.9.9.9");
	struct craft gone = craft_record("10.0.1.5", BLOCK, "239.1.1.1", "10.9.9.9");

	(void)state;
	engine.links[DOWN1].settings.fast_leave = true;
	give_link(DOWN1);
	give_packet(DOWN1, FAMILY_IPV4, &there);
	give_packet(DOWN1, FAMILY_IPV4, &gone);
	turn();
	assert_int_equal(engine.kept_count, 0);
}

/* 10,000 dirty groups, hardly any room, and no further input. */
static void everything_comes_out_in_small_portions(void **state)
{
	static unsigned kept[10000];
	struct addr from = addr_of("10.0.1.5"), first = addr_of("239.1.0.0");

	(void)state;
	memset(kept, 0, sizeof kept);
	for (uint32_t n = 0; n < LENGTH(kept); n++) {
		struct record record = {.type = TO_EX, .group = nth_addr("239.1.0.0", n)};
		const struct addr *none = NULL;
		struct craft craft = craft_v3_report_of(&from, &record, &none, 1);

		give_packet(DOWN1, FAMILY_IPV4, &craft);
	}
	for (unsigned turns = 0; turns < LENGTH(kept) / 4; turns++) {
		instance_expire(engine.instance, engine.now);
		for (unsigned n = 0; n < 4; n++)
			assert_true(pull_one());
	}
	assert_false(pull_one());
	for (size_t i = 0; i < engine.kept_count; i++) {
		const struct request *request = &engine.kept[i].request;

		assert_int_equal(request->kind, REQUEST_MEMBERSHIP);
		kept[ipv4_number(&request->group) - ipv4_number(&first)]++;
	}
	for (size_t n = 0; n < LENGTH(kept); n++)
		assert_int_equal(kept[n], 1);
}

static void urgent_things_come_first(void **state)
{
	static const enum request_kind order[] = {
		REQUEST_PONG,
		REQUEST_FORWARDING,
		/* a general one: */ REQUEST_UPSTREAM_QUERY,
		REQUEST_MEMBERSHIP,
		REQUEST_ROUTE,
		REQUEST_ROUTE_NONE,
		REQUEST_ALL_ADOPTED,
		REQUEST_SEND,
		/* a specific one: */ REQUEST_UPSTREAM_QUERY,
		REQUEST_SNAPSHOT,
		REQUEST_EVENT,
		REQUEST_LINK_FREE,
	};
	const struct query v3_query = {.version = VERSION_3, .max_response = 5000, .robustness = 3};
	struct craft craft;
	size_t place = 0, seen = 0, queries = 0;

	(void)state;
	join(DOWN1, "239.1.1.2");
	upcall(DOWN2, "10.0.2.7", "239.1.1.3");
	forget();
	want_events(true);
	instance_input(engine.instance, engine.now, &(struct input){.kind = INPUT_SNAPSHOT, .first = 1}, NULL,
	               0);
	instance_input(engine.instance, engine.now, &(struct input){.kind = INPUT_ALL_ADOPTED}, NULL, 0);
	craft = craft_query("10.0.0.9", v3_query, NULL, NULL);
	give_packet(UP, FAMILY_IPV4, &craft);
	craft = craft_query("10.0.0.9", v3_query, "239.1.1.2", NULL);
	give_packet(UP, FAMILY_IPV4, &craft);
	craft = craft_old("10.0.1.5", VERSION_2, "239.1.1.2", true);
	give_packet(DOWN1, FAMILY_IPV4, &craft);
	engine.links[DOWN2].present = false;
	give(&(struct input){.kind = INPUT_LINK, .link = DOWN2}, &engine.links[DOWN2],
	     sizeof engine.links[DOWN2]);
	give_upcall(UP, "10.9.9.9", "239.1.1.1", false);
	craft = craft_old("10.0.1.5", VERSION_2, "239.1.1.1", false);
	give_packet(DOWN1, FAMILY_IPV4, &craft);
	instance_input(engine.instance, engine.now, &(struct input){.kind = INPUT_PING}, NULL, 0);
	turn();
	for (size_t i = 0; i < engine.kept_count; i++) {
		enum request_kind kind = engine.kept[i].request.kind;
		/* The general query comes first of the two. */
		size_t rank = kind == REQUEST_UPSTREAM_QUERY && queries++ > 0 ? 3 : 0;

		while (order[rank] != kind)
			assert_true(++rank < LENGTH(order));
		/* Routes are told in the order in which they changed. */
		if (kind == REQUEST_ROUTE_NONE)
			rank = 4;
		assert_true(rank >= place);
		seen |= (size_t)1 << kind;
		place = rank;
	}
	for (size_t i = 0; i < LENGTH(order); i++)
		assert_true(seen >> order[i] & 1);
	assert_int_equal(queries, 2);
}

enum { LINK1 = 1 << DOWN1, LINK2 = 1 << DOWN2 };

/* Told with each membership: the links to which every stream of the group is to go. */
static void links_where_every_source_is_wanted(void **state)
{
	static const struct {
		uint8_t link;
		enum record_type type;
		const char *sources;
		uint64_t open; /* then */
	} rows[] = {
		{DOWN1, TO_EX, "", LINK1},
		{DOWN2, TO_EX, "", LINK1 | LINK2},
		/* Requested as well: all pass as before. */
		{DOWN2, ALLOW, "10.9.9.1", LINK1 | LINK2},
		{DOWN2, IS_EX, "10.9.9.1", LINK1 | LINK2},
		/* Excluded on one link: the merged filter stays EXCLUDE{}. */
		{DOWN2, IS_EX, "10.9.9.1 10.9.9.2", LINK1 | LINK2},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		report(rows[i].link, rows[i].type, "239.1.1.1", rows[i].sources);
		assert_true(open_links_of("239.1.1.1") == rows[i].open);
		assert_string_equal(membership_of("239.1.1.1"), "EXCLUDE{}");
	}
	/* Nobody asks for the source any more: it is blocked when its timer ends. */
	for (int i = 0; i < 3; i++) {
		pass(120000);
		report(DOWN1, IS_EX, "239.1.1.1", "");
		report(DOWN2, IS_EX, "239.1.1.1", "10.9.9.1 10.9.9.2");
	}
	assert_string_equal(membership_of("239.1.1.1"), "EXCLUDE{}");
	assert_true(open_links_of("239.1.1.1") == 0);
	/* One is requested again, and then both. */
	report(DOWN2, ALLOW, "239.1.1.1", "10.9.9.1");
	assert_true(open_links_of("239.1.1.1") == 0);
	report(DOWN2, ALLOW, "239.1.1.1", "10.9.9.2");
	assert_true(open_links_of("239.1.1.1") == (LINK1 | LINK2));
	assert_string_equal(membership_of("239.1.1.1"), "EXCLUDE{}");
	/* Only single sources on one link, and then nothing there. */
	report(DOWN2, TO_IN, "239.1.1.1", "10.9.9.1");
	pass(3000);
	assert_true(open_links_of("239.1.1.1") == 0);
	assert_string_equal(membership_of("239.1.1.1"), "EXCLUDE{}");
	link_down(DOWN2);
	assert_true(open_links_of("239.1.1.1") == LINK1);
	link_up(DOWN2, ROLE_DOWNSTREAM);
	join(DOWN2, "239.1.1.1");
	assert_true(open_links_of("239.1.1.1") == (LINK1 | LINK2));
	link_gone(DOWN1);
	assert_true(open_links_of("239.1.1.1") == LINK2);
	leave(DOWN2, "239.1.1.1");
	pass(3000);
	assert_true(open_links_of("239.1.1.1") == 0);
	assert_string_equal(membership_of("239.1.1.1"), "INCLUDE{}");
	/* Single sources alone. */
	report(DOWN2, ALLOW, "239.1.1.2", "10.9.9.1");
	assert_true(open_links_of("239.1.1.2") == 0);
}

/* A source that is excluded at once, by the only record of a link. */
static void excluding_members_open_no_link(void **state)
{
	(void)state;
	report(DOWN1, TO_EX, "239.1.1.1", "10.9.9.1");
	assert_string_equal(membership_of("239.1.1.1"), "EXCLUDE{10.9.9.1}");
	assert_true(open_links_of("239.1.1.1") == 0);
	report(DOWN2, TO_EX, "ff05::1", "");
	assert_true(open_links_of("ff05::1") == LINK2);
	report(DOWN1, TO_EX, "ff05::1", "2001:db8::1");
	assert_string_equal(membership_of("ff05::1"), "EXCLUDE{}");
	assert_true(open_links_of("ff05::1") == 0);
}

/* Downstream links where this router is the querier. */
static void links_by_which_multicast_leaves(void **state)
{
	const struct query v3_query = {.version = VERSION_3, .max_response = 10000, .robustness = 2};

	(void)state;
	engine_open(&usual_settings);
	link_up(UP, ROLE_UPSTREAM);
	assert_int_equal(requests_of(REQUEST_FORWARDING), 0);
	link_up(DOWN1, ROLE_DOWNSTREAM);
	link_up(DOWN2, ROLE_DOWNSTREAM);
	assert_true(forwarding_of(FAMILY_IPV4) == (LINK1 | LINK2));
	assert_true(forwarding_of(FAMILY_IPV6) == (LINK1 | LINK2));
	pass(300000);
	assert_int_equal(requests_of(REQUEST_FORWARDING), 4);
	/* Another querier, though nobody is a member there; in its family alone. */
	receive(DOWN1, craft_query("10.0.1.0", v3_query, NULL, NULL));
	assert_true(forwarding_of(FAMILY_IPV4) == LINK2);
	assert_true(forwarding_of(FAMILY_IPV6) == (LINK1 | LINK2));
	engine.links[DOWN1].settings.forward_without_querier = true;
	give_link(DOWN1);
	assert_true(forwarding_of(FAMILY_IPV4) == (LINK1 | LINK2));
	engine.links[DOWN1].settings.forward_without_querier = false;
	give_link(DOWN1);
	assert_true(forwarding_of(FAMILY_IPV4) == LINK2);
	assert_int_equal(requests_of(REQUEST_FORWARDING), 7);
	engine.links[DOWN1].settings.forward_without_querier = FORWARD_AUTO;
	give_link(DOWN1);
	assert_true(forwarding_of(FAMILY_IPV4) == (LINK1 | LINK2));
	/* Not received any more: only the second set changes. */
	pass(300000);
	assert_true(forwarding_of(FAMILY_IPV4) == (LINK1 | LINK2));
	assert_int_equal(requests_of(REQUEST_FORWARDING), 9);
	link_down(DOWN2);
	assert_true(forwarding_of(FAMILY_IPV4) == LINK1);
	link_up(DOWN2, ROLE_DOWNSTREAM);
	assert_true(forwarding_of(FAMILY_IPV6) == (LINK1 | LINK2));
	engine.links[DOWN1].role = ROLE_UPSTREAM;
	give_link(DOWN1);
	assert_true(forwarding_of(FAMILY_IPV4) == LINK2);
	link_gone(DOWN2);
	assert_true(forwarding_of(FAMILY_IPV4) == 0);
	assert_true(forwarding_of(FAMILY_IPV6) == 0);
}

/* All sources of a long list are asked for, each once a round, in packets that fit the link. */
static void check_query_sizes(const char *group, const char *first, size_t count, uint32_t mtu,
                              uint32_t size_max)
{
	struct addr sources[300], from = addr_of(host_of(DOWN1, group));
	struct record record = {.type = ALLOW, .group = addr_of(group), .source_count = count};
	const struct addr *list = sources;
	unsigned asked[300] = {0};
	struct sent_query sent;

	engine_open(&usual_settings);
	usual_links();
	engine.links[DOWN1].mtu = mtu;
	give_link(DOWN1);
	for (uint32_t n = 0; n < count; n++)
		sources[n] = nth_addr(first, n);
	receive(DOWN1, craft_v3_report_of(&from, &record, &list, 1));
	forget();
	record.type = BLOCK;
	receive(DOWN1, craft_v3_report_of(&from, &record, &list, 1));
	for (size_t n = 0; nth_query(n, &sent); n++) {
		enum family family = sent.packet.family;

		assert_true(packet_header_size(family) + sent.packet.payload_size <= size_max);
		assert_in_range(sent.query.source_count, 1, count);
		for (size_t i = 0; i < sent.query.source_count; i++) {
			struct addr source =
				wire_get_addr(sent.query.sources + i * addr_wire_size(family), family);
			size_t at = 0;

			while (!addr_equal(&sources[at], &source))
				assert_true(++at < count);
			asked[at]++;
		}
	}
	for (size_t n = 0; n < count; n++)
		assert_int_equal(asked[n], 1);
}

static void queries_fit_the_link(void **state)
{
	static const struct {
		uint32_t mtu, size_max;
	} rows[] = {{0, 576},     {500, 576},   {576, 576},   {1280, 1280},
	            {1500, 1500}, {9000, 9000}, {65535, 9000}};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		check_query_sizes("239.1.1.1", "10.9.0.1", 300, rows[i].mtu, rows[i].size_max);
		check_query_sizes("ff05::1", "2001:db8::1", 300, rows[i].mtu, rows[i].size_max);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		empty_test(slow_owner_ends_up_knowing_the_same),
		empty_test(told_routes_are_the_routes),
		engine_test(burst_becomes_one_request),
		engine_test(what_came_and_went_is_not_told),
		engine_test(everything_comes_out_in_small_portions),
		engine_test(urgent_things_come_first),
		engine_test(links_where_every_source_is_wanted),
		engine_test(excluding_members_open_no_link),
		empty_test(links_by_which_multicast_leaves),
		empty_test(queries_fit_the_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
