/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Metrics: samples of one metric stand together, labels are escaped, what is not there is left out.
 */
#include "ctl/metrics.h"

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

static char *print(struct metrics *metrics)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	metrics_print(metrics, out);
	fclose(out);
	return text;
}

static void samples_of_a_metric_stand_together(void **state)
{
	struct metrics *metrics = metrics_new();
	char *text;

	(void)state;
	take(metrics, "what", "\"status\"");
	take(metrics, "program_version", "\"1.2\"");
	take(metrics, "uptime", "12.5");
	take(metrics, "what", "\"links\"");
	take(metrics, "uptime", "13.5"); /* once is enough */
	take(metrics, "links",
	     "{\"instance\":\"a\\\"\\\\\\n\",\"link\":\"eth0\",\"family\":\"IPv4\",\"role\":\"downstream\",\"usable\":true,\"drops\":{\"bad "
	     "checksum\":3,\"not a group\":1}}");
	take(metrics, "links",
	     "{\"instance\":\"b\",\"link\":\"eth1\",\"role\":\"upstream\",\"usable\":false}");
	text = print(metrics);
	assert_string_equal(
		text,
		"# TYPE mcproxy_build info\n# HELP mcproxy_build The program that runs.\n"
		"mcproxy_build_info{version=\"1.2\"} 1\n"
		"# TYPE mcproxy_uptime_seconds gauge\n# UNIT mcproxy_uptime_seconds seconds\n"
		"# HELP mcproxy_uptime_seconds Time since the daemon started.\nmcproxy_uptime_seconds 12.5\n"
		"# TYPE mcproxy_link_usable gauge\n"
		"# HELP mcproxy_link_usable 1 while a link is up and has what it needs.\n"
		"mcproxy_link_usable{instance=\"a\\\"\\\\\\n\",link=\"eth0\",family=\"IPv4\",role="
		"\"downstream\"} 1\n"
		"mcproxy_link_usable{instance=\"b\",link=\"eth1\",role=\"upstream\"} 0\n"
		"# TYPE mcproxy_link_drops counter\n"
		"# HELP mcproxy_link_drops Packets, or parts of packets, that were ignored.\n"
		"mcproxy_link_drops_total{instance=\"a\\\"\\\\\\n\",link=\"eth0\",family=\"IPv4\",role="
		"\"downstream\","
		"cause=\"bad checksum\"} 3\n"
		"mcproxy_link_drops_total{instance=\"a\\\"\\\\\\n\",link=\"eth0\",family=\"IPv4\",role="
		"\"downstream\","
		"cause=\"not a group\"} 1\n"
		"# EOF\n");
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
	text = print(metrics);
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
		cmocka_unit_test(samples_of_a_metric_stand_together),
		cmocka_unit_test(non_numbers_are_omitted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
