/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/metrics.h"

#include "ctl/client/answer.h"
#include "ctl/client/print.h"
#include "ctl/client/session.h"
#include "ctl/command.h"

#include <stdlib.h>
#include <string.h>

enum type { TYPE_GAUGE, TYPE_COUNTER };

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
	COUNTER("routes", "packets", "stream_packets", NULL, "Packets of a stream."),
	COUNTER("routes", "bytes", "stream_bytes", "bytes", "Bytes of a stream."),
	COUNTER("routes", "wrong_interface", "stream_wrong_interface_packets", NULL,
                "Packets of a stream that arrived on a link other than the input of its entry."),
};

#define METRICS (sizeof table / sizeof table[0])

/* The labels that distinguish the items of a list. */
static const struct {
	const char *list;
	const char *labels[5];
} labels_of[] = {
	{"tables", {"table", "family"}},
	{"instances", {"instance"}},
	{"links", {"instance", "link", "family", "role"}},
	{"upstream", {"link", "family"}},
	{"routes", {"instance", "group", "source", "input"}},
};

struct samples {
	char *text;
	size_t size;
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

static void put_label(FILE *out, const char *name, const char *value, bool *first)
{
	print_to(out, "%s%s=\"", *first ? "{" : ",", name);
	*first = false;
	print_quoted(out, value);
	fputc('"', out);
}

static void put_labels(FILE *out, const char *list, struct json_object *item, bool *first)
{
	for (size_t i = 0; i < sizeof labels_of / sizeof labels_of[0]; i++) {
		if (strcmp(labels_of[i].list, list) != 0)
			continue;
		for (const char *const *label = labels_of[i].labels; *label != NULL; label++)
			if (answer_has(item, *label))
				put_label(out, *label, json_object_get_string(answer_member(item, *label)),
				          first);
	}
}

static void put_sample(FILE *out, const struct metric *metric, struct json_object *item, const char *each,
                       struct json_object *value)
{
	bool first = true;

	bool truth = json_object_is_type(value, json_type_boolean);

	if (!truth && !json_object_is_type(value, json_type_int) &&
	    !json_object_is_type(value, json_type_double))
		return;
	print_to(out, "mcproxy_%s%s", metric->name, metric->type == TYPE_COUNTER ? "_total" : "");
	put_labels(out, metric->list, item, &first);
	if (each != NULL)
		put_label(out, metric->each, each, &first);
	if (truth)
		print_to(out, "%s %d\n", first ? "" : "}", json_object_get_boolean(value));
	else
		print_to(out, "%s %s\n", first ? "" : "}", json_object_get_string(value));
}

static void put_item(FILE *out, const struct metric *metric, struct json_object *item)
{
	struct json_object *object = metric->object != NULL ? answer_member(item, metric->object) : item;

	if (object == NULL)
		return;
	if (metric->member != NULL) {
		put_sample(out, metric, item, NULL, answer_member(object, metric->member));
		return;
	}
	json_object_object_foreach(object, key, value)
	{
		put_sample(out, metric, item, key, value);
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
		FILE *out = metrics->samples[i].out;

		if (is_item && strcmp(metric->list, key) == 0)
			put_item(out, metric, value);
		else if (metrics->of_daemon && metric->list[0] == '\0' && strcmp(metric->member, key) == 0)
			put_sample(out, metric, NULL, NULL, value);
	}
}

void metrics_print(struct metrics *metrics, FILE *out)
{
	fputs("# TYPE mcproxy_build info\n# HELP mcproxy_build The program that runs.\n", out);
	print_to(out, "mcproxy_build_info{version=\"%s\"} 1\n", metrics->version);
	for (size_t i = 0; i < METRICS; i++) {
		const struct metric *metric = &table[i];

		fflush(metrics->samples[i].out);
		if (metrics->samples[i].size == 0)
			continue;
		print_to(out, "# TYPE mcproxy_%s %s\n", metric->name,
		         metric->type == TYPE_COUNTER ? "counter" : "gauge");
		if (metric->unit != NULL)
			print_to(out, "# UNIT mcproxy_%s %s\n", metric->name, metric->unit);
		print_to(out, "# HELP mcproxy_%s %s\n", metric->name, metric->help);
		print_bytes(out, metrics->samples[i].text, metrics->samples[i].size);
	}
	fputs("# EOF\n", out);
}

static bool ask(const struct ctl *ctl, struct session *session, const char *what, struct metrics *metrics)
{
	struct json_object *request = session_request("show");

	json_object_object_add(request, "what", json_object_new_string(what));
	return session_ask(session, request) &&
	       (ctl->json ? session_copy(session) : session_read(session, metrics_take, metrics));
}

static bool gather(const struct ctl *ctl, struct session *session, struct metrics *metrics, bool streams)
{
	static const char *const whats[] = {"status", "instances", "links", "uplinks"};

	for (size_t i = 0; i < sizeof whats / sizeof whats[0]; i++)
		if (!ask(ctl, session, whats[i], metrics))
			return false;
	return !streams || ask(ctl, session, "routes", metrics);
}

int metrics_run(const struct ctl *ctl, int argc, char **argv)
{
	bool streams = argc == 2 && strcmp(argv[1], "--streams") == 0;
	struct metrics *metrics;
	struct session *session;
	bool good = false;

	if (argc > 1 && !streams)
		return command_usage(argv[0], "only --streams is expected");
	session = session_open(ctl);
	metrics = session != NULL ? metrics_new() : NULL;
	if (metrics != NULL)
		good = gather(ctl, session, metrics, streams);
	if (good && !ctl->json)
		metrics_print(metrics, stdout);
	metrics_free(metrics);
	session_close(session);
	return good ? CTL_DONE : CTL_FAILED;
}
