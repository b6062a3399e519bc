/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Entries that an earlier run has left: they count as reports for as long as hosts may take to answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/engine.h"

#define GROUP  "239.1.1.1"
#define GROUP6 "ff0e::1"

static const uint64_t downstream = (uint64_t)1 << DOWN1;

static void adopt(uint8_t link, const char *source, const char *group, uint64_t heard)
{
	struct input input = {.kind = INPUT_ADOPTED,
	                      .link = link,
	                      .heard = heard,
	                      .bytes = 1000,
	                      .source = addr_of(source),
	                      .group = addr_of(group)};

	input.family = (uint8_t)addr_family(&input.group);
	instance_input(engine.instance, engine.now, &input, NULL, 0);
	turn();
}

static mtime adoption_time(void)
{
	return link_settings_adoption_time(&engine.links[DOWN1].settings);
}

static void set_version(uint8_t version)
{
	engine.links[DOWN1].settings.version[FAMILY_IPV4] = version;
	give_link(DOWN1);
	turn();
}

/* RFC 9776: all members have answered the second startup query by then. */
static void the_time_is_that_of_the_startup_queries(void **state)
{
	struct link_settings settings = usual_link_settings;

	(void)state;
	settings.robustness = 2;
	settings.query_interval = 125000;
	settings.query_response_interval = 10000;
	settings.startup_query_count = 0;
	settings.startup_query_interval = 0;
	assert_int_equal(link_settings_adoption_time(&settings), 31250 + 10000 + 1000);
	settings.startup_query_count = 1;
	assert_int_equal(link_settings_adoption_time(&settings), 10000 + 1000);
	settings.startup_query_count = 3;
	settings.startup_query_interval = 2000;
	assert_int_equal(link_settings_adoption_time(&settings), 4000 + 10000 + 1000);
	settings.query_response_interval = 1000;
	assert_int_equal(link_settings_adoption_time(&settings), 4000 + 1000 + 1000);
	settings.version[FAMILY_IPV4] = VERSION_1;
	assert_int_equal(link_settings_adoption_time(&settings), 4000 + 10000 + 1000);
}

static void an_entry_is_a_member_for_a_while(void **state)
{
	(void)state;
	adopt(UP, "10.0.0.1", GROUP, downstream);
	assert_string_equal(membership_of(GROUP), "INCLUDE{10.0.0.1}");
	assert_string_equal(route_of("10.0.0.1", GROUP), "0 -> 1");
	adopt(UP, "10.0.0.2", GROUP, downstream | (uint64_t)1 << DOWN2);
	assert_string_equal(membership_of(GROUP), "INCLUDE{10.0.0.1 10.0.0.2}");
	assert_string_equal(route_of("10.0.0.2", GROUP), "0 -> 1 2");
	pass(adoption_time() - 1);
	assert_string_equal(membership_of(GROUP), "INCLUDE{10.0.0.1 10.0.0.2}");
	pass(1);
	assert_string_equal(membership_of(GROUP), "INCLUDE{}");
	assert_string_equal(route_of("10.0.0.1", GROUP), "0 ->");
}

static void ipv6_is_the_same(void **state)
{
	(void)state;
	adopt(UP, "2001:db8::1", GROUP6, downstream);
	assert_string_equal(membership_of(GROUP6), "INCLUDE{2001:db8::1}");
	assert_string_equal(route_of("2001:db8::1", GROUP6), "0 -> 1");
	pass(adoption_time());
	assert_string_equal(membership_of(GROUP6), "INCLUDE{}");
}

/* Links of older versions have no lists of sources. */
static void older_links_want_all_sources(void **state)
{
	(void)state;
	set_version(VERSION_2);
	adopt(UP, "10.0.0.1", GROUP, downstream);
	assert_string_equal(membership_of(GROUP), "EXCLUDE{}");
	pass(adoption_time());
	assert_string_equal(membership_of(GROUP), "INCLUDE{}");
}

static void a_host_that_answers_stays(void **state)
{
	(void)state;
	adopt(UP, "10.0.0.1", GROUP, downstream);
	report(DOWN1, IS_EX, GROUP, "");
	assert_string_equal(membership_of(GROUP), "EXCLUDE{}");
	pass(adoption_time());
	assert_string_equal(membership_of(GROUP), "EXCLUDE{}");
	assert_string_equal(route_of("10.0.0.1", GROUP), "0 -> 1");
}

/* What hosts have said since counts more: their timers are not shortened. */
static void it_does_not_shorten_what_a_host_has_said(void **state)
{
	(void)state;
	report(DOWN1, TO_EX, GROUP, "");
	adopt(UP, "10.0.0.1", GROUP, downstream);
	pass(adoption_time());
	assert_string_equal(membership_of(GROUP), "EXCLUDE{}");
	report(DOWN1, ALLOW, "239.1.1.2", "10.0.0.1");
	adopt(UP, "10.0.0.1", "239.1.1.2", downstream);
	pass(adoption_time());
	assert_string_equal(membership_of("239.1.1.2"), "INCLUDE{10.0.0.1}");
}

/* A leave is asked about, as usual, and honoured. */
static void a_leave_is_honoured(void **state)
{
	(void)state;
	adopt(UP, "10.0.0.1", GROUP, downstream);
	forget();
	report(DOWN1, BLOCK, GROUP, "10.0.0.1");
	assert_int_equal(requests_of(REQUEST_SEND), 1);
	pass(engine.links[DOWN1].settings.last_member_query_interval * 2);
	assert_string_equal(membership_of(GROUP), "INCLUDE{}");
}

/* Downstream sources, an upstream link as output, links and groups that do not count. */
static void only_downstream_links_hear(void **state)
{
	(void)state;
	adopt(DOWN1, "10.0.1.1", GROUP, (uint64_t)1 << UP | (uint64_t)1 << DOWN2 | (uint64_t)1 << 63);
	assert_string_equal(membership_of(GROUP), "INCLUDE{10.0.1.1}");
	assert_string_equal(route_of("10.0.1.1", GROUP), "1 -> 0 2");
	link_down(DOWN2);
	adopt(UP, "10.0.0.1", "239.1.1.2", (uint64_t)1 << DOWN2);
	assert_string_equal(membership_of("239.1.1.2"), "never");
	adopt(UP, "10.0.0.1", "224.0.0.5", downstream);
	assert_string_equal(membership_of("224.0.0.5"), "never");
	assert_string_equal(route_of("10.0.0.1", "224.0.0.5"), "never");
	/* The input is no link here. */
	adopt(60, "10.0.0.1", "239.1.1.3", downstream);
	assert_string_equal(membership_of("239.1.1.3"), "INCLUDE{10.0.0.1}");
	assert_string_equal(route_of("10.0.0.1", "239.1.1.3"), "never");
}

static void limits_count(void **state)
{
	(void)state;
	engine.links[DOWN1].settings.groups_max = 1;
	give_link(DOWN1);
	adopt(UP, "10.0.0.1", GROUP, downstream);
	adopt(UP, "10.0.0.1", "239.1.1.2", downstream);
	assert_string_equal(membership_of(GROUP), "INCLUDE{10.0.0.1}");
	assert_string_equal(membership_of("239.1.1.2"), "never");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		engine_test(the_time_is_that_of_the_startup_queries),
		engine_test(an_entry_is_a_member_for_a_while),
		engine_test(ipv6_is_the_same),
		engine_test(older_links_want_all_sources),
		engine_test(a_host_that_answers_stays),
		engine_test(it_does_not_shorten_what_a_host_has_said),
		engine_test(a_leave_is_honoured),
		engine_test(only_downstream_links_hear),
		engine_test(limits_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
