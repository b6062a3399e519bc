/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The configuration in libconfig's form, the telling apart of the two forms, and what holds for any file.
 */
#include "daemon/config/options.h"
#include "support/config_file.h"

#include <sys/stat.h>

#define MINUTE 60000

/* libconfig 1.5 leaks the text of a string where the syntax allows none. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so\n";
}

static const struct link_settings link_defaults = {
	.version = {VERSION_3, VERSION_3},
	.robustness = 2,
	.query_interval = 125000,
	.query_response_interval = 10000,
	.last_member_query_interval = 1000,
	.groups_max = 131072,
	.sources_max = 1024,
	.report_rate_max = 50000,
	.kernel_groups_max = 4096,
	.hosts_max = 128,
	.repeat_without_querier = true,
	.ssm_prefix = {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 232}}, {{0xff, 0x30}}},
	.ssm_length = {104, 32},
};

static const struct instance_settings instance_defaults = {
	.routes_max = 65536,
	.route_timeout = 3 * MINUTE,
	.memory_max = 64 << 20,
};

static void assert_link(const struct link_settings *link, const struct link_settings *expected)
{
	assert_memory_equal(link->version, expected->version, sizeof link->version);
	assert_int_equal(link->robustness, expected->robustness);
	assert_int_equal(link->query_interval, expected->query_interval);
	assert_int_equal(link->query_response_interval, expected->query_response_interval);
	assert_int_equal(link->startup_query_interval, expected->startup_query_interval);
	assert_int_equal(link->startup_query_count, expected->startup_query_count);
	assert_int_equal(link->last_member_query_interval, expected->last_member_query_interval);
	assert_int_equal(link->last_member_query_count, expected->last_member_query_count);
	assert_int_equal(link->older_host_present_interval, expected->older_host_present_interval);
	assert_int_equal(link->fast_leave, expected->fast_leave);
	assert_int_equal(link->track_hosts, expected->track_hosts);
	assert_int_equal(link->forward_without_querier, expected->forward_without_querier);
	assert_int_equal(link->groups_max, expected->groups_max);
	assert_int_equal(link->sources_max, expected->sources_max);
	assert_int_equal(link->report_rate_max, expected->report_rate_max);
	assert_int_equal(link->hosts_max, expected->hosts_max);
	assert_memory_equal(link->ssm_prefix, expected->ssm_prefix, sizeof link->ssm_prefix);
	assert_memory_equal(link->ssm_length, expected->ssm_length, sizeof link->ssm_length);
	assert_int_equal(link->upstream_membership, expected->upstream_membership);
	assert_int_equal(link->kernel_groups_max, expected->kernel_groups_max);
	assert_memory_equal(link->upstream_version, expected->upstream_version,
	                    sizeof link->upstream_version);
	assert_int_equal(link->repeat_without_querier, expected->repeat_without_querier);
	assert_int_equal(link->unsolicited_report_interval, expected->unsolicited_report_interval);
	assert_int_equal(link->leave_hold, expected->leave_hold);
}

static void assert_instance(const struct instance_settings *settings,
                            const struct instance_settings *expected)
{
	assert_int_equal(settings->routes_max, expected->routes_max);
	assert_int_equal(settings->route_timeout, expected->route_timeout);
	assert_int_equal(settings->memory_max, expected->memory_max);
}

static void smallest_configuration_has_the_defaults(void **state)
{
	struct config *config = load_good("instances = ( \"eth0 ==> eth1\" );\n");
	const struct config_instance *instance = config->instances;

	(void)state;
	assert_int_equal(config->instance_count, 1);
	assert_null(config->status_file);
	assert_int_equal(config->ring_size, 1024);
	assert_int_equal(config->owner_priority, 10);
	assert_false(config->owner_priority_named);
	assert_string_equal(instance->name, "eth0");
	assert_protocols(instance, VERSION_3, false, VERSION_3, false);
	assert_instance(&instance->settings, &instance_defaults);
	assert_link(&instance->upstream[0].settings, &link_defaults);
	assert_link(&instance->downstream[0].settings, &link_defaults);
	config_free(config);
}

static void shapes(void **state)
{
	static const struct {
		const char *text, *shape;
	} rows[] = {
		{"instances = ( \"eth0 ==> eth1\" );", "eth0: eth0 ==> eth1"},
		{"instances: ( \"eth0 ==> eth1 tun0\" , \"\teth2   ==>\teth3 \" )",
	         "eth0: eth0 ==> eth1 tun0; eth2: eth2 ==> eth3"},
		{"instances = [ \"eth0 ==> eth1\", \"a b ==> c\" ];", "eth0: eth0 ==> eth1; a: a b ==> c"},
		{"instances = \"eth0 ==> eth1\";", "eth0: eth0 ==> eth1"},
		{"instances = { upstream = \"a\"; downstream = \"b\"; };", "a: a ==> b"},
		{"instances = ( { downstream = [ \"b\", \"c\" ]; upstream = [ \"a\", \"z\" ]; name = "
	         "\"iptv\"; } );",
	         "iptv: a z ==> b c"},
		{"instances = ( { upstream = ( \"a\" ); downstream = ( \"b\", { name = \"c\"; } ); }, \"d "
	         "==> e\" );",
	         "a: a ==> b c; d: d ==> e"},
		{"instances = ( { upstream = { name = \"a\"; }; downstream = { name = \"b\"; }; } );",
	         "a: a ==> b"},
		{"instances = ( \"ppp* ==> br-lan wlan[0-3] tap?\" );",
	         "ppp*: ppp* ==> br-lan wlan[0-3] tap?"},
		{"instances = ( \"fifteen-letters ==> eth1.100 veth_a@b\" );",
	         "fifteen-letters: fifteen-letters ==> eth1.100 veth_a@b"},
		/* A querier only. */
		{"instances = ( \"==> eth8 eth9\", \"eth0 ==> eth1\" );",
	         "eth8: ==> eth8 eth9; eth0: eth0 ==> eth1"},
		{"instances = ( { downstream = \"b\"; }, { upstream = [ ]; downstream = ( \"c\" ); name = "
	         "\"q\"; } );",
	         "b: ==> b; q: ==> c"},
		/* An upstream link can be shared, a downstream link between families. */
		{"instances = ( \"eth0 ==> eth1\", \"eth0 ==> eth2\" );",
	         "eth0: eth0 ==> eth1; eth0: eth0 ==> eth2"},
		{"instances = ( { upstream = \"a\"; downstream = \"b\"; protocol = \"IGMPv3\"; },\n"
	         " { name = \"six\"; upstream = \"a\"; downstream = \"b\"; protocol = \"MLDv2\"; } );",
	         "a: a ==> b; six: a ==> b"},
		{"instances = ( { upstream = \"a\"; downstream = \"b\"; protocol = \"IGMPv3\"; },\n"
	         " { upstream = \"b\"; downstream = \"a\"; protocol = \"MLDv2\"; } );",
	         "a: a ==> b; b: b ==> a"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_shape(rows[i].text, rows[i].shape);
}

