/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The engine's inputs: links that come and go, general queries and the election of a querier, queries heard
 * upstream, packets that do not count, events, the end.
 */
#include "core/router/instance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/engine.h"

static struct link_change *use_family(uint8_t id, enum family family, bool usable)
{
	engine.links[id].family[family].usable = usable;
	return &engine.links[id];
}

/* The times of all queries on a link since the last forget, relative to a point in time. */
static size_t query_times(uint8_t link, enum family family, mtime since, mtime *times, size_t capacity)
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
		hear(DOWN1, craft_query(queriers[family], other, NULL, NULL));
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
	assert_int_equal(engine.told_count, 0);
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
	for (size_t i = 0; i < engine.told_count; i++)
		if (engine.told[i].request.kind == REQUEST_SEND && engine.told[i].request.link == DOWN1)
			assert_int_equal(engine.told[i].request.family, FAMILY_IPV6);
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
	assert_int_equal(told_of(REQUEST_LINK_FREE), 0);
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
	assert_int_equal(told_of(REQUEST_LINK_FREE), 1);
	assert_int_equal(engine.told[engine.told_count - 1].request.kind, REQUEST_LINK_FREE);
	assert_int_equal(engine.told[engine.told_count - 1].request.link, DOWN1);
	forget();
	pass(1000000);
	assert_int_equal(told_of(REQUEST_LINK_FREE), 0);
	for (size_t i = 0; i < engine.told_count; i++)
		assert_int_not_equal(engine.told[i].request.link, DOWN1);
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
	assert_true(told_of(REQUEST_SEND) > 0);
	link_gone(DOWN1);
	assert_int_equal(told_of(REQUEST_LINK_FREE), 1);
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
	hear(DOWN1, craft_record("10.0.1.5", TO_EX, "239.1.1.1", ""));
	hear(DOWN1, craft_record("10.0.1.6", TO_EX, "239.1.1.1", ""));
	pass(15000);
	engine.links[DOWN1].settings.query_interval = 125000;
	give_link(DOWN1);
	pass(100000);
	forget();
	hear(DOWN1, craft_record("10.0.1.5", TO_IN, "239.1.1.1", ""));
	pass(1000);
	assert_string_equal(membership_of("239.1.1.1"), "never");
	hear(DOWN1, craft_record("10.0.1.6", TO_IN, "239.1.1.1", ""));
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
	hear(DOWN1, craft_query("10.0.1.0", v3_query, NULL, NULL));
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
	hear(DOWN1, craft_v3_report_of(&from, records, none, LENGTH(types)));
	assert_int_equal(events_of(EVENT_ROUTE), 2);
	assert_string_equal(route_of("10.9.9.8", "239.1.1.1"), "0 -> 1");
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "0 -> 1");
}

static void lower_address_becomes_the_querier(void **state)
{
	struct sent_query sent;

	(void)state;
	join(DOWN1, "239.1.1.1");
	upcall(UP, "10.9.9.9", "239.1.1.1");
	want_events(true);
	forget();
	hear(DOWN1, craft_query("10.0.1.2", v3_query, NULL, NULL));
	assert_int_equal(events_of(EVENT_QUERIER), 0); /* a higher address */
	hear(DOWN1, craft_query("0.0.0.0", v3_query, NULL, NULL));
	assert_int_equal(events_of(EVENT_QUERIER), 0); /* a snooping switch */
	hear(DOWN1, craft_query("10.0.1.1", v3_query, NULL, NULL));
	assert_int_equal(events_of(EVENT_QUERIER), 0); /* our own */
	hear(DOWN1, craft_query("10.0.1.0", v3_query, NULL, NULL));
	assert_int_equal(events_of(EVENT_QUERIER), 1);
	assert_int_equal(newest_event(EVENT_QUERIER)->after, 0);
	/* RFC 4605 section 4.2: forwarding is the querier's. */
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "0 ->");
	forget();
	/* Other querier present: 3 * 60 s + 10 s / 2. */
	pass(184999);
	for (size_t n = 0; nth_query(n, &sent); n++)
		assert_false(sent.link == DOWN1 && sent.packet.family == FAMILY_IPV4);
	assert_int_equal(events_of(EVENT_QUERIER), 0);
	forget();
	pass(1);
	assert_int_equal(events_of(EVENT_QUERIER), 1);
	assert_int_equal(newest_event(EVENT_QUERIER)->after, 1);
	assert_true(nth_query(0, &sent));
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "0 -> 1");
}

