/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `metrics`: counters and gauges in the OpenMetrics text format, named by the conventions of Prometheus.
 */
#ifndef MCPROXY_CTL_METRICS_H
#define MCPROXY_CTL_METRICS_H

#include <json-c/json.h>
#include <stdio.h>

/* Samples of every metric, collected before they are printed, because the samples of one metric must be
 * adjacent. */
struct metrics;
struct metrics *metrics_new(void); /* NULL when memory is short */
void metrics_free(struct metrics *metrics);
/* Takes a member or list element of an answer (an answer_take; the context is the metrics). */
void metrics_take(void *metrics, const char *key, struct json_object *value);
void metrics_print(struct metrics *metrics, FILE *out);

#endif