static void protocols(void **state)
{
	static const struct {
		const char *text;
		enum version ipv4, ipv6;
	} rows[] = {
		{"\"IGMPv1\"", VERSION_1, VERSION_NONE},
		{"\"IGMPv2\"", VERSION_2, VERSION_NONE},
		{"\"IGMPv3\"", VERSION_3, VERSION_NONE},
		{"\"MLDv1\"", VERSION_NONE, VERSION_2},
		{"\"mldv2\"", VERSION_NONE, VERSION_3},
		{"[ \"IGMPv3\" ]", VERSION_3, VERSION_NONE},
		{"( \"MLDv1\", \"IGMPv2\" )", VERSION_2, VERSION_2},
		{"[ \"IGMPv1\", \"MLDv2\" ]", VERSION_1, VERSION_3},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool ipv4 = rows[i].ipv4 != VERSION_NONE, ipv6 = rows[i].ipv6 != VERSION_NONE;
		struct config *config;
		char text[512];

		snprintf(text, sizeof text,
		         "protocol = %s;\ninstances = ( \"a ==> b\",\n"
		         "{ upstream = \"c\"; downstream = \"d\"; protocol = \"IGMPv2\"; } );",
		         rows[i].text);
		config = load_good(text);
		assert_protocols(&config->instances[0], rows[i].ipv4, ipv4, rows[i].ipv6, ipv6);
		assert_protocols(&config->instances[1], VERSION_2, true, VERSION_NONE, false);
		config_free(config);
	}
}

