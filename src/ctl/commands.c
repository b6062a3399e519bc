/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/client/print.h"
#include "ctl/command.h"

#include <stdio.h>
#include <string.h>

#define NAME_WIDTH 34

/* The last one has no name. */
static const struct command commands[] = {
	{"show", "WHAT [FILTER...] [--details]", "print a table of the current state", show_run},
	{"explain", "GROUP [SOURCE] [OPTION...]", "show where a stream stops, and what helps", explain_run},
	{"doctor", "", "check the machine and its network", doctor_run},
	{"monitor", "[FILTER...]", "print events as they happen", monitor_run},
#ifdef MCPROXY_TOP
	{"top", "[SECONDS]", "show links and streams live", top_run},
#endif
	{"metrics", "[--streams]", "print OpenMetrics text for Prometheus", metrics_run},
	{"graph", "[FILTER...]", "print the trees of streams for Graphviz", graph_run},
	{"reload", "", "reload the configuration", reload_run},
	{"loglevel", "[LEVEL]", "show or set the log level", loglevel_run},
	{0},
};

const struct command *command_find(const char *name)
{
	for (const struct command *command = commands; command->name != NULL; command++)
		if (strcmp(command->name, name) == 0)
			return command;
	return NULL;
}

void command_print_help(void)
{
	puts("mcproxyctl: shows and controls a running mcproxy\n\nusage: mcproxyctl "
	     "[--socket PATH] [--json] COMMAND\n");
	for (const struct command *command = commands; command->name != NULL; command++)
		print("  %s %-*s %s\n", command->name, NAME_WIDTH - (int)strlen(command->name),
		      command->arguments, command->summary);
	puts("\nWHAT: status, instances, links, groups, routes or upstream\n"
	     "FILTER: --instance NAME, --link NAME, --group ADDRESS[/LENGTH]\n"
	     "OPTION: --link NAME, --seconds NUMBER\n"
	     "The default socket is " CTL_SOCKET ". See mcproxyctl(1).");
}

int command_usage(const char *name, const char *problem)
{
	const struct command *command = command_find(name);

	print_to(stderr, "mcproxyctl: %s: %s\nusage: mcproxyctl %s %s\n", name, problem, name,
	         command != NULL ? command->arguments : "");
	return CTL_USAGE;
}
