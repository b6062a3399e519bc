/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What filters decide: first match, each condition, and what remains of source filters.
 */
#include "core/policy/tree.h"

#include "policy_world.h"

#include <stdio.h>

/* Each row: rules, a question, the number of the line that decides (0: none). */
static void first_rule_that_matches_decides(void **state)
{
	static const struct {
		const char *rules, *question;
		uint32_t line;
	} rows[] = {
		{"", "239.1.1.1", 0},
		{"deny all", "239.1.1.1", 1},
		{"allow 239.1.1.1\ndeny all", "239.1.1.1", 1},
		{"allow 239.1.1.1\ndeny all", "239.1.1.2", 2},
		{"deny 239.1.0.0/16\nallow 239.1.1.1", "239.1.1.1", 1},
		{"deny 239.1.0.0-239.1.0.9", "239.1.0.9", 1},
		{"deny 239.1.0.0-239.1.0.9", "239.1.0.10", 0},
		{"deny ff3e::/32", "ff3e::8:1", 1},
		{"deny ff3e::/32", "239.1.1.1", 0},
		{"tv = 239.35.0.0/16 ff3e::/32\ndeny tv", "239.35.9.9", 1},
		{"tv = 239.35.0.0/16 ff3e::/32\ndeny tv", "ff3e::1", 1},
		{"tv = 239.35.0.0/16\nmore = tv 239.1.1.1\ndeny more", "239.35.1.1", 1},
		{"allow all from 10.0.0.0/8\ndeny all", "239.1.1.1 from 10.9.9.9", 1},
		{"allow all from 10.0.0.0/8\ndeny all", "239.1.1.1 from 11.0.0.0", 2},
		{"deny all by 192.168.9.0/24", "239.1.1.1 by 192.168.9.7", 1},
		{"deny all by 192.168.9.0/24", "239.1.1.1 by 192.168.8.7", 0},
		{"deny all by 192.168.9.0/24", "239.1.1.1 from 192.168.9.7", 0},
		{"deny all by 52:54:00:aa:bb:cc", "239.1.1.1 by 192.168.9.7 by 52:54:00:aa:bb:cc", 1},
		{"deny all by 52:54:00:aa:bb:cc", "239.1.1.1 by 192.168.9.7 by 52:54:00:aa:bb:cd", 0},
		{"guests = 192.168.9.0/24 52:54:00:AA:BB:CC\ndeny all by guests", "239.1.1.1 by 192.168.9.7",
	         1},
		{"guests = 192.168.9.0/24 52:54:00:AA:BB:CC\ndeny all by guests",
	         "239.1.1.1 by 10.0.0.1 by 52:54:00:aa:bb:cc", 1},
		{"guests = 192.168.9.0/24 52:54:00:AA:BB:CC\ndeny all by guests",
	         "239.1.1.1 by 10.0.0.1 by 52:54:00:aa:bb:00", 0},
		/* Of packets the hosts are not known. */
		{"deny all by 192.168.9.7\nallow all", "239.1.1.1", 2},
		{"allow all by 192.168.9.7\ndeny all", "239.1.1.1", 1},
		{"deny all in ppp*", "239.1.1.1 in ppp0", 1},
		{"deny all in ppp*", "239.1.1.1 in eth0", 0},
		{"allow all in eth0\ndeny all in ppp*\ndeny 239.1.1.1", "239.1.1.1 in eth1", 3},
		{"deny 239.1.1.1 from 10.0.0.1 by 10.1.0.1 in eth0",
	         "239.1.1.1 from 10.0.0.1 by 10.1.0.1 in eth0", 1},
		{"deny 239.1.1.1 from 10.0.0.1 by 10.1.0.1 in eth0",
	         "239.1.1.1 from 10.0.0.1 by 10.1.0.1 in eth1", 0},
		{"deny 239.1.1.1 from 10.0.0.1 by 10.1.0.1 in eth0",
	         "239.1.1.1 from 10.0.0.1 by 10.1.0.2 in eth0", 0},
		{"deny 239.1.1.1 from 10.0.0.1 by 10.1.0.1 in eth0",
	         "239.1.1.1 from 10.0.0.2 by 10.1.0.1 in eth0", 0},
		{"deny 239.1.1.1 from 10.0.0.1 by 10.1.0.1 in eth0", "239.1.1.1 from 10.0.0.1 in eth0", 0},
		{"deny discovery", "239.255.255.250", 1},
		{"deny discovery", "ff08::c", 1},
		{"deny discovery", "ff05::1:1001", 1},
		{"deny discovery", "224.0.1.129", 0},
		{"deny discovery", "239.255.1.1", 0},
		{"deny ssm", "232.9.9.9", 1},
		{"deny ssm", "ff3e::1", 1},
		{"deny scope-site", "ff15::1", 1},
		{"deny scope-organization", "239.195.255.255", 1},
		{"deny scope-organization", "239.196.0.0", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct policy_world world;
		struct policy_question question;
		uint32_t rule;

		world_init(&world, rows[i].rules);
		question = world_question(&world, rows[i].question);
		rule = policy_decide(world.policy, &question);
		if (rule + 1 != rows[i].line)
			fail_msg("%s | %s: rule %u decides, not %u", rows[i].rules, rows[i].question,
			         rule + 1, rows[i].line);
		assert_int_equal(policy_allows(world.policy, rule),
		                 rule == POLICY_NO_RULE || world.rules[rule].allow);
		world_fini(&world);
	}
}

struct narrow_row {
	const char *rules;
	const char *filter, *result;
	bool partly; /* what is denied must be held back stream by stream */
};

static void check_narrow(const struct narrow_row *row, const char *group)
{
	struct addr list[16], scratch_list[16];
	struct policy_world world;
	struct filter filter = world_filter(row->filter, list, 16);
	struct sources scratch = sources_on(scratch_list, 16);
	struct policy_question question;
	uint32_t denied;
	char text[512];

	world_init(&world, row->rules);
	question = world_question(&world, group);
	assert_int_equal(policy_narrow(world.policy, &question, &filter, &scratch, &denied), !row->partly);
	world_filter_format(&filter, text, sizeof text);
	if (strcmp(text, row->result) != 0)
		fail_msg("%s | %s: %s, not %s", row->rules, row->filter, text, row->result);
	if (row->partly || strcmp(row->filter, row->result) != 0)
		assert_false(policy_allows(world.policy, denied));
	world_fini(&world);
}

/* {INCLUDE, EXCLUDE} x {all, list, prefix, range} x {allow, deny}. Joins of version 1 and 2 are EXCLUDE{}. */
static void source_filters_are_narrowed(void **state)
{
	static const struct narrow_row ipv4[] = {
		{"", "EXCLUDE", "EXCLUDE", false},
		{"allow all", "EXCLUDE 10.0.0.1", "EXCLUDE 10.0.0.1", false},
		{"deny all", "EXCLUDE", "INCLUDE", false},
		{"deny all", "EXCLUDE 10.0.0.1", "INCLUDE", false},
		{"deny all", "INCLUDE 10.0.0.1", "INCLUDE", false},
		{"allow all from 10.0.0.1\nallow all from 10.0.0.5\ndeny all", "EXCLUDE",
	         "INCLUDE 10.0.0.1 10.0.0.5", false},
		{"allow all from 10.0.0.1\nallow all from 10.0.0.5\ndeny all", "EXCLUDE 10.0.0.1",
	         "INCLUDE 10.0.0.5", false},
		{"allow all from 10.0.0.1\nallow all from 10.0.0.5\ndeny all", "EXCLUDE 10.0.0.9",
	         "INCLUDE 10.0.0.1 10.0.0.5", false},
		{"allow all from 10.0.0.1\ndeny all", "INCLUDE 10.0.0.1 10.0.0.2", "INCLUDE 10.0.0.1", false},
		{"deny all from 10.0.0.1", "EXCLUDE", "EXCLUDE 10.0.0.1", false},
		{"deny all from 10.0.0.1", "EXCLUDE 10.0.0.1 10.0.0.2", "EXCLUDE 10.0.0.1 10.0.0.2", false},
		{"deny all from 10.0.0.1", "INCLUDE 10.0.0.1 10.0.0.2", "INCLUDE 10.0.0.2", false},
		{"allow all from 10.0.0.0/8\ndeny all", "EXCLUDE", "EXCLUDE", true},
		{"allow all from 10.0.0.0/8\ndeny all", "EXCLUDE 10.0.0.1", "EXCLUDE 10.0.0.1", true},
		{"allow all from 10.0.0.0/8\ndeny all", "INCLUDE 9.9.9.9 10.0.0.2", "INCLUDE 10.0.0.2",
	         false},
		{"deny all from 10.0.0.0/8", "EXCLUDE", "EXCLUDE", true},
		{"deny all from 10.0.0.0/8", "INCLUDE 9.9.9.9 10.0.0.2", "INCLUDE 9.9.9.9", false},
		{"allow all from 10.0.0.1-10.0.0.3\ndeny all", "EXCLUDE",
	         "INCLUDE 10.0.0.1 10.0.0.2 10.0.0.3", false},
		{"deny all from 10.0.0.1-10.0.0.3", "EXCLUDE 10.0.0.2", "EXCLUDE 10.0.0.1 10.0.0.2 10.0.0.3",
	         false},
		{"allow all from 10.0.0.1-10.0.0.200\ndeny all", "EXCLUDE", "EXCLUDE", true},
		{"allow all from 10.0.0.1-10.0.0.200\ndeny all", "INCLUDE 10.0.0.201", "INCLUDE", false},
		{"deny 239.2.0.0/16", "EXCLUDE", "EXCLUDE", false},
		{"deny 239.1.0.0/16", "EXCLUDE", "INCLUDE", false},
		{"deny all from 2001:db8::/32", "EXCLUDE", "EXCLUDE", false},
		{"allow all from 2001:db8::1\ndeny all", "EXCLUDE", "INCLUDE", false},
		/* A list that does not fit: EXCLUDE stays. */
		{"allow all from 10.0.0.0-10.0.0.15\nallow all from 10.0.1.0-10.0.1.15\ndeny all", "EXCLUDE",
	         "EXCLUDE", true},
	};
	static const struct narrow_row ipv6[] = {
		{"deny all", "EXCLUDE", "INCLUDE", false},
		{"allow all from 2001:db8::1\ndeny all", "EXCLUDE", "INCLUDE 2001:db8::1", false},
		{"deny all from 2001:db8::1", "EXCLUDE", "EXCLUDE 2001:db8::1", false},
		{"deny all from 2001:db8::1", "INCLUDE 2001:db8::1", "INCLUDE", false},
		{"allow all from 2001:db8::/32\ndeny all", "EXCLUDE", "EXCLUDE", true},
		{"deny all from 2001:db8::/32", "EXCLUDE", "EXCLUDE", true},
		{"deny all from 2001:db8::/32", "INCLUDE 2001:db8::1 2001:db9::1", "INCLUDE 2001:db9::1",
	         false},
		{"deny all from 10.0.0.0/8", "EXCLUDE", "EXCLUDE", false},
		{"allow all from 10.0.0.0/8\ndeny all", "EXCLUDE", "INCLUDE", false},
		{"allow all from 10.0.0.0/8\nallow all from 2001:db8::1\ndeny all", "EXCLUDE",
	         "INCLUDE 2001:db8::1", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof ipv4 / sizeof *ipv4; i++) {
		check_narrow(&ipv4[i], "239.1.1.1");
		check_narrow(&ipv4[i], "239.1.1.1 by 192.168.1.1 in eth0");
	}
	for (size_t i = 0; i < sizeof ipv6 / sizeof *ipv6; i++)
		check_narrow(&ipv6[i], "ff3e::1");
}

static void rules_that_cannot_match_are_known(void **state)
{
	static const struct {
		const char *rules;
		unsigned dead; /* bits: rules that never match */
		bool denies_all;
	} rows[] = {
		{"", 0, false},
		{"allow all", 0, false},
		{"deny all\nallow 239.1.1.1", 2, true},
		{"deny 239.0.0.0/8\nallow 239.1.1.1\ndeny all", 2, true},
		{"allow 239.1.1.1\nallow 239.1.1.1 from 10.0.0.1", 2, false},
		{"allow 239.1.1.1 from 10.0.0.1\nallow 239.1.1.1", 0, false},
		{"deny 239.1.1.1 by 10.0.0.1\nallow 239.1.1.1", 0, false},
		{"deny 239.1.1.1 in eth0\ndeny 239.1.1.1 in eth1\ndeny 239.1.1.1 in eth0", 0, false},
		{"deny 224.0.0.0/4\ndeny ff00::/8\nallow all", 4, true},
		{"deny 239.0.0.0/9\ndeny 239.128.0.0/9\nallow 239.200.0.1", 4, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct policy_world world;

		world_init(&world, rows[i].rules);
		for (uint32_t rule = 0; rule < world.rule_count; rule++)
			if (policy_rule_can_match(world.policy, rule) == (rows[i].dead >> rule & 1))
				fail_msg("%s: rule %u", rows[i].rules, rule + 1);
		assert_int_equal(policy_allows_something(world.policy), !rows[i].denies_all);
		world_fini(&world);
	}
}

static void the_same_rules_with_the_same_sets_are_equal(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} rows[] = {
		{"", "", true},
		{"allow all", "allow all", true},
		{"allow all", "deny all", false},
		{"allow 239.1.1.1\ndeny all", "allow 239.1.1.1\ndeny all", true},
		{"allow 239.1.1.1\ndeny all", "allow 239.1.1.2\ndeny all", false},
		{"allow 239.1.1.1\ndeny all", "allow 239.1.1.1", false},
		{"allow 239.1.1.1\nallow 239.1.1.2", "allow 239.1.1.2\nallow 239.1.1.1", false},
		{"deny all in eth0", "deny all in eth0", true},
		{"deny all in eth0", "deny all in eth1", false},
		/* The texts of these rules are the same. */
		{"tv = 239.1.0.0/16\ndeny tv", "tv = 239.1.0.0/16\ndeny tv", true},
		{"tv = 239.1.0.0/16\ndeny tv", "tv = 239.2.0.0/16\ndeny tv", false},
		{"tv = 224.0.0.0/4\ndeny tv", "tv = 239.0.0.0/8\ndeny tv", false},
		{"tv = 239.1.0.0/16\ndeny tv", "tv = 239.1.0.0/16 239.3.0.0/16\ndeny tv", false},
		{"tv = 10.0.0.1\ndeny all from tv", "tv = 10.0.0.1\ndeny all from tv", true},
		{"tv = 10.0.0.1\ndeny all from tv", "tv = 10.0.0.2\ndeny all from tv", false},
		{"tv = 10.0.0.1\ndeny all by tv", "tv = 10.0.0.2\ndeny all by tv", false},
		{"tv = ff05::/16\ndeny tv", "tv = ff08::/16\ndeny tv", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct policy_world a, b;

		world_init(&a, rows[i].a);
		world_init(&b, rows[i].b);
		if (policy_equal(a.policy, b.policy) != rows[i].equal ||
		    policy_equal(b.policy, a.policy) != rows[i].equal)
			fail_msg("%s / %s", rows[i].a, rows[i].b);
		world_fini(&a);
		world_fini(&b);
	}
}

static uint32_t nodes_of(unsigned groups)
{
	static struct policy_rule rules[301];
	struct policy_sets sets;
	enum policy_failure failure;
	struct policy *policy;
	char text[64], error[POLICY_ERROR_SIZE];
	uint32_t nodes;

	sets_init(&sets);
	for (unsigned i = 0; i < groups; i++) {
		snprintf(text, sizeof text, "allow 239.1.%u.%u", i / 100, 2 * (i % 100));
		assert_true(rule_parse(text, i + 1, &sets, &rules[i], error));
	}
	assert_true(rule_parse("deny all from 10.0.0.1", groups + 1, &sets, &rules[groups], error));
	policy = policy_new(rules, groups + 1, &failure);
	assert_non_null(policy);
	sets_fini(&sets);
	nodes = policy->tree.node_count;
	policy_release(policy);
	return nodes;
}

/* What lies between the groups is one subtree, however many groups there are. */
static void equal_subtrees_exist_once(void **state)
{
	static const unsigned groups[] = {1, 2, 10, 300};

	(void)state;
	for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
		assert_int_equal(nodes_of(groups[i]), 8 + 2 * groups[i]);
}

static void different_links_are_limited(void **state)
{
	struct policy_rule rules[POLICY_LINKS_MAX + 1] = {0};
	enum policy_failure failure;
	struct policy *policy;

	(void)state;
	for (unsigned i = 0; i <= POLICY_LINKS_MAX; i++) {
		snprintf(rules[i].in, sizeof rules[i].in, "eth%u", i);
		rules[i].text = strdup("allow all");
	}
	policy = policy_new(rules, POLICY_LINKS_MAX, &failure);
	assert_non_null(policy);
	assert_int_equal(policy_entry(policy, "eth63"), UINT64_C(1) << 63);
	policy_release(policy);
	for (unsigned i = 0; i < POLICY_LINKS_MAX; i++)
		rules[i].text = strdup("allow all");
	assert_null(policy_new(rules, POLICY_LINKS_MAX + 1, &failure));
	assert_int_equal(failure, POLICY_TOO_MANY_LINKS);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_rule_that_matches_decides),
		cmocka_unit_test(source_filters_are_narrowed),
		cmocka_unit_test(rules_that_cannot_match_are_known),
		cmocka_unit_test(the_same_rules_with_the_same_sets_are_equal),
		cmocka_unit_test(equal_subtrees_exist_once),
		cmocka_unit_test(different_links_are_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