static void no_group_queries_where_another_asks(void **state)
{
	struct sent_query sent;

	(void)state;
	join(DOWN1, "239.1.1.1");
	hear(DOWN1, craft_query("10.0.1.0", v3_query, NULL, NULL));
	forget();
	leave(DOWN1, "239.1.1.1");
	pass(100000);
	for (size_t n = 0; nth_query(n, &sent); n++)
		assert_false(sent.link == DOWN1 && sent.packet.family == FAMILY_IPV4);
	assert_string_equal(membership_of("239.1.1.1"), "never");
	/* The querier's own question lowers the timer: 3 times 1 s, by its robustness. */
	hear(DOWN1, craft_query("10.0.1.0", v3_query, "239.1.1.1", NULL));
	pass(2999);
	assert_string_equal(membership_of("239.1.1.1"), "never");
	pass(1);
	assert_string_equal(membership_of("239.1.1.1"), "INCLUDE{}");
}

static void suppressed_and_foreign_queries_lower_no_timer(void **state)
{
	struct query suppressed = v3_query;

	(void)state;
	suppressed.suppress = true;
	join(DOWN1, "239.1.1.1");
	hear(DOWN1, craft_query("10.0.1.0", v3_query, NULL, NULL));
	forget();
	hear(DOWN1, craft_query("10.0.1.0", suppressed, "239.1.1.1", NULL));
	hear(DOWN1, craft_query("10.0.1.3", v3_query, "239.1.1.1", NULL));
	hear(DOWN2, craft_query("10.0.2.0", v3_query, "239.1.1.1", NULL));
	pass(30000);
	assert_string_equal(membership_of("239.1.1.1"), "never");
}

/* RFC 9776 section 6.6.1: a query about sources lowers their timers, never the group's, whatever sources
 * these are. The querier's last member query time is 3 s. */
static void questions_about_sources_lower_no_group_timer(void **state)
{
	static const struct {
		const char *querier, *group, *asked;
		enum record_type type;
		const char *sources; /* of the record */
		const char *expected;
	} rows[] = {
		{"10.0.1.0", "239.1.1.1", "240.0.0.1", TO_EX, "", "never"},
		{"10.0.1.0", "239.1.1.1", "224.1.1.1 0.0.0.0 127.0.0.1", TO_EX, "", "never"},
		{"10.0.1.0", "239.1.1.1", "240.0.0.1 10.9.9.9", TO_EX, "", "never"},
		{"10.0.1.0", "239.1.1.1", "10.9.9.9", TO_EX, "", "never"},
		{"10.0.1.0", "239.1.1.1", "240.0.0.1", ALLOW, "10.9.9.9", "never"},
		{"10.0.1.0", "239.1.1.1", "240.0.0.1 10.9.9.9", ALLOW, "10.9.9.9", "INCLUDE{}"},
		{"fe80::1:0", "ff05::1", "ff02::1", TO_EX, "", "never"},
		{"fe80::1:0", "ff05::1", ":: ::1 ::ffff:10.9.9.9", TO_EX, "", "never"},
		{"fe80::1:0", "ff05::1", "ff02::1 2001:db8::9", TO_EX, "", "never"},
		{"fe80::1:0", "ff05::1", "ff02::1", ALLOW, "2001:db8::9", "never"},
		{"fe80::1:0", "ff05::1", "ff02::1 2001:db8::9", ALLOW, "2001:db8::9", "INCLUDE{}"},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		engine_open(&usual_settings);
		usual_links();
		report(DOWN1, rows[i].type, rows[i].group, rows[i].sources);
		hear(DOWN1, craft_query(rows[i].querier, v3_query, NULL, NULL));
		forget();
		hear(DOWN1, craft_query(rows[i].querier, v3_query, rows[i].group, rows[i].asked));
		pass(30000);
		if (strcmp(membership_of(rows[i].group), rows[i].expected) != 0)
			fail_msg("row %zu: %s", i, membership_of(rows[i].group));
		hear(DOWN1, craft_query(rows[i].querier, v3_query, rows[i].group, NULL));
		pass(3000);
		if (rows[i].type == TO_EX)
			assert_string_equal(membership_of(rows[i].group), "INCLUDE{}");
	}
}

/* A record means what it says of the sources that can send; where there are none of them, that is what the
 * same record without sources means. */
