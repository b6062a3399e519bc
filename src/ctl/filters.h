/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a command is limited to: the options --instance, --link and --group, which the daemon applies.
 */
#ifndef MCPROXY_CTL_FILTERS_H
#define MCPROXY_CTL_FILTERS_H

#include <json-c/json.h>
#include <stdbool.h>

struct filters {
	const char *instance;
	const char *link;
	const char *group;
	bool details; /* --details */
};

/* Reads the options of a command, which may stand before and behind its other arguments; these are moved to
 * the front, and *argc is their number, the command's name included. False after a message. */
bool filters_read(struct filters *filter, int *argc, char **argv);
/* The same for a command that takes nothing else. */
bool filters_read_only(struct filters *filter, int argc, char **argv);
void filters_add(const struct filters *filter, struct json_object *request);

#endif
