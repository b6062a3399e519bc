/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Memberships that are asked about again, and those that a new filter denies to their hosts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/engine.h"

#define A                      "10.0.1.7"
#define B                      "10.0.1.8"
#define LAST_MEMBER_QUERY_TIME 2000

static void review(uint8_t link, bool every_link, const char *group, unsigned length)
{
	struct input input = {.kind = INPUT_REVIEW, .link = link, .every_link = every_link};

	input.group = addr_of(group != NULL ? group : "::");
	input.prefix_length = length;
	give(&input, NULL, 0);
	turn();
}

static void v3(const char *host, enum record_type type, const char *group, const char *sources)
{
	receive(DOWN1, craft_record(host, type, group, sources));
}

static size_t specific_queries(uint8_t link, const char *group)
{
	struct addr wanted = addr_of(group);
	struct sent_query sent;
	size_t count = 0;

	for (size_t n = 0; nth_query(n, &sent); n++)
		count += sent.link == link && addr_equal(&sent.query.group, &wanted);
	return count;
}

static void silent_groups_end_and_others_stay(void **state)
{
	static const char *const groups[][3] = {{A, "239.1.1.1", "239.1.1.2"},
	                                        {"fe80::7", "ff1e::1", "ff1e::2"}};

	(void)state;
	for (size_t i = 0; i < LENGTH(groups); i++) {
		const char *host = groups[i][0], *gone = groups[i][1], *here = groups[i][2];

		v3(host, TO_EX, gone, "");
		v3(host, TO_EX, here, "");
		forget();
		review(DOWN1, false, NULL, 0);
		assert_true(specific_queries(DOWN1, gone) > 0);
		assert_true(specific_queries(DOWN1, i == 0 ? "0.0.0.0" : "::") == 1);
		v3(host, IS_EX, here, "");
		pass(LAST_MEMBER_QUERY_TIME + 10);
		assert_string_equal(membership_of(gone), "INCLUDE{}");
		assert_string_equal(membership_of(here), "never");
	}
}

static void source_lists_are_asked_about(void **state)
{
	(void)state;
	v3(A, ALLOW, "232.1.1.1", "10.9.9.1 10.9.9.2");
	v3(A, TO_EX, "239.1.1.1", "10.9.9.3");
	forget();
	review(DOWN1, false, NULL, 0);
	v3(A, IS_IN, "232.1.1.1", "10.9.9.2");
	v3(A, IS_EX, "239.1.1.1", "10.9.9.3");
	pass(LAST_MEMBER_QUERY_TIME + 10);
	assert_string_equal(membership_of("232.1.1.1"), "INCLUDE{10.9.9.2}");
	assert_string_equal(membership_of("239.1.1.1"), "never");
}

static void older_hosts_are_asked(void **state)
{
	(void)state;
	receive(DOWN1, craft_old(A, VERSION_2, "239.1.1.1", false));
	receive(DOWN1, craft_old(A, VERSION_1, "239.1.1.2", false));
	pass(20000);
	forget();
	review(DOWN1, false, NULL, 0);
	pass(LAST_MEMBER_QUERY_TIME + 10);
	assert_string_equal(membership_of("239.1.1.1"), "INCLUDE{}");
	/* General queries only, whose answers take longer. */
	assert_int_equal(specific_queries(DOWN1, "239.1.1.2"), 0);
	assert_string_equal(membership_of("239.1.1.2"), "never");
	pass(25000);
	assert_string_equal(membership_of("239.1.1.2"), "INCLUDE{}");
}

static void link_and_prefix_limit_what_is_asked(void **state)
{
	(void)state;
	join(DOWN1, "239.1.1.1");
	join(DOWN1, "239.2.1.1");
	join(DOWN2, "239.1.1.2");
	forget();
	review(DOWN1, false, "239.1.0.0", 96 + 16);
	assert_true(specific_queries(DOWN1, "239.1.1.1") > 0);
	assert_int_equal(specific_queries(DOWN1, "239.2.1.1"), 0);
	assert_int_equal(specific_queries(DOWN2, "239.1.1.2"), 0);
	assert_int_equal(specific_queries(DOWN1, "0.0.0.0"), 0);
	review(0, true, "239.1.0.0", 96 + 16);
	assert_true(specific_queries(DOWN2, "239.1.1.2") > 0);
	/* A link that does not exist any more. */
	review(DOWN3, false, NULL, 0);
}

/* Beyond query_rate_max general queries ask, and their answers take longer. */
static void many_groups_at_once_wait_for_their_answers(void **state)
{
	char group[32];

	(void)state;
	engine.links[DOWN1].settings.query_rate_max = 2;
	give_link(DOWN1);
	for (unsigned n = 1; n <= 6; n++) {
		snprintf(group, sizeof group, "239.1.1.%u", n);
		v3(A, TO_EX, group, "");
		snprintf(group, sizeof group, "232.1.1.%u", n);
		v3(A, ALLOW, group, "10.9.9.9");
	}
	forget();
	review(DOWN1, false, NULL, 0);
	pass(LAST_MEMBER_QUERY_TIME - 10);
	v3(A, IS_EX, "239.1.1.1", "");
	pass(8000 - LAST_MEMBER_QUERY_TIME);
	for (unsigned n = 2; n <= 6; n++) {
		snprintf(group, sizeof group, "239.1.1.%u", n);
		assert_string_equal(membership_of(group), "never");
		v3(A, IS_EX, group, "");
		snprintf(group, sizeof group, "232.1.1.%u", n);
		v3(A, IS_IN, group, "10.9.9.9");
	}
	pass(60000);
	assert_string_equal(membership_of("239.1.1.1"), "never");
	for (unsigned n = 2; n <= 6; n++) {
		snprintf(group, sizeof group, "232.1.1.%u", n);
		assert_string_equal(membership_of(group), "never");
	}
}

