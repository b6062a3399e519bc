/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The querier: general and startup queries, the election (RFC 9776 section 6.6.2), variables that are adopted
 * from another querier (4.1.6, 4.1.7, RFC 2236 section 3) and those derived (8).
 */
#include "core/router/querier.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define START         1000000
#define OTHER_PRESENT 255000 /* 2 * 125 s + 10 s / 2 */

static const struct link_settings defaults = {
	.version = {VERSION_3, VERSION_3},
	.querier_election = true,
	.robustness = 2,
	.query_interval = 125000,
	.query_response_interval = 10000,
	.last_member_query_interval = 1000,
};

static struct addr address(const char *text)
{
	struct addr addr;

	assert_true(addr_parse(text, &addr));
	return addr;
}

static struct querier started(const struct link_settings *settings)
{
	struct querier querier;

	querier_init(&querier);
	querier_start(&querier, settings, START);
	return querier;
}

static bool receive(struct querier *querier, const char *own, const char *from, const struct query *query,
                    mtime now)
{
	struct addr own_addr = address(own), from_addr = address(from);

	return querier_receive(querier, &defaults, &own_addr, &from_addr, query, now);
}

static struct query general_query(void)
{
	return (struct query){.version = VERSION_3,
	                      .group = addr_unspecified(FAMILY_IPV4),
	                      .max_response = 10000,
	                      .robustness = 2,
	                      .query_interval = 125000};
}

static bool receive_general(struct querier *querier, const char *own, const char *from, mtime now)
{
	struct query query = general_query();

	return receive(querier, own, from, &query, now);
}

/* Runs until a time and writes down when queries go out, in milliseconds from START. */
static void run_until(struct querier *querier, const struct link_settings *settings, mtime until, char *sent,
                      size_t size)
{
	mtime at;

	while ((at = querier_deadline(querier)) <= until) {
		querier_expire(querier, settings, at);
		assert_true(querier->query_now || querier_deadline(querier) > at);
		if (querier->query_now) {
			size_t used = strlen(sent);

			snprintf(sent + used, size - used, "%s%lld", used ? " " : "",
			         (long long)(at - START));
			querier_sent(querier, settings, at);
			assert_false(querier->query_now);
			assert_true(querier_deadline(querier) > at);
		}
	}
}

