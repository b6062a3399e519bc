/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Filters of links at work: which joins count, what is wanted upstream, where streams go, and the choice of an upstream link.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/engine.h"

enum { UP2 = DOWN3 };

static void choose(enum upstream_choice choice)
{
	struct input input = {.kind = INPUT_SETTINGS};
	struct instance_settings settings = usual_settings;

	settings.upstream_choice = choice;
	settings.mutex_hold = 10000;
	give(&input, &settings, sizeof settings);
	turn();
}

static void second_upstream(void)
{
	link_up(UP2, ROLE_UPSTREAM);
	engine.links[UP2].settings.order = 1;
	give_link(UP2);
}

static void denied_joins_do_not_count(void **state)
{
	(void)state;
	want_events(true);
	give_filters(DOWN1, NULL, "allow 239.1.0.0/16\ndeny all");
	join(DOWN1, "239.1.1.1");
	join(DOWN1, "239.2.1.1");
	assert_string_equal(membership_of("239.1.1.1"), "EXCLUDE{}");
	assert_string_equal(membership_of("239.2.1.1"), "never");
	assert_int_equal(events_of(EVENT_DENIED), 1);
	assert_int_equal(newest_event(EVENT_DENIED)->value, 2);
	join(DOWN2, "239.2.1.1");
	assert_string_equal(membership_of("239.2.1.1"), "EXCLUDE{}");
	upcall(UP, "10.9.9.9", "239.2.1.1");
	assert_string_equal(route_of("10.9.9.9", "239.2.1.1"), "0 -> 2");
}

static void a_denied_join_ends_an_earlier_one(void **state)
{
	(void)state;
	give_filters(DOWN1, NULL, "allow all from 10.9.9.9\ndeny all");
	report(DOWN1, TO_IN, "239.1.1.1", "10.9.9.9");
	assert_string_equal(membership_of("239.1.1.1"), "INCLUDE{10.9.9.9}");
	report(DOWN1, TO_IN, "239.1.1.1", "10.8.8.8");
	pass(10000);
	assert_string_equal(membership_of("239.1.1.1"), "INCLUDE{}");
}

static void source_lists_are_narrowed(void **state)
{
	(void)state;
	give_filters(
		DOWN1, NULL,
		"allow 239.1.0.0/16 from 10.9.9.1\nallow 239.1.0.0/16 from 10.9.9.2\ndeny all from 10.9.9.9\n"
		"deny 239.1.0.0/16");
	join(DOWN1, "239.1.1.1");
	assert_string_equal(membership_of("239.1.1.1"), "INCLUDE{10.9.9.1 10.9.9.2}");
	report(DOWN1, ALLOW, "239.1.1.2", "10.9.9.2 10.9.9.3");
	assert_string_equal(membership_of("239.1.1.2"), "INCLUDE{10.9.9.2}");
	join(DOWN1, "239.2.1.1");
	assert_string_equal(membership_of("239.2.1.1"), "EXCLUDE{10.9.9.9}");
}

static void denied_prefixes_are_held_back_stream_by_stream(void **state)
{
	(void)state;
	give_filters(DOWN1, NULL, "deny all from 10.9.0.0/16");
	join(DOWN1, "239.1.1.1");
	join(DOWN2, "239.1.1.1");
	assert_string_equal(membership_of("239.1.1.1"), "EXCLUDE{}");
	upcall(UP, "10.9.9.9", "239.1.1.1");
	upcall(UP, "10.8.9.9", "239.1.1.1");
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "0 -> 2");
	assert_string_equal(route_of("10.8.9.9", "239.1.1.1"), "0 -> 1 2");
	assert_int_equal(open_links_of("239.1.1.1"), 0); /* the owner must not install early routes */
}

static void hosts_are_told_apart_by_their_reports(void **state)
{
	(void)state;
	give_filters(DOWN1, NULL, "allow all by 10.0.1.7\ndeny all");
	receive(DOWN1, craft_record("10.0.1.8", TO_EX, "239.1.1.1", ""));
	assert_string_equal(membership_of("239.1.1.1"), "never");
	receive(DOWN1, craft_record("10.0.1.7", TO_EX, "239.1.1.1", ""));
	assert_string_equal(membership_of("239.1.1.1"), "EXCLUDE{}");
	upcall(UP, "10.9.9.9", "239.1.1.1");
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "0 -> 1");
}

