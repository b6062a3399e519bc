/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The configuration in libconfig's form: errors, and their texts.
 */
#include "daemon/config/options.h"
#include "support/config_file.h"

#define F     "test.conf:"
#define GOOD  "instances = ( \"a ==> b\" );"
#define RANGE "\"none\", or a prefix of each family such as \"232.0.0.0/8\" is expected"
#define SOURCE                                                                                               \
	"\"auto\", a unicast IPv4 address, or a link-local IPv6 address such as \"fe80::1\" is expected"
#define ITS(settings) "instances = ( { upstream = \"a\"; downstream = \"b\";\n" settings " } );"
#define LINKS(settings)                                                                                      \
	"instances = ( { upstream = \"a\"; downstream = ( { name = \"b\";\n" settings " } ); } );"

static void errors_in_options(void **state)
{
	static const struct error_row rows[] = {
		{GOOD "\n\n\nquery_intervall = 3;",
	         F "4: query_intervall: unknown option; did you mean query_interval?"},
		{GOOD "\nquery-interval = 3;",
	         F "2: query-interval: unknown option; did you mean query_interval?"},
		{GOOD "\nRobustnes = 3;", F "2: Robustnes: unknown option; did you mean robustness?"},
		{GOOD "\nphyint = 3;", F "2: phyint: unknown option"},
		{"instance = \"a ==> b\";", F "1: instance: unknown option; did you mean instances?"},
		{GOOD "\nthis_key_is_longer_than_any_sensible_key_ever_was = 3;",
	         F "2: this_key_is_longer_than_any_sens: unknown option"},
		{ITS("downstreams = \"c\";"), F "2: downstreams: unknown option; did you mean downstream?"},
		{LINKS("fast_leav = true;"), F "2: fast_leav: unknown option; did you mean fast_leave?"},
		{GOOD "\nupstream = \"a\";", F "2: upstream: belongs in an instance, not here"},
		{GOOD "\nname = \"a\";", F "2: name: belongs in an instance or a link, not here"},
		{GOOD "\nowner_priority = 21;",
	         F "2: owner_priority: \"auto\", or a whole number from 0 to 20 is expected"},
		{GOOD "\nowner_priority = -1;",
	         F "2: owner_priority: \"auto\", or a whole number from 0 to 20 is expected"},
		{ITS("ring_size = 8;"), F "2: ring_size: belongs at the top level, not here"},
		{GOOD "\nuser = \"\";", F "2: user: the name of a user is expected"},
		{GOOD "\ngroup = \"a234567890123456789012345678901234567890\";",
	         F "2: group: the name of a group is expected"},
		{ITS("user = \"x\";"), F "2: user: belongs at the top level, not here"},
		{ITS("status_file = \"x\";"), F "2: status_file: belongs at the top level, not here"},
		{ITS("instances = ();"), F "2: instances: belongs at the top level, not here"},
		{LINKS("memory_max = 8;"),
	         F "2: memory_max: belongs at the top level or in an instance, not here"},
		{LINKS("protocol = \"IGMPv2\";"),
	         F "2: protocol: belongs at the top level or in an instance, not here"},
		{GOOD "\nquery_interval = \"30\";",
	         F "2: query_interval: a number of seconds is expected, not a string"},
		{GOOD "\nquery_interval = true;",
	         F "2: query_interval: a number of seconds is expected, not true or false"},
		{GOOD "\nquery_interval = ( 3 );",
	         F "2: query_interval: a number of seconds is expected, not a list"},
		{GOOD "\nquery_interval = [ 3 ];",
	         F "2: query_interval: a number of seconds is expected, not an array"},
		{GOOD "\nquery_interval = { };",
	         F "2: query_interval: a number of seconds is expected, not a group"},
		{GOOD "\nrobustness = 2.0;",
	         F "2: robustness: a whole number is expected, not a number with a fraction"},
		{GOOD "\nfast_leave = 1;", F "2: fast_leave: true or false is expected, not a number"},
		{GOOD "\nfast_leave = \"yes\";", F "2: fast_leave: true or false is expected, not a string"},
		{GOOD "\nmemory_max = \"64 MB\";", F
	         "2: memory_max: a number of bytes, or a string such as \"64M\" is expected, not \"64 MB\""},
		{GOOD "\nmemory_max = 1e6;", F "2: memory_max: a number of bytes, or a string such as "
	                                       "\"64M\" is expected, not a number with a fraction"},
		{GOOD "\ntable = 0;",
	         F "2: table: \"own\", \"default\", or a number from 1 to 999999999 except "
	           "253 to 255 is expected"},
		{GOOD "\ntable = 1000000000;", F "2: table: \"own\", \"default\", or a number from 1 to "
	                                         "999999999 except 253 to 255 is expected"},
		{GOOD "\ntable = 254;", F "2: table: \"own\", \"default\", or a number from 1 to 999999999 "
	                                  "except 253 to 255 is expected"},
		{GOOD "\ntable = -1;", F "2: table: \"own\", \"default\", or a number from 1 to 999999999 "
	                                 "except 253 to 255 is expected"},
		{GOOD "\ntable = \"100x\";", F "2: table: \"own\", \"default\", or a number from 1 to "
	                                       "999999999 except 253 to 255 is expected"},
		{GOOD "\ntable = \"\";", F "2: table: \"own\", \"default\", or a number from 1 to 999999999 "
	                                   "except 253 to 255 is expected"},
		{GOOD "\ntable = 1.5;", F "2: table: \"own\", \"default\", or a number from 1 to 999999999 "
	                                  "except 253 to 255 is expected"},
		{GOOD "\nupstream_membership = \"both\";",
	         F "2: upstream_membership: \"auto\", \"kernel\" or \"user\" is expected"},
		{GOOD "\nrouter_discovery = 1;",
	         F "2: router_discovery: true, false or \"auto\" is expected, not a number"},
		{GOOD "\nrouter_discovery = \"yes\";",
	         F "2: router_discovery: true, false or \"auto\" is expected, not \"yes\""},
		{GOOD "\nupstream_version = 2;", F "2: upstream_version: \"auto\", or a protocol of each "
	                                           "family such as \"IGMPv2\" is expected"},
		{GOOD "\noldest_version = \"auto\";", F "2: oldest_version: \"any\", or a protocol of each "
	                                                "family such as \"IGMPv2\" is expected"},
		{GOOD "\nupstream_version = [ \"IGMPv2\", \"IGMPv4\" ];",
	         F "2: upstream_version: \"auto\", or a protocol of each family such as \"IGMPv2\" is "
	           "expected"},
		{GOOD "\nssm_range = \"232.0.0.0\";", F "2: ssm_range: " RANGE},
		{GOOD "\nssm_range = \"232.0.0.0/33\";", F "2: ssm_range: " RANGE},
		{GOOD "\nssm_range = \"10.0.0.0/8\";", F "2: ssm_range: " RANGE},
		{GOOD "\nssm_range = \"ff30::/129\";", F "2: ssm_range: " RANGE},
		{GOOD "\nssm_range = \"232.0.0.0/8x\";", F "2: ssm_range: " RANGE},
		{GOOD "\nssm_range = \"/8\";", F "2: ssm_range: " RANGE},
		{GOOD "\nsource_address = \"224.0.0.1\";", F "2: source_address: " SOURCE},
		{GOOD "\nsource_address = \"0.0.0.0\";", F "2: source_address: " SOURCE},
		{GOOD "\nsource_address = \"fd00::1\";", F "2: source_address: " SOURCE},
		{GOOD "\nsource_address = \"eth0\";", F "2: source_address: " SOURCE},
		{GOOD "\nstatus_file = 3;", F "2: status_file: a string is expected, not a number"},
		{GOOD "\nstatus_file = \"\";", F "2: status_file: a file name is expected"},
	};

	(void)state;
	check_errors(rows, COUNT(rows));
}

