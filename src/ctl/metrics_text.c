/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/metrics_text.h"

#include "ctl/client/answer.h"
#include "ctl/client/print.h"

#include <stdlib.h>
#include <string.h>

enum type { TYPE_GAUGE, TYPE_COUNTER, TYPE_INFO };

/* A number in an item, or each number in an object of the item. In the second case `each` is the label that
 * distinguishes them. */
struct metric {
	const char *list;   /* of the answer; "": members of the answer itself */
	const char *object; /* in the item; NULL: the item itself */
	const char *member; /* NULL: each one of the object */
	const char *each;
	const char *name; /* without prefix and suffix */
	enum type type;
	const char *unit; /* the end of the name; NULL: none */
	const char *help;
};

#define GAUGE(list, member, name, unit, help)                                                                \
	{                                                                                                    \
		list, NULL, member, NULL, name, TYPE_GAUGE, unit, help                                       \
	}
#define COUNTER(list, member, name, unit, help)                                                              \
	{                                                                                                    \
		list, NULL, member, NULL, name, TYPE_COUNTER, unit, help                                     \
	}
#define OF_LINK(member, name, help)                                                                          \
	{                                                                                                    \
		"links", "counters", member, NULL, name, TYPE_COUNTER, NULL, help                            \
	}

static const struct metric table[] = {
	GAUGE("", "uptime", "uptime_seconds", "seconds", "Time since the daemon started."),
	GAUGE("", "started", "start_time_seconds", "seconds",
              "When the daemon started, since 1970, by the clock at that time."),
	GAUGE("", "last_reload_successful", "config_last_reload_successful", NULL,
              "0 after a reload of the configuration that failed, until one succeeds."),
	GAUGE("families", "serving", "family_serving", NULL,
              "1 while all instances that are configured for a family serve it."),
	GAUGE("confinement", "system_calls", "confinement_system_calls", NULL,
              "1 while a filter limits the system calls of the daemon."),
	GAUGE("confinement", "files", "confinement_files", NULL,
              "1 while Landlock limits the files that the daemon reaches."),
	GAUGE("tables", "served", "table_served", NULL,
              "1 while this daemon routes a family, 0 while another program does."),
	GAUGE("tables", "routes", "table_routes", NULL, "Forwarding entries in a kernel table."),
	COUNTER("tables", "upcalls", "table_upcalls", NULL, "Packets without an entry in the kernel."),
	COUNTER("tables", "upcalls_deferred", "table_upcalls_deferred", NULL,
                "Upcalls that the kernel was made to repeat because their instance was busy."),
	COUNTER("tables", "route_failures", "table_route_failures", NULL, "Entries that the kernel refused."),
	COUNTER("tables", "routes_restored", "table_routes_restored", NULL,
                "Entries that another process had changed or deleted."),
	COUNTER("tables", "routes_moved", "table_routes_moved", NULL,
                "Streams whose input moved to another link."),
	GAUGE("tables", "routes_with_copies", "table_routes_with_copies", NULL,
              "Streams that also arrive on a second link."),
	COUNTER("tables", "copies_found", "table_copies_found", NULL,
                "Streams that were found to arrive on a second link."),
	GAUGE("tables", "routes_yielded", "table_routes_yielded", NULL,
              "Streams that are left to another router on a link."),
	COUNTER("tables", "yields", "table_yields", NULL,
                "Streams that were left to another router on a link."),
	COUNTER("tables", "watches_refused", "table_watches_refused", NULL,
                "Packets on a wrong link of streams that found no place to be watched."),
	GAUGE("instances", "groups", "instance_groups", NULL, "Groups with members or streams."),
	GAUGE("instances", "routes", "instance_routes", NULL, "Streams that the instance knows."),
	GAUGE("instances", "routes_max", "instance_routes_limit", NULL, "Their limit, routes_max."),
	GAUGE("instances", "negative_routes", "instance_unwanted_routes", NULL,
              "Streams that are not forwarded."),
	GAUGE("instances", "memory", "instance_memory_bytes", "bytes", "Memory of an instance's state."),
	GAUGE("instances", "memory_max", "instance_memory_limit_bytes", "bytes", "Its limit, memory_max."),
	COUNTER("instances", "refused_for_routes_max", "instance_routes_refused", NULL,
                "Streams without an entry because routes_max was reached."),
	COUNTER("instances", "refused_for_memory", "instance_memory_refused", NULL,
                "State that was not kept because memory_max was reached."),
	COUNTER("instances", "requests_postponed", "instance_requests_postponed", NULL,
                "Memberships and routes that the main thread had no memory for, and requested again."),
	COUNTER("instances", "events_lost", "instance_events_lost", NULL,
                "Events that were lost because a queue was full."),
	GAUGE("links", "usable", "link_usable", NULL, "1 while a link is up and has what it needs."),
	GAUGE("links", "this_router_is_querier", "link_querier", NULL, "1 while this router is the querier."),
	GAUGE("links", "groups", "link_groups", NULL, "Groups with members on a link."),
	GAUGE("links", "routes", "link_routes", NULL, "Streams that arrive on a link."),
	GAUGE("links", "memory", "link_memory_bytes", "bytes",
              "Memory of a link's state, of both families together."),
	GAUGE("links", "memory_share", "link_memory_share_bytes", "bytes",
              "What is kept of memory_max for a link, for both families together."),
	OF_LINK("reports", "link_reports", "Membership reports and leaves received."),
	OF_LINK("queries_sent", "link_queries_sent", "Queries sent."),
	OF_LINK("queries_heard", "link_queries_heard", "Queries received from other routers."),
	OF_LINK("queries_of_another_version", "link_queries_of_another_version",
                "Queries of a version other than the link's."),
	OF_LINK("lost_in_socket", "link_socket_losses", "Packets lost because the socket was full."),
	OF_LINK("sends_failed", "link_send_failures", "Packets that could not be sent."),
	{"links", "drops", NULL, "cause", "link_drops", TYPE_COUNTER, NULL,
         "Packets, or parts of packets, that were ignored."},
	GAUGE("upstream", "groups", "upstream_groups", NULL, "Groups wanted upstream."),
	GAUGE("upstream", "kept_by_kernel", "upstream_kernel_groups", NULL,
              "Groups wanted upstream that the kernel keeps."),
	GAUGE("upstream", "refused_by_kernel", "upstream_refused_groups", NULL,
              "Groups that the kernel refuses to join at present."),
	GAUGE("upstream", "supersets", "upstream_superset_groups", NULL,
              "Groups joined without a source list because the kernel's lists are too short."),
	GAUGE("upstream", "query_age", "upstream_query_age_seconds", "seconds",
              "Time since the last query upstream."),
	GAUGE("upstream", "query_missing", "upstream_query_missing", NULL,
              "1 while no query has arrived for too long."),
	COUNTER("upstream", "queries_heard", "upstream_queries_heard", NULL, "Queries received upstream."),
	COUNTER("upstream", "reports_sent", "upstream_reports_sent", NULL, "Reports sent upstream."),
	COUNTER("upstream", "sends_failed", "upstream_send_failures", NULL,
                "Reports that could not be sent."),
	COUNTER("filters", "reports", "filter_report_hits", NULL,
                "Reports that a rule of a filter decided on; upstream, changes of what is wanted there."),
	COUNTER("filters", "streams", "filter_stream_hits", NULL,
                "Decisions of a rule of a filter where a stream goes."),
	COUNTER("routes", "packets", "stream_packets", NULL, "Packets of a stream."),
	COUNTER("routes", "bytes", "stream_bytes", "bytes", "Bytes of a stream."),
	COUNTER("routes", "wrong_interface", "stream_wrong_interface_packets", NULL,
                "Packets of a stream that arrived on a link other than the input of its entry."),
};

