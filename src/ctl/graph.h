/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `graph`: the trees along which streams go, as a drawing for Graphviz (dot -Tsvg).
 */
#ifndef MCPROXY_CTL_GRAPH_H
#define MCPROXY_CTL_GRAPH_H

#include "ctl/command.h"

#include <json-c/json.h>
#include <stdio.h>

command_run graph_run;

/* A drawing under way. */
struct graph {
	FILE *out;
	struct json_object *streams; /* groups that have any, by instance and group */
};

void graph_begin(struct graph *graph, FILE *out);
/* Elements of the answers to `show`: links first, then routes, then groups. */
void graph_take(void *graph, const char *key, struct json_object *value);
void graph_end(struct graph *graph);

#endif
