/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A link: where multicast leaves it, and the timers that its groups go by.
 */
#include "core/router/link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/craft.h"

#define NOW 1000000

static struct link usual_link(enum link_role role)
{
	struct link link = {
		.role = (uint8_t)role,
		.settings = {.version = {VERSION_2, VERSION_3},
	                     .querier_election = true,
	                     .robustness = 2,
	                     .query_interval = 125000,
	                     .query_response_interval = 10000,
	                     .last_member_query_interval = 1000,
	                     .sources_max = 1024,
	                     .hosts_max = 128},
	};

	for (enum family family = 0; family < FAMILIES; family++) {
		link.family[family].usable = true;
		querier_init(&link.family[family].querier);
	}
	return link;
}

static void hear_lower(struct link *link, enum family family, uint8_t robustness, uint32_t query_interval)
{
	struct addr own = nth_addr("10.0.0.1", 1), from = nth_addr("10.0.0.1", 0);
	struct query query = {.version = VERSION_3,
	                      .group = addr_unspecified(FAMILY_IPV4),
	                      .robustness = robustness,
	                      .query_interval = query_interval};

	querier_receive(&link->family[family].querier, &link->settings, &own, &from, &query, NOW);
}

/* RFC 4605 section 4.2: only the querier forwards to a downstream link, unless the settings differ. */
static void forwarding(void **state)
{
	static const struct {
		enum link_role role;
		bool usable;
		bool another_is_querier;
		enum forward_policy without_querier;
		bool forwards;
		bool may_yield;
	} rows[] = {
		{ROLE_DOWNSTREAM, true, false, FORWARD_NEVER, true, false},
		{ROLE_DOWNSTREAM, true, true, FORWARD_NEVER, false, false},
		{ROLE_DOWNSTREAM, true, true, FORWARD_ALWAYS, true, false},
		{ROLE_DOWNSTREAM, true, false, FORWARD_AUTO, true, false},
		{ROLE_DOWNSTREAM, true, true, FORWARD_AUTO, true, true},
		{ROLE_DOWNSTREAM, false, false, FORWARD_NEVER, false, false},
		{ROLE_DOWNSTREAM, false, true, FORWARD_ALWAYS, false, false},
		{ROLE_DOWNSTREAM, false, true, FORWARD_AUTO, false, false},
		{ROLE_UPSTREAM, true, false, FORWARD_NEVER, true, false},
		{ROLE_UPSTREAM, true, true, FORWARD_NEVER, true, false},
		{ROLE_UPSTREAM, true, true, FORWARD_AUTO, true, false},
		{ROLE_UPSTREAM, false, false, FORWARD_NEVER, false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct link link = usual_link(rows[i].role);

		link.settings.forward_without_querier = (uint8_t)rows[i].without_querier;
		link.family[FAMILY_IPV4].usable = rows[i].usable;
		if (rows[i].another_is_querier)
			hear_lower(&link, FAMILY_IPV4, 2, 125000);
		assert_int_equal(link_forwards(&link, FAMILY_IPV4, NOW), rows[i].forwards);
		assert_int_equal(link_may_yield(&link, FAMILY_IPV4, NOW), rows[i].may_yield);
		assert_true(link_forwards(&link, FAMILY_IPV6, NOW));
		assert_false(link_may_yield(&link, FAMILY_IPV6, NOW));
		if (rows[i].usable)
			assert_true(link_forwards(&link, FAMILY_IPV4, NOW + 255000));
	}
}

static void timers_as_configured(void **state)
{
	struct link link = usual_link(ROLE_DOWNSTREAM);
	const struct group_timers *timers = &link.family[FAMILY_IPV4].timers;

	(void)state;
	link.settings.fast_leave = true;
	for (enum family family = 0; family < FAMILIES; family++)
		link_refresh_timers(&link, family, NOW);
	assert_int_equal(timers->version, VERSION_2);
	assert_int_equal(link.family[FAMILY_IPV6].timers.version, VERSION_3);
	assert_true(timers->querier);
	assert_true(timers->fast_leave);
	assert_true(timers->track_hosts);
	assert_int_equal(timers->hosts_max, 128);
	assert_int_equal(timers->last_member_query_count, 2);
	assert_int_equal(timers->last_member_query_interval, 1000);
	assert_int_equal(timers->sources_max, 1024);
	assert_int_equal(timers->membership_interval, 260000);
	assert_int_equal(timers->older_host_present_interval, 260000);
}

/* Families have a querier each. */
static void timers_as_adopted(void **state)
{
	struct link link = usual_link(ROLE_DOWNSTREAM);
	const struct group_timers *timers = &link.family[FAMILY_IPV4].timers;

	(void)state;
	hear_lower(&link, FAMILY_IPV4, 3, 60000);
	for (enum family family = 0; family < FAMILIES; family++)
		link_refresh_timers(&link, family, NOW);
	assert_false(timers->querier);
	assert_int_equal(timers->last_member_query_count, 3);
	assert_int_equal(timers->membership_interval, 190000);
	assert_int_equal(timers->older_host_present_interval, 190000);
	assert_true(link.family[FAMILY_IPV6].timers.querier);
	assert_int_equal(link.family[FAMILY_IPV6].timers.membership_interval, 270000);
}

/* More than can be counted is as much as can be counted. */
static void largest_sources_max(void **state)
{
	static const struct {
		uint32_t configured;
		uint16_t counted;
	} rows[] = {{1, 1}, {65535, 65535}, {65536, 65535}, {UINT32_MAX, 65535}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct link link = usual_link(ROLE_DOWNSTREAM);

		link.settings.sources_max = rows[i].configured;
		link_refresh_timers(&link, FAMILY_IPV4, NOW);
		assert_int_equal(link.family[FAMILY_IPV4].timers.sources_max, rows[i].counted);
	}
}

static void rates_of_hosts(void **state)
{
	static const struct {
		uint32_t link; /* report_rate_max */
		uint32_t host; /* host_report_rate_max */
		unsigned passed;
	} rows[] = {
		{500, HOST_REPORT_RATE_HALF, 250},
		{501, HOST_REPORT_RATE_HALF, 251},
		{1, HOST_REPORT_RATE_HALF, 1},
		{500, 400, 400},
		{500, 0, 1000},
		{0, HOST_REPORT_RATE_HALF, 1000}, /* half of no limit is no limit */
	};
	struct addr source = nth_addr("10.0.1.1", 0);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct link link = usual_link(ROLE_DOWNSTREAM);
		unsigned passed = 0;

		link.settings.report_rate_max = rows[i].link;
		link.settings.host_report_rate_max = rows[i].host;
		for (int packet = 0; packet < 1000; packet++)
			passed += link_host_passes(&link, FAMILY_IPV4, 1, &source, NOW);
		assert_int_equal(passed, rows[i].passed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forwarding),        cmocka_unit_test(timers_as_configured),
		cmocka_unit_test(timers_as_adopted), cmocka_unit_test(largest_sources_max),
		cmocka_unit_test(rates_of_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