#define METRICS (sizeof table / sizeof table[0])

/* The labels that distinguish the items of a list. */
static const struct {
	const char *list;
	const char *labels[6];
} labels_of[] = {
	{"families", {"family"}},
	{"tables", {"table", "family"}},
	{"instances", {"instance"}},
	{"links", {"instance", "link", "family", "role"}},
	{"upstream", {"link", "family"}},
	{"routes", {"instance", "group", "source", "input"}},
	{"filters", {"instance", "link", "direction", "line", "number"}},
};

struct samples {
	char *text; /* a line for each */
	size_t size;
	size_t count;
	FILE *out;
};

struct metrics {
	char version[32]; /* of the daemon */
	bool of_daemon;   /* the current answer is that of `show status` */
	struct samples samples[METRICS];
};

struct metrics *metrics_new(void)
{
	struct metrics *metrics = calloc(1, sizeof *metrics);

	for (size_t i = 0; metrics != NULL && i < METRICS; i++) {
		struct samples *samples = &metrics->samples[i];

		samples->out = open_memstream(&samples->text, &samples->size);
		if (samples->out == NULL) {
			metrics_free(metrics);
			return NULL;
		}
	}
	return metrics;
}

void metrics_free(struct metrics *metrics)
{
	if (metrics == NULL)
		return;
	for (size_t i = 0; i < METRICS; i++) {
		if (metrics->samples[i].out != NULL)
			fclose(metrics->samples[i].out);
		free(metrics->samples[i].text);
	}
	free(metrics);
}

/* What stands between the name of a metric and the labels of its samples. */
static const char *suffix_of(enum type type)
{
	switch (type) {
	case TYPE_GAUGE:
		break;
	case TYPE_COUNTER:
		return "_total";
	case TYPE_INFO:
		return "_info";
	}
	return "";
}

static void put_label(FILE *out, const char *name, const char *value, bool *first)
{
	print_to(out, "%s%s=\"", *first ? "{" : ",", name);
	*first = false;
	print_quoted(out, value);
	fputc('"', out);
}

/* Prometheus itself labels everything that it collects with `instance`: the address that it collects from. */
static const char *label_name(const char *member)
{
	return strcmp(member, "instance") == 0 ? "mcproxy_instance" : member;
}

