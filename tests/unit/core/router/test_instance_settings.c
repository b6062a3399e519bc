/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An engine: settings of a link that change under way.
 */
#include "core/router/instance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/engine.h"

static const struct query v3_query = {
	.version = VERSION_3, .max_response = 5000, .robustness = 3, .query_interval = 60000};

/* A reload tells new settings of a link in use: streams and members stay. */
static void shorter_intervals_hold_at_once(void **state)
{
	mtime times[8], start;

	(void)state;
	join(DOWN1, "239.1.1.1");
	upcall(UP, "10.9.9.9", "239.1.1.1");
	pass(50000);
	forget();
	start = engine.now;
	engine.links[DOWN1].settings.query_interval = 20000;
	give_link(DOWN1);
	pass(45000);
	assert_int_equal(query_times(DOWN1, FAMILY_IPV4, start, times, 8), 2);
	assert_int_equal(times[0], 20000);
	assert_int_equal(times[1], 40000);
	assert_int_equal(query_times(DOWN2, FAMILY_IPV4, start, times, 8), 0);
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "never");
	assert_string_equal(membership_of("239.1.1.1"), "never");
	/* The next report has the new membership interval: 2 * 20 s + 2 * 10 s. */
	join(DOWN1, "239.1.1.1");
	pass(59999);
	assert_string_equal(membership_of("239.1.1.1"), "never");
	pass(1);
	assert_string_equal(membership_of("239.1.1.1"), "INCLUDE{}");
}

static void longer_intervals_extend_what_runs(void **state)
{
	mtime times[8], start;

	(void)state;
	engine.links[DOWN1].settings.query_interval = 20000;
	give_link(DOWN1);
	join(DOWN1, "239.1.1.1");
	report(DOWN1, ALLOW, "232.1.1.1", "10.9.9.9");
	pass(15000);
	forget();
	start = engine.now;
	engine.links[DOWN1].settings.query_interval = 125000;
	give_link(DOWN1);
	/* 270 s instead of 60 s, 15 s of which are over; the query that was due stays so. */
	pass(254999);
	assert_string_equal(membership_of("239.1.1.1"), "never");
	assert_string_equal(membership_of("232.1.1.1"), "never");
	pass(1);
	assert_string_equal(membership_of("239.1.1.1"), "INCLUDE{}");
	assert_string_equal(membership_of("232.1.1.1"), "INCLUDE{}");
	assert_in_range(query_times(DOWN1, FAMILY_IPV4, start, times, 8), 2, 3);
	assert_in_range(times[0], 0, 20000);
}

/* A host that answers at the old pace is still known when another one leaves. */
static void longer_intervals_keep_the_hosts_known(void **state)
{
	(void)state;
	engine.links[DOWN1].settings.query_interval = 20000;
	engine.links[DOWN1].settings.fast_leave = true;
	give_link(DOWN1);
	pass(60000);
	receive(DOWN1, craft_record("10.0.1.5", TO_EX, "239.1.1.1", ""));
	receive(DOWN1, craft_record("10.0.1.6", TO_EX, "239.1.1.1", ""));
	pass(15000);
	engine.links[DOWN1].settings.query_interval = 125000;
	give_link(DOWN1);
	pass(100000);
	forget();
	receive(DOWN1, craft_record("10.0.1.5", TO_IN, "239.1.1.1", ""));
	pass(1000);
	assert_string_equal(membership_of("239.1.1.1"), "never");
	receive(DOWN1, craft_record("10.0.1.6", TO_IN, "239.1.1.1", ""));
	assert_string_equal(membership_of("239.1.1.1"), "INCLUDE{}");
}

static void other_version_asks_at_once(void **state)
{
	struct sent_query sent;
	mtime times[8], start = engine.now;

	(void)state;
	join(DOWN1, "239.1.1.1");
	report(DOWN1, ALLOW, "232.1.1.1", "10.9.9.9");
	upcall(UP, "10.9.9.9", "239.1.1.1");
	upcall(UP, "10.9.9.9", "232.1.1.1");
	forget();
	engine.links[DOWN1].settings.version[FAMILY_IPV4] = VERSION_2;
	give_link(DOWN1);
	assert_true(nth_query(0, &sent));
	assert_int_equal(sent.link, DOWN1);
	assert_int_equal(sent.packet.family, FAMILY_IPV4);
	assert_int_equal(sent.query.version, VERSION_2);
	assert_false(nth_query(1, &sent));
	/* As at the start. */
	pass(40000);
	assert_int_equal(query_times(DOWN1, FAMILY_IPV4, start, times, 8), 2);
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "never");
	assert_string_equal(route_of("10.9.9.9", "232.1.1.1"), "never");
	assert_string_equal(membership_of("239.1.1.1"), "never");
	assert_string_equal(membership_of("232.1.1.1"), "never");
}

static void settings_of_another_querier_stay(void **state)
{
	struct sent_query sent;

	(void)state;
	receive(DOWN1, craft_query("10.0.1.0", v3_query, NULL, NULL));
	forget();
	engine.links[DOWN1].settings.query_interval = 5000;
	engine.links[DOWN1].settings.version[FAMILY_IPV4] = VERSION_2;
	use_family(DOWN1, FAMILY_IPV6, false);
	give_link(DOWN1);
	pass(60000);
	assert_false(nth_query(0, &sent));
}

static void family_ends_and_begins_by_settings(void **state)
{
	struct sent_query sent;

	(void)state;
	join(DOWN1, "239.1.1.1");
	join(DOWN1, "ff1e::1");
	forget();
	engine.links[DOWN1].settings.version[FAMILY_IPV6] = VERSION_NONE;
	give_link(DOWN1);
	assert_string_equal(membership_of("ff1e::1"), "INCLUDE{}");
	assert_string_equal(membership_of("239.1.1.1"), "never");
	engine.links[DOWN1].settings.version[FAMILY_IPV6] = VERSION_2;
	give_link(DOWN1);
	assert_true(nth_query(0, &sent));
	assert_int_equal(sent.packet.family, FAMILY_IPV6);
	assert_int_equal(sent.query.version, VERSION_2);
	assert_string_equal(membership_of("239.1.1.1"), "never");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		engine_test(shorter_intervals_hold_at_once),
		engine_test(longer_intervals_extend_what_runs),
		engine_test(longer_intervals_keep_the_hosts_known),
		engine_test(other_version_asks_at_once),
		engine_test(settings_of_another_querier_stay),
		engine_test(family_ends_and_begins_by_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
