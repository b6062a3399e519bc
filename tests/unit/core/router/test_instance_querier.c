/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An engine: other queriers on a downstream link (RFC 9776 section 6.6).
 */
#include "core/router/instance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "support/engine.h"

static const struct query v3_query = {
	.version = VERSION_3, .max_response = 5000, .robustness = 3, .query_interval = 60000};

static void lower_address_becomes_the_querier(void **state)
{
	struct sent_query sent;

	(void)state;
	join(DOWN1, "239.1.1.1");
	upcall(UP, "10.9.9.9", "239.1.1.1");
	want_events(true);
	forget();
	receive(DOWN1, craft_query("10.0.1.2", v3_query, NULL, NULL));
	assert_int_equal(events_of(EVENT_QUERIER), 0); /* a higher address */
	receive(DOWN1, craft_query("0.0.0.0", v3_query, NULL, NULL));
	assert_int_equal(events_of(EVENT_QUERIER), 0); /* a snooping switch */
	receive(DOWN1, craft_query("10.0.1.1", v3_query, NULL, NULL));
	assert_int_equal(events_of(EVENT_QUERIER), 0); /* our own */
	receive(DOWN1, craft_query("10.0.1.0", v3_query, NULL, NULL));
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

/* Queries about the group that went out on the link, and the S flag of the last. */
static unsigned group_queries_sent(uint8_t link)
{
	struct sent_query sent;
	unsigned count = 0;

	for (size_t n = 0; nth_query(n, &sent); n++)
		count += sent.link == link && sent.packet.family == FAMILY_IPV4;
	return count;
}

static void no_group_queries_where_another_asks(void **state)
{
	(void)state;
	join(DOWN1, "239.1.1.1");
	receive(DOWN1, craft_query("10.0.1.0", v3_query, NULL, NULL));
	forget();
	leave(DOWN1, "239.1.1.1");
	pass(999);
	assert_string_equal(membership_of("239.1.1.1"), "never");
	/* The querier's own question lowers the timer: 3 times 1 s, by its robustness. */
	receive(DOWN1, craft_query("10.0.1.0", v3_query, "239.1.1.1", NULL));
	pass(2999);
	assert_string_equal(membership_of("239.1.1.1"), "never");
	pass(1);
	assert_string_equal(membership_of("239.1.1.1"), "INCLUDE{}");
	assert_int_equal(group_queries_sent(DOWN1), 0);
}

/* Only the elected querier spares the router its own queries, also by one with the S flag. */
static void group_queries_where_the_other_does_not_ask(void **state)
{
	struct query suppressed = v3_query;

	(void)state;
	suppressed.suppress = true;
	join(DOWN1, "239.1.1.1");
	receive(DOWN1, craft_query("10.0.1.0", v3_query, NULL, NULL));
	leave(DOWN1, "239.1.1.1");
	receive(DOWN1, craft_query("10.0.1.0", suppressed, "239.1.1.1", NULL));
	forget();
	pass(5000);
	assert_int_equal(group_queries_sent(DOWN1), 0);
	assert_string_equal(membership_of("239.1.1.1"), "never");
	leave(DOWN1, "239.1.1.1");
	receive(DOWN1, craft_query("10.0.1.77", v3_query, "239.1.1.1", NULL));
	receive(DOWN1, craft_query("10.0.1.0", v3_query, "239.1.1.2", NULL));
	pass(999);
	assert_int_equal(group_queries_sent(DOWN1), 0);
	pass(1);
	assert_int_equal(group_queries_sent(DOWN1), 1);
	/* Another variable of the querier, or another router, does not end the round that has begun. */
	suppressed.robustness = 2;
	receive(DOWN1, craft_query("10.0.1.0", suppressed, NULL, NULL));
	pass(2999);
	assert_int_equal(group_queries_sent(DOWN1), 3);
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
	receive(DOWN1, craft_query("10.0.1.0", v3_query, NULL, NULL));
	forget();
	receive(DOWN1, craft_query("10.0.1.0", suppressed, "239.1.1.1", NULL));
	receive(DOWN1, craft_query("10.0.1.3", v3_query, "239.1.1.1", NULL));
	receive(DOWN2, craft_query("10.0.2.0", v3_query, "239.1.1.1", NULL));
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
		receive(DOWN1, craft_query(rows[i].querier, v3_query, NULL, NULL));
		forget();
		receive(DOWN1, craft_query(rows[i].querier, v3_query, rows[i].group, rows[i].asked));
		pass(30000);
		if (strcmp(membership_of(rows[i].group), rows[i].expected) != 0)
			fail_msg("row %zu: %s", i, membership_of(rows[i].group));
		receive(DOWN1, craft_query(rows[i].querier, v3_query, rows[i].group, NULL));
		pass(3000);
		if (rows[i].type == TO_EX)
			assert_string_equal(membership_of(rows[i].group), "INCLUDE{}");
	}
}