static void records_of_impossible_sources(void **state)
{
	static const struct {
		enum record_type type;
		const char *expected; /* where there was no member */
		bool asks;            /* where there was one */
	} rows[] = {
		{IS_IN, "never", false},     {IS_EX, "EXCLUDE{}", false}, {TO_IN, "never", true},
		{TO_EX, "EXCLUDE{}", false}, {ALLOW, "never", false},     {BLOCK, "never", false},
	};
	static const char *const groups[FAMILIES] = {"239.1.1.1", "ff05::1"};
	static const char *const impossible[FAMILIES] = {"240.0.0.1 224.1.1.1", "ff02::1 ::1"};
	static const enum version versions[] = {VERSION_2, VERSION_3};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows) * FAMILIES * LENGTH(versions); i++) {
		size_t row = i / FAMILIES / LENGTH(versions), family = i % FAMILIES;
		const char *group = groups[family];

		engine_open(&usual_settings);
		engine.link_settings.version[family] = (uint8_t)versions[i / FAMILIES % LENGTH(versions)];
		usual_links();
		report(DOWN1, rows[row].type, group, impossible[family]);
		assert_string_equal(membership_of(group), rows[row].expected);
		report(DOWN1, TO_EX, group, "");
		forget();
		report(DOWN1, rows[row].type, group, impossible[family]);
		assert_int_equal(told_of(REQUEST_SEND), rows[row].asks);
		assert_string_equal(membership_of(group), "never");
	}
}

static void owed_queries_are_forgotten_when_another_asks(void **state)
{
	struct craft craft = craft_old("10.0.1.5", VERSION_2, "239.1.1.1", true);

	(void)state;
	join(DOWN1, "239.1.1.1");
	forget();
	give_packet(DOWN1, FAMILY_IPV4, &craft);
	hear(DOWN1, craft_query("10.0.1.0", v3_query, NULL, NULL));
	pass(500);
	assert_int_equal(told_of(REQUEST_SEND), 0);
}

static void queries_of_another_version_are_told_once(void **state)
{
	const struct query v2_query = {.version = VERSION_2, .max_response = 10000};

	(void)state;
	want_events(true);
	hear(DOWN1, craft_query("10.0.1.9", v3_query, NULL, NULL));
	assert_int_equal(events_of(EVENT_OLDER_QUERY), 0);
	for (unsigned n = 0; n < 5; n++)
		hear(DOWN1, craft_query("10.0.1.9", v2_query, NULL, NULL));
	assert_int_equal(events_of(EVENT_OLDER_QUERY), 1);
	assert_int_equal(newest_event(EVENT_OLDER_QUERY)->before, VERSION_2);
	assert_int_equal(newest_event(EVENT_OLDER_QUERY)->after, VERSION_3);
}

static void configured_to_forward_anyway(void **state)
{
	(void)state;
	join(DOWN1, "239.1.1.1");
	upcall(UP, "10.9.9.9", "239.1.1.1");
	hear(DOWN1, craft_query("10.0.1.0", v3_query, NULL, NULL));
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "0 ->");
	engine.links[DOWN1].settings.forward_without_querier = true;
	give_link(DOWN1);
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "0 -> 1");
	engine.links[DOWN1].settings.forward_without_querier = false;
	give_link(DOWN1);
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "0 ->");
}

static void assert_received(size_t n, const struct upstream_query *expected, const char *sources)
{
	struct addr list[CRAFT_SOURCES_MAX];
	size_t count = addrs_of(sources, list, CRAFT_SOURCES_MAX);

	for (size_t i = 0; i < engine.told_count; i++) {
		const struct told *told = &engine.told[i];
		struct upstream_query query;

		if (told->request.kind != REQUEST_UPSTREAM_QUERY || n-- > 0)
			continue;
		memcpy(&query, told->payload, sizeof query);
		assert_int_equal(told->request.link, UP);
		assert_true(addr_equal(&query.querier, &expected->querier));
		assert_true(addr_equal(&query.group, &expected->group));
		assert_int_equal(query.version, expected->version);
		assert_int_equal(query.max_response, expected->max_response);
		assert_int_equal(query.query_interval, expected->query_interval);
		assert_int_equal(query.robustness, expected->robustness);
		assert_int_equal(query.suppress, expected->suppress);
		assert_int_equal(query.about_sources, expected->about_sources);
		assert_int_equal(query.source_count, count);
		assert_int_equal(told->payload_size, sizeof query + count * sizeof list[0]);
		assert_memory_equal(told->payload + sizeof query, list, count * sizeof list[0]);
		return;
	}
	fail_msg("an upstream query is missing");
}

