/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An engine: beyond query_rate_max, general queries take the place of specific ones.
 */
#include "core/router/instance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/engine.h"

#define GROUPS 100
#define LIVE   50                 /* one of them still has a member */
#define RATE   10                 /* and 4 at once */
#define LIMIT  (3 * 10000 + 2500) /* to the last of two general queries and the answers to it */

static const struct {
	const char *first_group, *host, *sources;
	enum record_type join, leave;
} rows[] = {
	{"239.1.1.0", "10.0.1.66", "", TO_EX, TO_IN},
	{"ff05::1:0", "fe80::1:66", "", TO_EX, TO_IN},
	{"239.1.1.0", "10.0.1.66", "10.9.9.1 10.9.9.2", ALLOW, BLOCK},
	{"ff05::1:0", "fe80::1:66", "2001:db8::1 2001:db8::2", ALLOW, BLOCK},
};

static const char *nth_group(size_t row, uint32_t number)
{
	static char text[ADDR_TEXT_SIZE];
	struct addr group = nth_addr(rows[row].first_group, number);

	return addr_format(&group, text);
}

static void send_record(size_t row, enum record_type type, uint32_t number)
{
	receive(DOWN1, craft_record(rows[row].host, type, nth_group(row, number), rows[row].sources));
}

static void count_queries(size_t *specific, size_t *general)
{
	struct sent_query sent;

	*specific = *general = 0;
	for (size_t n = 0; nth_query(n, &sent); n++)
		if (sent.link == DOWN1)
			++*(addr_is_unspecified(&sent.query.group) ? general : specific);
}

static void open_with_groups(size_t row)
{
	engine_open(&usual_settings);
	engine.link_settings.query_rate_max = RATE;
	usual_links();
	for (uint32_t number = 0; number < GROUPS; number++)
		send_record(row, rows[row].join, number);
	pass(20000); /* since the general query at the start */
	forget();
}

/* Nobody is lost that answers as late as the general query allows, and all the others end in time. */
static void many_leaves_cause_one_general_query(void **state)
{
	for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
		size_t specific, general;

		open_with_groups(row);
		for (uint32_t number = 0; number < GROUPS; number++)
			send_record(row, rows[row].leave, number);
		count_queries(&specific, &general);
		assert_int_equal(specific, 4);
		assert_int_equal(general, 1);
		pass(9990);
		count_queries(&specific, &general);
		assert_in_range(specific, 4, 8); /* the first ones and their retransmissions */
		assert_int_equal(general, 1);
		send_record(row, rows[row].join == TO_EX ? IS_EX : IS_IN, LIVE);
		pass(LIMIT - 9990);
		count_queries(&specific, &general);
		assert_in_range(general, 2, 4);
		for (uint32_t number = 0; number < GROUPS; number++)
			assert_string_equal(membership_of(nth_group(row, number)),
			                    number == LIVE ? "never" : "INCLUDE{}");
		close_any(state);
	}
}

/* The elected querier asks nothing, and this router in its place only as much as the rate allows. General queries are
 * the querier's: what is not asked about stays for the membership interval. */
static void another_router_is_the_querier(void **state)
{
	for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
		static const struct query query = {.version = VERSION_3,
		                                   .max_response = 5000,
		                                   .robustness = 2,
		                                   .query_interval = 125000};
		const char *querier = strchr(rows[row].host, ':') == NULL ? "10.0.1.0" : "fe80::1:0";
		size_t specific, general, kept = 0;

		open_with_groups(row);
		receive(DOWN1, craft_query(querier, query, NULL, NULL));
		for (uint32_t number = 0; number < GROUPS; number++)
			send_record(row, rows[row].leave, number);
		pass(5000);
		count_queries(&specific, &general);
		assert_int_equal(general, 0);
		assert_in_range(specific, 4, 4 + 5 * RATE);
		for (uint32_t number = 0; number < GROUPS; number++)
			kept += strcmp(membership_of(nth_group(row, number)), "never") == 0;
		assert_in_range(kept, GROUPS - 4 - 5 * RATE, GROUPS - 1);
		pass(270000);
		for (uint32_t number = 0; number < GROUPS; number++)
			assert_string_equal(membership_of(nth_group(row, number)), "INCLUDE{}");
		close_any(state);
	}
}

/* Leaves that go on: the rate holds, and a member that answers within a second stays. */
static void a_flood_of_leaves_is_bounded(void **state)
{
	for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
		size_t specific, general;

		open_with_groups(row);
		for (unsigned tenth = 0; tenth < 600; tenth++) {
			for (uint32_t number = 0; number < GROUPS; number++)
				send_record(row, rows[row].leave, number);
			if (tenth % 10 == 9)
				send_record(row, rows[row].join == TO_EX ? IS_EX : IS_IN, LIVE);
			pass(100);
		}
		count_queries(&specific, &general);
		assert_in_range(specific, 4, 4 + 60 * RATE);
		assert_in_range(general, 2, 8); /* the specific ones end the groups, too */
		assert_string_equal(membership_of(nth_group(row, LIVE)), "never");
		pass(400000);
		assert_string_equal(membership_of(nth_group(row, LIVE)), "INCLUDE{}");
		close_any(state);
	}
}

/* Without many leaves nothing changes: every group has its own queries. */
static void few_leaves_have_their_own_queries(void **state)
{
	for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
		size_t specific, general;

		open_with_groups(row);
		for (uint32_t number = 0; number < 3; number++) {
			send_record(row, rows[row].leave, number);
			pass(3000);
			assert_string_equal(membership_of(nth_group(row, number)), "INCLUDE{}");
		}
		count_queries(&specific, &general);
		assert_int_equal(specific, 6);
		assert_int_equal(general, 0);
		close_any(state);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_leaves_cause_one_general_query),
		cmocka_unit_test(another_router_is_the_querier),
		cmocka_unit_test(a_flood_of_leaves_is_bounded),
		cmocka_unit_test(few_leaves_have_their_own_queries),
	};

	return cmocka_run_group_tests_name("query rate", tests, NULL, NULL);
}