static void upstream_joins_follow_filter_in(void **state)
{
	(void)state;
	give_filters(UP, "deny 239.255.0.0/16\ndeny 239.1.1.1 from 10.9.9.9", NULL);
	join(DOWN1, "239.255.1.1");
	join(DOWN1, "239.1.1.1");
	assert_string_equal(membership_of("239.255.1.1"), "never");
	assert_string_equal(membership_of("239.1.1.1"), "EXCLUDE{10.9.9.9}");
	upcall(UP, "10.9.9.9", "239.1.1.1");
	upcall(UP, "10.9.9.9", "239.255.1.1");
	upcall(DOWN2, "10.0.2.7", "239.255.1.1");
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "0 ->");
	assert_string_equal(route_of("10.9.9.9", "239.255.1.1"), "0 ->");
	assert_string_equal(route_of("10.0.2.7", "239.255.1.1"), "2 -> 0 1");
}

static void streams_leave_upstream_as_far_as_filter_out_allows(void **state)
{
	(void)state;
	give_filters(UP, NULL, "deny 239.255.0.0/16");
	give_filters(DOWN2, "deny all from 10.0.2.8", NULL);
	join(DOWN1, "239.255.1.1");
	upcall(DOWN2, "10.0.2.7", "239.255.1.1");
	upcall(DOWN2, "10.0.2.7", "239.1.1.1");
	upcall(DOWN2, "10.0.2.8", "239.255.1.1");
	assert_string_equal(route_of("10.0.2.7", "239.255.1.1"), "2 -> 1");
	assert_string_equal(route_of("10.0.2.7", "239.1.1.1"), "2 -> 0");
	assert_string_equal(route_of("10.0.2.8", "239.255.1.1"), "2 ->");
}

static void a_new_filter_acts_at_once(void **state)
{
	(void)state;
	join(DOWN1, "239.1.1.1");
	join(DOWN2, "239.1.1.1");
	upcall(UP, "10.9.9.9", "239.1.1.1");
	forget();
	give_filters(DOWN1, NULL, "deny 239.1.1.1");
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "0 -> 2");
	give_filters(DOWN2, NULL, "deny 239.1.1.1");
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "0 ->");
	assert_string_equal(membership_of("239.1.1.1"), "INCLUDE{}");
	give_filters(DOWN2, NULL, NULL);
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "0 -> 2");
	assert_string_equal(membership_of("239.1.1.1"), "EXCLUDE{}");
}

static void a_link_that_is_down_learns_of_leaves(void **state)
{
	(void)state;
	give_filters(UP, "deny 239.2.0.0/16", NULL);
	join(DOWN1, "239.1.1.1");
	link_down(UP);
	forget();
	leave(DOWN1, "239.1.1.1");
	pass(10000);
	assert_string_equal(membership_on(UP, "239.1.1.1"), "INCLUDE{}");
}

static void a_link_that_is_absent_learns_of_filters(void **state)
{
	(void)state;
	give_filters(UP, "deny 239.1.1.1", NULL);
	link_gone(UP);
	join(DOWN1, "239.1.1.1");
	assert_string_equal(membership_of("239.1.1.1"), "EXCLUDE{}");
	give_filters(DOWN2, NULL, "deny 239.2.0.0/16");
	engine.links[UP].present = true;
	give_filters(UP, "deny 239.1.1.1", NULL);
	assert_string_equal(membership_of("239.1.1.1"), "INCLUDE{}");
}

static void first_takes_a_group_by_the_first_link_that_may(void **state)
{
	(void)state;
	second_upstream();
	choose(CHOICE_FIRST);
	give_filters(UP, "allow 239.1.0.0/16\nallow 239.3.1.1 from 10.9.9.1\ndeny all", NULL);
	join(DOWN1, "239.1.1.1");
	join(DOWN1, "239.2.1.1");
	report(DOWN1, TO_IN, "239.3.1.1", "10.9.9.1 10.9.9.2");
	assert_string_equal(membership_on(UP, "239.1.1.1"), "EXCLUDE{}");
	assert_string_equal(membership_on(UP2, "239.1.1.1"), "never");
	assert_string_equal(membership_on(UP, "239.2.1.1"), "never");
	assert_string_equal(membership_on(UP2, "239.2.1.1"), "EXCLUDE{}");
	assert_string_equal(membership_on(UP, "239.3.1.1"), "INCLUDE{10.9.9.1}");
	assert_string_equal(membership_on(UP2, "239.3.1.1"), "INCLUDE{10.9.9.2}");
	upcall(UP2, "10.9.9.1", "239.2.1.1");
	assert_string_equal(route_of("10.9.9.1", "239.2.1.1"), "3 -> 1");
	/* A copy on the other link does not decide. */
	upcall(UP2, "10.9.9.1", "239.1.1.1");
	assert_string_equal(route_of("10.9.9.1", "239.1.1.1"), "0 -> 1");
	wrong_link(UP2, "10.9.9.1", "239.1.1.1");
	assert_string_equal(route_of("10.9.9.1", "239.1.1.1"), "0 -> 1");
}

