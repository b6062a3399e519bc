/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where streams go (RFC 4605 section 4.2): sources upstream and downstream, late joiners, filters, moves,
 * counters and ageing, the limit of routes.
 */
#include "core/router/instance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/engine.h"

static void upstream_source(void **state)
{
	(void)state;
	join(DOWN1, "239.1.1.1");
	join(DOWN2, "239.1.1.2");
	join(DOWN1, "239.1.1.2");
	upcall(UP, "10.9.9.9", "239.1.1.1");
	upcall(UP, "10.9.9.9", "239.1.1.2");
	upcall(UP, "10.9.9.9", "239.1.1.3");
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "0 -> 1");
	assert_string_equal(route_of("10.9.9.9", "239.1.1.2"), "0 -> 1 2");
	assert_string_equal(route_of("10.9.9.9", "239.1.1.3"), "0 ->"); /* unwanted: a negative entry */
}

static void downstream_source(void **state)
{
	(void)state;
	upcall(DOWN1, "10.0.1.7", "239.1.1.1");
	assert_string_equal(route_of("10.0.1.7", "239.1.1.1"), "1 -> 0");
	join(DOWN1, "239.1.1.1"); /* not back to where it came from */
	assert_string_equal(route_of("10.0.1.7", "239.1.1.1"), "1 -> 0");
	join(DOWN2, "239.1.1.1");
	assert_string_equal(route_of("10.0.1.7", "239.1.1.1"), "1 -> 0 2");
}

static void several_upstream_links(void **state)
{
	(void)state;
	link_up(DOWN3, ROLE_UPSTREAM);
	join(DOWN1, "239.1.1.1");
	upcall(DOWN2, "10.0.2.7", "239.1.1.1");
	assert_string_equal(route_of("10.0.2.7", "239.1.1.1"), "2 -> 0 1 3");
	upcall(UP, "10.9.9.9", "239.1.1.1");
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"),
	                    "0 -> 1"); /* not from one upstream to the other */
	upcall(DOWN3, "10.8.8.8", "239.1.1.1");
	assert_string_equal(route_of("10.8.8.8", "239.1.1.1"), "3 -> 1");
}

static void late_joiner_gets_the_next_packet(void **state)
{
	static const char *const sources[] = {"10.9.9.1", "10.9.9.2", "10.9.9.3"};

	(void)state;
	for (size_t i = 0; i < LENGTH(sources); i++)
		upcall(UP, sources[i], "239.1.1.1");
	forget();
	join(DOWN1, "239.1.1.1"); /* no further upcall is needed */
	for (size_t i = 0; i < LENGTH(sources); i++)
		assert_string_equal(route_of(sources[i], "239.1.1.1"), "0 -> 1");
	forget();
	join(DOWN2, "239.1.1.1");
	for (size_t i = 0; i < LENGTH(sources); i++)
		assert_string_equal(route_of(sources[i], "239.1.1.1"), "0 -> 1 2");
	/* A route that is already right is not requested again. */
	forget();
	join(DOWN1, "239.1.1.1");
	report(DOWN2, TO_EX, "239.1.1.1", "");
	assert_int_equal(requests_of(REQUEST_ROUTE), 0);
}

static void leave_withdraws_the_route(void **state)
{
	(void)state;
	join(DOWN1, "239.1.1.1");
	upcall(UP, "10.9.9.9", "239.1.1.1");
	forget();
	leave(DOWN1, "239.1.1.1");
	pass(1999);
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "never"); /* asked, but still forwarded */
	pass(1);
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "0 ->");
	assert_string_equal(membership_of("239.1.1.1"), "INCLUDE{}");
}