static void values_out_of_range(void **state)
{
	static const struct {
		const char *setting, *range;
	} rows[] = {
		{"robustness = 0", "0 is out of range, which is 1 to 255"},
		{"robustness = 256", "256 is out of range, which is 1 to 255"},
		{"robustness = -1", "-1 is out of range, which is 1 to 255"},
		{"robustness = 258", "258 is out of range, which is 1 to 255"},
		{"query_interval = 0.999", "0.999 is out of range, which is 1 to 31744 seconds"},
		{"query_interval = 31744.1", "31744.1 is out of range, which is 1 to 31744 seconds"},
		{"query_interval = 1e300", "1e+300 is out of range, which is 1 to 31744 seconds"},
		{"query_interval = 1e999", "inf is out of range, which is 1 to 31744 seconds"},
		{"query_response_interval = 0", "0 is out of range, which is 0.1 to 3174.4 seconds"},
		{"query_response_interval = 3175", "3175 is out of range, which is 0.1 to 3174.4 seconds"},
		{"startup_query_interval = 0.0", "0 is out of range, which is 0.1 to 31744 seconds"},
		{"startup_query_interval = 31745", "31745 is out of range, which is 0.1 to 31744 seconds"},
		{"startup_query_count = 0", "0 is out of range, which is 1 to 255"},
		{"startup_query_count = 256", "256 is out of range, which is 1 to 255"},
		{"last_member_query_interval = 0.09", "0.09 is out of range, which is 0.1 to 3174.4 seconds"},
		{"last_member_query_interval = 9999", "9999 is out of range, which is 0.1 to 3174.4 seconds"},
		{"last_member_query_count = 0", "0 is out of range, which is 1 to 255"},
		{"last_member_query_count = 256", "256 is out of range, which is 1 to 255"},
		{"older_host_present_interval = 0", "0 is out of range, which is 1 to 86400 seconds"},
		{"older_host_present_interval = 86401", "86401 is out of range, which is 1 to 86400 seconds"},
		{"groups_max = 0", "0 is out of range, which is 1 to 16777216"},
		{"groups_max = 16777217", "16777217 is out of range, which is 1 to 16777216"},
		{"groups_max = 4294967297L", "4294967297 is out of range, which is 1 to 16777216"},
		{"unsolicited_report_interval = 0.05", "0.05 is out of range, which is 0.1 to 25 seconds"},
		{"leave_hold = 61", "61 is out of range, which is 0 to 60 seconds"},
		{"unsolicited_report_interval = 26", "26 is out of range, which is 0.1 to 25 seconds"},
		{"sources_max = 0", "0 is out of range, which is 1 to 4096"},
		{"sources_max = 4097", "4097 is out of range, which is 1 to 4096"},
		{"hosts_max = 0", "0 is out of range, which is 1 to 4096"},
		{"host_groups_max = 65537", "65537 is out of range, which is 0 to 65536"},
		{"ttl_threshold = 0", "0 is out of range, which is 1 to 255"},
		{"ttl_threshold = 256", "256 is out of range, which is 1 to 255"},
		{"hosts_max = 4097", "4097 is out of range, which is 1 to 4096"},
		{"routes_max = 0", "0 is out of range, which is 1 to 16777216"},
		{"routes_max = 16777217", "16777217 is out of range, which is 1 to 16777216"},
		{"route_timeout = 9", "9 is out of range, which is 10 to 86400 seconds"},
		{"route_timeout = 86401", "86401 is out of range, which is 10 to 86400 seconds"},
		{"ring_size = 2", "2 is out of range, which is 4 to 65536"},
		{"ring_size = 131072", "131072 is out of range, which is 4 to 65536"},
		{"ring_size = 1000", "1000 is not a power of two"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[256], expected[CONFIG_ERROR_SIZE];

		snprintf(text, sizeof text, GOOD "\n%s;", rows[i].setting);
		snprintf(expected, sizeof expected, F "2: %.*s: %s", (int)strcspn(rows[i].setting, " "),
		         rows[i].setting, rows[i].range);
		load_bad(text, expected);
	}
}

static void memory_out_of_range(void **state)
{
	static const char *const values[] = {"0",
	                                     "-1",
	                                     "65535",
	                                     "\"63K\"",
	                                     "\"0M\"",
	                                     "\"4096G\"",
	                                     "9223372036854775807L",
	                                     "\"99999999999999999999999999G\""};

	char error[CONFIG_ERROR_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(values); i++) {
		char file[256];

		snprintf(file, sizeof file, GOOD "memory_max = %s;", values[i]);
		assert_null(load_text(file, error));
		assert_non_null(strstr(error, " is out of range, which is 64K to "));
	}
	assert_null(load_text(GOOD "memory_max = \"63K\";", error));
	assert_non_null(strstr(error, " 63K is out of range"));
}

static void response_interval_is_less_than_query_interval(void **state)
{
	static const struct error_row rows[] = {
		{GOOD "\nquery_interval = 10;", F
	         "2: query_interval: query_response_interval (10 s) must be less than query_interval (10 s)"},
		{GOOD "\nquery_response_interval = 125;",
	         F "2: query_response_interval: query_response_interval (125 s) must be less than "
	           "query_interval (125 s)"},
		{"query_interval = 30;\n" LINKS("query_response_interval = 30.5;"),
	         F "3: query_response_interval: query_response_interval (30.5 s) must be less than "
	           "query_interval (30 s)"},
		{ITS("query_interval = 5;\nquery_response_interval = 6;"),
	         F "3: query_response_interval: query_response_interval (6 s) must be less than "
	           "query_interval (5 s)"},
	};

	(void)state;
	check_errors(rows, COUNT(rows));
	config_free(load_good("query_interval = 1; query_response_interval = 0.999;" GOOD));
}

#define SMALLEST "no instances; the smallest configuration is: instances = ( \"eth0 ==> eth1\" );"

static void errors_in_instances(void **state)
{
	static const struct error_row rows[] = {
		{"", F " " SMALLEST},
		{"# nothing\n", F " " SMALLEST},
		{"robustness = 3;\n", F " " SMALLEST},
		{"instances = ();", F " " SMALLEST},
		{"instances = 5;",
	         F "1: instances: a string such as \"eth0 ==> eth1\" or a group { upstream = ...; } is "
	           "expected, not a number"},
		{"instances = (\n ( \"a ==> b\" ) );",
	         F "2: instances: a string such as \"eth0 ==> eth1\" or a group { upstream = ...; } is "
	           "expected, not a list"},
		{"instances = (\n\"\" );",
	         F "2: instances: no ==> with blanks around it, as in \"eth0 ==> eth1\""},
		{"instances = (\n\"eth0 eth1\" );",
	         F "2: instances: no ==> with blanks around it, as in \"eth0 ==> eth1\""},
		{"instances = ( \"eth0==>eth1\" );",
	         F "1: instances: eth0==>eth1: a link's name cannot contain "
	           "'='; the two sides are written eth0 ==> eth1"},
		{"instances = ( \"==>\" );",
	         F "1: instances: an instance needs a downstream link, such as eth1 in \"eth0 ==> eth1\""},
		{"instances = ( \"eth0 ==>\" );",
	         F "1: instances: an instance needs a downstream link, such as eth1 in \"eth0 ==> eth1\""},
		{"instances = (\n{ upstream = \"eth0\"; } );",
	         F "2: instances: an instance needs a downstream link, such as eth1 in \"eth0 ==> eth1\""},
		{"instances = ( { upstream = [ ]; downstream = [ ]; } );",
	         F "1: instances: an instance needs a downstream link, such as eth1 in \"eth0 ==> eth1\""},
		{"instances = ( \"==> b\",\n\"a ==> b\" );", F
	         "2: instances: b: already a downstream link of instance b, and a link has one querier: remove "
	         "it from one of them"},
		{"instances = ( \"==> a b\",\n\"a ==> c\" );",
	         F "2: instances: a: already a downstream link of instance a, and upstream here: a link "
	           "has one role"},
		{"instances = ( \"a ==> b\",\n \"c ==>\" );",
	         F "2: instances: an instance needs a downstream link, such as eth1 in \"eth0 ==> eth1\""},
		{ITS("name = 3;"), F "2: name: a string is expected, not a number"},
		{ITS("name = \"\";"), F "2: name: the name of an instance is empty"},
		{ITS("name = \"a\\nb\";"), F "2: name: a?b: contains a control character"},
		{ITS("name = \"0123456789012345678901234567890123456789012345678901234567890123\";"),
	         F "2: name: 01234567890123456789...: longer than 63 characters"},
		{"instances = ( \"a ==> b\",\n{ name = \"a\"; upstream = \"c\"; downstream = \"d\"; } );",
	         F "2: name: another instance is named a"},
		{ITS("protocol = \"IGMPv4\";"),
	         F "2: protocol: IGMPv4: unknown; the protocols are IGMPv1, IGMPv2, IGMPv3, MLDv1, MLDv2"},
		{ITS("protocol = \"none\";"),
	         F "2: protocol: none: unknown; the protocols are IGMPv1, IGMPv2, IGMPv3, MLDv1, MLDv2"},
		{ITS("protocol = 2;"),
	         F "2: protocol: a string such as \"IGMPv3\" is expected, not a number"},
		{ITS("protocol = [ 2 ];"),
	         F "2: protocol: a string such as \"IGMPv3\" is expected, not a number"},
		{ITS("protocol = [ ];"), F "2: protocol: names no protocol"},
		{ITS("protocol = [ \"IGMPv2\",\n \"IGMPv3\" ];"),
	         F "3: protocol: IGMPv2 and IGMPv3 exclude each other; the newer version also serves "
	           "hosts that use an older one"},
	};

	(void)state;
	check_errors(rows, COUNT(rows));
}

static void errors_in_links(void **state)
{
	static const struct error_row rows[] = {
		{"instances = ( { upstream = 3; } );",
	         F "1: upstream: the name of a link or a group { name = ...; } is expected, not a number"},
		{"instances = ( { upstream = ( ( \"a\" ) ); } );",
	         F "1: upstream: the name of a link or a group { name = ...; } is expected, not a list"},
		{"instances = ( { upstream = \"a\"; downstream =\n(\n{ fast_leave = true; } ); } );",
	         F "3: downstream: a link needs a name, as in { name = \"eth1\"; }"},
		{"instances = ( { upstream = { name = 3; }; } );",
	         F "1: name: a string is expected, not a number"},
		{"instances = ( { upstream = \"\"; } );", F "1: upstream: the name of a link is empty"},
		{"instances = ( { upstream = \"a b\"; } );",
	         F "1: upstream: a b: a link's name cannot contain ' '; several links are a "
	           "list: ( \"eth1\", \"eth2\" )"},
		{"instances = ( { upstream = \"a/b\"; } );",
	         F "1: upstream: a/b: a link's name cannot contain '/'"},
		{"instances = ( { upstream = \"eth0:1\"; } );",
	         F "1: upstream: eth0:1: a link's name cannot contain ':'"},
		{"instances = ( { upstream = \"\\x1b[31m\"; } );",
	         F "1: upstream: ?[31m: a link's name cannot contain '?'"},
		{"instances = ( { upstream = \"..\"; } );", F "1: upstream: ..: not a link's name"},
		{"instances = ( \"eth0 ==> a-name-of-more-than-twenty-letters-or-even-of-more-than-sixty-three\" );",
	         F "1: instances: a-name-of-more-than-...: longer than 63 characters"},
		{"instances = ( { upstream = \"@02:00:00:00:00:01\"; } );",
	         F "1: upstream: @02:00:00:00:00:01: a MAC address is not an address of a link"},
		{"instances = ( { upstream = \"@fd00::/129\"; } );",
	         F "1: upstream: @fd00::/129: its prefix length is not a number from 0 to 128"},
		{"instances = ( { upstream = \"@\"; } );",
	         F "1: upstream: @: it is not an address, a prefix or a range"},
		{"instances = ( \"a ==> b c b\" );", F "1: instances: b: named twice"},
		{"instances = ( \"a a ==> b\" );", F "1: instances: a: named twice"},
		{"instances = ( \"a ==> b a\" );",
	         F "1: instances: a: both upstream and downstream: name it on one side"},
		{"instances = ( { upstream = \"a\";\ndownstream = (\n\"b\",\n\"b\" ); } );",
	         F "4: downstream: b: named twice"},
		{"instances = ( \"a ==> b\",\n\"c ==> d b\" );", F
	         "2: instances: b: already a downstream link of instance a, and a link has one querier: remove "
	         "it from one of them"},
		{"instances = ( \"a ==> b\",\n\"b ==> d\" );",
	         F "2: instances: b: already a downstream link of instance a, and upstream here: a link "
	           "has one role"},
		{"instances = ( \"a ==> b\",\n\"c ==> a\" );",
	         F "2: instances: a: already an upstream link of instance a, and downstream here: a link "
	           "has one role"},
		{"table = \"own\"; instances = ( \"a ==> b\",\n\"a ==> c\" );", F
	         "2: instances: a: already an upstream link of instance a, which has another table: give both "
	         "the same `table`"},
		{"instances = ( { upstream = \"a\"; downstream = \"b\"; table = 7; },\n"
	         "{ name = \"y\"; table = 8; upstream = \"a\"; downstream = \"c\"; } );",
	         F
	         "2: upstream: a: already an upstream link of instance a, which has another table: give both "
	         "the same `table`"},
		{"instances = ( { name = \"x\"; upstream = \"a\"; downstream = \"b\"; protocol = \"MLDv1\"; "
	         "},\n"
	         "\"c ==> b\" );",
	         F
	         "2: instances: b: already a downstream link of instance x, and a link has one querier: remove "
	         "it from one of them"},
	};

	(void)state;
	check_errors(rows, COUNT(rows));
}

#define ARROW "an instance is written: instances = ( \"eth0 ==> eth1\" );"

static void errors_of_syntax(void **state)
{
	static const struct error_row rows[] = {
		{GOOD "\nrobustness = 2;\nrobustness = 3;",
	         F "3: duplicate setting name in `robustness = 3;`"},
		{GOOD "\nname = \"x;\n\n", F "2: a string that begins here has no end"},
		{GOOD "\n\n/* x;\n\n", F "3: a comment that begins here has no end"},
		{GOOD "\nrobustness = 4294967298;",
	         F "2: 4294967298: the number is too large; a size can be written as in \"4096M\""},
		{GOOD "\nrobustness = 0x100000002;",
	         F "2: 0x100000002: the number is too large; a size can be written as in \"4096M\""},
		{GOOD "\nmemory_max = 99999999999999999999L;", F
	         "2: 99999999999999999999L: the number is too large; a size can be written as in \"4096M\""},
	};

	(void)state;
	check_errors(rows, COUNT(rows));
}

/* What libconfig calls a syntax error comes with the line and with what is probably wrong in it. */
static void syntax_errors_are_explained(void **state)
{
	static const char *const rows[][3] = {
		/* text, line that is shown, explanation */
		{"eth0 => eth1\n", "1: syntax error in `eth0 => eth1`", ARROW},
		{"# x\n\teth0 -> eth1", "2: syntax error in `eth0 -> eth1`", ARROW},
		{"instances = ( eth0 => eth1 );", "1: syntax error in `instances = ( eth0 => eth1 );`",
	         ARROW},
		{"eth0 eth1", "1: syntax error in `eth0 eth1`", "a = is missing after eth0"},
		{"\nrobustness 3;", "2: syntax error in `robustness 3;`", "a = is missing after robustness"},
		{"instances = ;", "1: syntax error in `instances = ;`", "a value is missing after the ="},
		{"robustness =", "1: syntax error in `robustness =`", "a value is missing after the ="},
		{"\n\n)", "3: syntax error in `)`", "this ) closes nothing"},
		{GOOD "\n}", "2: syntax error in `}`", "this } closes nothing"},
		{"instances = (\n\"a ==> b\",\n);", "3: syntax error in `);`",
	         "there is one comma too many before the )"},
		{"instances = (\n\"a ==> b\"\nrobustness = 3;", "3: syntax error in `robustness = 3;`",
	         "the ( of line 1 is not closed before this"},
		{"instances = (\n\"a ==> b\";\n", "2: syntax error in `\"a ==> b\";`",
	         "the ( of line 1 is not closed before this"},
		{"instances = (\n{ upstream = \"a\";\n);", "3: syntax error in `);`",
	         "the { of line 2 is not closed before this )"},
		{"instances = (\n{ upstream = \"a\";\n", "3: syntax error", "the { of line 2 is not closed"},
		{"\nname = [ \"a\" };", "2: syntax error in `name = [ \"a\" };`",
	         "the [ of line 2 is not closed before this }"},
		{GOOD "\nstatus_file = /run/x;", "2: syntax error in `status_file = /run/x;`",
	         "text is written in quotes, and so is the name of a file"},
		{"protocol = IGMPv3;", "1: syntax error in `protocol = IGMPv3;`",
	         "text is written in quotes: \"IGMPv3\""},
		{"protocol = [ \"IGMPv3\", MLDv2 ];",
	         "1: syntax error in `protocol = [ \"IGMPv3\", MLDv2 ];`",
	         "text is written in quotes: \"MLDv2\""},
		{"name = \u201ca\u201d;", "1: syntax error in `name = \u201ca\u201d;`",
	         "a letter or quote that is not plain ASCII; text is written in \"plain quotes\""},
		{"fast_leave = yes;", "1: syntax error in `fast_leave = yes;`",
	         "true or false is expected, not yes"},
		{"query_interval = 30s;", "1: syntax error in `query_interval = 30s;`",
	         "30s: a number has no unit; a size is written as in \"64M\""},
		{"robustness = 3 = 4;", "1: syntax error in `robustness = 3 = 4;`",
	         "settings are written: name = value;"},
		{"robustness = 3 = 4; # a comment that is rather long", /* cut */
	         "1: syntax error in `robustness = 3 = 4; # a comment that is rather l...`",
	         "settings are written: name = value;"},
	};
	char expected[CONFIG_ERROR_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(expected, sizeof expected, F "%s: %s", rows[i][1], rows[i][2]);
		load_bad(rows[i][0], expected);
	}
}

/* Writes into text what begins with head, has `count` pieces of which # is the number, and ends with tail. */
static const char *repeated(char *text, size_t size, const char *head, const char *piece, int count,
                            const char *tail)
{
	FILE *out = fmemopen(text, size, "w");

	assert_non_null(out);
	fputs(head, out);
	for (int i = 0; i < count; i++)
		for (const char *at = piece; *at != '\0'; at++)
			*at == '#' ? fprintf(out, "%d", i) : fputc(*at, out);
	fputs(tail, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void limits_are_reported(void **state)
{
	char text[8192];

	(void)state;
	config_free(load_good(repeated(text, sizeof text, "instances = ( \"a ==>", " b#", 64, "\" );")));
	load_bad(repeated(text, sizeof text, "instances = ( \"a ==>", " b#", 65, "\" );"),
	         F "1: instances: more than 64 links");
	load_bad(repeated(text, sizeof text, "instances = ( \"", " a#", 65, " ==> b\" );"),
	         F "1: instances: more than 64 links");
	config_free(load_good(
		repeated(text, sizeof text, "instances = (", "\n\"a ==> b#\",", 63, "\"c ==> d\" );")));
	load_bad(repeated(text, sizeof text, "instances = (", "\n\"a ==> b#\",", 64, "\n\"c ==> d\" );"),
	         F "66: instances: more than 64 instances");
}

#define P44                                                                                                  \
	"((((((((((("                                                                                        \
	"((((((((((("                                                                                        \
	"((((((((((("                                                                                        \
	"((((((((((("

static void hostile_nesting_is_an_error(void **state)
{
	size_t size = 300000;
	char *text = malloc(size);

	(void)state;
	assert_non_null(text);
	load_bad(repeated(text, size, "a = ", "(", 200000, ""), F "1: memory exhausted in `a = " P44 "...`");
	load_bad(repeated(text, size, "a = ", "{a=", 90000, ""),
	         F "1: memory exhausted in `a = {a={a={a={a={a={a={a={a={a={a={a={a={a={a={a...`");
	free(text);
}

static void errors_fit(void **state)
{
	char path[4096], error[CONFIG_ERROR_SIZE];

	(void)state;
	memset(path, 'x', sizeof path);
	path[sizeof path - 1] = '\0';
	assert_null(config_load(path, error));
	assert_int_equal(strlen(error), 80 + strlen(": File name too long"));
	assert_memory_equal(error, "...xxx", 6);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_in_options),
		cmocka_unit_test(values_out_of_range),
		cmocka_unit_test(memory_out_of_range),
		cmocka_unit_test(response_interval_is_less_than_query_interval),
		cmocka_unit_test(errors_in_instances),
		cmocka_unit_test(errors_in_links),
		cmocka_unit_test(errors_of_syntax),
		cmocka_unit_test(syntax_errors_are_explained),
		cmocka_unit_test(limits_are_reported),
		cmocka_unit_test(hostile_nesting_is_an_error),
		cmocka_unit_test(errors_fit),
	};

	return cmocka_run_group_tests_name("config", tests, enter_directory, leave_directory);
}