static void the_next_link_takes_over_and_gives_back(void **state)
{
	(void)state;
	second_upstream();
	choose(CHOICE_FIRST);
	join(DOWN1, "239.1.1.1");
	upcall(UP, "10.9.9.1", "239.1.1.1");
	link_down(UP);
	assert_string_equal(membership_on(UP2, "239.1.1.1"), "EXCLUDE{}");
	upcall(UP2, "10.9.9.1", "239.1.1.1");
	assert_string_equal(route_of("10.9.9.1", "239.1.1.1"), "3 -> 1");
	use_family(UP, FAMILY_IPV4, true);
	give_link(UP);
	assert_string_equal(membership_on(UP, "239.1.1.1"), "EXCLUDE{}");
	assert_string_equal(membership_on(UP2, "239.1.1.1"), "INCLUDE{}");
	assert_string_equal(route_of("10.9.9.1", "239.1.1.1"), "0 -> 1");
}

static void all_joins_on_each_link(void **state)
{
	(void)state;
	second_upstream();
	give_filters(UP, "deny 239.2.0.0/16", NULL);
	join(DOWN1, "239.1.1.1");
	join(DOWN1, "239.2.1.1");
	assert_string_equal(membership_on(UP, "239.1.1.1"), "EXCLUDE{}");
	assert_string_equal(membership_on(UP2, "239.1.1.1"), "EXCLUDE{}");
	assert_string_equal(membership_on(UP, "239.2.1.1"), "never");
	assert_string_equal(membership_on(UP2, "239.2.1.1"), "EXCLUDE{}");
}

static void an_upstream_link_for_each_lan(void **state)
{
	(void)state;
	second_upstream();
	choose(CHOICE_FIRST);
	give_filters(DOWN1, NULL, "allow all in eth0\ndeny all");
	give_filters(DOWN2, NULL, "allow all in eth3\ndeny all");
	join(DOWN1, "239.1.1.1");
	assert_string_equal(membership_on(UP2, "239.1.1.1"), "never");
	join(DOWN2, "239.1.1.1");
	assert_string_equal(membership_on(UP, "239.1.1.1"), "EXCLUDE{}");
	assert_string_equal(membership_on(UP2, "239.1.1.1"), "EXCLUDE{}");
	upcall(UP, "10.9.9.1", "239.1.1.1");
	upcall(UP2, "10.9.9.2", "239.1.1.1");
	assert_string_equal(route_of("10.9.9.1", "239.1.1.1"), "0 -> 1");
	assert_string_equal(route_of("10.9.9.2", "239.1.1.1"), "3 -> 2");
}

static void mutex_takes_a_group_by_one_link_at_a_time(void **state)
{
	(void)state;
	second_upstream();
	choose(CHOICE_MUTEX);
	join(DOWN1, "239.1.1.1");
	assert_string_equal(membership_on(UP, "239.1.1.1"), "EXCLUDE{}");
	assert_string_equal(membership_on(UP2, "239.1.1.1"), "EXCLUDE{}");
	upcall(UP, "10.9.9.1", "239.1.1.1");
	upcall(UP2, "10.9.9.2", "239.1.1.1");
	assert_string_equal(route_of("10.9.9.1", "239.1.1.1"), "0 -> 1");
	assert_string_equal(route_of("10.9.9.2", "239.1.1.1"), "0 -> 1");
	pass(9000);
	counters("10.9.9.1", "239.1.1.1", 100);
	pass(12000); /* a late reading */
	wrong_link(UP2, "10.9.9.1", "239.1.1.1");
	assert_string_equal(route_of("10.9.9.1", "239.1.1.1"), "0 -> 1");
	counters("10.9.9.1", "239.1.1.1", 100);
	counters("10.9.9.2", "239.1.1.1", 0);
	wrong_link(UP2, "10.9.9.1", "239.1.1.1");
	assert_string_equal(route_of("10.9.9.1", "239.1.1.1"), "3 -> 1");
	assert_string_equal(route_of("10.9.9.2", "239.1.1.1"), "3 -> 1");
}

