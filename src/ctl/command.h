/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The commands of mcproxyctl: one table (src/ctl/commands.c), of which the help is made. A new command is a
 * file with its function, and a line there.
 */
#ifndef MCPROXY_CTL_COMMAND_H
#define MCPROXY_CTL_COMMAND_H

#include "ctl/client/options.h"

/* argv[0] is the command's name; the exit status. */
typedef int command_run(const struct ctl *ctl, int argc, char **argv);

struct command {
	const char *name;
	const char *arguments; /* for the help */
	const char *summary;
	command_run *run;
};

const struct command *command_find(const char *name);
void command_print_help(void);
/* Says what was wrong with the arguments and how the command is used; CTL_USAGE. */
int command_usage(const char *name, const char *problem);

#endif
