/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Counters and gauges of answers of the daemon, as text for Prometheus and named by its conventions.
 */
#ifndef MCPROXY_CTL_METRICS_TEXT_H
#define MCPROXY_CTL_METRICS_TEXT_H

#include <json-c/json.h>
#include <stdio.h>

/* Samples of every metric, collected before they are printed, because the samples of one metric must be
 * adjacent. */
struct metrics;
struct metrics *metrics_new(void); /* NULL when memory is short */
void metrics_free(struct metrics *metrics);
/* Takes a member or list element of an answer (an answer_take; the context is the metrics). */
void metrics_take(void *metrics, const char *key, struct json_object *value);

enum metrics_format {
	METRICS_PROMETHEUS, /* the text format 0.0.4 */
	METRICS_OPENMETRICS /* 1.0 */
};
/* Once. metrics: NULL if the daemon does not answer. */
void metrics_print(struct metrics *metrics, enum metrics_format format, FILE *out);

#endif