/* An option of links with a value other than the default, and the resulting settings. */
static const struct {
	const char *text;
	struct link_settings change; /* the fields that are not zero */
} link_options[] = {
	{"robustness = 7;", {.robustness = 7}},
	{"robustness = 255;", {.robustness = 255}},
	{"query_interval = 31744;", {.query_interval = 31744000}},
	{"query_interval = 30.25;", {.query_interval = 30250}},
	{"query_response_interval = 0.1;", {.query_response_interval = 100}},
	{"query_response_interval = 124.999;", {.query_response_interval = 124999}},
	{"startup_query_interval = 31744;", {.startup_query_interval = 31744000}},
	{"startup_query_count = 255;", {.startup_query_count = 255}},
	{"last_member_query_interval = 3174.4;", {.last_member_query_interval = 3174400}},
	{"last_member_query_count = 1;", {.last_member_query_count = 1}},
	{"older_host_present_interval = 86400;", {.older_host_present_interval = 86400000}},
	{"fast_leave = true;", {.fast_leave = true}},
	{"track_hosts = true;", {.track_hosts = true}},
	{"forward_without_querier = TRUE;", {.forward_without_querier = true}},
	{"groups_max = 16777216;", {.groups_max = 16777216}},
	{"sources_max = 4096;", {.sources_max = 4096}},
	{"report_rate_max = 16777216;", {.report_rate_max = 16777216}},
	{"hosts_max = 4096;", {.hosts_max = 4096}},
	{"unsolicited_report_interval = 0.1;", {.unsolicited_report_interval = 100}},
	{"leave_hold = 1.5;", {.leave_hold = 1500}},
	{"upstream_membership = \"user\";", {.upstream_membership = MEMBERSHIP_USER}},
	{"upstream_membership = \"kernel\";", {.upstream_membership = MEMBERSHIP_KERNEL}},
	{"upstream_membership = \"auto\";", {.upstream_membership = MEMBERSHIP_AUTO}},
	{"kernel_groups_max = 16777216;", {.kernel_groups_max = 16777216}},
	{"upstream_version = \"IGMPv2\";", {.upstream_version = {VERSION_2, VERSION_NONE}}},
	{"upstream_version = [ \"MLDv1\", \"IGMPv1\" ];", {.upstream_version = {VERSION_1, VERSION_2}}},
	{"ssm_range = ( \"232.1.0.0/16\" );",
         {.ssm_prefix = {{{[10] = 0xff, 0xff, 232, 1}}}, .ssm_length = {112}}},
	{"ssm_range = \"ff3e:40::/96\";",
         {.ssm_prefix = {{{0}}, {{0xff, 0x30, 0, 0x40}}}, .ssm_length = {0, 96}}},
};

