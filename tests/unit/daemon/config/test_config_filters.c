/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `sets`, `filter_in` and `filter_out` in a configuration: levels, the default, errors, and what a reload shares.
 */
#include "core/policy/policy.h"
#include "support/config_file.h"
#include "support/craft.h"

/* The rules of a filter, one after the other with commas between; "-" without a filter. */
static const char *rules_of(const struct policy *policy)
{
	static char text[512];
	size_t used = 0;

	if (policy == NULL)
		return "-";
	text[0] = '\0';
	for (uint32_t i = 0; i < policy_rule_count(policy); i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i > 0 ? ", " : "",
		                         policy_rule(policy, i)->text);
	return text;
}

static void each_level_replaces_the_one_around_it(void **state)
{
	static const struct {
		const char *text, *up_in, *up_out, *down_in, *down_out;
	} rows[] = {
		{"instances = ( \"a ==> b\" );", "deny discovery", "deny discovery", "-", "-"},
		{"a ==> b\n", "deny discovery", "deny discovery", "-", "-"},
		{"filter_out = \"deny all\"; instances = ( \"a ==> b\" );", "deny discovery", "deny all", "-",
	         "deny all"},
		{"filter_in = [ \"default\", \"deny ssm\" ]; instances = ( \"a ==> b\" );",
	         "deny discovery, deny ssm", "deny discovery", "deny ssm", "-"},
		{"filter_in = [ ]; instances = ( { upstream = \"a\"; downstream = \"b\"; filter_out = [ \"deny ssm\" ]; } );",
	         "", "deny ssm", "", "deny ssm"},
		{"filter_in = \"deny all\"; instances = ( { upstream = { name = \"a\"; filter_in = \"default\"; }; "
	         "downstream = { name = \"b\"; filter_in = \"default\"; filter_out = ( { action = \"allow\"; what = \"ssm\"; from "
	         "= \"10.0.0.0/8\"; by = \"10.0.0.1\"; in = \"a\"; } ); }; } );",
	         "deny discovery", "deny discovery", "", "allow ssm from 10.0.0.0/8 by 10.0.0.1 in a"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct config *config = load_good(rows[i].text);
		const struct link_settings *up = &config->instances[0].upstream[0].settings;
		const struct link_settings *down = &config->instances[0].downstream[0].settings;

		assert_string_equal(rules_of(up->filter_in), rows[i].up_in);
		assert_string_equal(rules_of(up->filter_out), rows[i].up_out);
		assert_string_equal(rules_of(down->filter_in), rows[i].down_in);
		assert_string_equal(rules_of(down->filter_out), rows[i].down_out);
		config_free(config);
	}
}

static void errors_name_the_place_and_the_reason(void **state)
{
	static const struct error_row rows[] = {
		{"sets = 5; instances = ( \"a ==> b\" );",
	         "test.conf:1: sets: a group is expected, such as { tv = [ \"239.35.0.0/16\" ]; }"},
		{"sets = {\n tv = [ \"239.35.0.0/33\" ];\n}; instances = ( \"a ==> b\" );",
	         "test.conf:2: tv: 239.35.0.0/33: its prefix length is not a number from 0 to 32"},
		{"sets = {\n tv = [ 5 ];\n}; instances = ( \"a ==> b\" );",
	         "test.conf:2: tv: a member of a set is a string: an address, a prefix, a range, a MAC address or the name of "
	         "another set"},
		{"sets = { discovery = \"239.1.1.1\"; }; instances = ( \"a ==> b\" );",
	         "test.conf:1: discovery: discovery: there is a built-in set of this name"},
		{"filter_in = [ \"deny all\",\n \"alow tv\" ]; instances = ( \"a ==> b\" );",
	         "test.conf:2: filter_in: alow: a rule begins with `allow` or `deny`"},
		{"filter_in = [ 1 ]; instances = ( \"a ==> b\" );",
	         "test.conf:1: filter_in: a rule is a string such as \"deny all\", or a group { action = ...; }"},
		{"filter_in = ( { action = \"deny\"; when = \"all\"; } ); instances = ( \"a ==> b\" );",
	         "test.conf:1: when: a rule has the keys action, what, from, by and in"},
		{"filter_in = ( { action = \"deny\"; what = 5; } ); instances = ( \"a ==> b\" );",
	         "test.conf:1: what: a string is expected"},
		{"upstream_choice = \"best\"; instances = ( \"a ==> b\" );",
	         "test.conf:1: upstream_choice: \"first\", \"all\" or \"mutex\" is expected"},
	};

	(void)state;
	check_errors(rows, COUNT(rows));
}

static void equal_filters_are_shared_at_a_reload(void **state)
{
	static const char text[] = "filter_in = \"deny ssm\"; instances = ( \"a ==> b\" );";
	struct config *running = load_good(text), *same = load_good(text);
	struct config *other = load_good("filter_in = \"deny all\"; instances = ( \"a ==> b\" );");
	const struct policy *filter = running->instances[0].upstream[0].settings.filter_in;
	struct addr group = addr_of("232.1.1.1");

	(void)state;
	config_filters_share(same, running);
	config_filters_share(other, running);
	assert_ptr_equal(same->instances[0].upstream[0].settings.filter_in, filter);
	assert_ptr_not_equal(other->instances[0].upstream[0].settings.filter_in, filter);
	assert_ptr_equal(other->instances[0].upstream[0].settings.filter_out,
	                 running->instances[0].upstream[0].settings.filter_out);
	config_free(running);
	assert_true(policy_may_deny(filter, &group)); /* still held */
	config_free(same);
	config_free(other);
}

static void each_rule_has_its_line(void **state)
{
	struct config *config = load_good("filter_in = [\n\"deny ssm\",\n\"allow ssm\" # \"allow\n\n];\n"
	                                  "filter_out =\n\"deny all\"\n;\ninstances = ( \"a ==> b\" );");
	const struct link_settings *link = &config->instances[0].downstream[0].settings;

	(void)state;
	assert_int_equal(policy_rule(link->filter_in, 0)->line, 2);
	assert_int_equal(policy_rule(link->filter_in, 1)->line, 3);
	assert_int_equal(policy_rule(link->filter_out, 0)->line, 6); /* of the setting */
	config_free(config);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_level_replaces_the_one_around_it),
		cmocka_unit_test(each_rule_has_its_line),
		cmocka_unit_test(errors_name_the_place_and_the_reason),
		cmocka_unit_test(equal_filters_are_shared_at_a_reload),
	};

	return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