static void upstream_queries_are_passed_on(void **state)
{
	const struct query v2 = {.version = VERSION_2, .max_response = 10000};
	const struct upstream_query rows[] = {
		{.querier = addr_of("10.0.0.9"),
	         .group = addr_unspecified(FAMILY_IPV4),
	         .version = VERSION_3,
	         .max_response = 5000,
	         .query_interval = 60000,
	         .robustness = 3},
		{.querier = addr_of("10.0.0.9"),
	         .group = addr_of("239.1.1.1"),
	         .version = VERSION_3,
	         .max_response = 5000,
	         .query_interval = 60000,
	         .robustness = 3,
	         .about_sources = true},
		{.querier = addr_of("10.0.0.9"),
	         .group = addr_unspecified(FAMILY_IPV4),
	         .version = VERSION_2,
	         .max_response = 10000},
		{.querier = addr_of("fe80::9"),
	         .group = addr_of("ff05::1"),
	         .version = VERSION_3,
	         .max_response = 5000,
	         .query_interval = 60000,
	         .robustness = 3,
	         .about_sources = true},
		{.querier = addr_of("fe80::9"),
	         .group = addr_of("ff05::1"),
	         .version = VERSION_3,
	         .max_response = 5000,
	         .query_interval = 60000,
	         .robustness = 3,
	         .about_sources = true},
		{.querier = addr_of("10.0.0.9"),
	         .group = addr_of("239.1.1.1"),
	         .version = VERSION_3,
	         .max_response = 5000,
	         .query_interval = 60000,
	         .robustness = 3},
	};

	(void)state;
	hear(UP, craft_query("10.0.0.9", v3_query, NULL, NULL));
	hear(UP, craft_query("10.0.0.9", v3_query, "239.1.1.1", "10.9.9.2 10.9.9.1 10.9.9.2 0.0.0.0"));
	hear(UP, craft_query("10.0.0.9", v2, NULL, NULL));
	hear(UP, craft_query("fe80::9", v3_query, "ff05::1", "2001:db8::1"));
	hear(UP, craft_query("fe80::9", v3_query, "ff05::1", "ff02::1 ::1"));
	hear(UP, craft_query("10.0.0.9", v3_query, "239.1.1.1", NULL));
	assert_int_equal(told_of(REQUEST_UPSTREAM_QUERY), LENGTH(rows));
	assert_received(0, &rows[0], "");
	assert_received(1, &rows[1], "10.9.9.1 10.9.9.2");
	assert_received(2, &rows[2], "");
	assert_received(3, &rows[3], "2001:db8::1");
	assert_received(4, &rows[4], ""); /* sources that cannot send */
	assert_received(5, &rows[5], "");
	assert_int_equal(engine.told_count, LENGTH(rows)); /* and nothing else comes of them */
}

/* Hands a query to the engine, without a turn. */
static void give_query(const char *from, struct query query, const char *group, const char *sources)
{
	struct craft craft = craft_query(from, query, group, sources);

	give_packet(UP, strchr(from, ':') ? FAMILY_IPV6 : FAMILY_IPV4, &craft);
}

/* General queries of both families come among them, and take no room away. */
static void of_many_upstream_queries_each_is_passed_on(void **state)
{
	const struct upstream_query general = {.querier = addr_of("10.0.0.9"),
	                                       .group = addr_unspecified(FAMILY_IPV4),
	                                       .version = VERSION_3,
	                                       .max_response = 5000,
	                                       .query_interval = 60000,
	                                       .robustness = 3};
	struct upstream_query general6 = general;

	(void)state;
	general6.querier = addr_of("fe80::9");
	general6.group = addr_unspecified(FAMILY_IPV6);
	assert_int_equal(instance_query_room(engine.instance), INSTANCE_QUERIES_MAX);
	for (unsigned n = 0; n < INSTANCE_QUERIES_MAX; n++) {
		char group[32];

		snprintf(group, sizeof group, n % 2 ? "ff05::%x" : "239.1.1.%u", n);
		give_query(n % 2 ? "fe80::9" : "10.0.0.9", v3_query, group,
		           n % 2 ? "2001:db8::1" : "10.9.9.1");
		assert_int_equal(instance_query_room(engine.instance), INSTANCE_QUERIES_MAX - n - 1);
	}
	give_query("10.0.0.9", v3_query, NULL, NULL);
	give_query("fe80::9", v3_query, NULL, NULL);
	turn();
	assert_int_equal(told_of(REQUEST_UPSTREAM_QUERY), INSTANCE_QUERIES_MAX + 2);
	assert_received(0, &general, "");
	assert_received(1, &general6, "");
	for (size_t n = 0; n < INSTANCE_QUERIES_MAX; n++) {
		struct upstream_query query;

		memcpy(&query, engine.told[n + 2].payload, sizeof query);
		assert_int_equal(n % 2 ? query.group.bytes[15] : ipv4_number(&query.group),
		                 n % 2 ? n : 0xef010100 + n);
		assert_int_equal(query.source_count, 1);
	}
	assert_int_equal(instance_query_room(engine.instance), INSTANCE_QUERIES_MAX);
}

