/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The commands of mcproxyctl. One table (src/ctl/commands.c) lists them, and the help is printed from it. To
 * add a command, write a file with its function, declare the function here, and add a line to the table.
 */
#ifndef MCPROXY_CTL_COMMAND_H
#define MCPROXY_CTL_COMMAND_H

#include "ctl/client/options.h"

/* argv[0] is the command's name. Returns the exit status. */
typedef int command_run(const struct ctl *ctl, int argc, char **argv);

command_run overview_run; /* what runs, without a command */
command_run show_run;     /* the state of the daemon in columns */
command_run explain_run;  /* where a stream stops, and what helps */
command_run check_run;    /* what the filters of a configuration file decide */
command_run convert_run;  /* the configuration of another proxy, turned into ours */
command_run doctor_run;   /* what is wrong with the machine and its network */
command_run monitor_run;  /* events as they happen */
command_run top_run;      /* a live screen of streams and links */
command_run metrics_run;  /* counters and gauges for Prometheus */
command_run reload_run;   /* the daemon reads its configuration again */
command_run upgrade_run;  /* the installed daemon takes over from the running one */
command_run clear_run;    /* the daemon asks the hosts for their groups again */
command_run loglevel_run; /* the log level of the daemon */

struct command {
	const char *name;
	const char *arguments; /* for the help */
	const char *summary;
	command_run *run;
};

const struct command *command_find(const char *name);
/* Prints that there is no such command, and the nearest one. Returns CTL_USAGE. */
int command_unknown(const char *name);
void command_print_help(void);
/* Prints what is wrong with the arguments, and how to use the command. Returns CTL_USAGE. */
int command_usage(const char *name, const char *problem);

#endif
