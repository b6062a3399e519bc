/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An engine: queries received upstream, which it passes on to the owner.
 */
#include "core/router/instance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/engine.h"

static const struct query v3_query = {
	.version = VERSION_3, .max_response = 5000, .robustness = 3, .query_interval = 60000};

static void assert_received(size_t n, const struct upstream_query *expected, const char *sources)
{
	struct addr list[CRAFT_SOURCES_MAX];
	size_t count = addrs_of(sources, list, CRAFT_SOURCES_MAX);

	for (size_t i = 0; i < engine.kept_count; i++) {
		const struct kept_request *kept = &engine.kept[i];
		struct upstream_query query;

		if (kept->request.kind != REQUEST_UPSTREAM_QUERY || n-- > 0)
			continue;
		memcpy(&query, kept->payload, sizeof query);
		assert_int_equal(kept->request.link, UP);
		assert_true(addr_equal(&query.querier, &expected->querier));
		assert_true(addr_equal(&query.group, &expected->group));
		assert_int_equal(query.version, expected->version);
		assert_int_equal(query.max_response, expected->max_response);
		assert_int_equal(query.query_interval, expected->query_interval);
		assert_int_equal(query.robustness, expected->robustness);
		assert_int_equal(query.suppress, expected->suppress);
		assert_int_equal(query.about_sources, expected->about_sources);
		assert_int_equal(query.source_count, count);
		assert_int_equal(kept->payload_size, sizeof query + count * sizeof list[0]);
		assert_memory_equal(kept->payload + sizeof query, list, count * sizeof list[0]);
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
	receive(UP, craft_query("10.0.0.9", v3_query, NULL, NULL));
	receive(UP, craft_query("10.0.0.9", v3_query, "239.1.1.1", "10.9.9.2 10.9.9.1 10.9.9.2 0.0.0.0"));
	receive(UP, craft_query("10.0.0.9", v2, NULL, NULL));
	receive(UP, craft_query("fe80::9", v3_query, "ff05::1", "2001:db8::1"));
	receive(UP, craft_query("fe80::9", v3_query, "ff05::1", "ff02::1 ::1"));
	receive(UP, craft_query("10.0.0.9", v3_query, "239.1.1.1", NULL));
	assert_int_equal(requests_of(REQUEST_UPSTREAM_QUERY), LENGTH(rows));
	assert_received(0, &rows[0], "");
	assert_received(1, &rows[1], "10.9.9.1 10.9.9.2");
	assert_received(2, &rows[2], "");
	assert_received(3, &rows[3], "2001:db8::1");
	assert_received(4, &rows[4], ""); /* sources that cannot send */
	assert_received(5, &rows[5], "");
	assert_int_equal(engine.kept_count, LENGTH(rows)); /* and nothing else comes of them */
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
	assert_int_equal(requests_of(REQUEST_UPSTREAM_QUERY), INSTANCE_QUERIES_MAX + 2);
	assert_received(0, &general, "");
	assert_received(1, &general6, "");
	for (size_t n = 0; n < INSTANCE_QUERIES_MAX; n++) {
		struct upstream_query query;

		memcpy(&query, engine.kept[n + 2].payload, sizeof query);
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
	assert_int_equal(requests_of(REQUEST_UPSTREAM_QUERY), INSTANCE_QUERIES_MAX);
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
	assert_int_equal(requests_of(REQUEST_UPSTREAM_QUERY), 1);
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
	receive(UP, craft_query("10.0.0.9", v3_query, "239.1.1.1", "10.9.9.1"));
	assert_received(0, &query, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		engine_test(upstream_queries_are_passed_on),
		engine_test(of_many_upstream_queries_each_is_passed_on),
		engine_test(upstream_queries_without_room_are_counted),
		engine_test(general_queries_of_a_link_are_merged),
		engine_test(upstream_query_survives_a_lack_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
