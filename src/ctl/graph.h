/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `graph`: the trees of the streams, as a drawing for Graphviz (dot -Tsvg).
 */
#ifndef MCPROXY_CTL_GRAPH_H
#define MCPROXY_CTL_GRAPH_H

#include <json-c/json.h>
#include <stdio.h>

/* A drawing in progress. */
struct graph {
	FILE *out;
	struct json_object *streams; /* groups with streams, by instance and group */
};

void graph_begin(struct graph *graph, FILE *out);
/* Elements of the answers to `show`: links first, then routes, then groups. */
void graph_take(void *graph, const char *key, struct json_object *value);
void graph_end(struct graph *graph);

#endif