static void include_forwards_only_its_sources(void **state)
{
	(void)state;
	report(DOWN1, ALLOW, "232.1.1.1", "10.9.9.1");
	upcall(UP, "10.9.9.1", "232.1.1.1");
	upcall(UP, "10.9.9.2", "232.1.1.1");
	assert_string_equal(route_of("10.9.9.1", "232.1.1.1"), "0 -> 1");
	assert_string_equal(route_of("10.9.9.2", "232.1.1.1"), "0 ->");
	report(DOWN2, ALLOW, "232.1.1.1", "10.9.9.2");
	assert_string_equal(route_of("10.9.9.1", "232.1.1.1"), "0 -> 1");
	assert_string_equal(route_of("10.9.9.2", "232.1.1.1"), "0 -> 2");
	report(DOWN1, BLOCK, "232.1.1.1", "10.9.9.1");
	pass(2000);
	assert_string_equal(route_of("10.9.9.1", "232.1.1.1"), "0 ->");
}

static void exclude_forwards_all_but_its_sources(void **state)
{
	(void)state;
	report(DOWN1, TO_EX, "239.1.1.1", "10.9.9.1");
	upcall(UP, "10.9.9.1", "239.1.1.1");
	upcall(UP, "10.9.9.2", "239.1.1.1");
	assert_string_equal(route_of("10.9.9.1", "239.1.1.1"), "0 ->");
	assert_string_equal(route_of("10.9.9.2", "239.1.1.1"), "0 -> 1");
	report(DOWN2, TO_EX, "239.1.1.1", "10.9.9.2");
	assert_string_equal(route_of("10.9.9.1", "239.1.1.1"), "0 -> 2");
	assert_string_equal(route_of("10.9.9.2", "239.1.1.1"), "0 -> 1");
	report(DOWN1, ALLOW, "239.1.1.1", "10.9.9.1");
	assert_string_equal(route_of("10.9.9.1", "239.1.1.1"), "0 -> 1 2");
}

static void both_families_do_the_same(void **state)
{
	(void)state;
	report(DOWN1, ALLOW, "ff3e::1", "2001:db8::1");
	upcall(UP, "2001:db8::1", "ff3e::1");
	upcall(UP, "2001:db8::2", "ff3e::1");
	assert_string_equal(route_of("2001:db8::1", "ff3e::1"), "0 -> 1");
	assert_string_equal(route_of("2001:db8::2", "ff3e::1"), "0 ->");
	upcall(DOWN2, "2001:db8::3", "ff0e::1");
	assert_string_equal(route_of("2001:db8::3", "ff0e::1"), "2 -> 0");
}

static void some_streams_are_ignored(void **state)
{
	static const struct {
		const char *source, *group;
	} rows[] = {
		{"10.9.9.9", "224.0.0.1"},  {"10.9.9.9", "224.0.0.251"}, {"0.0.0.0", "239.1.1.1"},
		{"127.0.0.1", "239.1.1.1"}, {"fe80::5", "ff05::1"},      {"2001:db8::1", "ff02::1"},
		{"::", "ff05::1"},
	};

	(void)state;
	want_events(true);
	for (size_t i = 0; i < LENGTH(rows); i++) {
		forget();
		upcall(UP, rows[i].source, rows[i].group);
		assert_string_equal(route_of(rows[i].source, rows[i].group), "never");
	}
	forget();
	upcall(DOWN3, "10.9.9.9", "239.1.1.1"); /* no such link */
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "never");
	assert_int_equal(newest_event(EVENT_DROP)->before, DROP_LINK);
}

static void upcall_is_answered_each_time(void **state)
{
	(void)state;
	upcall(UP, "10.9.9.9", "239.1.1.1");
	forget();
	upcall(UP, "10.9.9.9", "239.1.1.1"); /* the kernel would not ask if it had the entry */
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "0 ->");
}

static void source_moves(void **state)
{
	(void)state;
	join(DOWN2, "239.1.1.1");
	upcall(UP, "10.9.9.9", "239.1.1.1");
	want_events(true);
	forget();
	wrong_link(DOWN1, "10.9.9.9", "239.1.1.1");
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "1 -> 0 2");
	assert_int_equal(events_of(EVENT_FLOW_MOVED), 1);
	assert_int_equal(newest_event(EVENT_FLOW_MOVED)->link, DOWN1);
	wrong_link(DOWN2, "10.9.9.9", "239.1.1.1");
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "2 -> 0");
	wrong_link(UP, "10.9.9.9", "239.1.1.1");
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "0 -> 2");
	/* From where it is expected: nothing is wrong. Of a stream nobody knows: its entry is about to go. */
	forget();
	wrong_link(UP, "10.9.9.9", "239.1.1.1");
	wrong_link(UP, "10.9.9.8", "239.1.1.1");
	assert_int_equal(requests_of(REQUEST_ROUTE), 0);
}