static void owed_queries_are_forgotten_when_another_asks(void **state)
{
	struct craft craft = craft_old("10.0.1.5", VERSION_2, "239.1.1.1", true);

	(void)state;
	join(DOWN1, "239.1.1.1");
	forget();
	give_packet(DOWN1, FAMILY_IPV4, &craft);
	receive(DOWN1, craft_query("10.0.1.0", v3_query, NULL, NULL));
	pass(500);
	assert_int_equal(requests_of(REQUEST_SEND), 0);
}

static void queries_of_another_version_are_told_once(void **state)
{
	const struct query v2_query = {.version = VERSION_2, .max_response = 10000};

	(void)state;
	want_events(true);
	receive(DOWN1, craft_query("10.0.1.9", v3_query, NULL, NULL));
	assert_int_equal(events_of(EVENT_OLDER_QUERY), 0);
	for (unsigned n = 0; n < 5; n++)
		receive(DOWN1, craft_query("10.0.1.9", v2_query, NULL, NULL));
	assert_int_equal(events_of(EVENT_OLDER_QUERY), 1);
	assert_int_equal(newest_event(EVENT_OLDER_QUERY)->before, VERSION_2);
	assert_int_equal(newest_event(EVENT_OLDER_QUERY)->after, VERSION_3);
}

static void configured_to_forward_anyway(void **state)
{
	(void)state;
	join(DOWN1, "239.1.1.1");
	upcall(UP, "10.9.9.9", "239.1.1.1");
	receive(DOWN1, craft_query("10.0.1.0", v3_query, NULL, NULL));
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "0 ->");
	engine.links[DOWN1].settings.forward_without_querier = true;
	give_link(DOWN1);
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "0 -> 1");
	engine.links[DOWN1].settings.forward_without_querier = false;
	give_link(DOWN1);
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "0 ->");
}

/* Forged: robustness 7, query interval 31,744 s. Nothing of it lasts longer than ten minutes and the members'
 * time to answer. */
static void what_a_forged_query_causes_is_bounded(void **state)
{
	static const struct {
		const char *querier, *source, *group;
	} rows[] = {{"10.0.1.0", "10.9.9.9", "239.1.1.1"}, {"fe80::1:0", "2001:db8::9", "ff05::1"}};
	const struct query forged = {
		.version = VERSION_3, .max_response = 10000, .robustness = 7, .query_interval = 31744000};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		engine_open(&usual_settings);
		usual_links();
		upcall(UP, rows[i].source, rows[i].group);
		receive(DOWN1, craft_query(rows[i].querier, forged, NULL, NULL));
		report(DOWN1, TO_EX, rows[i].group, "");
		assert_string_equal(route_of(rows[i].source, rows[i].group), "0 ->");
		pass(599999);
		assert_string_equal(route_of(rows[i].source, rows[i].group), "0 ->");
		pass(1);
		assert_string_equal(route_of(rows[i].source, rows[i].group), "0 -> 1");
		/* The member has been silent since, but has 10 s to answer the query of now. */
		forget();
		pass(10000);
		assert_string_equal(membership_of(rows[i].group), "never");
		pass(5000);
		assert_string_equal(membership_of(rows[i].group), "INCLUDE{}");
	}
}

/* Addresses of the router on a link, and its IPv4 subnet. */
static void set_addresses(uint8_t link, const char *ipv4, uint8_t length, const char *ipv6)
{
	struct link_addresses *addresses = &engine.links[link].addresses;
	struct addr addr = addr_of(ipv4);

	addresses->address_count[FAMILY_IPV4] = addresses->address_count[FAMILY_IPV6] = 1;
	addresses->addresses[FAMILY_IPV4][0] = addr;
	addresses->addresses[FAMILY_IPV6][0] = addr_of(ipv6);
	addresses->subnet_count = length < 32;
	memcpy(addresses->subnets[0].prefix, addr_ipv4_bytes(&addr), 4);
	addresses->subnets[0].prefix[3] = 0;
	addresses->subnets[0].length = length;
	give_link(link);
}