static void mutex_is_not_held_by_streams_that_arrive_elsewhere(void **state)
{
	(void)state;
	second_upstream();
	choose(CHOICE_MUTEX);
	join(DOWN1, "239.1.1.1");
	upcall(UP, "10.9.9.1", "239.1.1.1");
	upcall(UP2, "10.9.9.2", "239.1.1.1");
	pass(1000);
	counters("10.9.9.1", "239.1.1.1", 100);
	give_counters("10.9.9.2", "239.1.1.1", 100, 100);
	for (unsigned second = 1; second < 10; second++) {
		pass(1000);
		counters("10.9.9.1", "239.1.1.1", 100);
		/* Of an entry that was made again. */
		give_counters("10.9.9.2", "239.1.1.1", 100 - second, 100 - second);
		wrong_link(UP2, "10.9.9.2", "239.1.1.1");
		upcall(UP2, "10.9.9.2", "239.1.1.1");
		assert_string_equal(route_of("10.9.9.2", "239.1.1.1"), "0 -> 1");
	}
	pass(1000);
	counters("10.9.9.1", "239.1.1.1", 100);
	assert_string_equal(route_of("10.9.9.2", "239.1.1.1"), "0 -> 1");
	give_counters("10.9.9.2", "239.1.1.1", 50, 50);
	assert_string_equal(route_of("10.9.9.1", "239.1.1.1"), "3 -> 1");
	assert_string_equal(route_of("10.9.9.2", "239.1.1.1"), "3 -> 1");
}

static void mutex_is_left_by_a_source_that_arrives_on_the_next_link(void **state)
{
	(void)state;
	second_upstream();
	choose(CHOICE_MUTEX);
	join(DOWN1, "239.1.1.1");
	upcall(UP, "10.9.9.1", "239.1.1.1");
	pass(1000);
	counters("10.9.9.1", "239.1.1.1", 100);
	for (unsigned second = 1; second < 10; second++) {
		pass(1000);
		give_counters("10.9.9.1", "239.1.1.1", 10 + second, 10 + second);
		wrong_link(UP2, "10.9.9.1", "239.1.1.1");
		upcall(UP2, "10.9.9.1", "239.1.1.1");
		assert_string_equal(route_of("10.9.9.1", "239.1.1.1"), "0 -> 1");
	}
	pass(1000);
	give_counters("10.9.9.1", "239.1.1.1", 50, 50);
	assert_string_equal(route_of("10.9.9.1", "239.1.1.1"), "3 -> 1");
}

static void a_link_that_denies_a_stream_does_not_keep_it(void **state)
{
	(void)state;
	second_upstream();
	give_filters(UP, "deny 239.1.1.1", NULL);
	join(DOWN1, "239.1.1.1");
	upcall(UP, "10.9.9.1", "239.1.1.1");
	assert_string_equal(route_of("10.9.9.1", "239.1.1.1"), "3 -> 1");
	choose(CHOICE_MUTEX);
	upcall(UP, "10.9.9.2", "239.1.1.1");
	assert_string_equal(route_of("10.9.9.2", "239.1.1.1"), "3 -> 1");
}

static void mutex_leaves_no_stream_to_the_owner(void **state)
{
	(void)state;
	second_upstream();
	join(DOWN1, "239.1.1.1");
	assert_int_equal(open_links_of("239.1.1.1"), 1 << DOWN1);
	choose(CHOICE_MUTEX);
	assert_int_equal(open_links_of("239.1.1.1"), 0);
}

static void hosts_are_asked_when_a_link_appears_that_a_rule_names(void **state)
{
	(void)state;
	want_events(true);
	give_filters(DOWN1, NULL, "allow all in eth3\ndeny all");
	pass(40000);
	join(DOWN1, "239.1.1.1");
	assert_string_equal(membership_of("239.1.1.1"), "never");
	forget();
	link_up(UP2, ROLE_UPSTREAM);
	assert_int_equal(events_of(EVENT_QUERY), FAMILIES);
	assert_int_equal(newest_event(EVENT_QUERY)->link, DOWN1);
}

static void a_stream_is_taken_where_it_is_seen(void **state)
{
	(void)state;
	second_upstream();
	choose(CHOICE_FIRST);
	give_filters(DOWN1, NULL, "allow all in eth0\ndeny all");
	give_filters(DOWN2, NULL, "allow all in eth3\ndeny all");
	join(DOWN2, "239.1.1.1");
	upcall(UP, "10.9.9.1", "239.1.1.1");
	assert_string_equal(route_of("10.9.9.1", "239.1.1.1"), "3 -> 2");
	join(DOWN1, "239.1.1.1");
	assert_string_equal(route_of("10.9.9.1", "239.1.1.1"), "0 -> 1");
	leave(DOWN1, "239.1.1.1");
	pass(10000);
	assert_string_equal(route_of("10.9.9.1", "239.1.1.1"), "3 -> 2");
	upcall(UP2, "10.9.9.1", "239.1.1.1");
	join(DOWN1, "239.1.1.1");
	assert_string_equal(route_of("10.9.9.1", "239.1.1.1"), "3 -> 2");
}

