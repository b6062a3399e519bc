/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a command is limited to: the options --instance, --link and --group, which the daemon applies.
 */
#ifndef MCPROXY_CTL_FILTER_H
#define MCPROXY_CTL_FILTER_H

#include <json-c/json.h>
#include <stdbool.h>

struct filter_options {
	const char *instance;
	const char *link;
	const char *group;
	bool details; /* --details */
};

/* Reads the options of a command, which may stand before and behind its other arguments; these are moved to
 * the front, and *argc is their number, the command's name included. False after a message. */
bool filter_read(struct filter_options *filter, int *argc, char **argv);
void filter_add(const struct filter_options *filter, struct json_object *request);

#endif
