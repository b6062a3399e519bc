/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An engine from outside: inputs go in, requests come out. Begin here.
 */
#include "core/router/instance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/engine.h"

/* The smallest story: a host on a downstream link joins a group, so the engine requests the membership upstream. */
static void join_becomes_a_request(void **state)
{
	static _Alignas(8) uint8_t payload[REQUEST_PAYLOAD_MAX];
	struct instance *instance = instance_new(&usual_settings, 1);
	struct link_change eth1 = {
		.present = true, .role = ROLE_DOWNSTREAM, .mtu = 1500, .settings = usual_link_settings};
	struct craft join = craft_old("10.0.1.5", VERSION_2, "239.1.1.1", false);
	struct addr group = addr_of("239.1.1.1");
	struct request request;
	mtime now = 1000;
	size_t size;

	(void)state;
	/* Input: link 1 is there, and a packet arrives on it. */
	eth1.family[FAMILY_IPV4].usable = true;
	eth1.family[FAMILY_IPV4].address = addr_of("10.0.1.1");
	instance_input(instance, now, &(struct input){.kind = INPUT_LINK, .link = 1}, (uint8_t *)&eth1,
	               sizeof eth1);
	instance_input(instance, now, &(struct input){.kind = INPUT_PACKET, .link = 1, .family = FAMILY_IPV4},
	               join.bytes, join.size);
	/* Output: queries of the new link, and the request: EXCLUDE{}, which is every source. */
	do
		assert_true(instance_pull(instance, now, &request, payload, &size));
	while (request.kind != REQUEST_MEMBERSHIP);
	assert_true(addr_equal(&request.group, &group));
	assert_int_equal(request.mode, FILTER_EXCLUDE);
	assert_int_equal(request.count, 0);
	instance_free(instance);
}

static void configure(const struct instance_settings *settings)
{
	struct input input = {.kind = INPUT_SETTINGS};

	give(&input, settings, sizeof *settings);
	turn();
}

static void limits_change_under_way(void **state)
{
	struct instance_settings settings = usual_settings;

	(void)state;
	join(DOWN1, "239.1.1.1");
	for (unsigned i = 1; i <= 5; i++) {
		char source[32];

		snprintf(source, sizeof source, "10.9.9.%u", i);
		upcall(UP, source, i == 1 ? "239.1.1.1" : "239.1.1.2");
	}
	forget();
	/* What goes nowhere makes way, the oldest first. */
	settings.routes_max = 3;
	configure(&settings);
	assert_string_equal(route_of("10.9.9.1", "239.1.1.1"), "never");
	assert_string_equal(route_of("10.9.9.2", "239.1.1.2"), "none");
	assert_string_equal(route_of("10.9.9.3", "239.1.1.2"), "none");
	assert_string_equal(route_of("10.9.9.4", "239.1.1.2"), "never");
	/* Less memory than is held: what is there stays, nothing comes to it. */
	settings.memory_max = 1;
	configure(&settings);
	for (unsigned i = 0; i < 3000; i++) {
		char group[32];

		snprintf(group, sizeof group, "239.3.%u.%u", i / 250, i % 250);
		join(DOWN1, group);
	}
	assert_string_equal(membership_of("239.3.11.249"), "never");
	assert_string_equal(route_of("10.9.9.1", "239.1.1.1"), "never");
	settings = usual_settings;
	settings.route_timeout = 20000;
	configure(&settings);
	join(DOWN1, "239.3.11.249");
	assert_string_equal(membership_of("239.3.11.249"), "EXCLUDE{}");
	pass(20000);
	counters("10.9.9.1", "239.1.1.1", 0);
	assert_string_equal(route_of("10.9.9.1", "239.1.1.1"), "none");
}

/* Records that change their mind about a group of many streams: each is decided once, with the next
 * requests. */
static void routes_follow_once_for_all_records(void **state)
{
	static const enum record_type types[] = {TO_EX, TO_IN, TO_EX, TO_IN, TO_EX};
	struct addr from = addr_of("10.0.1.5");
	const struct addr *none[LENGTH(types)] = {NULL};
	struct record records[LENGTH(types)];

	(void)state;
	engine.links[DOWN1].settings.fast_leave = true;
	give_link(DOWN1);
	upcall(UP, "10.9.9.8", "239.1.1.1");
	upcall(UP, "10.9.9.9", "239.1.1.1");
	for (size_t i = 0; i < LENGTH(types); i++)
		records[i] = (struct record){.type = types[i], .group = addr_of("239.1.1.1")};
	want_events(true);
	forget();
	receive(DOWN1, craft_v3_report_of(&from, records, none, LENGTH(types)));
	assert_int_equal(events_of(EVENT_ROUTE), 2);
	assert_string_equal(route_of("10.9.9.8", "239.1.1.1"), "0 -> 1");
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "0 -> 1");
}

