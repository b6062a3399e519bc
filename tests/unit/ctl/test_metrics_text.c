/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Metrics as text, in both formats: samples of one metric stand together and once, labels are escaped, what is not
 * there is left out.
 */
#include "ctl/metrics_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void take(struct metrics *metrics, const char *key, const char *text)
{
	struct json_object *value = json_tokener_parse(text);

	assert_non_null(value);
	metrics_take(metrics, key, value);
	json_object_put(value);
}

static char *print(struct metrics *metrics, enum metrics_format format)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	metrics_print(metrics, format, out);
	fclose(out);
	return text;
}

static struct metrics *make(void)
{
	struct metrics *metrics = metrics_new();

	take(metrics, "what", "\"status\"");
	take(metrics, "program_version", "\"1.2\"");
	take(metrics, "uptime", "12.5");
	take(metrics, "last_reload_successful", "false");
	take(metrics, "families", "{\"family\":\"IPv4\",\"serving\":true}");
	take(metrics, "what", "\"links\"");
	take(metrics, "uptime", "13.5"); /* once is enough */
	take(metrics, "links",
	     "{\"instance\":\"b\",\"link\":\"eth1\",\"role\":\"upstream\",\"usable\":false}");
	take(metrics, "links",
	     "{\"instance\":\"a\\\"\\\\\\n\",\"link\":\"eth0\",\"family\":\"IPv4\",\"role\":\"downstream\",\"usable\":true,"
	     "\"drops\":{\"bad checksum\":3,\"not a group\":1}}");
	return metrics;
}

#define ETH0 "{mcproxy_instance=\"a\\\"\\\\\\n\",link=\"eth0\",family=\"IPv4\",role=\"downstream\""

static void prometheus_text(void **state)
{
	struct metrics *metrics = make();
	char *text = print(metrics, METRICS_PROMETHEUS);

	(void)state;
	assert_string_equal(
		text,
		"# HELP mcproxy_up 1 if the daemon answered.\n# TYPE mcproxy_up gauge\nmcproxy_up 1\n"
		"# HELP mcproxy_build_info The program that runs.\n# TYPE mcproxy_build_info gauge\n"
		"mcproxy_build_info{version=\"1.2\"} 1\n"
		"# HELP mcproxy_uptime_seconds Time since the daemon started.\n"
		"# TYPE mcproxy_uptime_seconds gauge\nmcproxy_uptime_seconds 12.5\n"
		"# HELP mcproxy_config_last_reload_successful 0 after a reload of the configuration that "
		"failed, until one succeeds.\n"
		"# TYPE mcproxy_config_last_reload_successful gauge\n"
		"mcproxy_config_last_reload_successful 0\n"
		"# HELP mcproxy_family_serving 1 while all instances that are configured for a family serve "
		"it.\n"
		"# TYPE mcproxy_family_serving gauge\nmcproxy_family_serving{family=\"IPv4\"} 1\n"
		"# HELP mcproxy_link_usable 1 while a link is up and has what it needs.\n"
		"# TYPE mcproxy_link_usable gauge\n"
		"mcproxy_link_usable" ETH0 "} 1\n"
		"mcproxy_link_usable{mcproxy_instance=\"b\",link=\"eth1\",role=\"upstream\"} 0\n"
		"# HELP mcproxy_link_drops_total Packets, or parts of packets, that were ignored.\n"
		"# TYPE mcproxy_link_drops_total counter\n"
		"mcproxy_link_drops_total" ETH0 ",cause=\"bad checksum\"} 3\n"
		"mcproxy_link_drops_total" ETH0 ",cause=\"not a group\"} 1\n");
	free(text);
	metrics_free(metrics);
}

static void openmetrics_text(void **state)
{
	static const char *const lines[] = {
		"# HELP mcproxy_build The program that runs.\n# TYPE mcproxy_build info\n"
		"mcproxy_build_info{version=\"1.2\"} 1\n",
		"# TYPE mcproxy_uptime_seconds gauge\n# UNIT mcproxy_uptime_seconds seconds\n"
		"mcproxy_uptime_seconds 12.5\n",
		"# TYPE mcproxy_link_drops counter\nmcproxy_link_drops_total" ETH0 ",cause=",
	};
	struct metrics *metrics = make();
	char *text = print(metrics, METRICS_OPENMETRICS);

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		assert_non_null(strstr(text, lines[i]));
	assert_string_equal(text + strlen(text) - 6, "# EOF\n");
	free(text);
	metrics_free(metrics);
}

