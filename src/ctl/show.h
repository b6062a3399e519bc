/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `show`: the state of the daemon in columns.
 */
#ifndef MCPROXY_CTL_SHOW_H
#define MCPROXY_CTL_SHOW_H

#include "ctl/client/answer.h"
#include "ctl/client/columns.h"
#include "ctl/command.h"

/* A show under way: what its view prints with. */
struct showing {
	const struct ctl *ctl;
	bool details;
	struct columns columns;
	bool begun; /* the head was printed */
};

/* How one kind of answer is shown: its list's key, the columns, and what is printed of an element. */
struct view {
	const char *what;
	const struct column *columns;
	void (*put)(struct showing *showing, const char *key, struct json_object *value);
};
extern const struct view views[]; /* src/ctl/views.c; up to one without a name */

command_run show_run;

#endif
