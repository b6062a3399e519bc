/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An engine: links that come and go, and their general queries.
 */
#include "core/router/instance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/engine.h"

static void startup_queries(void **state)
{
	static const struct {
		uint8_t count;     /* startup_query_count, 0: robustness */
		uint32_t interval; /* startup_query_interval, 0: derived */
		mtime times[5];
		size_t expected;
	} rows[] = {
		{0, 0, {0, 31250, 156250, 281250}, 4},
		{1, 0, {0, 125000, 250000}, 3},
		{3, 1000, {0, 1000, 2000, 127000, 252000}, 5},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		mtime start;

		engine_open(&usual_settings);
		engine.link_settings.startup_query_count = rows[i].count;
		engine.link_settings.startup_query_interval = rows[i].interval;
		start = engine.now;
		link_up(UP, ROLE_UPSTREAM);
		link_up(DOWN1, ROLE_DOWNSTREAM);
		pass(300000);
		for (int family = 0; family < FAMILIES; family++) {
			mtime times[8];

			assert_int_equal(query_times(UP, family, start, times, 8), 0);
			assert_int_equal(query_times(DOWN1, family, start, times, 8), rows[i].expected);
			assert_memory_equal(times, rows[i].times, rows[i].expected * sizeof times[0]);
		}
	}
}

static void general_query_has_the_links_variables(void **state)
{
	static const struct {
		enum family family;
		enum version version;
		const char *from, *to;
		uint8_t robustness;
		uint32_t interval;
	} rows[] = {
		{FAMILY_IPV4, VERSION_3, "10.0.1.1", "224.0.0.1", 2, 125000},
		{FAMILY_IPV4, VERSION_2, "10.0.1.1", "224.0.0.1", 0, 0},
		{FAMILY_IPV4, VERSION_1, "10.0.1.1", "224.0.0.1", 0, 0},
		{FAMILY_IPV6, VERSION_3, "fe80::1:1", "ff02::1", 2, 125000},
		{FAMILY_IPV6, VERSION_2, "fe80::1:1", "ff02::1", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct addr from = addr_of(rows[i].from), to = addr_of(rows[i].to);
		struct sent_query sent;

		engine_open(&usual_settings);
		engine.link_settings.version[FAMILY_IPV4] = engine.link_settings.version[FAMILY_IPV6] =
			VERSION_NONE;
		engine.link_settings.version[rows[i].family] = (uint8_t)rows[i].version;
		link_up(DOWN1, ROLE_DOWNSTREAM);
		assert_true(nth_query(0, &sent));
		assert_int_equal(sent.packet.family, rows[i].family);
		assert_int_equal(sent.query.version, rows[i].version);
		assert_true(addr_equal(&sent.packet.source, &from));
		assert_true(addr_equal(&sent.packet.destination, &to));
		assert_true(addr_is_unspecified(&sent.query.group));
		assert_int_equal(sent.query.max_response, 10000);
		assert_false(sent.query.suppress);
		assert_int_equal(sent.query.robustness, rows[i].robustness);
		assert_int_equal(sent.query.query_interval, rows[i].interval);
		assert_false(nth_query(1, &sent));
	}
}

/* RFC 9776 section 4.1.6: above 7 a query carries 0, and whoever hears it keeps its own. */
static void robustness_above_what_a_query_carries(void **state)
{
	static const struct {
		uint8_t robustness, carried;
	} rows[] = {{7, 7}, {8, 0}, {255, 0}};
	static const char *const queriers[FAMILIES] = {"10.0.1.0", "fe80::1:0"};
	static const char *const groups[FAMILIES] = {"239.1.1.1", "ff05::1"};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows) * FAMILIES; i++) {
		const size_t row = i / FAMILIES, family = i % FAMILIES;
		const struct query other = {.version = VERSION_3, .max_response = 10000};
		const mtime life = rows[row].robustness * 10000 + 20000;
		mtime times[300], start;
		struct sent_query sent;

		engine_open(&usual_settings);
		engine.link_settings.robustness = rows[row].robustness;
		engine.link_settings.query_interval = 10000;
		engine.link_settings.query_response_interval = 10000;
		start = engine.now;
		link_up(UP, ROLE_UPSTREAM);
		link_up(DOWN1, ROLE_DOWNSTREAM);
		/* As many startup queries, a quarter of the interval apart, and one at the usual pace. */
		pass(2500 * (rows[row].robustness - 1) + 10000);
		assert_int_equal(query_times(DOWN1, family, start, times, LENGTH(times)),
		                 rows[row].robustness + 1);
		assert_true(nth_query(0, &sent));
		assert_int_equal(sent.query.robustness, rows[row].carried);
		/* Another querier's 0 leaves the own robustness. */
		receive(DOWN1, craft_query(queriers[family], other, NULL, NULL));
		report(DOWN1, TO_EX, groups[family], "");
		forget();
		pass(life - 1);
		assert_string_equal(membership_of(groups[family]), "never");
		pass(1);
		assert_string_equal(membership_of(groups[family]), "INCLUDE{}");
	}
}