static void without_a_daemon(void **state)
{
	static const char up[] =
		"# HELP mcproxy_up 1 if the daemon answered.\n# TYPE mcproxy_up gauge\nmcproxy_up 0\n";
	char *text = print(NULL, METRICS_PROMETHEUS), *open = print(NULL, METRICS_OPENMETRICS);

	(void)state;
	assert_string_equal(text, up);
	assert_memory_equal(open, up, strlen(up));
	assert_string_equal(open + strlen(up), "# EOF\n");
	free(text);
	free(open);
}

static void a_sample_stands_once(void **state)
{
	struct metrics *metrics = metrics_new();
	char *text;

	(void)state;
	take(metrics, "routes", "{\"group\":\"239.1.1.1\",\"source\":\"10.0.0.1\",\"packets\":900}");
	take(metrics, "routes", "{\"group\":\"239.1.1.1\",\"source\":\"10.0.0.11\",\"packets\":5}");
	take(metrics, "routes", "{\"group\":\"239.1.1.1\",\"source\":\"10.0.0.1\",\"packets\":7}");
	text = print(metrics, METRICS_PROMETHEUS);
	assert_non_null(strstr(text,
	                       "# TYPE mcproxy_stream_packets_total counter\n"
	                       "mcproxy_stream_packets_total{group=\"239.1.1.1\",source=\"10.0.0.1\"} 900\n"
	                       "mcproxy_stream_packets_total{group=\"239.1.1.1\",source=\"10.0.0.11\"} 5\n"));
	assert_null(strstr(text, "} 7\n"));
	free(text);
	metrics_free(metrics);
}

static void hits_of_rules(void **state)
{
	struct metrics *metrics = metrics_new();
	char *text;

	(void)state;
	take(metrics, "filters",
	     "{\"instance\":\"tv\",\"link\":\"eth1\",\"direction\":\"out\",\"line\":12,\"number\":2,\"rule\":\"deny all\","
	     "\"reports\":3,\"streams\":4}");
	take(metrics, "filters",
	     "{\"instance\":\"tv\",\"link\":\"eth0\",\"direction\":\"in\",\"line\":null,\"number\":1,\"reports\":5,"
	     "\"streams\":0}");
	text = print(metrics, METRICS_PROMETHEUS);
	assert_non_null(strstr(
		text,
		"mcproxy_filter_report_hits_total{mcproxy_instance=\"tv\",link=\"eth0\",direction=\"in\","
		"number=\"1\"} 5\n"
		"mcproxy_filter_report_hits_total{mcproxy_instance=\"tv\",link=\"eth1\",direction=\"out\","
		"line=\"12\",number=\"2\"} 3\n"));
	assert_non_null(strstr(text, "line=\"12\",number=\"2\"} 4\n"));
	free(text);
	metrics_free(metrics);
}

static void non_numbers_are_omitted(void **state)
{
	struct metrics *metrics = metrics_new();
	char *text;

	(void)state;
	take(metrics, "upstream",
	     "{\"link\":\"eth0\",\"groups\":\"many\",\"query_age\":null,\"queries_heard\":4}");
	take(metrics, "unknown", "{\"groups\":1}");
	take(metrics, "links", "7");
	text = print(metrics, METRICS_PROMETHEUS);
	assert_non_null(strstr(text, "mcproxy_upstream_queries_heard_total{link=\"eth0\"} 4\n"));
	assert_null(strstr(text, "upstream_groups"));
	assert_null(strstr(text, "query_age"));
	assert_null(strstr(text, "_link_"));
	free(text);
	metrics_free(metrics);
	metrics_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prometheus_text),  cmocka_unit_test(openmetrics_text),
		cmocka_unit_test(without_a_daemon), cmocka_unit_test(a_sample_stands_once),
		cmocka_unit_test(hits_of_rules),    cmocka_unit_test(non_numbers_are_omitted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