/* Tracking begins with the filter, so that the first one does not know the hosts yet. */
static void denied_hosts_that_are_known_leave_at_once(void **state)
{
	(void)state;
	give_filters(DOWN1, NULL, "deny 239.9.9.9 by 10.0.1.99");
	v3(A, TO_EX, "239.1.1.1", "");
	v3(A, TO_EX, "239.1.1.2", "");
	v3(B, TO_EX, "239.1.1.2", "");
	v3(A, ALLOW, "232.1.1.1", "10.9.9.1 10.9.9.2");
	v3(B, ALLOW, "232.1.1.1", "10.9.9.2");
	forget();
	give_filters(DOWN1, NULL, "deny all by " A);
	assert_string_equal(membership_of("239.1.1.1"), "INCLUDE{}");
	assert_string_equal(membership_of("239.1.1.2"), "EXCLUDE{}");
	assert_string_equal(membership_of("232.1.1.1"), "INCLUDE{10.9.9.2}");
	v3(B, IS_EX, "239.1.1.2", "");
	pass(LAST_MEMBER_QUERY_TIME + 10);
	assert_string_equal(membership_of("239.1.1.2"), "EXCLUDE{}");
}

static void allowed_sources_of_a_known_host_stay(void **state)
{
	(void)state;
	give_filters(DOWN1, NULL, "deny 239.9.9.9 by 10.0.1.99");
	v3(A, TO_EX, "239.1.1.1", "");
	v3(A, ALLOW, "232.1.1.1", "10.9.9.1 10.9.9.2");
	forget();
	give_filters(DOWN1, NULL, "deny all from 10.9.9.1 by " A);
	assert_string_equal(membership_of("239.1.1.1"), "EXCLUDE{10.9.9.1}");
	assert_string_equal(membership_of("232.1.1.1"), "INCLUDE{10.9.9.2}");
}

static void unknown_hosts_are_asked(void **state)
{
	static const char *const rules[] = {"deny all by " A, "deny all by 02:00:00:00:00:01"};

	(void)state;
	for (size_t i = 0; i < LENGTH(rules); i++) {
		struct input input = {.kind = INPUT_PACKET, .link = DOWN1, .family = FAMILY_IPV4};
		struct craft answer = craft_record(A, IS_EX, "239.1.1.1", "");
		const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};

		open_usual(NULL);
		if (i == 1)
			give_filters(DOWN1, NULL, "deny 239.9.9.9 by 10.0.1.99");
		v3(A, TO_EX, "239.1.1.1", "");
		v3(B, TO_EX, "239.1.1.2", "");
		forget();
		give_filters(DOWN1, NULL, rules[i]);
		assert_true(specific_queries(DOWN1, "239.1.1.1") > 0);
		assert_string_equal(membership_of("239.1.1.1"), "EXCLUDE{}");
		/* The answer of the denied host does not count. */
		input.source = addr_from_mac(mac);
		give(&input, answer.bytes, answer.size);
		v3(B, IS_EX, "239.1.1.2", "");
		pass(LAST_MEMBER_QUERY_TIME + 10);
		assert_string_equal(membership_of("239.1.1.1"), "INCLUDE{}");
		assert_string_equal(membership_of("239.1.1.2"), "EXCLUDE{}");
		close_any(NULL);
	}
}

static void groups_that_no_rule_denies_are_left_alone(void **state)
{
	(void)state;
	v3(A, TO_EX, "239.1.1.1", "");
	v3(A, TO_EX, "239.2.1.1", "");
	forget();
	give_filters(DOWN1, NULL, "deny 239.2.0.0/16 by " B);
	assert_int_equal(specific_queries(DOWN1, "239.1.1.1"), 0);
	assert_true(specific_queries(DOWN1, "239.2.1.1") > 0);
}

static void a_denied_host_gets_its_places_back(void **state)
{
	(void)state;
	engine.links[DOWN1].settings.host_groups_max = 1;
	give_link(DOWN1);
	v3(A, TO_EX, "239.1.1.1", "");
	give_filters(DOWN1, NULL, "deny 239.1.1.1 by " A);
	assert_string_equal(membership_of("239.1.1.1"), "INCLUDE{}");
	v3(A, TO_EX, "239.1.1.2", "");
	assert_string_equal(membership_of("239.1.1.2"), "EXCLUDE{}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		engine_test(silent_groups_end_and_others_stay),
		engine_test(source_lists_are_asked_about),
		engine_test(older_hosts_are_asked),
		engine_test(link_and_prefix_limit_what_is_asked),
		engine_test(many_groups_at_once_wait_for_their_answers),
		engine_test(denied_hosts_that_are_known_leave_at_once),
		engine_test(allowed_sources_of_a_known_host_stay),
		cmocka_unit_test(unknown_hosts_are_asked),
		engine_test(groups_that_no_rule_denies_are_left_alone),
		engine_test(a_denied_host_gets_its_places_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
