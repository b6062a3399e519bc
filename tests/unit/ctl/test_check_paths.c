/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What `check` finds in a configuration: the ways of a stream, and where the group is joined.
 */
#include "ctl/check_paths.h"

#include "ctl/client/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/config_file.h"

static const char text[] =
	"sets = { tv = [ \"239.35.0.0/16\", \"ff3e::/32\" ];\n"
	"guests = [ \"192.168.9.0/24\", \"52:54:00:aa:bb:cc\", \"fe80::9\" ]; };\n"
	"instances = ( { upstream = ( { name = \"iptv0\"; filter_in = [ \"allow tv\",\n\"deny all\" ]; },\n"
	"{ name = \"wan*\"; filter_in = [ \"allow 233.0.0.0/8 from 198.51.100.0/24\",\n\"deny 239.0.0.0/8\" ]; } );\n"
	"upstream_choice = \"%s\";\n"
	"downstream = ( { name = \"lan0\"; filter_out = [ \"deny tv by guests\",\n"
	"\"allow tv in iptv0\",\n\"deny all in wan1\" ]; }, \"lan1\" ); } );";

static size_t put_paths(char *out, size_t size, struct json_object *instance)
{
	struct json_object *paths = answer_member(instance, "paths");
	size_t used = 0;

	for (size_t i = 0; i < answer_length(paths); i++) {
		struct json_object *path = json_object_array_get_idx(paths, i);
		struct json_object *in = answer_member(path, "filter_in");
		struct json_object *filter_out = answer_member(path, "filter_out");

		used += (size_t)snprintf(out + used, size - used, "%s>%s %s %.0f %.0f\n",
		                         answer_text(path, "from"), answer_text(path, "to"),
		                         answer_text(path, "decision"), answer_number(in, "line"),
		                         answer_number(filter_out, "line"));
	}
	return used;
}

/* "from>to decision LINE LINE", with the lines of the rules in filter_in and filter_out, then "link for link". */
static const char *check(const char *choice, const char *group, const char *source, const char *host,
                         const char *in)
{
	static char out[2048];
	char file[2048];
	struct check_question question = {.in = in, .path = "c"};
	struct json_object *root, *joined, *instance;
	struct config *config;
	size_t used;

	assert_true(addr_parse(group, &question.subject.group));
	question.subject.host = addr_unspecified(addr_family(&question.subject.group));
	if (host != NULL)
		assert_true(decision_read_host(host, &question.subject));
	if (source != NULL)
		assert_true(addr_parse(source, &question.subject.source));
	question.subject.has_source = source != NULL;
	snprintf(file, sizeof file, text, choice);
	config = load_good(file);
	root = check_paths(config, &question);
	instance = json_object_array_get_idx(answer_member(root, "instances"), 0);
	out[0] = '\0';
	used = put_paths(out, sizeof out, instance);
	joined = answer_member(instance, "joined");
	for (size_t i = 0; i < answer_length(joined); i++) {
		struct json_object *one = json_object_array_get_idx(joined, i);

		used += (size_t)snprintf(out + used, sizeof out - used, "%s for %s\n",
		                         answer_text(one, "link"), answer_text(one, "for"));
	}
	json_object_put(root);
	config_free(config);
	return out;
}

static void each_way_names_its_rules(void **state)
{
	(void)state;
	assert_string_equal(check("first", "239.35.1.1", NULL, NULL, NULL),
	                    "iptv0>lan0 allowed 3 9\n"
	                    "iptv0>lan1 allowed 3 0\n"
	                    "wan*>lan0 denied 6 0\n"
	                    "wan*>lan1 denied 6 0\n"
	                    "iptv0 for lan0\niptv0 for lan1\n");
	assert_string_equal(check("first", "ff3e::1", NULL, NULL, NULL), "iptv0>lan0 allowed 3 9\n"
	                                                                 "iptv0>lan1 allowed 3 0\n"
	                                                                 "wan*>lan0 allowed 0 0\n"
	                                                                 "wan*>lan1 allowed 0 0\n"
	                                                                 "iptv0 for lan0\niptv0 for lan1\n");
}

static void hosts_are_looked_at_on_the_way_down(void **state)
{
	static const char *const hosts[] = {"192.168.9.7", "52:54:00:AA:BB:CC"};

	(void)state;
	for (size_t i = 0; i < 2; i++)
		assert_string_equal(check("first", "239.35.1.1", NULL, hosts[i], "iptv0"),
		                    "iptv0>lan0 denied 3 8\niptv0>lan1 allowed 3 0\niptv0 for lan1\n");
	assert_string_equal(check("first", "ff3e::1", NULL, "fe80::9", "iptv0"),
	                    "iptv0>lan0 denied 3 8\niptv0>lan1 allowed 3 0\n"
	                    "iptv0 for lan1\n");
}

static void the_choice_is_that_of_the_instance(void **state)
{
	(void)state;
	assert_string_equal(check("all", "ff3e::1", NULL, NULL, "iptv0"),
	                    "iptv0>lan0 allowed 3 9\niptv0>lan1 allowed 3 0\n"
	                    "iptv0 for lan0\nwan* for lan0\niptv0 for lan1\nwan* for lan1\n");
	assert_string_equal(check("mutex", "239.35.1.1", NULL, NULL, "iptv0"),
	                    "iptv0>lan0 allowed 3 9\niptv0>lan1 allowed 3 0\n"
	                    "iptv0 for lan0\niptv0 for lan1\n");
}

static void sources_decide(void **state)
{
	(void)state;
	assert_string_equal(check("first", "233.1.1.1", "198.51.100.9", NULL, "wan1"),
	                    "wan1>lan0 denied 5 10\nwan1>lan1 allowed 5 0\n"
	                    "wan* for lan0\nwan* for lan1\n");
	assert_string_equal(check("first", "239.2.1.1", "198.51.100.9", NULL, NULL),
	                    "iptv0>lan0 denied 4 0\niptv0>lan1 denied 4 0\n"
	                    "wan*>lan0 denied 6 0\nwan*>lan1 denied 6 0\n");
}

static void streams_of_the_lan_go_up_too(void **state)
{
	(void)state;
	assert_string_equal(check("first", "239.255.255.250", NULL, NULL, "lan1"),
	                    "lan1>iptv0 denied 0 0\nlan1>wan* denied 0 0\nlan1>lan0 allowed 0 0\n");
	assert_string_equal(check("first", "239.1.1.1", NULL, NULL, "lan1"),
	                    "lan1>iptv0 allowed 0 0\nlan1>wan* allowed 0 0\nlan1>lan0 allowed 0 0\n");
	assert_string_equal(check("first", "239.2.1.1", NULL, NULL, "eth7"), "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_way_names_its_rules),
		cmocka_unit_test(hosts_are_looked_at_on_the_way_down),
		cmocka_unit_test(the_choice_is_that_of_the_instance),
		cmocka_unit_test(sources_decide),
		cmocka_unit_test(streams_of_the_lan_go_up_too),
	};

	return cmocka_run_group_tests(tests, enter_directory, leave_directory);
}