static void upstream_queries_without_room_are_counted(void **state)
{
	(void)state;
	want_events(true);
	for (unsigned n = 0; n < INSTANCE_QUERIES_MAX; n++)
		give_query("10.0.0.9", v3_query, "239.1.1.1", "10.9.9.1");
	assert_int_equal(instance_query_room(engine.instance), 0);
	give_query("10.0.0.9", v3_query, "239.1.1.2", "10.9.9.1");
	turn();
	assert_int_equal(told_of(REQUEST_UPSTREAM_QUERY), INSTANCE_QUERIES_MAX);
	assert_int_equal(newest_event(EVENT_DROP)->before, DROP_QUERIES_MAX);
	assert_int_equal(newest_event(EVENT_DROP)->link, UP);
}

/* RFC 9776 section 5.2: the earliest answer stands; an older querier is never overlooked. */
static void general_queries_of_a_link_are_merged(void **state)
{
	const struct query rows[] = {
		{.version = VERSION_3, .max_response = 2000, .query_interval = 60000, .robustness = 3},
		{.version = VERSION_2, .max_response = 4000},
		{.version = VERSION_3, .max_response = 8000, .query_interval = 90000, .robustness = 5},
	};
	const struct upstream_query merged = {.querier = addr_of("10.0.0.9"),
	                                      .group = addr_unspecified(FAMILY_IPV4),
	                                      .version = VERSION_2,
	                                      .max_response = 2000,
	                                      .query_interval = 90000,
	                                      .robustness = 5};

	(void)state;
	give_query("10.0.0.7", rows[0], NULL, NULL);
	give_query("10.0.0.8", rows[1], NULL, NULL);
	give_query("10.0.0.9", rows[2], NULL, NULL);
	turn();
	assert_int_equal(told_of(REQUEST_UPSTREAM_QUERY), 1);
	assert_received(0, &merged, "");
}

/* Without memory for the sources the query is about the whole group. */
static void upstream_query_survives_a_lack_of_memory(void **state)
{
	struct upstream_query query = {.querier = addr_of("10.0.0.9"),
	                               .group = addr_of("239.1.1.1"),
	                               .version = VERSION_3,
	                               .max_response = 5000,
	                               .query_interval = 60000,
	                               .robustness = 3};

	(void)state;
	engine_open(&(struct instance_settings){.routes_max = 1, .route_timeout = 60000, .memory_max = 1});
	link_up(UP, ROLE_UPSTREAM);
	forget();
	hear(UP, craft_query("10.0.0.9", v3_query, "239.1.1.1", "10.9.9.1"));
	assert_received(0, &query, "");
}

/* Each row makes one packet count as dropped, for that reason, on the link where it came in. */
static struct craft with_byte(struct craft craft, size_t at, uint8_t value, bool fix)
{
	craft.bytes[at] = value;
	if (fix && craft.bytes[0] >> 4 == 4)
		craft_fix_ipv4(&craft);
	else if (fix)
		craft_fix_ipv6(&craft);
	return craft;
}

static void assert_dropped(const char *what, uint8_t link, enum drop cause)
{
	const struct event *event = newest_event(EVENT_DROP);

	if (event == NULL || event->before != cause || event->link != link || event->value != 1)
		fail_msg("%s: %s", what, event ? drop_name(event->before) : "not dropped");
	assert_int_equal(events_of(EVENT_DROP), 1);
}