static void link_without_address_asks_from_nowhere(void **state)
{
	struct sent_query sent;

	(void)state;
	link_up(DOWN1, ROLE_DOWNSTREAM);
	forget();
	engine.links[DOWN1].family[FAMILY_IPV4].address = addr_unspecified(FAMILY_IPV4);
	use_family(DOWN1, FAMILY_IPV6, false);
	give_link(DOWN1);
	assert_true(nth_query(0, &sent));
	assert_true(addr_is_unspecified(&sent.packet.source));
	/* A new address starts anew. */
	forget();
	engine.links[DOWN1].family[FAMILY_IPV4].address = addr_of("10.0.1.9");
	give_link(DOWN1);
	assert_true(nth_query(0, &sent));
	assert_int_equal(ipv4_number(&sent.packet.source), 0x0a000109);
	/* The same news again are no news. */
	forget();
	give_link(DOWN1);
	assert_int_equal(engine.kept_count, 0);
}

static void each_family_comes_and_goes_alone(void **state)
{
	(void)state;
	join(DOWN1, "239.1.1.1");
	join(DOWN1, "ff05::1");
	upcall(UP, "10.9.9.9", "239.1.1.1");
	upcall(UP, "2001:db8::9", "ff05::1");
	use_family(DOWN1, FAMILY_IPV4, false);
	give_link(DOWN1);
	assert_string_equal(membership_of("239.1.1.1"), "INCLUDE{}");
	assert_string_equal(membership_of("ff05::1"), "EXCLUDE{}");
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "0 ->");
	assert_string_equal(route_of("2001:db8::9", "ff05::1"), "0 -> 1");
	forget();
	pass(300000);
	for (size_t i = 0; i < engine.kept_count; i++)
		if (engine.kept[i].request.kind == REQUEST_SEND && engine.kept[i].request.link == DOWN1)
			assert_int_equal(engine.kept[i].request.family, FAMILY_IPV6);
	use_family(DOWN1, FAMILY_IPV4, true);
	give_link(DOWN1);
	join(DOWN1, "239.1.1.1");
	assert_string_equal(membership_of("239.1.1.1"), "EXCLUDE{}");
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "0 -> 1");
}

static void link_down_and_up(void **state)
{
	(void)state;
	join(DOWN1, "239.1.1.1");
	join(DOWN2, "239.1.1.1");
	upcall(UP, "10.9.9.9", "239.1.1.1");
	upcall(DOWN1, "10.0.1.7", "239.1.1.1");
	assert_string_equal(route_of("10.0.1.7", "239.1.1.1"), "1 -> 0 2");
	link_down(DOWN1);
	assert_string_equal(membership_of("239.1.1.1"), "EXCLUDE{}");
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "0 -> 2");
	assert_string_equal(route_of("10.0.1.7", "239.1.1.1"), "none");
	assert_int_equal(requests_of(REQUEST_LINK_FREE), 0);
	link_up(DOWN1, ROLE_DOWNSTREAM);
	join(DOWN1, "239.1.1.1");
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "0 -> 1 2");
}