static void events_tell_the_story(void **state)
{
	static const enum event_kind expected[] = {
		EVENT_JOIN,  EVENT_UPSTREAM, EVENT_FLOW,  EVENT_ROUTE,    EVENT_LEAVING,   EVENT_QUERY,
		EVENT_QUERY, EVENT_LEAVE,    EVENT_ROUTE, EVENT_UPSTREAM, EVENT_FLOW_GONE,
	};
	size_t count = 0;

	(void)state;
	join(DOWN1, "239.9.9.9");
	assert_int_equal(requests_of(REQUEST_EVENT), 0); /* nobody asked */
	want_events(true);
	join(DOWN1, "239.1.1.1");
	upcall(UP, "10.9.9.9", "239.1.1.1");
	leave(DOWN1, "239.1.1.1");
	pass(2000);
	engine.now += 60000;
	counters("10.9.9.9", "239.1.1.1", 0);
	for (size_t i = 0; i < engine.kept_count; i++) {
		if (engine.kept[i].request.kind != REQUEST_EVENT)
			continue;
		assert_true(count < LENGTH(expected));
		assert_int_equal(engine.kept[i].request.event.kind, expected[count++]);
	}
	assert_int_equal(count, LENGTH(expected));
	want_events(false);
	forget();
	join(DOWN1, "239.1.1.1");
	assert_int_equal(requests_of(REQUEST_EVENT), 0);
}

/* However often it was asked for before the turn. */
static void ping_is_answered_once(void **state)
{
	struct input ping = {.kind = INPUT_PING};

	(void)state;
	forget();
	instance_input(engine.instance, engine.now, &ping, NULL, 0);
	instance_input(engine.instance, engine.now, &ping, NULL, 0);
	turn();
	assert_int_equal(engine.kept_count, 1);
	assert_int_equal(engine.kept[0].request.kind, REQUEST_PONG);
	instance_input(engine.instance, engine.now, &ping, NULL, 0);
	turn();
	assert_int_equal(requests_of(REQUEST_PONG), 2);
}

/* The owner has lost requests: what is wanted is requested once more, in that family, and nothing else. */
static void everything_is_requested_again(void **state)
{
	struct input again = {.kind = INPUT_REPEAT, .family = FAMILY_IPV4};

	(void)state;
	join(DOWN1, "239.1.1.1");
	join(DOWN1, "239.1.1.2");
	leave(DOWN1, "239.1.1.2");
	upcall(UP, "10.9.9.9", "239.1.1.1");
	pass(5000);
	forget();
	instance_input(engine.instance, engine.now, &again, NULL, 0);
	instance_input(engine.instance, engine.now, &again, NULL, 0);
	turn();
	assert_int_equal(requests_of(REQUEST_MEMBERSHIP), 1);
	assert_int_equal(requests_of(REQUEST_ROUTE), 1);
	assert_int_equal(requests_of(REQUEST_ROUTE_NONE), 0);
	forget();
	again.family = FAMILY_IPV6;
	instance_input(engine.instance, engine.now, &again, NULL, 0);
	turn();
	assert_int_equal(engine.kept_count, 0);
}

static void stop_is_the_last_word(void **state)
{
	struct input stop = {.kind = INPUT_STOP};

	(void)state;
	join(DOWN1, "239.1.1.1");
	upcall(UP, "10.9.9.9", "239.1.1.1");
	forget();
	instance_input(engine.instance, engine.now, &stop, NULL, 0);
	join(DOWN1, "239.1.1.2");
	assert_int_equal(engine.kept_count, 1);
	assert_int_equal(engine.kept[0].request.kind, REQUEST_STOPPED);
	forget();
	pass(1000000);
	upcall(UP, "10.9.9.9", "239.1.1.2");
	link_gone(DOWN1);
	assert_int_equal(engine.kept_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(join_becomes_a_request),
		engine_test(limits_change_under_way),
		engine_test(routes_follow_once_for_all_records),
		engine_test(events_tell_the_story),
		engine_test(ping_is_answered_once),
		engine_test(everything_is_requested_again),
		engine_test(stop_is_the_last_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