static void every_cause_of_packets_is_counted(void **state)
{
	const struct craft good = craft_record("10.0.1.5", TO_EX, "239.1.1.1", "");
	const struct craft good6 = craft_record("fe80::1:5", TO_EX, "ff05::1", "");
	const struct {
		const char *what;
		uint8_t link;
		struct craft craft;
		enum drop cause;
	} rows[] = {
		{"version", DOWN1, with_byte(good, 0, 0x56, false), DROP_IP_HEADER},
		{"IP checksum", DOWN1, with_byte(good, 10, 0, false), DROP_IP_CHECKSUM},
		{"fragment", DOWN1, with_byte(good, 7, 1, true), DROP_FRAGMENT},
		{"TTL", DOWN1, with_byte(good, 8, 2, true), DROP_TTL},
		{"router alert", DOWN1, with_byte(good6, 42, 1, false), DROP_ROUTER_ALERT},
		{"sender", DOWN1, craft_record("2001:db8::1", TO_EX, "ff05::1", ""), DROP_SOURCE_ADDRESS},
		{"no sender", DOWN1, craft_record("::", TO_EX, "ff05::1", ""), DROP_UNSPECIFIED},
		{"no sender of a version 1 report", DOWN1, craft_old("::", VERSION_2, "ff05::1", false),
	         DROP_UNSPECIFIED},
		{"no sender of a done", DOWN1, craft_old("::", VERSION_2, "ff05::1", true), DROP_UNSPECIFIED},
		{"checksum", DOWN1, with_byte(good, PACKET_HEADER_IPV4 + 5, 1, false), DROP_CHECKSUM},
		{"length", DOWN1, with_byte(good, PACKET_HEADER_IPV4 + 7, 9, true), DROP_LENGTH},
		{"type", DOWN1, with_byte(good, PACKET_HEADER_IPV4, 0x23, true), DROP_TYPE},
		{"MLD type", DOWN1, with_byte(good6, PACKET_HEADER_IPV6, 200, true), DROP_TYPE},
		{"record", DOWN1, with_byte(good, PACKET_HEADER_IPV4 + 8, 7, true), DROP_RECORD},
		{"record 0", DOWN1, with_byte(good, PACKET_HEADER_IPV4 + 8, 0, true), DROP_RECORD},
		{"group", DOWN1, craft_record("10.0.1.5", TO_EX, "10.1.1.1", ""), DROP_GROUP},
		{"v4-mapped group", DOWN1, with_byte(good6, PACKET_HEADER_IPV6 + 12, 0, true), DROP_GROUP},
		{"scope", DOWN1, craft_record("10.0.1.5", TO_EX, "224.0.0.251", ""), DROP_SCOPE},
		{"MLD scope", DOWN1, craft_record("fe80::1:5", TO_EX, "ff02::fb", ""), DROP_SCOPE},
		{"scope of a v2 report", DOWN1, craft_old("10.0.1.5", VERSION_2, "224.0.0.251", false),
	         DROP_SCOPE},
		{"role", UP, good, DROP_ROLE},
		{"role of a leave", UP, craft_old("10.0.0.5", VERSION_2, "239.1.1.1", true), DROP_ROLE},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		engine_open(&usual_settings);
		usual_links();
		want_events(true);
		hear(rows[i].link, rows[i].craft);
		assert_dropped(rows[i].what, rows[i].link, rows[i].cause);
		assert_int_equal(engine.told_count, 1);
	}
}

static void wrong_links_and_cut_packets_are_counted(void **state)
{
	struct craft craft = craft_record("10.0.1.5", TO_EX, "239.1.1.1", "");
	struct input truncated = {.kind = INPUT_PACKET, .link = DOWN1, .truncated = true};

	(void)state;
	want_events(true);
	hear(DOWN3, craft);
	assert_dropped("no such link", UINT8_MAX, DROP_LINK);
	forget();
	give(&truncated, craft.bytes, craft.size);
	turn();
	assert_dropped("longer than the buffer", DOWN1, DROP_TRUNCATED);
	use_family(DOWN1, FAMILY_IPV6, false);
	give_link(DOWN1);
	forget();
	hear(DOWN1, craft_record("fe80::1:5", TO_EX, "ff05::1", ""));
	assert_dropped("family not in use", DOWN1, DROP_LINK);
	assert_string_equal(membership_of("ff05::1"), "never");
}