static void put_labels(FILE *out, const char *list, struct json_object *item, bool *first)
{
	for (size_t i = 0; i < sizeof labels_of / sizeof labels_of[0]; i++) {
		if (strcmp(labels_of[i].list, list) != 0)
			continue;
		for (const char *const *label = labels_of[i].labels; *label != NULL; label++)
			if (answer_has(item, *label))
				put_label(out, label_name(*label),
				          json_object_get_string(answer_member(item, *label)), first);
	}
}

static void put_sample(struct samples *samples, const struct metric *metric, struct json_object *item,
                       const char *each, struct json_object *value)
{
	FILE *out = samples->out;
	bool first = true, truth = json_object_is_type(value, json_type_boolean);

	if (!truth && !json_object_is_type(value, json_type_int) &&
	    !json_object_is_type(value, json_type_double))
		return;
	samples->count++;
	print_to(out, "mcproxy_%s%s", metric->name, suffix_of(metric->type));
	put_labels(out, metric->list, item, &first);
	if (each != NULL)
		put_label(out, metric->each, each, &first);
	if (truth)
		print_to(out, "%s %d\n", first ? "" : "}", json_object_get_boolean(value));
	else
		print_to(out, "%s %s\n", first ? "" : "}", json_object_get_string(value));
}

static void put_item(struct samples *samples, const struct metric *metric, struct json_object *item)
{
	struct json_object *object = metric->object != NULL ? answer_member(item, metric->object) : item;

	if (object == NULL)
		return;
	if (metric->member != NULL) {
		put_sample(samples, metric, item, NULL, answer_member(object, metric->member));
		return;
	}
	json_object_object_foreach(object, key, value)
	{
		put_sample(samples, metric, item, key, value);
	}
}

void metrics_take(void *context, const char *key, struct json_object *value)
{
	struct metrics *metrics = context;
	bool is_item = json_object_is_type(value, json_type_object);

	if (strcmp(key, "what") == 0)
		metrics->of_daemon = strcmp(json_object_get_string(value), "status") == 0;
	if (strcmp(key, "program_version") == 0)
		snprintf(metrics->version, sizeof metrics->version, "%s", json_object_get_string(value));
	for (size_t i = 0; i < METRICS; i++) {
		const struct metric *metric = &table[i];
		struct samples *samples = &metrics->samples[i];

		if (is_item && strcmp(metric->list, key) == 0)
			put_item(samples, metric, value);
		else if (metrics->of_daemon && metric->list[0] == '\0' && strcmp(metric->member, key) == 0)
			put_sample(samples, metric, NULL, NULL, value);
	}
}

/* OpenMetrics describes a metric by its name alone, the older format by the name of its samples, and it does not
 * know the type info. */
static void put_header(FILE *out, enum metrics_format format, const struct metric *metric)
{
	bool open = format == METRICS_OPENMETRICS;
	const char *suffix = open ? "" : suffix_of(metric->type);
	const char *type = metric->type == TYPE_COUNTER        ? "counter"
	                   : metric->type == TYPE_INFO && open ? "info"
	                                                       : "gauge";

	print_to(out, "# HELP mcproxy_%s%s %s\n# TYPE mcproxy_%s%s %s\n", metric->name, suffix, metric->help,
	         metric->name, suffix, type);
	if (open && metric->unit != NULL)
		print_to(out, "# UNIT mcproxy_%s %s\n", metric->name, metric->unit);
}

static int compare_lines(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static bool same_labels(const char *line, const char *other)
{
	size_t size = (size_t)(strrchr(line, ' ') - line);

	return strncmp(line, other, size + 1) == 0;
}

/* A list does not show one instant: a stream that ended and came back in the meantime is listed twice. A collector
 * would then refuse all metrics, so one sample is left out. */
static void put_samples(FILE *out, struct samples *samples)
{
	const char **lines = calloc(samples->count, sizeof *lines);
	size_t count = 0;

	if (lines == NULL)
		return;
	for (char *line = samples->text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		*end = '\0';
		lines[count++] = line;
	}
	qsort(lines, count, sizeof *lines, compare_lines);
	for (size_t i = 0; i < count; i++)
		if (i + 1 == count || !same_labels(lines[i], lines[i + 1]))
			print_to(out, "%s\n", lines[i]);
	free(lines);
}

void metrics_print(struct metrics *metrics, enum metrics_format format, FILE *out)
{
	static const struct metric up = {.name = "up", .help = "1 if the daemon answered."};
	static const struct metric build = {
		.name = "build", .type = TYPE_INFO, .help = "The program that runs."};

	put_header(out, format, &up);
	print_to(out, "mcproxy_up %d\n", metrics != NULL);
	if (metrics != NULL) {
		put_header(out, format, &build);
		print_to(out, "mcproxy_build_info{version=\"%s\"} 1\n", metrics->version);
	}
	for (size_t i = 0; metrics != NULL && i < METRICS; i++) {
		fflush(metrics->samples[i].out);
		if (metrics->samples[i].count == 0)
			continue;
		put_header(out, format, &table[i]);
		put_samples(out, &metrics->samples[i]);
	}
	if (format == METRICS_OPENMETRICS)
		fputs("# EOF\n", out);
}
