/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The filters of a command: the options --instance, --link and --group, which the daemon applies. And how `show`
 * prints the answer.
 */
#ifndef MCPROXY_CTL_FILTERS_H
#define MCPROXY_CTL_FILTERS_H

#include <json-c/json.h>
#include <stdbool.h>

struct filters {
	const char *instance;
	const char *link;
	const char *group;
	bool details;     /* --details */
	bool all;         /* --all */
	const char *sort; /* --sort COLUMN; NULL: in the view's own order */
};

/* Reads the options of a command, which may stand before and after its other arguments. Moves those
 * arguments to the front and sets *argc to their number, including the name of the command. False after a
 * message. */
bool filters_read(struct filters *filter, int *argc, char **argv);
/* The same for a command without other arguments. */
bool filters_read_only(struct filters *filter, int argc, char **argv);
void filters_add(const struct filters *filter, struct json_object *request);

#endif
