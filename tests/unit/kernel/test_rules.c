/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Policy rules of both families on the real kernel.
 */
#include "kernel/rules.h"

#include "kernel/mrt.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "support/craft.h"
#include "support/lab.h"

static struct rules *open_rules(void)
{
	struct rules *rules = NULL;

	assert_int_equal(rules_open(&rules), 0);
	return rules;
}

static void note_rule(void *context, const struct rule *rule)
{
	char *text = context;
	size_t length = strlen(text);

	snprintf(text + length, 256 - length, " %s%s>%u", rule->output ? "out " : "", rule->interface,
	         rule->table);
}

static void assert_rules(struct rules *rules, enum family family, const char *expected)
{
	char text[256] = "";

	assert_int_equal(rules_list(rules, family, note_rule, text), 0);
	assert_string_equal(text, expected);
}

static void rules_come_and_go(void **state)
{
	struct rules *rules;

	(void)state;
	LAB_OR_SKIP();
	rules = open_rules();
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++) {
		struct rule input = {.family = family, .interface = "eth0", .table = 300};
		struct rule output = {
			.family = family, .output = true, .interface = "fifteen-letters", .table = 999999999};

		assert_rules(rules, family, "");
		assert_int_equal(rules_delete(rules, &input), -ENOENT);
		assert_int_equal(rules_add(rules, &input), 0);
		assert_int_equal(rules_add(rules, &output), 0);
		assert_int_equal(rules_add(rules, &input), -EEXIST);
		assert_rules(rules, family, " eth0>300 out fifteen-letters>999999999");
		assert_int_equal(rules_delete(rules, &input), 0);
		assert_rules(rules, family, " out fifteen-letters>999999999");
		assert_int_equal(rules_delete(rules, &output), 0);
		assert_rules(rules, family, "");
	}
	rules_close(rules);
}

/* Priority and protocol make a rule ours. */
static void rules_of_others_are_not_told(void **state)
{
	struct rule ours = {.family = FAMILY_IPV6, .interface = "eth0", .table = 7};
	struct rules *rules;

	(void)state;
	LAB_OR_SKIP();
	rules = open_rules();
	lab_run("ip -6 mrule add iif eth0 table 7 priority 4605");
	lab_run("ip -6 mrule add iif eth0 table 7 priority 4606 protocol 17");
	assert_rules(rules, FAMILY_IPV6, "");
	assert_int_equal(rules_delete(rules, &ours), -ENOENT);
	assert_int_equal(rules_add(rules, &ours), 0);
	assert_rules(rules, FAMILY_IPV6, " eth0>7");
	assert_int_equal(rules_delete(rules, &ours), 0);
	assert_true(lab_holds("test $(ip -6 mrule | grep -c eth0) = 2"));
	rules_close(rules);
}

static void more_rules_than_a_part_of_a_dump_holds(void **state)
{
	char text[256] = "";
	struct rules *rules;
	struct rule rule = {.interface = "eth0"};

	(void)state;
	LAB_OR_SKIP();
	rules = open_rules();
	for (rule.table = 1000; rule.table < 1500; rule.table++)
		assert_int_equal(rules_add(rules, &rule), 0);
	assert_int_equal(rules_list(rules, FAMILY_IPV4, note_rule, text), 0);
	for (rule.table = 1000; rule.table < 1500; rule.table++)
		assert_int_equal(rules_delete(rules, &rule), 0);
	assert_rules(rules, FAMILY_IPV4, "");
	rules_close(rules);
}

static void table_is_owned_while_its_router_runs(void **state)
{
	(void)state;
	LAB_OR_SKIP();
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++) {
		struct mrt *mrt;

		assert_false(mrt_is_owned(family, 300));
		assert_int_equal(mrt_open(&mrt, family, 300), 0);
		assert_true(mrt_is_owned(family, 300));
		assert_false(mrt_is_owned(family, 301));
		mrt_close(mrt);
		assert_false(mrt_is_owned(family, 300));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_come_and_go),
		cmocka_unit_test(rules_of_others_are_not_told),
		cmocka_unit_test(more_rules_than_a_part_of_a_dump_holds),
		cmocka_unit_test(table_is_owned_while_its_router_runs),
	};

	return cmocka_run_group_tests(tests, lab_open, NULL);
}
