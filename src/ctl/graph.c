/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/graph.h"

#include "ctl/client/answer.h"
#include "ctl/client/columns.h"
#include "ctl/client/print.h"
#include "ctl/client/session.h"
#include "ctl/command.h"
#include "ctl/filters.h"

#include <string.h>

void graph_begin(struct graph *graph, FILE *out)
{
	*graph = (struct graph){.out = out, .streams = json_object_new_object()};
	fputs("digraph mcproxy {\n\trankdir=LR;\n\tnode [fontname=\"sans-serif\"];\n", out);
}

void graph_end(struct graph *graph)
{
	fputs("}\n", graph->out);
	json_object_put(graph->streams);
}

/* A node's name of up to three parts. */
static void put_name(FILE *out, const char *kind, const char *first, const char *second, const char *third)
{
	print_to(out, "\"%s ", kind);
	print_quoted(out, first);
	fputc(' ', out);
	print_quoted(out, second);
	fputc(' ', out);
	print_quoted(out, third);
	fputc('"', out);
}

static void put_link(struct graph *graph, struct json_object *link)
{
	bool usable = answer_bool(link, "usable");

	/* Both families are one node. */
	fputc('\t', graph->out);
	put_name(graph->out, "link", answer_text(link, "instance"), answer_text(link, "link"), "");
	fputs(" [shape=box label=\"", graph->out);
	print_quoted(graph->out, answer_text(link, "link"));
	print_to(graph->out, "\\n%s of ", answer_text(link, "role"));
	print_quoted(graph->out, answer_text(link, "instance"));
	print_to(graph->out, "\"%s];\n", usable ? "" : " style=dashed");
}

static void put_stream_node(struct graph *graph, struct json_object *route)
{
	put_name(graph->out, "stream", answer_text(route, "instance"), answer_text(route, "group"),
	         answer_text(route, "source"));
}

static void put_link_node(struct graph *graph, struct json_object *item, const char *link)
{
	put_name(graph->out, "link", answer_text(item, "instance"), link, "");
}

static const char *stream_key(struct json_object *item, char key[192])
{
	snprintf(key, 192, "%s %s", answer_text(item, "instance"), answer_text(item, "group"));
	return key;
}

static void put_route(struct graph *graph, struct json_object *route)
{
	struct json_object *outputs = answer_member(route, "outputs");
	size_t count = answer_length(outputs);
	char rate[24], key[192];

	json_object_object_add(graph->streams, stream_key(route, key), json_object_new_boolean(true));
	fputc('\t', graph->out);
	put_stream_node(graph, route);
	print_to(graph->out, " [label=\"%s\\nfrom %s\\n%s\"%s];\n\t", answer_text(route, "group"),
	         answer_text(route, "source"), format_rate(answer_number(route, "bit_rate"), rate),
	         count > 0 ? "" : " style=dotted");
	put_link_node(graph, route, answer_text(route, "input"));
	fputs(" -> ", graph->out);
	put_stream_node(graph, route);
	fputs(";\n", graph->out);
	for (size_t i = 0; i < count; i++) {
		fputc('\t', graph->out);
		put_stream_node(graph, route);
		fputs(" -> ", graph->out);
		put_link_node(graph, route, json_object_get_string(json_object_array_get_idx(outputs, i)));
		fputs(";\n", graph->out);
	}
}

/* A group whose members receive no stream yet. */
static void put_group(struct graph *graph, struct json_object *group)
{
	char key[192];

	if (answer_has(graph->streams, stream_key(group, key)))
		return;
	fputc('\t', graph->out);
	put_name(graph->out, "group", answer_text(group, "instance"), answer_text(group, "group"), "");
	print_to(graph->out, " [label=\"%s\\nno stream\" style=dashed];\n\t", answer_text(group, "group"));
	put_name(graph->out, "group", answer_text(group, "instance"), answer_text(group, "group"), "");
	fputs(" -> ", graph->out);
	put_link_node(graph, group, answer_text(group, "link"));
	fputs(" [style=dashed];\n", graph->out);
}

void graph_take(void *context, const char *key, struct json_object *value)
{
	struct graph *graph = context;

	if (strcmp(key, "links") == 0)
		put_link(graph, value);
	else if (strcmp(key, "routes") == 0)
		put_route(graph, value);
	else if (strcmp(key, "groups") == 0)
		put_group(graph, value);
}

static bool ask(const struct ctl *ctl, struct session *session, const char *what,
                const struct filters *filter, struct graph *graph)
{
	struct json_object *request = session_request("show");

	json_object_object_add(request, "what", json_object_new_string(what));
	filters_add(filter, request);
	return session_ask(session, request) &&
	       (ctl->json ? session_copy(session) : session_read(session, graph_take, graph));
}

int graph_run(const struct ctl *ctl, int argc, char **argv)
{
	struct filters filter = {0};
	struct session *session;
	struct graph graph = {0};
	bool good;

	if (!filters_read_only(&filter, argc, argv))
		return CTL_USAGE;
	session = session_open(ctl);
	if (session == NULL)
		return CTL_FAILED;
	if (!ctl->json)
		graph_begin(&graph, stdout);
	good = ask(ctl, session, "links", &filter, &graph) && ask(ctl, session, "routes", &filter, &graph) &&
	       ask(ctl, session, "groups", &filter, &graph);
	if (!ctl->json)
		graph_end(&graph);
	session_close(session);
	return good ? CTL_DONE : CTL_FAILED;
}