static void silent_streams_age(void **state)
{
	(void)state;
	join(DOWN1, "239.1.1.1");
	upcall(UP, "10.9.9.1", "239.1.1.1");
	upcall(UP, "10.9.9.2", "239.1.1.1");
	forget();
	for (unsigned n = 1; n <= 4; n++) {
		pass(20000);
		counters("10.9.9.1", "239.1.1.1", n);
		if (n < 4)
			counters("10.9.9.2", "239.1.1.1", 1); /* grows once */
		if (n == 3)
			assert_string_equal(route_of("10.9.9.2", "239.1.1.1"), "never");
	}
	counters("10.9.9.2", "239.1.1.1", 1);
	assert_string_equal(route_of("10.9.9.1", "239.1.1.1"), "never");
	assert_string_equal(route_of("10.9.9.2", "239.1.1.1"), "none");
	forget();
	/* Counters of what is gone say nothing. A new upcall begins anew. */
	counters("10.9.9.2", "239.1.1.1", 5);
	counters("10.9.9.7", "239.7.7.7", 5);
	assert_int_equal(engine.kept_count, 0);
	upcall(UP, "10.9.9.2", "239.1.1.1");
	assert_string_equal(route_of("10.9.9.2", "239.1.1.1"), "0 -> 1");
}

/* Does the only request for a route tell the owner to let the kernel ask again? */
static bool asks_again(void)
{
	const struct kept_request *kept = engine.kept;

	assert_int_equal(requests_of(REQUEST_ROUTE), 0);
	assert_int_equal(requests_of(REQUEST_ROUTE_NONE), 1);
	while (kept->request.kind != REQUEST_ROUTE_NONE)
		kept++;
	return kept->request.more;
}

/* The link may return before the kernel asks on its own. */
static void streams_of_a_lost_link_are_asked_for_again(void **state)
{
	static void (*const losses[])(uint8_t id) = {link_down, link_gone};

	(void)state;
	for (size_t i = 0; i < LENGTH(losses); i++) {
		give_upcall(UP, "10.9.9.1", "239.1.1.1", false);
		forget();
		losses[i](UP);
		assert_true(asks_again());
		link_up(UP, ROLE_UPSTREAM);
		upcall(UP, "10.9.9.1", "239.1.1.1");
		forget();
		pass(60000);
		counters("10.9.9.1", "239.1.1.1", 0);
		assert_false(asks_again());
	}
}

/* What comes in by a wrong link alone has ended on its own: another instance of the table may want it. */
static void streams_on_a_wrong_link_age(void **state)
{
	uint32_t packets = 100, wrong = 0;

	(void)state;
	join(DOWN1, "239.1.1.1");
	upcall(UP, "10.9.9.1", "239.1.1.1");
	forget();
	for (unsigned n = 0; n <= 4; n++) {
		assert_string_equal(route_of("10.9.9.1", "239.1.1.1"), "never");
		give_counters("10.9.9.1", "239.1.1.1", packets, wrong);
		pass(20000);
		packets += 50;
		wrong += n == 0 ? 49 : 50;
	}
	assert_string_equal(route_of("10.9.9.1", "239.1.1.1"), "none");
}

static void stream_returns_before_its_end_was_told(void **state)
{
	(void)state;
	upcall(UP, "10.9.9.9", "239.1.1.1");
	forget();
	engine.now += 60000;
	instance_input(engine.instance, engine.now,
	               &(struct input){.kind = INPUT_COUNTERS,
	                               .source = addr_of("10.9.9.9"),
	                               .group = addr_of("239.1.1.1")},
	               NULL, 0);
	give_upcall(DOWN1, "10.9.9.9", "239.1.1.1", false);
	turn();
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "1 -> 0");
	assert_int_equal(requests_of(REQUEST_ROUTE_NONE), 0);
}