/* A report of the largest size that a packet can have. */
static size_t largest_report(uint8_t *packet, enum family family, const char *first, size_t sources)
{
	const struct addr from = addr_of(family == FAMILY_IPV4 ? "10.0.1.5" : "fe80::1:5");
	const struct addr to =
		family == FAMILY_IPV4 ? addr_from_ipv4_number(IGMP_V3_ROUTERS) : mld_v2_routers;
	static struct addr list[UINT16_MAX];
	struct report_writer writer;
	uint32_t groups = 0;
	size_t size;

	for (uint32_t i = 0; i < sources; i++)
		list[i] = nth_addr(family == FAMILY_IPV4 ? "10.9.0.1" : "2001:db8::1", i);
	report_writer_open(&writer, family, packet + packet_header_size(family),
	                   65535 - packet_header_size(family));
	for (struct addr group = addr_of(first);
	     report_writer_add(&writer, sources > 0 ? ALLOW : TO_EX, &group, list, sources) == (int)sources;
	     group = nth_addr(first, groups))
		groups++;
	size = family == FAMILY_IPV4 ? igmp_finish_report(&writer) : mld_finish_report(&writer, &from);
	return packet_finish(family, packet, &from, &to, size);
}

static void every_record_of_the_largest_report_counts(void **state)
{
	static const char *const first[FAMILIES] = {"239.1.0.1", "ff05::1"};
	static const size_t records[FAMILIES] = {8187, 3273};
	static uint8_t packet[65535];

	(void)state;
	for (uint8_t family = 0; family < FAMILIES; family++) {
		struct input input = {.kind = INPUT_PACKET, .link = DOWN1, .family = family};
		size_t size = largest_report(packet, family, first[family], 0);

		forget();
		assert_true(size > 65500);
		give(&input, packet, size);
		turn();
		assert_int_equal(told_of(REQUEST_MEMBERSHIP), records[family]);
	}
}

/* A list may be longer there than what a filter can hold. */
static void what_no_filter_holds_is_left_out_and_counted(void **state)
{
	static const char *const first[FAMILIES] = {"239.1.0.1", "ff05::1"};
	static uint8_t packet[65535];

	(void)state;
	for (uint8_t family = 0; family < FAMILIES; family++) {
		struct input input = {.kind = INPUT_PACKET, .link = DOWN1, .family = family};
		/* In IPv6 a packet has room for less. */
		const size_t sources = family == FAMILY_IPV4 ? REQUEST_SOURCES_MAX + 1 : 4080;
		size_t size = largest_report(packet, family, first[family], sources);

		engine_open(&usual_settings);
		engine.link_settings.sources_max = REQUEST_SOURCES_MAX;
		usual_links();
		want_events(true);
		forget();
		give(&input, packet, size);
		turn();
		assert_int_equal(events_of(EVENT_DROP) > 0, family == FAMILY_IPV4);
		if (family == FAMILY_IPV4)
			assert_int_equal(newest_event(EVENT_DROP)->before, DROP_SOURCES_MAX);
		assert_true(told_of(REQUEST_MEMBERSHIP) > 0);
	}
}

static void drops_are_told_at_powers_of_two(void **state)
{
	(void)state;
	want_events(true);
	for (unsigned n = 1; n <= 1000; n++)
		hear(DOWN1, craft_record("10.0.1.5", TO_EX, "224.0.0.251", ""));
	assert_int_equal(events_of(EVENT_DROP), 10);
	assert_int_equal(newest_event(EVENT_DROP)->value, 512);
}

static void families_are_not_mixed_up(void **state)
{
	/* MLD may name addresses that look like IPv4 inside the engine. */
	struct craft record = craft_record("fe80::1:5", ALLOW, "ff05::1", "2001:db8::9 2001:db8::8");
	uint8_t *first_source = record.bytes + PACKET_HEADER_IPV6 + 8 + 20;
	static const uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 9};

	(void)state;
	memcpy(first_source, mapped, sizeof mapped);
	craft_fix_ipv6(&record);
	hear(DOWN1, record);
	assert_string_equal(membership_of("ff05::1"), "INCLUDE{2001:db8::8}");
	memset(first_source - 16, 0, 16);
	memcpy(first_source - 16, mapped, sizeof mapped);
	first_source[-4] = 239;
	craft_fix_ipv6(&record);
	forget();
	hear(DOWN1, record);
	assert_int_equal(engine.told_count, 0);
}

static void mixed_report_counts_record_by_record(void **state)
{
	(void)state;
	want_events(true);
	hear(DOWN1, craft_records("10.0.1.5", (const struct craft_record[]){
						      {TO_EX, "224.0.0.251", ""},
						      {TO_EX, "239.1.1.1", ""},
						      {99, "239.1.1.3", ""},
						      {ALLOW, "239.1.1.2", "10.9.9.9"},
						      {0},
					      }));
	assert_string_equal(membership_of("239.1.1.1"), "EXCLUDE{}");
	assert_string_equal(membership_of("239.1.1.2"), "INCLUDE{10.9.9.9}");
	assert_string_equal(membership_of("239.1.1.3"), "never");
	assert_int_equal(events_of(EVENT_DROP), 2);
}

