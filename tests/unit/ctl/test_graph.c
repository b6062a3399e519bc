/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The drawing of the trees: links, streams, members without a stream.
 */
#include "ctl/graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void take(struct graph *graph, const char *key, const char *text)
{
	struct json_object *value = json_tokener_parse(text);

	assert_non_null(value);
	graph_take(graph, key, value);
	json_object_put(value);
}

static void trees_are_drawn(void **state)
{
	struct graph graph;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	graph_begin(&graph, out);
	take(&graph, "version", "1");
	take(&graph, "links",
	     "{\"instance\":\"t\\\"v\",\"link\":\"eth0\",\"role\":\"upstream\",\"usable\":true}");
	take(&graph, "links",
	     "{\"instance\":\"t\\\"v\",\"link\":\"eth1\",\"role\":\"downstream\",\"usable\":false}");
	take(&graph, "routes",
	     "{\"instance\":\"t\\\"v\",\"group\":\"239.1.1.1\",\"source\":\"10.0.0.1\",\"input\":\"eth0\","
	     "\"outputs\":[\"eth1\"],\"bit_rate\":8500000}");
	take(&graph, "routes",
	     "{\"instance\":\"t\\\"v\",\"group\":\"239.1.1.9\",\"source\":\"10.0.0.1\",\"input\":\"eth0\","
	     "\"outputs\":[]}");
	take(&graph, "groups", "{\"instance\":\"t\\\"v\",\"group\":\"239.1.1.1\",\"link\":\"eth1\"}");
	take(&graph, "groups", "{\"instance\":\"t\\\"v\",\"group\":\"239.1.1.2\",\"link\":\"eth1\"}");
	graph_end(&graph);
	fclose(out);
	assert_string_equal(
		text,
		"digraph mcproxy {\n\trankdir=LR;\n\tnode [fontname=\"sans-serif\"];\n"
		"\t\"link t\\\"v eth0 \" [shape=box label=\"eth0\\nupstream of t\\\"v\"];\n"
		"\t\"link t\\\"v eth1 \" [shape=box label=\"eth1\\ndownstream of t\\\"v\" style=dashed];\n"
		"\t\"stream t\\\"v 239.1.1.1 10.0.0.1\" [label=\"239.1.1.1\\nfrom 10.0.0.1\\n8.5 Mbit/s\"];\n"
		"\t\"link t\\\"v eth0 \" -> \"stream t\\\"v 239.1.1.1 10.0.0.1\";\n"
		"\t\"stream t\\\"v 239.1.1.1 10.0.0.1\" -> \"link t\\\"v eth1 \";\n"
		"\t\"stream t\\\"v 239.1.1.9 10.0.0.1\" [label=\"239.1.1.9\\nfrom 10.0.0.1\\n0 bit/s\" "
		"style=dotted];\n"
		"\t\"link t\\\"v eth0 \" -> \"stream t\\\"v 239.1.1.9 10.0.0.1\";\n"
		"\t\"group t\\\"v 239.1.1.2 \" [label=\"239.1.1.2\\nno stream\" style=dashed];\n"
		"\t\"group t\\\"v 239.1.1.2 \" -> \"link t\\\"v eth1 \" [style=dashed];\n"
		"}\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(trees_are_drawn)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
