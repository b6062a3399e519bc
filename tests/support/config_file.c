/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/config_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static char config_directory[] = "/tmp/mcproxy-test-XXXXXX";

int enter_directory(void **state)
{
	(void)state;
	return mkdtemp(config_directory) == NULL ? -1 : chdir(config_directory);
}

int leave_directory(void **state)
{
	DIR *directory = opendir(".");
	const struct dirent *entry;

	(void)state;
	while (directory != NULL && (entry = readdir(directory)) != NULL)
		if (entry->d_name[0] != '.')
			remove(entry->d_name);
	if (directory != NULL)
		closedir(directory);
	return chdir("/") == 0 ? rmdir(config_directory) : -1;
}

void write_bytes(const char *path, const void *bytes, size_t size)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

void write_text(const char *path, const char *text)
{
	write_bytes(path, text, strlen(text));
}

struct config *load_text(const char *text, char error[CONFIG_ERROR_SIZE])
{
	write_text(CONFIG_FILE, text);
	*error = '\0';
	return config_load(CONFIG_FILE, error);
}

struct config *load_good(const char *text)
{
	char error[CONFIG_ERROR_SIZE];
	struct config *config = load_text(text, error);

	if (config == NULL)
		fail_msg("%s\nwas refused: %s", text, error);
	return config;
}

void load_bad(const char *text, const char *expected)
{
	char error[CONFIG_ERROR_SIZE];
	struct config *config = load_text(text, error);

	if (config != NULL)
		fail_msg("%s\nwas accepted", text);
	assert_string_equal(error, expected);
}

void check_errors(const struct error_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		load_bad(rows[i].text, rows[i].error);
}

void assert_shape(const char *text, const char *expected)
{
	struct config *config = load_good(text);
	char shape[1024] = "";
	size_t used = 0;

	for (size_t i = 0; i < config->instance_count; i++) {
		const struct config_instance *instance = &config->instances[i];

		used += (size_t)snprintf(shape + used, sizeof shape - used, "%s%s:", i > 0 ? "; " : "",
		                         instance->name);
		for (size_t j = 0; j < instance->upstream_count; j++)
			used += (size_t)snprintf(shape + used, sizeof shape - used, " %s",
			                         instance->upstream[j].name);
		used += (size_t)snprintf(shape + used, sizeof shape - used, " ==>");
		for (size_t j = 0; j < instance->downstream_count; j++)
			used += (size_t)snprintf(shape + used, sizeof shape - used, " %s",
			                         instance->downstream[j].name);
	}
	assert_string_equal(shape, expected);
	config_free(config);
}

void assert_protocols(const struct config_instance *instance, enum version ipv4, bool ipv4_named,
                      enum version ipv6, bool ipv6_named)
{
	assert_int_equal(instance->upstream[0].settings.version[FAMILY_IPV4], ipv4);
	assert_int_equal(instance->upstream[0].settings.version[FAMILY_IPV6], ipv6);
	assert_int_equal(instance->downstream[0].settings.version[FAMILY_IPV4], ipv4);
	assert_int_equal(instance->downstream[0].settings.version[FAMILY_IPV6], ipv6);
	assert_int_equal(instance->family_named[FAMILY_IPV4], ipv4_named);
	assert_int_equal(instance->family_named[FAMILY_IPV6], ipv6_named);
}

/* libconfig 1.5 leaks a string at a place where the syntax has none. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so\n";
}

const struct link_settings link_defaults = {
	.version = {VERSION_3, VERSION_3},
	.querier_election = true,
	.robustness = 2,
	.query_interval = 125000,
	.query_response_interval = 10000,
	.last_member_query_interval = 1000,
	.router_discovery = ROUTER_DISCOVERY_AUTO,
	.groups_max = 131072,
	.sources_max = 1024,
	.report_rate_max = 50000,
	.host_report_rate_max = HOST_REPORT_RATE_HALF,
	.query_rate_max = 500,
	.kernel_groups_max = 4096,
	.hosts_max = 128,
	.ttl_threshold = 1,
	.forward_without_querier = FORWARD_AUTO,
	.repeat_without_querier = true,
	.ssm_prefix = {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 232}}, {{0xff, 0x30}}},
	.ssm_length = {104, 32},
};

const struct instance_settings instance_defaults = {
	.routes_max = 65536,
	.route_timeout = 3 * MINUTE,
	.memory_max = 64 << 20,
};

void assert_link(const struct link_settings *link, const struct link_settings *expected)
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
	assert_int_equal(link->querier_election, expected->querier_election);
	assert_int_equal(link->router_discovery, expected->router_discovery);
	assert_int_equal(link->groups_max, expected->groups_max);
	assert_int_equal(link->sources_max, expected->sources_max);
	assert_int_equal(link->report_rate_max, expected->report_rate_max);
	assert_int_equal(link->host_report_rate_max, expected->host_report_rate_max);
	assert_int_equal(link->query_rate_max, expected->query_rate_max);
	assert_int_equal(link->hosts_max, expected->hosts_max);
	assert_int_equal(link->host_groups_max, expected->host_groups_max);
	assert_memory_equal(link->source_address, expected->source_address, sizeof link->source_address);
	assert_int_equal(link->require_router_alert, expected->require_router_alert);
	assert_int_equal(link->verify_source_subnet, expected->verify_source_subnet);
	assert_int_equal(link->ttl_threshold, expected->ttl_threshold);
	assert_memory_equal(link->ssm_prefix, expected->ssm_prefix, sizeof link->ssm_prefix);
	assert_memory_equal(link->ssm_length, expected->ssm_length, sizeof link->ssm_length);
	assert_int_equal(link->reset_rp_filter, expected->reset_rp_filter);
	assert_int_equal(link->upstream_membership, expected->upstream_membership);
	assert_int_equal(link->kernel_groups_max, expected->kernel_groups_max);
	assert_memory_equal(link->upstream_version, expected->upstream_version,
	                    sizeof link->upstream_version);
	assert_int_equal(link->repeat_without_querier, expected->repeat_without_querier);
	assert_int_equal(link->unsolicited_report_interval, expected->unsolicited_report_interval);
	assert_int_equal(link->leave_hold, expected->leave_hold);
}

void assert_instance(const struct instance_settings *settings, const struct instance_settings *expected)
{
	assert_int_equal(settings->routes_max, expected->routes_max);
	assert_int_equal(settings->route_timeout, expected->route_timeout);
	assert_int_equal(settings->memory_max, expected->memory_max);
}