static struct instance_settings with_routes_max(uint32_t max)
{
	struct instance_settings settings = usual_settings;

	settings.routes_max = max;
	return settings;
}

static void nth_upcall(unsigned n, const char *group)
{
	struct addr source = nth_addr("10.9.0.1", n);
	char text[ADDR_TEXT_SIZE];

	upcall(UP, addr_format(&source, text), group);
}

static void oldest_unwanted_stream_makes_way(void **state)
{
	struct instance_settings settings = with_routes_max(4);

	(void)state;
	engine_open(&settings);
	usual_links();
	join(DOWN1, "239.1.1.1");
	nth_upcall(0, "239.1.1.1"); /* wanted */
	for (unsigned n = 1; n < 4; n++)
		nth_upcall(n, "239.2.2.2"); /* not */
	forget();
	nth_upcall(4, "239.1.1.1");
	assert_string_equal(route_of("10.9.0.2", "239.2.2.2"), "none");
	assert_string_equal(route_of("10.9.0.5", "239.1.1.1"), "0 -> 1");
	nth_upcall(5, "239.1.1.1");
	assert_string_equal(route_of("10.9.0.3", "239.2.2.2"), "none");
	nth_upcall(6, "239.1.1.1");
	assert_string_equal(route_of("10.9.0.4", "239.2.2.2"), "none");
	assert_string_equal(route_of("10.9.0.1", "239.1.1.1"), "never");
	/* All that is left is wanted: no room. */
	want_events(true);
	forget();
	nth_upcall(7, "239.1.1.1");
	assert_string_equal(route_of("10.9.0.8", "239.1.1.1"), "none");
	assert_int_equal(requests_of(REQUEST_ROUTE_NONE), 1);
	assert_int_equal(newest_event(EVENT_DROP)->before, DROP_ROUTES_MAX);
	/* What is there may still move. */
	wrong_link(DOWN2, "10.9.0.5", "239.1.1.1");
	assert_string_equal(route_of("10.9.0.5", "239.1.1.1"), "2 -> 0 1");
}

/* A storm of unwanted streams within one turn: the entries at any time stay near the limit. */
static void storm_of_unwanted_streams_is_bounded(void **state)
{
	struct instance_settings settings = with_routes_max(1000);
	size_t made, gone;

	(void)state;
	engine_open(&settings);
	usual_links();
	for (unsigned n = 0; n < 10000; n++) {
		struct addr source = nth_addr("10.9.0.1", n);
		char text[ADDR_TEXT_SIZE];

		give_upcall(UP, addr_format(&source, text), "239.2.2.2", false);
	}
	turn();
	made = requests_of(REQUEST_ROUTE);
	gone = requests_of(REQUEST_ROUTE_NONE);
	assert_int_equal(made, 1000);
	assert_in_range(gone, 1, 126 + 32); /* the engine reports some of those without room */
	/* With turns in between each newcomer gets its place. */
	forget();
	for (unsigned n = 20000; n < 23000; n++)
		nth_upcall(n, "239.2.2.2");
	assert_int_equal(requests_of(REQUEST_ROUTE), 3000);
	assert_int_equal(requests_of(REQUEST_ROUTE_NONE), 3000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		engine_test(upstream_source),
		engine_test(downstream_source),
		engine_test(several_upstream_links),
		engine_test(late_joiner_gets_the_next_packet),
		engine_test(leave_withdraws_the_route),
		engine_test(include_forwards_only_its_sources),
		engine_test(exclude_forwards_all_but_its_sources),
		engine_test(both_families_do_the_same),
		engine_test(some_streams_are_ignored),
		engine_test(upcall_is_answered_each_time),
		engine_test(source_moves),
		engine_test(silent_streams_age),
		engine_test(streams_of_a_lost_link_are_asked_for_again),
		engine_test(streams_on_a_wrong_link_age),
		engine_test(stream_returns_before_its_end_was_told),
		empty_test(oldest_unwanted_stream_makes_way),
		empty_test(storm_of_unwanted_streams_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
