/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The way of a stream, step by step: where it is, and what stops it. Pure: what is known of a stream goes in,
 * steps come out, the last of them being the first that fails.
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
	const char *name; /* "member" */
	enum step_result result;
	char text[STEP_TEXT_SIZE];
	char remedy[STEP_TEXT_SIZE]; /* of one that fails; "": none */
};

struct steps {
	struct step list[STEPS_MAX];
	size_t count;
};

/* What is known. JSON objects are the daemon's records (docs/control.md), borrowed. */
struct stream {
	struct addr group;
	struct addr source;
	bool has_source;
	const char *wanted_link; /* of --link; NULL: every link with a member */
	const char *instance;    /* NULL: none serves this family */
	struct json_object *links;
	struct json_object *groups;
	struct json_object *routes;
	struct json_object *upstream;
	struct json_object *memberships;
	const struct interfaces *interfaces;
	/* Has the kernel's host side joined the group on that link? */
	bool (*has_joined)(const char *link, const struct addr *group);
	const struct mroute *before, *after; /* the kernel's entry, now and a moment ago; NULL: none */
	const struct capture *capture;       /* NULL: none was made */
	const char *capture_why;             /* why not */
	double seconds;                      /* between before and after, and of the capture */
	long (*rp_filter)(const char *link);
	long long rp_drops; /* by that filter, of all packets, meanwhile; -1: not known */
	int (*route_back)(const struct addr *source); /* interface index or -errno */
	const struct firewall *firewall;              /* NULL: not known */
};

/* Fills in the steps; the result of the last one: STEP_FAIL if the stream is stopped somewhere. */
enum step_result path_follow(const struct stream *stream, struct steps *steps);

#endif