static void removed_link_frees_its_id_last(void **state)
{
	(void)state;
	join(DOWN1, "239.1.1.1");
	upcall(UP, "10.9.9.9", "239.1.1.1");
	upcall(DOWN1, "10.0.1.7", "239.2.2.2");
	want_events(true);
	forget();
	link_gone(DOWN1);
	assert_string_equal(membership_of("239.1.1.1"), "INCLUDE{}");
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "0 ->");
	assert_string_equal(route_of("10.0.1.7", "239.2.2.2"), "none");
	assert_int_equal(requests_of(REQUEST_LINK_FREE), 1);
	assert_int_equal(engine.kept[engine.kept_count - 1].request.kind, REQUEST_LINK_FREE);
	assert_int_equal(engine.kept[engine.kept_count - 1].request.link, DOWN1);
	forget();
	pass(1000000);
	assert_int_equal(requests_of(REQUEST_LINK_FREE), 0);
	for (size_t i = 0; i < engine.kept_count; i++)
		assert_int_not_equal(engine.kept[i].request.link, DOWN1);
	/* The id serves another link. */
	link_up(DOWN1, ROLE_DOWNSTREAM);
	join(DOWN1, "239.1.1.1");
	assert_string_equal(membership_of("239.1.1.1"), "EXCLUDE{}");
}

/* Its id serves again, too. */
/* A flood that has filled the memory keeps no link from coming up. */
static void link_comes_up_without_memory(void **state)
{
	struct instance_settings settings = usual_settings;

	(void)state;
	settings.memory_max = 100;
	engine_open(&settings);
	want_events(true);
	link_up(DOWN1, ROLE_DOWNSTREAM);
	assert_true(requests_of(REQUEST_SEND) > 0);
	link_gone(DOWN1);
	assert_int_equal(requests_of(REQUEST_LINK_FREE), 1);
}

static void upstream_goes_and_comes(void **state)
{
	(void)state;
	join(DOWN1, "239.1.1.1");
	report(DOWN2, ALLOW, "239.2.2.2", "10.9.9.8");
	upcall(UP, "10.9.9.9", "239.1.1.1");
	upcall(DOWN2, "10.0.2.7", "239.1.1.1");
	assert_string_equal(route_of("10.0.2.7", "239.1.1.1"), "2 -> 0 1");
	link_gone(UP);
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "none");
	assert_string_equal(route_of("10.0.2.7", "239.1.1.1"), "2 -> 1");
	forget();
	/* Whoever brings it back must hear everything again. */
	link_up(UP, ROLE_UPSTREAM);
	assert_string_equal(membership_of("239.1.1.1"), "EXCLUDE{}");
	assert_string_equal(membership_of("239.2.2.2"), "INCLUDE{10.9.9.8}");
	assert_string_equal(route_of("10.0.2.7", "239.1.1.1"), "2 -> 0 1");
}

static void link_changes_its_role(void **state)
{
	struct sent_query sent;

	(void)state;
	join(DOWN1, "239.1.1.1");
	join(DOWN2, "239.1.1.1");
	upcall(UP, "10.9.9.9", "239.1.1.1");
	forget();
	link_up(DOWN1, ROLE_UPSTREAM);
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "0 -> 2");
	assert_false(nth_query(0, &sent));
	upcall(DOWN2, "10.0.2.7", "239.1.1.1");
	assert_string_equal(route_of("10.0.2.7", "239.1.1.1"), "2 -> 0 1");
	link_up(DOWN1, ROLE_DOWNSTREAM);
	assert_string_equal(route_of("10.0.2.7", "239.1.1.1"), "2 -> 0");
	assert_true(nth_query(0, &sent));
	assert_int_equal(sent.link, DOWN1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		empty_test(startup_queries),
		empty_test(general_query_has_the_links_variables),
		empty_test(robustness_above_what_a_query_carries),
		empty_test(link_without_address_asks_from_nowhere),
		engine_test(each_family_comes_and_goes_alone),
		engine_test(link_down_and_up),
		engine_test(removed_link_frees_its_id_last),
		empty_test(link_comes_up_without_memory),
		engine_test(upstream_goes_and_comes),
		engine_test(link_changes_its_role),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