static void events_tell_the_story(void **state)
{
	static const enum event_kind expected[] = {
		EVENT_JOIN,  EVENT_UPSTREAM, EVENT_FLOW,  EVENT_ROUTE,    EVENT_QUERY,
		EVENT_QUERY, EVENT_LEAVE,    EVENT_ROUTE, EVENT_UPSTREAM, EVENT_FLOW_GONE,
	};
	size_t count = 0;

	(void)state;
	join(DOWN1, "239.9.9.9");
	assert_int_equal(told_of(REQUEST_EVENT), 0); /* nobody asked */
	want_events(true);
	join(DOWN1, "239.1.1.1");
	upcall(UP, "10.9.9.9", "239.1.1.1");
	leave(DOWN1, "239.1.1.1");
	pass(2000);
	engine.now += 60000;
	counters("10.9.9.9", "239.1.1.1", 0);
	for (size_t i = 0; i < engine.told_count; i++) {
		if (engine.told[i].request.kind != REQUEST_EVENT)
			continue;
		assert_true(count < LENGTH(expected));
		assert_int_equal(engine.told[i].request.event.kind, expected[count++]);
	}
	assert_int_equal(count, LENGTH(expected));
	want_events(false);
	forget();
	join(DOWN1, "239.1.1.1");
	assert_int_equal(told_of(REQUEST_EVENT), 0);
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
	assert_int_equal(engine.told_count, 1);
	assert_int_equal(engine.told[0].request.kind, REQUEST_PONG);
	instance_input(engine.instance, engine.now, &ping, NULL, 0);
	turn();
	assert_int_equal(told_of(REQUEST_PONG), 2);
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
	assert_int_equal(told_of(REQUEST_MEMBERSHIP), 1);
	assert_int_equal(told_of(REQUEST_ROUTE), 1);
	assert_int_equal(told_of(REQUEST_ROUTE_NONE), 0);
	forget();
	again.family = FAMILY_IPV6;
	instance_input(engine.instance, engine.now, &again, NULL, 0);
	turn();
	assert_int_equal(engine.told_count, 0);
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
	assert_int_equal(engine.told_count, 1);
	assert_int_equal(engine.told[0].request.kind, REQUEST_STOPPED);
	forget();
	pass(1000000);
	upcall(UP, "10.9.9.9", "239.1.1.2");
	link_gone(DOWN1);
	assert_int_equal(engine.told_count, 0);
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
		engine_test(shorter_intervals_hold_at_once),
		engine_test(longer_intervals_extend_what_runs),
		engine_test(longer_intervals_keep_the_hosts_known),
		engine_test(other_version_asks_at_once),
		engine_test(settings_of_another_querier_stay),
		engine_test(family_ends_and_begins_by_settings),
		engine_test(limits_change_under_way),
		engine_test(routes_follow_once_for_all_records),
		engine_test(lower_address_becomes_the_querier),
		engine_test(no_group_queries_where_another_asks),
		engine_test(suppressed_and_foreign_queries_lower_no_timer),
		engine_test(questions_about_sources_lower_no_group_timer),
		engine_test(records_of_impossible_sources),
		engine_test(owed_queries_are_forgotten_when_another_asks),
		engine_test(queries_of_another_version_are_told_once),
		engine_test(configured_to_forward_anyway),
		engine_test(upstream_queries_are_passed_on),
		engine_test(of_many_upstream_queries_each_is_passed_on),
		engine_test(upstream_queries_without_room_are_counted),
		engine_test(general_queries_of_a_link_are_merged),
		engine_test(upstream_query_survives_a_lack_of_memory),
		engine_test(every_cause_of_packets_is_counted),
		engine_test(wrong_links_and_cut_packets_are_counted),
		engine_test(every_record_of_the_largest_report_counts),
		engine_test(what_no_filter_holds_is_left_out_and_counted),
		engine_test(drops_are_told_at_powers_of_two),
		engine_test(families_are_not_mixed_up),
		engine_test(mixed_report_counts_record_by_record),
		engine_test(events_tell_the_story),
		engine_test(ping_is_answered_once),
		engine_test(everything_is_requested_again),
		engine_test(stop_is_the_last_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
