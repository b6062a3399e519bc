/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Prints the steps of a stream as numbered lines for people, or as JSON.
 */
#ifndef MCPROXY_CTL_DIAGNOSIS_STEPS_PRINT_H
#define MCPROXY_CTL_DIAGNOSIS_STEPS_PRINT_H

#include "ctl/diagnosis/path_steps.h"

/* To stdout. */
void steps_print(const struct stream_facts *stream, const struct steps *steps, bool colour);
/* {"group", "source", "instance", "result", "failed", "steps"}; the caller frees it. */
struct json_object *steps_object(const struct stream_facts *stream, const struct steps *steps);

#endif
