/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the filters of a configuration decide on a group: for each way through an instance, and on which upstream links it
 * would be joined while all of them are in use.
 */
#ifndef MCPROXY_CTL_CHECK_PATHS_H
#define MCPROXY_CTL_CHECK_PATHS_H

#include "ctl/diagnosis/decision.h"
#include "daemon/config/config.h"

#include <json-c/json.h>

struct check_question {
	struct decision_subject subject;
	const char *in;   /* where the stream enters; NULL: by any upstream link */
	const char *path; /* of the configuration */
};

/* The document of `check` (docs/control.md). */
struct json_object *check_paths(const struct config *config, const struct check_question *question);

#endif