static void adopt(const char *source, const char *group)
{
	struct input input = {.kind = INPUT_ADOPTED,
	                      .link = UP,
	                      .heard = (uint64_t)1 << DOWN1,
	                      .source = addr_of(source),
	                      .group = addr_of(group)};

	give(&input, NULL, 0);
	turn();
}

static void all_adopted(void)
{
	give(&(struct input){.kind = INPUT_ALL_ADOPTED}, NULL, 0);
	turn();
}

/* The hosts of an adopted stream are not known: it goes on if some host may have it, and the hosts are asked. */
static void adopted_streams_are_those_of_some_host(void **state)
{
	(void)state;
	give_filters(DOWN1, NULL,
	             "allow 239.1.1.1 by 10.0.1.5\ndeny 239.1.1.2 by 10.0.1.5\nallow 239.1.1.2\ndeny all");
	turn();
	forget();
	want_events(true);
	for (unsigned n = 0; n < 3; n++)
		adopt("10.9.9.1", (const char *[]){"239.1.1.1", "239.1.1.2", "239.1.1.3"}[n]);
	assert_string_equal(route_of("10.9.9.1", "239.1.1.1"), "0 -> 1");
	assert_string_equal(route_of("10.9.9.1", "239.1.1.2"), "0 -> 1");
	assert_string_equal(route_of("10.9.9.1", "239.1.1.3"), "0 ->");
	assert_int_equal(events_of(EVENT_DENIED), 0);
	assert_int_equal(requests_of(REQUEST_SEND), 0);
	all_adopted();
	assert_int_equal(requests_of(REQUEST_ALL_ADOPTED), 1);
	assert_int_equal(requests_of(REQUEST_SEND), 2);
	receive(DOWN1, craft_record("10.0.1.5", IS_EX, "239.1.1.1", ""));
	receive(DOWN1, craft_record("10.0.1.5", IS_EX, "239.1.1.2", ""));
	pass(engine.links[DOWN1].settings.last_member_query_interval * 2);
	assert_string_equal(route_of("10.9.9.1", "239.1.1.1"), "0 -> 1");
	assert_string_equal(route_of("10.9.9.1", "239.1.1.2"), "0 ->");
}

static void hosts_are_not_asked_without_need(void **state)
{
	(void)state;
	give_filters(DOWN1, NULL, "deny 239.1.1.2");
	turn();
	adopt("10.9.9.1", "239.1.1.1");
	forget();
	all_adopted();
	assert_int_equal(requests_of(REQUEST_ALL_ADOPTED), 1);
	assert_int_equal(requests_of(REQUEST_SEND), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		engine_test(denied_joins_do_not_count),
		engine_test(a_denied_join_ends_an_earlier_one),
		engine_test(source_lists_are_narrowed),
		engine_test(denied_prefixes_are_held_back_stream_by_stream),
		engine_test(hosts_are_told_apart_by_their_reports),
		engine_test(upstream_joins_follow_filter_in),
		engine_test(streams_leave_upstream_as_far_as_filter_out_allows),
		engine_test(a_new_filter_acts_at_once),
		engine_test(a_link_that_is_down_learns_of_leaves),
		engine_test(a_link_that_is_absent_learns_of_filters),
		engine_test(first_takes_a_group_by_the_first_link_that_may),
		engine_test(the_next_link_takes_over_and_gives_back),
		engine_test(all_joins_on_each_link),
		engine_test(an_upstream_link_for_each_lan),
		engine_test(mutex_takes_a_group_by_one_link_at_a_time),
		engine_test(mutex_is_not_held_by_streams_that_arrive_elsewhere),
		engine_test(mutex_is_left_by_a_source_that_arrives_on_the_next_link),
		engine_test(a_link_that_denies_a_stream_does_not_keep_it),
		engine_test(hosts_are_asked_when_a_link_appears_that_a_rule_names),
		engine_test(a_stream_is_taken_where_it_is_seen),
		engine_test(mutex_leaves_no_stream_to_the_owner),
		engine_test(adopted_streams_are_those_of_some_host),
		engine_test(hosts_are_not_asked_without_need),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
