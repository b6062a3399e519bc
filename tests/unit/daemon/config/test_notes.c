/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Notes name each link whose interface is missing, in order, and no pattern.
 */
#include "daemon/config/notes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/config_file.h"

static bool examine(void *context, const char *name, char note[CONFIG_NOTE_SIZE])
{
	(void)context;
	if (strcmp(name, "eth0") == 0)
		return false;
	config_note_missing(name, note);
	return true;
}

static void take(void *context, const char *note)
{
	strcat(context, note);
	strcat(context, "\n");
}

static void missing_interfaces_are_noted(void **state)
{
	char *lines[] = {(char[]){"eth0 ==> eth1 tun*"}, (char[]){"eth2 ==> eth3"}};
	char error[CONFIG_ERROR_SIZE], text[512] = "";
	struct config *config = config_from_lines(lines, 2, error);

	(void)state;
	assert_non_null(config);
	config_notes_make(config, &(struct config_notes){.examine = examine, .take = take, .context = text});
	assert_string_equal(text, "eth1: there is no such interface now; mcproxy will wait for it\n"
	                          "eth2: there is no such interface now; mcproxy will wait for it\n"
	                          "eth3: there is no such interface now; mcproxy will wait for it\n");
	config_free(config);
}

static bool is_there(void *context, const char *name, char note[CONFIG_NOTE_SIZE])
{
	(void)context;
	(void)name;
	(void)note;
	return false;
}

/* The notes on a file, of which the path is "c". */
static void assert_notes(const char *text, const char *notes)
{
	char found[2048] = "";
	struct config *config = load_good(text);

	config_notes_make(config, &(struct config_notes){
					  .path = "c", .examine = is_there, .take = take, .context = found});
	assert_string_equal(found, notes);
	config_free(config);
}

#define LINKS "instances = ( { upstream = \"eth0\"; downstream = [ \"eth1\", \"eth2\" ];"

static void rules_that_never_match_are_noted_once(void **state)
{
	(void)state;
	assert_notes(LINKS "filter_out = [ \"deny 239.1.0.0/16\",\n\"allow 239.1.1.1\",\n"
	                   "\"deny all by 10.0.0.1\",\n\"deny ff3e::1 by 52:54:00:00:00:01\" ];\n} );",
	             "c:2: \"allow 239.1.1.1\" can never match: rules before it match all that it matches; "
	             "move it up, or remove it\n");
}

static void a_rule_that_matches_at_one_link_is_not_noted(void **state)
{
	(void)state;
	/* `default` denies discovery upstream only. */
	assert_notes(LINKS "filter_out = [ \"default\",\n\"deny discovery\" ]; } );", "");
	assert_notes(LINKS "} );", "");
}

static void hosts_in_filter_in_are_noted(void **state)
{
	(void)state;
	assert_notes(LINKS "\nfilter_in = [ \"deny 239.1.1.1 by 10.0.0.1\" ]; } );",
	             "c:2: \"deny 239.1.1.1 by 10.0.0.1\": filter_in sees no hosts; move a rule with `by` to "
	             "filter_out\n");
}

static void links_that_do_not_exist_are_noted(void **state)
{
	(void)state;
	assert_notes(
		LINKS
		"filter_out = [ \"deny all in eth0\", \"deny all in eth*\",\n\"deny all in ppp0\" ]; } );",
		"c:2: \"deny all in ppp0\" can never match: no instance has a link ppp0; after `in`, put the "
		"name of an interface or a pattern\n");
	assert_notes(
		"instances = ( { upstream = [ \"ppp*\", \"eth0\" ]; downstream = \"eth1\";\n"
		"filter_out = [ \"deny all in ppp7\", \"deny all in p*\",\n\"deny all in tun0\" ]; } );",
		"c:3: \"deny all in tun0\" can never match: no instance has a link tun0; after `in`, put the "
		"name of an interface or a pattern\n");
	assert_notes("instances = ( { upstream = \"@10.0.0.0/8\"; downstream = \"eth1\";\n"
	             "filter_out = [ \"deny all in tun0\" ]; } );",
	             "");
}

static void filters_that_deny_everything_are_noted(void **state)
{
	(void)state;
	assert_notes(
		"instances = ( { upstream = { name = \"eth0\";\nfilter_in = [ \"deny all\" ]; };\n"
		"downstream = { name = \"eth1\";\nfilter_out = [ \"deny 0.0.0.0/0\",\n\"deny ::/0\" ]; }; } "
		");",
		"c:2: the filter_in of eth0 denies everything: no stream enters by the link; put a rule that "
		"allows some before it\n"
		"c:4: the filter_out of eth1 denies everything: no stream leaves by the link; put a rule that "
		"allows some before it\n");
}

/* One-way links: nothing that hosts send goes anywhere. */
static void filters_that_deny_all_streams_of_hosts_are_not_noted(void **state)
{
	(void)state;
	assert_notes("instances = ( { upstream = { name = \"eth0\"; filter_out = [ \"deny all\" ]; };\n"
	             "downstream = { name = \"eth1\"; filter_in = [ \"deny all\" ]; }; } );",
	             "");
	/* The same rules in the other direction. */
	assert_notes(
		"instances = ( { upstream = { name = \"eth0\"; filter_out = [ \"deny all\" ]; };\n"
		"downstream = { name = \"eth1\"; filter_out = [ \"deny all\" ]; }; } );",
		"c:2: the filter_out of eth1 denies everything: no stream leaves by the link; put a rule that "
		"allows some before it\n");
}

static void unused_sets_are_noted(void **state)
{
	(void)state;
	assert_notes("sets = { tv = [ \"239.1.0.0/16\" ];\nradio = \"239.2.0.0/16\"; };\n" LINKS
	             "filter_out = [ \"deny tv\", \"deny ssm\" ]; } );",
	             "c:2: no rule uses the set radio; name it in a rule, or remove it\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(missing_interfaces_are_noted),
		cmocka_unit_test(rules_that_never_match_are_noted_once),
		cmocka_unit_test(a_rule_that_matches_at_one_link_is_not_noted),
		cmocka_unit_test(hosts_in_filter_in_are_noted),
		cmocka_unit_test(links_that_do_not_exist_are_noted),
		cmocka_unit_test(filters_that_deny_everything_are_noted),
		cmocka_unit_test(filters_that_deny_all_streams_of_hosts_are_not_noted),
		cmocka_unit_test(unused_sets_are_noted),
	};

	return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