static void a_querier_outside_the_subnets_is_ignored(void **state)
{
	static const struct {
		uint8_t length; /* of the subnet of 10.0.1.1 */
		const char *querier;
		bool elected;
		uint64_t dropped;
	} rows[] = {
		{24, "10.0.1.0", true, 0},   {24, "1.0.0.1", false, 1},     {24, "10.0.0.255", false, 1},
		{23, "10.0.0.255", true, 0}, {24, "0.0.0.0", false, 0},     {32, "1.0.0.1", true, 0},
		{24, "fe80::1:0", true, 0},  {24, "192.168.7.7", false, 1},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		uint64_t drops;

		engine_open(&usual_settings);
		usual_links();
		set_addresses(DOWN1, "10.0.1.1", rows[i].length, "fe80::1:1");
		if (rows[i].length == 23)
			engine.links[DOWN1].addresses.subnets[0].prefix[2] = 0;
		give_link(DOWN1);
		want_events(true);
		forget();
		for (int n = 0; n < 3; n++)
			receive(DOWN1, craft_query(rows[i].querier, v3_query, NULL, NULL));
		assert_int_equal(events_of(EVENT_QUERIER), rows[i].elected);
		assert_int_equal(events_of(EVENT_FOREIGN_QUERIER), rows[i].dropped);
		drops = newest_event(EVENT_DROP) ? newest_event(EVENT_DROP)->value : 0;
		assert_int_equal(drops, rows[i].dropped ? 2 : 0); /* events come at powers of two */
	}
}

/* A host that sends queries from many addresses does not fill the log. */
static void few_foreign_queriers_are_logged(void **state)
{
	char text[32];

	(void)state;
	set_addresses(DOWN1, "10.0.1.1", 24, "fe80::1:1");
	forget();
	for (int n = 1; n < 100; n++) {
		snprintf(text, sizeof text, "1.0.0.%d", n);
		receive(DOWN1, craft_query(text, v3_query, NULL, NULL));
	}
	assert_int_equal(events_of(EVENT_FOREIGN_QUERIER), 4);
}

static void without_an_election_the_router_stays_querier(void **state)
{
	(void)state;
	want_events(true);
	engine.links[DOWN1].settings.querier_election = false;
	give_link(DOWN1);
	forget();
	receive(DOWN1, craft_query("10.0.1.0", v3_query, NULL, NULL));
	receive(DOWN1, craft_query("fe80::1:0", v3_query, NULL, NULL));
	join(DOWN1, "239.1.1.1");
	forget();
	receive(DOWN1, craft_query("10.0.1.0", v3_query, "239.1.1.1", NULL));
	pass(125000);
	assert_int_equal(events_of(EVENT_QUERIER), 0);
	assert_int_equal(group_queries_sent(DOWN1), 1);
	assert_string_equal(membership_of("239.1.1.1"), "never");
}

static void a_reload_forgets_the_other_querier(void **state)
{
	(void)state;
	want_events(true);
	join(DOWN1, "239.1.1.1");
	upcall(UP, "10.9.9.9", "239.1.1.1");
	receive(DOWN1, craft_query("10.0.1.0", v3_query, NULL, NULL));
	pass(60000);
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "0 ->");
	/* The state of the link by itself changes nothing. */
	give_link(DOWN1);
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "0 ->");
	forget();
	engine.links[DOWN1].elections++;
	give_link(DOWN1);
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "0 -> 1");
	assert_int_equal(group_queries_sent(DOWN1), 1);
	assert_int_equal(events_of(EVENT_QUERIER), 1);
	assert_int_equal(newest_event(EVENT_QUERIER)->after, 1);
	/* Where it is querier, a reload sends nothing. */
	forget();
	engine.links[DOWN2].elections++;
	give_link(DOWN2);
	assert_int_equal(group_queries_sent(DOWN2), 0);
	receive(DOWN1, craft_query("10.0.1.0", v3_query, NULL, NULL));
	assert_string_equal(route_of("10.9.9.9", "239.1.1.1"), "0 ->");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		engine_test(lower_address_becomes_the_querier),
		engine_test(no_group_queries_where_another_asks),
		engine_test(group_queries_where_the_other_does_not_ask),
		engine_test(what_a_forged_query_causes_is_bounded),
		engine_test(a_querier_outside_the_subnets_is_ignored),
		engine_test(few_foreign_queriers_are_logged),
		engine_test(without_an_election_the_router_stays_querier),
		engine_test(a_reload_forgets_the_other_querier),
		engine_test(suppressed_and_foreign_queries_lower_no_timer),
		engine_test(questions_about_sources_lower_no_group_timer),
		engine_test(owed_queries_are_forgotten_when_another_asks),
		engine_test(queries_of_another_version_are_told_once),
		engine_test(configured_to_forward_anyway),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
