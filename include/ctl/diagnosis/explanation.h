/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What `explain` does: reads all that is known about a group, and follows each of its streams.
 */
#ifndef MCPROXY_CTL_DIAGNOSIS_EXPLANATION_H
#define MCPROXY_CTL_DIAGNOSIS_EXPLANATION_H

#include "ctl/diagnosis/gather.h"
#include "ctl/diagnosis/path_steps.h"

#define EXPLAIN_SECONDS 2.0 /* the usual time to look at packets */

struct question {
	struct addr group;
	struct addr source;
	bool has_source;
	const char *link; /* NULL: all downstream links */
	const char *host; /* a member, for filters; NULL: any */
	double seconds;   /* how long to look at packets */
};

/* Reads the group and the source of a question, whose family must be the same. source: NULL without one. NULL, or
 * what is wrong. */
const char *question_read(struct question *question, const char *group, const char *source);

/* Everything that is known, read once. */
struct evidence;
/* Asks the daemon, and looks at packets for the time of the question. NULL when memory is short. The texts of the
 * question must outlive the evidence. */
struct evidence *evidence_gather(const struct ctl *ctl, const struct question *question);
/* NULL, or why nothing can be explained, such as a daemon that does not answer. */
const char *evidence_problem(const struct evidence *evidence);
void evidence_free(struct evidence *evidence); /* accepts NULL */

/* Receives a stream with its steps; both borrowed. */
typedef void stream_take(void *context, const struct stream_facts *stream, const struct steps *steps);
/* Explains each instance with a member; if none has one, the instance of the question's link. Returns whether no
 * stream fails. */
bool explanation_make(struct evidence *evidence, stream_take *take, void *context);
/* The answer of `explain --json`; takes ownership of the list of streams (steps_object). */
struct json_object *explanation_object(struct json_object *streams);

#endif
