/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Follows a stream through the router step by step, and shows what stops it. Pure: facts about a stream go
 * in, steps come out. The last step is the first that fails.
 */
#ifndef MCPROXY_CTL_DIAGNOSIS_PATH_STEPS_H
#define MCPROXY_CTL_DIAGNOSIS_PATH_STEPS_H

#include "ctl/firewall/firewall.h"
#include "ctl/machine/capture.h"
#include "ctl/machine/mroutes.h"

#include <json-c/json.h>

#define STEP_TEXT_SIZE 512
#define STEPS_MAX      16

enum step_result { STEP_OK, STEP_FAIL, STEP_SKIPPED };

struct step {
	const char *name; /* such as "member" */
	enum step_result result;
	char text[STEP_TEXT_SIZE];
	char remedy[STEP_TEXT_SIZE]; /* of a step that fails; "": none */
};

struct steps {
	struct step list[STEPS_MAX];
	size_t count;
};

/* What is known. JSON objects are those of the daemon (docs/control.md), borrowed. */
struct stream_facts {
	struct addr group;
	struct addr source;
	bool has_source;
	const char *wanted_link; /* of --link; NULL: every link with a member */
	const char *instance;    /* NULL: no instance serves this family */
	struct json_object *links;
	struct json_object *groups;
	struct json_object *routes;
	struct json_object *upstream;
	struct json_object *memberships;
	struct json_object *filters, *sets; /* NULL: not known */
	const char *host; /* whose join is asked about, by address or MAC address; NULL: none */
	const struct interfaces *interfaces;
	/* Has the kernel's host side joined the group on that link? */
	bool (*has_joined)(const char *link, const struct addr *group);
	const struct mroute *before, *after; /* the kernel's entry before and after the capture; NULL: none */
	const struct capture *capture;       /* NULL: none was made */
	const char *capture_why;             /* why not */
	double seconds;                      /* between before and after, and of the capture */
	long (*rp_filter)(const char *link);
	long long rp_drops; /* of all streams, by that filter, during the capture; -1: not known */
	int (*route_back)(const struct addr *source); /* interface index or -errno */
	const struct firewall *firewall;              /* NULL: not known */
	const struct trace *trace;                    /* NULL: no packet was traced */
	const char *trace_why;                        /* why not */
};

/* Fills in the steps. STEP_FAIL if the stream is stopped somewhere. */
enum step_result path_follow(const struct stream_facts *stream, struct steps *steps);

#endif