static void startup_and_general_queries(void **state)
{
	static const struct {
		uint8_t robustness;
		uint8_t startup_count;
		uint32_t startup_interval;
		uint32_t query_interval;
		const char *sent;
	} rows[] = {
		{2, 0, 0, 125000, "0 31250 156250 281250"},
		{3, 0, 0, 125000, "0 31250 62500 187500"},
		{2, 1, 0, 125000, "0 125000 250000"},
		{2, 4, 1000, 125000, "0 1000 2000 3000 128000 253000"},
		{1, 0, 0, 100000, "0 100000 200000 300000"},
		{2, 0, 0, 100000, "0 25000 125000 225000"},
		{2, 0, 5000, 100000, "0 5000 105000 205000"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct link_settings settings = defaults;
		struct querier querier;
		char sent[128] = "";

		settings.robustness = rows[i].robustness;
		settings.startup_query_count = rows[i].startup_count;
		settings.startup_query_interval = rows[i].startup_interval;
		settings.query_interval = rows[i].query_interval;
		querier = started(&settings);
		assert_true(querier_is_elected(&querier, START));
		assert_int_equal(querier_deadline(&querier), START);
		run_until(&querier, &settings, START + 300000, sent, sizeof sent);
		assert_string_equal(sent, rows[i].sent);
	}
}

/* Other settings under way: a query is never later than they have it, nor put off. */
static void reconfigured(void **state)
{
	static const struct {
		uint32_t query_interval;
		uint8_t startup_count;
		bool other_version;
		const char *sent; /* after START + 40000, with queries at 0 and 31250 before */
	} rows[] = {
		{125000, 0, false, "156250 281250"},
		{20000, 0, false, "60000 80000 100000"},
		{300000, 0, false, "156250"},
		{125000, 0, true, "40000 71250 196250"},
		{20000, 1, true, "40000 60000 80000 100000"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct link_settings settings = defaults;
		struct querier querier = started(&settings);
		char sent[128] = "";

		run_until(&querier, &settings, START + 40000, sent, sizeof sent);
		assert_string_equal(sent, "0 31250");
		settings.query_interval = rows[i].query_interval;
		settings.startup_query_count = rows[i].startup_count;
		querier_reconfigure(&querier, &settings, rows[i].other_version, START + 40000);
		sent[0] = '\0';
		run_until(&querier, &settings, START + (rows[i].query_interval == 20000 ? 100000 : 300000),
		          sent, sizeof sent);
		assert_string_equal(sent, rows[i].sent);
	}
}

/* One query of the start is left, which follows at the new pace. */
static void reconfigured_at_the_start(void **state)
{
	struct link_settings settings = defaults;
	struct querier querier = started(&defaults);
	char sent[128] = "";

	(void)state;
	run_until(&querier, &settings, START + 10000, sent, sizeof sent);
	assert_string_equal(sent, "0");
	settings.query_interval = 20000;
	querier_reconfigure(&querier, &settings, false, START + 10000);
	sent[0] = '\0';
	run_until(&querier, &settings, START + 60000, sent, sizeof sent);
	assert_string_equal(sent, "15000 35000 55000");
}

static void reconfigured_while_another_is_elected(void **state)
{
	struct link_settings settings = defaults;
	struct querier querier = started(&defaults);

	(void)state;
	assert_true(receive_general(&querier, "10.0.0.2", "10.0.0.1", START));
	settings.query_interval = 1000;
	querier_reconfigure(&querier, &settings, true, START);
	assert_int_equal(querier_deadline(&querier), START + OTHER_PRESENT);
	assert_false(querier_is_elected(&querier, START));
}

/* The interval counts from when the query was sent, not from when it was due. */
static void a_query_that_is_sent_late(void **state)
{
	struct querier querier = started(&defaults);

	(void)state;
	assert_false(querier_expire(&querier, &defaults, START));
	assert_true(querier.query_now);
	assert_false(querier_expire(&querier, &defaults, START + 5));
	assert_true(querier.query_now);
	assert_true(querier_deadline(&querier) > START + 5);
	querier_sent(&querier, &defaults, START + 100);
	assert_int_equal(querier_deadline(&querier), START + 100 + 31250);
}

static void a_stopped_querier_is_silent(void **state)
{
	struct querier querier;
	char sent[128] = "";

	(void)state;
	querier_init(&querier);
	assert_int_equal(querier_deadline(&querier), MTIME_NEVER);
	querier_start(&querier, &defaults, START);
	receive_general(&querier, "10.0.0.2", "10.0.0.1", START);
	querier_stop(&querier);
	assert_int_equal(querier_deadline(&querier), MTIME_NEVER);
	assert_false(querier.query_now);
	querier_start(&querier, &defaults, START);
	run_until(&querier, &defaults, START + 40000, sent, sizeof sent);
	assert_string_equal(sent, "0 31250");
}

/* 6.6.2: the lower address is the querier. */
static void election(void **state)
{
	static const struct {
		const char *own;
		const char *from;
		bool yields;
	} rows[] = {
		{"10.0.0.2", "10.0.0.1", true},
		{"10.0.0.2", "9.255.255.255", true},
		{"192.168.1.1", "10.200.200.200", true},
		{"10.0.1.0", "10.0.0.255", true},
		{"10.0.0.2", "10.0.0.2", false},
		{"10.0.0.2", "10.0.0.3", false},
		{"10.0.0.2", "128.0.0.1", false},
		{"10.0.0.2", "0.0.0.0", false},
		{"0.0.0.0", "0.0.0.0", false},
		{"0.0.0.0", "10.0.0.1", true},
		{"0.0.0.0", "223.255.255.254", true},
		{"fe80::2", "fe80::1", true},
		{"fe80::2", "fe80::2", false},
		{"fe80::2", "fe80::3", false},
		{"fe80::2", "::", false},
		{"::", "fe80::ffff:ffff", true},
		{"fe80::8000:0:0:1", "fe80::7fff:0:0:1", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct querier querier = started(&defaults);
		struct addr from = address(rows[i].from);

		assert_int_equal(receive_general(&querier, rows[i].own, rows[i].from, START), rows[i].yields);
		assert_int_equal(querier_is_elected(&querier, START), !rows[i].yields);
		if (rows[i].yields)
			assert_true(addr_equal(&querier.other, &from));
		else
			assert_int_equal(querier_deadline(&querier), START);
	}
}

/* Queries of every kind and version take part. */
static void any_query_counts(void **state)
{
	static const struct {
		enum version version;
		const char *group;
	} rows[] = {
		{VERSION_1, "0.0.0.0"},   {VERSION_2, "0.0.0.0"},   {VERSION_3, "0.0.0.0"},
		{VERSION_2, "239.1.2.3"}, {VERSION_3, "239.1.2.3"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct querier querier = started(&defaults);
		struct query query = {
			.version = rows[i].version, .group = address(rows[i].group), .max_response = 1000};

		assert_true(receive(&querier, "10.0.0.2", "10.0.0.1", &query, START));
		assert_false(querier_is_elected(&querier, START));
	}
}

/* Silent while another is the querier; when nothing was heard from it for the other querier present interval,
 * this router asks at once and goes on at the query interval. */
static void take_over(void **state)
{
	struct querier querier = started(&defaults);
	char sent[128] = "";
	mtime end = START + 10000 + OTHER_PRESENT;

	(void)state;
	run_until(&querier, &defaults, START + 10000, sent, sizeof sent);
	assert_string_equal(sent, "0");
	assert_true(receive_general(&querier, "10.0.0.2", "10.0.0.1", START + 10000));
	assert_int_equal(querier_deadline(&querier), end);
	assert_false(querier_expire(&querier, &defaults, end - 1));
	assert_false(querier_is_elected(&querier, end - 1));
	assert_false(querier.query_now);
	assert_true(querier_expire(&querier, &defaults, end));
	assert_true(querier_is_elected(&querier, end));
	assert_true(querier.query_now);
	assert_false(querier_expire(&querier, &defaults, end));
	querier_sent(&querier, &defaults, end);
	sent[0] = '\0';
	run_until(&querier, &defaults, end + 250000, sent, sizeof sent);
	assert_string_equal(sent, "390000 515000");
}

static void a_refresh_keeps_the_other_querier(void **state)
{
	struct querier querier = started(&defaults);
	char sent[128] = "";

	(void)state;
	run_until(&querier, &defaults, START, sent, sizeof sent);
	assert_true(receive_general(&querier, "10.0.0.2", "10.0.0.1", START));
	for (mtime at = START + 125000; at < START + 2000000; at += 125000) {
		run_until(&querier, &defaults, at, sent, sizeof sent);
		assert_false(receive_general(&querier, "10.0.0.2", "10.0.0.1", at));
		assert_false(querier_is_elected(&querier, at));
		assert_int_equal(querier_deadline(&querier), at + OTHER_PRESENT);
	}
	assert_string_equal(sent, "0");
}

/* A query that is due and not yet out is not sent any more. */
static void yielding_with_a_query_due(void **state)
{
	struct querier querier = started(&defaults);

	(void)state;
	querier_expire(&querier, &defaults, START);
	assert_true(querier.query_now);
	receive_general(&querier, "10.0.0.2", "10.0.0.1", START);
	assert_false(querier.query_now);
	assert_int_equal(querier_deadline(&querier), START + OTHER_PRESENT);
}

static void three_routers(void **state)
{
	struct querier querier = started(&defaults);
	struct addr first = address("10.0.0.1"), second = address("10.0.0.2"), third = address("10.0.0.3");

	(void)state;
	assert_true(receive_general(&querier, "10.0.0.9", "10.0.0.2", START));
	assert_true(addr_equal(&querier.other, &second));
	/* neither this router's own address, nor a higher one, nor one without address */
	assert_false(receive_general(&querier, "10.0.0.9", "10.0.0.9", START + 1000));
	assert_false(receive_general(&querier, "10.0.0.9", "10.0.0.200", START + 1000));
	assert_false(receive_general(&querier, "10.0.0.9", "0.0.0.0", START + 1000));
	assert_true(addr_equal(&querier.other, &second));
	assert_false(querier_is_elected(&querier, START + 1000));
	/* an even lower one */
	assert_true(receive_general(&querier, "10.0.0.9", "10.0.0.1", START + 2000));
	assert_true(addr_equal(&querier.other, &first));
	assert_int_equal(querier_deadline(&querier), START + 2000 + OTHER_PRESENT);
	/* RFC 9776 section 6.6.2: any lower address than ours keeps us silent; those two settle it between
	 * them */
	assert_true(receive_general(&querier, "10.0.0.9", "10.0.0.3", START + 3000));
	assert_true(addr_equal(&querier.other, &third));
	assert_int_equal(querier_deadline(&querier), START + 3000 + OTHER_PRESENT);
	assert_true(querier_expire(&querier, &defaults, START + 3000 + OTHER_PRESENT));
	assert_true(receive_general(&querier, "10.0.0.9", "10.0.0.2", START + 3000 + OTHER_PRESENT));
}

/* This router restarts on the link: it asks, and yields anew. */
static void a_new_start_forgets_the_other(void **state)
{
	struct querier querier = started(&defaults);
	struct query query = general_query();

	(void)state;
	query.robustness = 7;
	query.query_interval = 10000;
	receive(&querier, "10.0.0.2", "10.0.0.1", &query, START);
	querier_start(&querier, &defaults, START + 500);
	assert_true(querier_is_elected(&querier, START + 500));
	assert_int_equal(querier_deadline(&querier), START + 500);
	assert_int_equal(querier_robustness(&querier, &defaults), 2);
	assert_int_equal(querier_query_interval(&querier, &defaults), 125000);
}

/* QRV and QQI of the querier become this router's; 0: not sent, then the configured ones. */
static void adopted_variables(void **state)
{
	static const struct {
		uint8_t qrv;
		uint32_t qqi;
		uint8_t robustness;
		mtime query_interval;
		mtime other_present;
		mtime membership;
		bool changed;
	} rows[] = {
		{3, 60000, 3, 60000, 185000, 200000, true}, {3, 60000, 3, 60000, 185000, 200000, false},
		{0, 60000, 2, 60000, 125000, 140000, true}, {7, 0, 7, 125000, 600000, 615000, true},
		{0, 0, 2, 125000, 255000, 270000, true},    {0, 0, 2, 125000, 255000, 270000, false},
		{1, 10000, 1, 10000, 15000, 30000, true},   {7, 31744000, 7, 31744000, 600000, 615000, true},
	};
	struct querier querier = started(&defaults);
	struct query query = general_query();

	(void)state;
	receive(&querier, "10.0.0.2", "10.0.0.1", &query, START);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		mtime now = START + 1000 * (mtime)i;

		query.robustness = rows[i].qrv;
		query.query_interval = rows[i].qqi;
		assert_int_equal(receive(&querier, "10.0.0.2", "10.0.0.1", &query, now), rows[i].changed);
		assert_int_equal(querier_robustness(&querier, &defaults), rows[i].robustness);
		assert_int_equal(querier_last_member_query_count(&querier, &defaults), rows[i].robustness);
		assert_int_equal(querier_query_interval(&querier, &defaults), rows[i].query_interval);
		assert_int_equal(querier_other_present_interval(&querier, &defaults), rows[i].other_present);
		assert_int_equal(querier_membership_interval(&querier, &defaults, VERSION_3),
		                 rows[i].membership);
		assert_int_equal(querier_older_host_present_interval(&querier, &defaults),
		                 rows[i].membership - 10000);
		assert_int_equal(querier_deadline(&querier), now + rows[i].other_present);
	}
	querier_expire(&querier, &defaults, querier_deadline(&querier));
	assert_int_equal(querier_robustness(&querier, &defaults), 2);
	assert_int_equal(querier_query_interval(&querier, &defaults), 125000);
}

/* Twice this router's own values, or ten minutes: whichever is more. */
static void adopted_variables_are_bounded(void **state)
{
	static const struct {
		uint8_t robustness; /* its own */
		uint32_t query_interval, query_response_interval;
		mtime other_present, membership;
	} rows[] = {
		{2, 125000, 10000, 600000, 615000},
		{2, 1000, 500, 600000, 600750},
		{2, 150000, 10000, 610000, 625000},
		{255, 31744000, 3174400, 222208000 + 1587200, 222208000 + 2 * 3174400},
	};
	struct query query = general_query();

	(void)state;
	query.robustness = 7;
	query.query_interval = 31744000;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct link_settings settings = defaults;
		struct addr own = address("10.0.0.2"), from = address("10.0.0.1");
		struct querier querier;
		mtime twice;

		settings.robustness = rows[i].robustness;
		settings.query_interval = rows[i].query_interval;
		settings.query_response_interval = rows[i].query_response_interval;
		querier = started(&settings);
		twice = 2 * querier_other_present_interval(&querier, &settings);
		assert_true(querier_receive(&querier, &settings, &own, &from, &query, START));
		assert_true(querier_other_present_interval(&querier, &settings) <=
		            (twice > 600000 ? twice : 600000));
		assert_int_equal(querier_other_present_interval(&querier, &settings), rows[i].other_present);
		assert_int_equal(querier_membership_interval(&querier, &settings, VERSION_3),
		                 rows[i].membership);
		/* Members have time to answer the query of the router that takes over. */
		assert_true(querier_membership_interval(&querier, &settings, VERSION_2) >=
		            querier_other_present_interval(&querier, &settings) +
		                    settings.query_response_interval / 2);
	}
}

/* RFC 2236 section 3, but at most what an IGMPv2 query can carry, or twice the configured value. */
static void the_adopted_last_member_query_interval_is_bounded(void **state)
{
	static const struct {
		uint32_t own, max_response;
		mtime adopted;
	} rows[] = {{1000, 5000, 5000}, {1000, 25500, 25500}, {1000, 65535, 25500}, {20000, 65535, 40000}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct link_settings settings = defaults;
		struct addr own = address("fe80::2"), from = address("fe80::1");
		struct query query = {.version = VERSION_2,
		                      .group = address("ff05::1"),
		                      .max_response = rows[i].max_response};
		struct querier querier;

		settings.last_member_query_interval = rows[i].own;
		querier = started(&settings);
		querier_receive(&querier, &settings, &own, &from, &query, START);
		assert_int_equal(querier_last_member_query_interval(&querier, &settings), rows[i].adopted);
	}
}

static void no_query_counts_without_an_election(void **state)
{
	struct link_settings settings = defaults;
	struct addr own = address("10.0.0.2"), from = address("10.0.0.1");
	struct query query = general_query();
	struct querier querier = started(&settings);

	(void)state;
	settings.querier_election = false;
	query.robustness = 7;
	assert_false(querier_receive(&querier, &settings, &own, &from, &query, START));
	assert_true(querier_is_elected(&querier, START));
	assert_int_equal(querier_robustness(&querier, &settings), 2);
	assert_int_equal(querier_deadline(&querier), START);
}

/* Only those of the elected querier. */
static void nothing_is_adopted_from_losers(void **state)
{
	static const char *const losers[] = {"10.0.0.2", "10.0.0.3", "0.0.0.0"};
	struct query query = general_query();

	(void)state;
	query.robustness = 7;
	query.query_interval = 10000;
	for (size_t i = 0; i < sizeof losers / sizeof losers[0]; i++) {
		struct querier querier = started(&defaults);

		assert_false(receive(&querier, "10.0.0.2", losers[i], &query, START));
		assert_int_equal(querier_robustness(&querier, &defaults), 2);
		assert_int_equal(querier_query_interval(&querier, &defaults), 125000);
	}
}

/* RFC 2236 section 3: group-specific queries of version 2 tell the last member query interval as their
 * maximum response time; it counts while that router is the querier and speaks version 2. */
static void last_member_query_interval(void **state)
{
	static const struct {
		const char *from;
		enum version version;
		const char *group;
		uint32_t max_response;
		mtime interval;
		bool changed;
	} rows[] = {
		{"10.0.0.5", VERSION_2, "0.0.0.0", 10000, 1000, true},
		{"10.0.0.5", VERSION_2, "239.1.2.3", 500, 500, true},
		{"10.0.0.5", VERSION_2, "239.1.2.3", 500, 500, false},
		{"10.0.0.5", VERSION_2, "0.0.0.0", 10000, 500, false},
		{"10.0.0.5", VERSION_2, "239.1.2.3", 0, 500, false},
		{"10.0.0.8", VERSION_2, "239.1.2.3", 700, 700, true},
		{"10.0.0.4", VERSION_2, "0.0.0.0", 10000, 1000, true},
		{"10.0.0.4", VERSION_2, "239.1.2.3", 300, 300, true},
		{"10.0.0.3", VERSION_2, "239.1.2.3", 300, 300, true},
		{"10.0.0.2", VERSION_3, "239.1.2.3", 400, 1000, true},
	};
	struct querier querier = started(&defaults);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct query query = {.version = rows[i].version,
		                      .group = address(rows[i].group),
		                      .max_response = rows[i].max_response};

		assert_int_equal(receive(&querier, "10.0.0.9", rows[i].from, &query, START), rows[i].changed);
		assert_int_equal(querier_last_member_query_interval(&querier, &defaults), rows[i].interval);
	}
}

static void derived_values(void **state)
{
	static const struct {
		uint8_t robustness;
		uint32_t query_interval;
		uint32_t query_response_interval;
		uint8_t last_member_query_count;
		uint32_t older_host_present_interval;
		mtime membership;
		mtime other_present;
		uint8_t count;
		mtime older_host_present;
	} rows[] = {
		{2, 125000, 10000, 0, 0, 270000, 255000, 2, 260000},
		{3, 125000, 10000, 0, 0, 395000, 380000, 3, 385000},
		{2, 60000, 5000, 5, 0, 130000, 122500, 5, 125000},
		{7, 31744000, 3174400, 0, 0, 228556800, 223795200, 7, 225382400},
		{255, 31744000, 3174400, 0, 0, 8101068800, 8096307200, 255, 8097894400},
		{2, 125000, 10000, 1, 400000, 270000, 255000, 1, 400000},
		{1, 1000, 500, 0, 0, 2000, 1250, 1, 1500},
	};
	struct querier querier;

	(void)state;
	querier_init(&querier);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct link_settings settings = defaults;

		settings.robustness = rows[i].robustness;
		settings.query_interval = rows[i].query_interval;
		settings.query_response_interval = rows[i].query_response_interval;
		settings.last_member_query_count = rows[i].last_member_query_count;
		settings.older_host_present_interval = rows[i].older_host_present_interval;
		assert_int_equal(querier_robustness(&querier, &settings), rows[i].robustness);
		assert_int_equal(querier_query_interval(&querier, &settings), rows[i].query_interval);
		assert_int_equal(querier_membership_interval(&querier, &settings, VERSION_3),
		                 rows[i].membership);
		/* The older versions allow for one response interval only. */
		assert_int_equal(querier_membership_interval(&querier, &settings, VERSION_2),
		                 rows[i].membership - rows[i].query_response_interval);
		assert_int_equal(querier_membership_interval(&querier, &settings, VERSION_1),
		                 rows[i].membership - rows[i].query_response_interval);
		assert_int_equal(querier_other_present_interval(&querier, &settings), rows[i].other_present);
		assert_int_equal(querier_last_member_query_count(&querier, &settings), rows[i].count);
		assert_int_equal(querier_last_member_query_interval(&querier, &settings), 1000);
		assert_int_equal(querier_older_host_present_interval(&querier, &settings),
		                 rows[i].older_host_present);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(startup_and_general_queries),
		cmocka_unit_test(a_query_that_is_sent_late),
		cmocka_unit_test(a_stopped_querier_is_silent),
		cmocka_unit_test(election),
		cmocka_unit_test(any_query_counts),
		cmocka_unit_test(take_over),
		cmocka_unit_test(a_refresh_keeps_the_other_querier),
		cmocka_unit_test(yielding_with_a_query_due),
		cmocka_unit_test(three_routers),
		cmocka_unit_test(a_new_start_forgets_the_other),
		cmocka_unit_test(adopted_variables),
		cmocka_unit_test(adopted_variables_are_bounded),
		cmocka_unit_test(the_adopted_last_member_query_interval_is_bounded),
		cmocka_unit_test(no_query_counts_without_an_election),
		cmocka_unit_test(nothing_is_adopted_from_losers),
		cmocka_unit_test(last_member_query_interval),
		cmocka_unit_test(derived_values),
		cmocka_unit_test(reconfigured),
		cmocka_unit_test(reconfigured_at_the_start),
		cmocka_unit_test(reconfigured_while_another_is_elected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