static struct link_settings changed_link(const struct link_settings *change)
{
	struct link_settings link = link_defaults;

#define CHANGE(field) link.field = change->field ? change->field : link.field
	CHANGE(robustness);
	CHANGE(query_interval);
	CHANGE(query_response_interval);
	CHANGE(startup_query_interval);
	CHANGE(startup_query_count);
	CHANGE(last_member_query_interval);
	CHANGE(last_member_query_count);
	CHANGE(older_host_present_interval);
	CHANGE(fast_leave);
	CHANGE(track_hosts);
	CHANGE(forward_without_querier);
	CHANGE(groups_max);
	CHANGE(sources_max);
	CHANGE(report_rate_max);
	CHANGE(hosts_max);
	CHANGE(unsolicited_report_interval);
	CHANGE(leave_hold);
	CHANGE(upstream_membership);
	CHANGE(kernel_groups_max);
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++) {
		CHANGE(upstream_version[family]);
		CHANGE(ssm_length[family]);
		if (change->ssm_length[family] != 0)
			link.ssm_prefix[family] = change->ssm_prefix[family];
	}
#undef CHANGE
	return link;
}

/* Options at the three levels: a link gets the innermost value, and other links the value of an outer level. */
static struct config *load_levels(const char *top, const char *instance, const char *link)
{
	char text[1024];

	snprintf(text, sizeof text,
	         "instances = ( \"a ==> b\",\n"
	         " { name = \"iptv\"; %s upstream = ( \"c\" ); downstream = ( \"d\", { %s name = \"e\"; } ); "
	         "} );\n"
	         "%s\n",
	         instance, link, top);
	return load_good(text);
}

static void link_options_at_each_level(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(link_options); i++) {
		struct link_settings changed = changed_link(&link_options[i].change);

		for (int level = 0; level < 3; level++) {
			const char *text = link_options[i].text;
			struct config *config = load_levels(level == 0 ? text : "", level == 1 ? text : "",
			                                    level == 2 ? text : "");
			const struct config_instance *outer = &config->instances[0],
						     *inner = &config->instances[1];

			assert_link(&outer->upstream[0].settings, level == 0 ? &changed : &link_defaults);
			assert_link(&outer->downstream[0].settings, level == 0 ? &changed : &link_defaults);
			assert_link(&inner->upstream[0].settings, level <= 1 ? &changed : &link_defaults);
			assert_link(&inner->downstream[0].settings, level <= 1 ? &changed : &link_defaults);
			assert_link(&inner->downstream[1].settings, &changed);
			config_free(config);
		}
	}
}

