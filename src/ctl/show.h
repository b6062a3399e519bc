/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `show`: the state of the daemon in columns.
 */
#ifndef MCPROXY_CTL_SHOW_H
#define MCPROXY_CTL_SHOW_H

#include "ctl/client/answer.h"
#include "ctl/client/columns.h"
#include "ctl/command.h"

/* What a view needs to print an answer. */
struct view_output {
	const struct ctl *ctl;
	bool details;
	struct columns columns;
	bool begun; /* the titles were printed */
};

/* How one kind of answer is printed: the key of its list, the columns, and the function for an element. */
struct view {
	const char *what;
	const struct column *columns;
	void (*put)(struct view_output *output, const char *key, struct json_object *value);
};
extern const struct view views[]; /* src/ctl/views.c; the last one has no name */

#endif
