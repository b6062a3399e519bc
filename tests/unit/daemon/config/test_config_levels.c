/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The configuration in libconfig's form: options at each level.
 */
#include "daemon/config/options.h"
#include "support/config_file.h"

/* An option of links with a value other than the default, and the settings that come of it. */
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
	{"oldest_version = \"IGMPv2\";", {.oldest_version = {VERSION_2, VERSION_NONE}}},
	{"oldest_version = [ \"MLDv2\", \"IGMPv3\" ];", {.oldest_version = {VERSION_3, VERSION_3}}},
	{"router_discovery = true;", {.router_discovery = ROUTER_DISCOVERY_ON}},
	{"router_discovery = \"auto\";", {.router_discovery = ROUTER_DISCOVERY_AUTO}},
	{"forward_without_querier = TRUE;", {.forward_without_querier = FORWARD_ALWAYS}},
	{"forward_without_querier = \"auto\";", {.forward_without_querier = FORWARD_AUTO}},
	{"groups_max = 16777216;", {.groups_max = 16777216}},
	{"sources_max = 4096;", {.sources_max = 4096}},
	{"report_rate_max = 16777216;", {.report_rate_max = 16777216}},
	{"host_report_rate_max = 16777216;", {.host_report_rate_max = 16777216}},
	{"query_rate_max = 16777216;", {.query_rate_max = 16777216}},
	{"hosts_max = 4096;", {.hosts_max = 4096}},
	{"host_groups_max = 8;", {.host_groups_max = 8}},
	{"require_router_alert = true;", {.require_router_alert = true}},
	{"verify_source_subnet = true;", {.verify_source_subnet = true}},
	{"ttl_threshold = 255;", {.ttl_threshold = 255}},
	{"source_address = \"192.0.2.1\";", {.source_address = {{{[10] = 0xff, 0xff, 192, 0, 2, 1}}}}},
	{"source_address = [ \"fe80::1\", \"192.0.2.1\" ];",
         {.source_address = {{{[10] = 0xff, 0xff, 192, 0, 2, 1}}, {{0xfe, 0x80, [15] = 1}}}}},
	{"source_address = [ \"fe80::1\", \"auto\" ];", {0}},
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
	CHANGE(router_discovery);
	CHANGE(groups_max);
	CHANGE(sources_max);
	CHANGE(report_rate_max);
	CHANGE(host_report_rate_max);
	CHANGE(query_rate_max);
	CHANGE(hosts_max);
	CHANGE(host_groups_max);
	CHANGE(require_router_alert);
	CHANGE(verify_source_subnet);
	CHANGE(ttl_threshold);
	CHANGE(unsolicited_report_interval);
	CHANGE(leave_hold);
	CHANGE(upstream_membership);
	CHANGE(kernel_groups_max);
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++) {
		CHANGE(upstream_version[family]);
		CHANGE(oldest_version[family]);
		CHANGE(ssm_length[family]);
		link.source_address[family] = change->source_address[family];
		if (change->ssm_length[family] != 0)
			link.ssm_prefix[family] = change->ssm_prefix[family];
	}
#undef CHANGE
	return link;
}

/* Options at the three levels; a link has the innermost one, the others the defaults of the levels around. */
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
	                                    "owner_priority = 20; user = \"proxy\"; group = \"users\";",
	                                    "", "");

	(void)state;
	assert_int_equal(config->owner_priority, 20);
	assert_string_equal(config->user, "proxy");
	assert_string_equal(config->group, "users");
	assert_true(config->owner_priority_named);
	assert_string_equal(config->status_file, "/run/mcproxy.status");
	assert_int_equal(config->ring_size, 4);
	config_free(config);
}

/* Above a link the key is for upstream links; a downstream link needs it itself. */
static void reset_rp_filter_names_downstream_links(void **state)
{
	static const char text[] = "reset_rp_filter = true;";

	(void)state;
	for (int level = 0; level < 3; level++) {
		struct config *config =
			load_levels(level == 0 ? text : "", level == 1 ? text : "", level == 2 ? text : "");
		const struct config_instance *outer = &config->instances[0], *inner = &config->instances[1];

		assert_int_equal(outer->upstream[0].settings.reset_rp_filter, level == 0);
		assert_false(outer->downstream[0].settings.reset_rp_filter);
		assert_int_equal(inner->upstream[0].settings.reset_rp_filter, level <= 1);
		assert_false(inner->downstream[0].settings.reset_rp_filter);
		assert_int_equal(inner->downstream[1].settings.reset_rp_filter, level == 2);
		config_free(config);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(link_options_at_each_level),
		cmocka_unit_test(instance_options_at_each_level),
		cmocka_unit_test(tables_at_each_level),
		cmocka_unit_test(inner_levels_override_outer_ones),
		cmocka_unit_test(options_switched_off),
		cmocka_unit_test(reset_rp_filter_names_downstream_links),
		cmocka_unit_test(options_of_the_daemon),
	};

	return cmocka_run_group_tests_name("config", tests, enter_directory, leave_directory);
}
