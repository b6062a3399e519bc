/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `metrics`: counters and gauges in the OpenMetrics text format, named by the conventions of Prometheus.
 */
#ifndef MCPROXY_CTL_METRICS_H
#define MCPROXY_CTL_METRICS_H

#include "ctl/command.h"

#include <json-c/json.h>
#include <stdio.h>

command_run metrics_run;

/* Samples of every metric, gathered until they are printed, since those of one metric stand together. */
struct metrics;
struct metrics *metrics_new(void); /* NULL when memory is short */
void metrics_free(struct metrics *metrics);
/* A member or list element of an answer (an answer_take with the metrics as context). */
void metrics_take(void *metrics, const char *key, struct json_object *value);
void metrics_print(struct metrics *metrics, FILE *out);

#endif