static void instance_options_at_each_level(void **state)
{
	static const struct {
		const char *text;
		struct instance_settings settings;
	} rows[] = {
		{"routes_max = 1;", {1, 3 * MINUTE, 64 << 20}},
		{"route_timeout = 10.5;", {65536, 10500, 64 << 20}},
		{"memory_max = 65536;", {65536, 3 * MINUTE, 65536}},
		{"memory_max = 4294967296L;", {65536, 3 * MINUTE, 4294967296}},
		{"memory_max = \"65536\";", {65536, 3 * MINUTE, 65536}},
		{"memory_max = \"64K\";", {65536, 3 * MINUTE, 65536}},
		{"memory_max = \"100m\";", {65536, 3 * MINUTE, 100 << 20}},
		{"memory_max = \"1G\";", {65536, 3 * MINUTE, 1 << 30}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct config *config = load_levels(rows[i].text, "", "");

		assert_instance(&config->instances[0].settings, &rows[i].settings);
		assert_instance(&config->instances[1].settings, &rows[i].settings);
		config_free(config);
		config = load_levels("", rows[i].text, "");
		assert_instance(&config->instances[0].settings, &instance_defaults);
		assert_instance(&config->instances[1].settings, &rows[i].settings);
		config_free(config);
	}
}

static void tables_at_each_level(void **state)
{
	static const struct {
		const char *outer, *inner;
		uint32_t tables[2];
	} rows[] = {
		{"", "", {CONFIG_TABLE_DEFAULT, CONFIG_TABLE_DEFAULT}},
		{"", "table = 7;", {CONFIG_TABLE_DEFAULT, 7}},
		{"table = \"own\";", "", {CONFIG_TABLE_OWN, CONFIG_TABLE_OWN}},
		{"table = \"own\";", "table = \"default\";", {CONFIG_TABLE_OWN, CONFIG_TABLE_DEFAULT}},
		{"table = 252;", "table = 999999999;", {252, 999999999}},
		{"table = 256L;", "table = \"own\";", {256, CONFIG_TABLE_OWN}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct config *config = load_levels(rows[i].outer, rows[i].inner, "");

		assert_int_equal(config->instances[0].table, rows[i].tables[0]);
		assert_int_equal(config->instances[1].table, rows[i].tables[1]);
		config_free(config);
	}
}

static void inner_levels_override_outer_ones(void **state)
{
	struct config *config = load_levels("query_interval = 20; memory_max = \"1M\"; fast_leave = true;",
	                                    "query_interval = 30; memory_max = \"2M\";",
	                                    "query_interval = 40; fast_leave = false;");
	const struct config_instance *outer = &config->instances[0], *inner = &config->instances[1];

	(void)state;
	assert_int_equal(outer->downstream[0].settings.query_interval, 20000);
	assert_int_equal(inner->upstream[0].settings.query_interval, 30000);
	assert_int_equal(inner->downstream[0].settings.query_interval, 30000);
	assert_int_equal(inner->downstream[1].settings.query_interval, 40000);
	assert_true(inner->downstream[0].settings.fast_leave);
	assert_false(inner->downstream[1].settings.fast_leave);
	assert_int_equal(outer->settings.memory_max, 1 << 20);
	assert_int_equal(inner->settings.memory_max, 2 << 20);
	config_free(config);
}

/* Options that can be switched off on an inner level. */
static void options_switched_off(void **state)
{
	struct config *config = load_levels("upstream_version = \"IGMPv2\"; upstream_membership = \"user\";",
	                                    "upstream_version = \"auto\"; upstream_membership = \"kernel\"; "
	                                    "repeat_without_querier = false;",
	                                    "ssm_range = \"none\";");
	const struct config_instance *outer = &config->instances[0], *inner = &config->instances[1];

	(void)state;
	assert_int_equal(outer->upstream[0].settings.upstream_version[FAMILY_IPV4], VERSION_2);
	assert_int_equal(inner->upstream[0].settings.upstream_version[FAMILY_IPV4], VERSION_NONE);
	assert_int_equal(outer->upstream[0].settings.upstream_membership, MEMBERSHIP_USER);
	assert_int_equal(inner->upstream[0].settings.upstream_membership, MEMBERSHIP_KERNEL);
	assert_true(outer->upstream[0].settings.repeat_without_querier);
	assert_false(inner->upstream[0].settings.repeat_without_querier);
	assert_int_equal(inner->downstream[0].settings.ssm_length[FAMILY_IPV4], 104);
	assert_int_equal(inner->downstream[1].settings.ssm_length[FAMILY_IPV4], 0);
	assert_int_equal(inner->downstream[1].settings.ssm_length[FAMILY_IPV6], 0);
	config_free(config);
}

static void options_of_the_daemon(void **state)
{
	struct config *config = load_levels("status_file = \"/run/mcproxy.status\"; ring_size = 4; "
	                                    "owner_priority = 20;",
	                                    "", "");

	(void)state;
	assert_int_equal(config->owner_priority, 20);
	assert_true(config->owner_priority_named);
	assert_string_equal(config->status_file, "/run/mcproxy.status");
	assert_int_equal(config->ring_size, 4);
	config_free(config);
}

#define F             "test.conf:"
#define GOOD          "instances = ( \"a ==> b\" );"
#define RANGE         "\"none\", or a prefix of each family such as \"232.0.0.0/8\" is expected"
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
		{GOOD "\nupstream_version = 2;", F "2: upstream_version: \"auto\", or a protocol of each "
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

	(void)state;
	for (size_t i = 0; i < COUNT(values); i++) {
		char text[256], error[CONFIG_ERROR_SIZE];

		snprintf(text, sizeof text, GOOD "memory_max = %s;", values[i]);
		assert_null(load_text(text, error));
		assert_non_null(strstr(error, " is out of range, which is 64K to "));
	}
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
		{"instances = ( \"eth0 ==> sixteen--letters\" );",
	         F "1: instances: sixteen--letters: longer than 15 characters"},
		{"instances = ( \"eth0 ==> a-name-of-more-than-twenty-letters\" );",
	         F "1: instances: a-name-of-more-than-...: longer than 15 characters"},
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

/* A syntax error of libconfig is shown with the line and with what is probably wrong in it. */
static void syntax_errors_are_explained(void **state)
{
	static const char *const rows[][3] = {
		/* text, shown line, explanation */
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

/* Writes head, `count` numbered copies of the piece (# is the number), and tail into text. */
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

static void included_files(void **state)
{
	static const struct error_row rows[] = {
		{GOOD "\n@include \"none\"", F "2: @include: ./none: No such file or directory"},
		{GOOD "\n@include \"directory\"", F "2: @include: ./directory: Is a directory"},
		{GOOD "\n@include \"\"", F "2: @include: ./: Is a directory"},
		{GOOD "\n@include \"/dev/null\"",
	         F "2: @include: a name relative to the directory of test.conf is expected"},
		{GOOD "\n@include \"none", F "2: a string that begins here has no end"},
		{GOOD "\n@include \"binary\"",
	         F "2: @include: ./binary:2: this is not text: it contains NUL or other control bytes"},
		{GOOD "\n@include \"test.conf\"",
	         "./test.conf:2: @include: too many files, or a file that includes itself"},
		{GOOD "\n@include \"bad.inc\"",
	         "bad.inc:2: robustnes: unknown option; did you mean robustness?"},
		{GOOD "\n@include \"broken.inc\"",
	         "broken.inc:2: syntax error in `robustness = ;`: a value is missing after the ="},
		{GOOD "\n@include \"endless.inc\"", "./endless.inc:1: a string that begins here has no end"},
	};
	struct config *config;

	(void)state;
	mkdir("directory", 0700);
	write_bytes("binary", "a\nb\0c", 5);
	write_text("good.inc", "# more\nrobustness = 3;\n");
	write_text("bad.inc", "\nrobustnes = 3;\n");
	write_text("broken.inc", "\nrobustness = ;\n");
	write_text("endless.inc", "status_file = \"x\n");
	check_errors(rows, COUNT(rows));
	config = load_good("@include \"good.inc\"\n" GOOD);
	assert_int_equal(config->instances[0].downstream[0].settings.robustness, 3);
	config_free(config);
	config_free(load_good("\xef\xbb\xbf" GOOD)); /* some editors write it at the start of a file */
	config_free(load_good("\xef\xbb\xbfprotocol IGMPv2\na ==> b\n"));
	config_free(load_good(
		"# @include \"none\"\n/* \n@include \"none\" */\nstatus_file = \"\n@include\";" GOOD));
}

static void files_that_cannot_be_read(void **state)
{
	char error[CONFIG_ERROR_SIZE];
	size_t size = 1024 * 1024;
	char *text = malloc(size + 2);

	(void)state;
	assert_null(config_load("none.conf", error));
	assert_string_equal(error, "none.conf: No such file or directory; the smallest configuration is: "
	                           "instances = ( \"eth0 ==> eth1\" );");
	assert_null(config_load(".", error));
	assert_string_equal(error, ".: Is a directory");
	assert_null(config_load("/dev/zero", error));
	assert_string_equal(error, "/dev/zero:1: this is not text: it contains NUL or other control bytes");

	write_bytes(CONFIG_FILE, "# a\nx = \"\0\";", 12);
	assert_null(config_load(CONFIG_FILE, error));
	assert_string_equal(error, F "2: this is not text: it contains NUL or other control bytes");
	write_bytes(CONFIG_FILE, "\177ELF\2\1\1", 7);
	assert_null(config_load(CONFIG_FILE, error));
	assert_string_equal(error, F "1: this is not text: it contains NUL or other control bytes");

	/* One line of 1 MiB is accepted, one byte more is not. */
	assert_non_null(text);
	memset(text, ' ', size + 1);
	memcpy(text, GOOD, strlen(GOOD));
	text[size] = '\0';
	config_free(load_good(text));
	text[size] = ' ';
	text[size + 1] = '\0';
	load_bad(text, "test.conf: larger than 1 MiB");
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

static void forms_are_distinguished(void **state)
{
	static const struct {
		const char *text;
		bool legacy;
	} rows[] = {
		{"", false},
		{"eth0 ==> eth1", true},
		{"protocol IGMPv2", true},
		{"protocol", true},
		{"protocol;", true},
		{"a = 1;\nprotocol # =\n IGMPv2", true},
		{"protocol = \"IGMPv2\";", false},
		{"protocol: \"IGMPv2\";", false},
		{"protocol /* = */ // :\n # x\n = \"IGMPv2\";", false},
		{"instances = ( \"eth0 ==> eth1\" );", false},
		{"instances = ( \"a\\\"b ==> c\" );", false},
		{"instances = ( \"a\\\\\" ==> c\" );", true},
		{"# eth0 ==> eth1\n", false},
		{"// protocol IGMPv2\n", false},
		{"/* protocol IGMPv2\neth0 ==> eth1 */", false},
		{"/* protocol IGMPv2\neth0 ==> eth1", false},
		{"/* x */ eth0 ==> eth1", true},
		{"# it's \"quoted\neth0 ==> eth1", true},
		{"name = \"protocol IGMPv2", false},
		{"name = \"x\"; protocol IGMPv2", true},
		{"my_protocol IGMPv2; protocols IGMPv2; protocol-x 3", false},
		{"a == > b", false},
		{"a => b", false},
		{"eth0 ==>", true},
		{"@include \"==>\"", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (config_is_legacy(rows[i].text) != rows[i].legacy)
			fail_msg("%s\nis not taken for %s", rows[i].text,
			         rows[i].legacy ? "legacy" : "libconfig's");
}

static char *read_shipped(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = calloc(1, 65536);

	assert_non_null(file);
	assert_non_null(text);
	assert_in_range(fread(text, 1, 65535, file), 1, 65534);
	fclose(file);
	return text;
}

static void shipped_example_holds(void **state)
{
	char error[CONFIG_ERROR_SIZE];
	struct config *config = config_load(SOURCE_DIR "/config/mcproxy.conf", error);

	(void)state;
	assert_non_null(config);
	assert_int_equal(config->instance_count, 1);
	assert_link(&config->instances[0].downstream[0].settings, &link_defaults);
	assert_instance(&config->instances[0].settings, &instance_defaults);
	config_free(config);
}

/* Removes the # from the lines `#key = value`. */
static void uncomment_options(char *text)
{
	for (char *line = text; line != NULL; line = strchr(line + 1, '\n')) {
		char *mark = *line == '\n' ? line + 1 : line;

		if (*mark == '#' && mark[1] >= 'a' && mark[1] <= 'z')
			*mark = ' ';
	}
}

static void shipped_example_shows_the_defaults(void **state)
{
	char *text = read_shipped(SOURCE_DIR "/config/mcproxy.conf");
	struct link_settings expected = link_defaults;
	struct config *config;

	(void)state;
	uncomment_options(text);
	config = load_good(text);
	expected.startup_query_count = 2;
	expected.startup_query_interval = 31250;
	expected.last_member_query_count = 2;
	expected.older_host_present_interval = 260000;
	expected.unsolicited_report_interval = 1000;
	assert_link(&config->instances[0].downstream[0].settings, &expected);
	assert_instance(&config->instances[0].settings, &instance_defaults);
	assert_protocols(&config->instances[0], VERSION_3, true, VERSION_3, true);
	assert_int_equal(config->ring_size, 1024);
	config_free(config);
	free(text);
}

static void every_option_is_documented(void **state)
{
	char *example = read_shipped(SOURCE_DIR "/config/mcproxy.conf");
	char *manual = read_shipped(SOURCE_DIR "/docs/mcproxy.conf.5");
	char text[64];

	(void)state;
	for (size_t i = 0; config_option_key(i) != NULL; i++) {
		snprintf(text, sizeof text, "%s = ", config_option_key(i));
		if (strstr(example, text) == NULL)
			fail_msg("config/mcproxy.conf has no %s", text);
		snprintf(text, sizeof text, ".It Ic %s\n", config_option_key(i));
		if (strstr(manual, text) == NULL)
			fail_msg("mcproxy.conf.5 has no %s", text);
	}
	free(example);
	free(manual);
}

/* Each .Bd block of the examples is a valid file. */
static void examples_of_the_manual_hold(void **state)
{
	char *manual = read_shipped(SOURCE_DIR "/docs/mcproxy.conf.5");
	char *at = strstr(manual, ".Sh EXAMPLES");
	int examples = 0;

	(void)state;
	while ((at = strstr(at, ".Bd ")) != NULL) {
		char *end = strstr(at, ".Ed");

		at = strchr(at, '\n');
		*end = '\0';
		config_free(load_good(at));
		at = end + 1;
		examples++;
	}
	assert_in_range(examples, 8, 100);
	free(manual);
}

/* Loads all prefixes of a text, and the text without each one of its bytes. */
static void maim(const char *whole)
{
	size_t size = strlen(whole);
	char *text = malloc(size + 1);
	char error[CONFIG_ERROR_SIZE];

	assert_non_null(text);
	for (size_t i = 0; i < size; i++) {
		memcpy(text, whole, i);
		text[i] = '\0';
		config_free(load_text(text, error));
		assert_true(strlen(error) < CONFIG_ERROR_SIZE);
		memcpy(text + i, whole + i + 1, size - i);
		config_free(load_text(text, error));
		assert_true(strlen(error) < CONFIG_ERROR_SIZE);
	}
	free(text);
}

static void maimed_texts_do_no_harm(void **state)
{
	char *text = read_shipped(SOURCE_DIR "/config/mcproxy.conf");

	(void)state;
	maim(text);
	uncomment_options(text);
	maim(text);
	maim("protocol = [ \"IGMPv3\", \"MLDv2\" ];\n@include \"good.inc\"\ninstances = ( { name = "
	     "\"iptv\"; upstream = [ \"ppp0\" ];\ndownstream = ( \"br-lan\", { name = \"tun0\"; fast_leave "
	     "= true; } ); query_interval = 30; } );");
	free(text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(smallest_configuration_has_the_defaults),
		cmocka_unit_test(shapes),
		cmocka_unit_test(protocols),
		cmocka_unit_test(link_options_at_each_level),
		cmocka_unit_test(instance_options_at_each_level),
		cmocka_unit_test(tables_at_each_level),
		cmocka_unit_test(inner_levels_override_outer_ones),
		cmocka_unit_test(options_switched_off),
		cmocka_unit_test(options_of_the_daemon),
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
		cmocka_unit_test(included_files),
		cmocka_unit_test(files_that_cannot_be_read),
		cmocka_unit_test(errors_fit),
		cmocka_unit_test(forms_are_distinguished),
		cmocka_unit_test(shipped_example_holds),
		cmocka_unit_test(shipped_example_shows_the_defaults),
		cmocka_unit_test(every_option_is_documented),
		cmocka_unit_test(examples_of_the_manual_hold),
		cmocka_unit_test(maimed_texts_do_no_harm),
	};

	return cmocka_run_group_tests_name("config", tests, enter_directory, leave_directory);
}
