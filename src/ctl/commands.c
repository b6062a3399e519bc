/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/command.h"

#include "ctl/doctor.h"
#include "ctl/explain.h"
#include "ctl/graph.h"
#include "ctl/manage.h"
#include "ctl/metrics.h"
#include "ctl/monitor.h"
#include "ctl/show.h"
#include "ctl/top.h"

#include <stdio.h>
#include <string.h>

#define NAME_WIDTH 34

/* Up to one without a name. */
static const struct command commands[] = {
	{"show", "WHAT [FILTER...] [--details]", "a table of what it knows now", show_run},
	{"explain", "GROUP [SOURCE] [OPTION...]", "where a stream stops, and what helps", explain_run},
	{"doctor", "", "what is wrong with machine and network", doctor_run},
	{"monitor", "[FILTER...]", "events as they happen", monitor_run},
#ifdef MCPROXY_TOP
	{"top", "[SECONDS]", "a live screen of streams and links", top_run},
#endif
	{"metrics", "[--streams]", "OpenMetrics text, for Prometheus", metrics_run},
	{"graph", "[FILTER...]", "the trees of streams, for Graphviz", graph_run},
	{"reload", "", "read the configuration anew", reload_run},
	{"loglevel", "[LEVEL]", "show or set the level of the log", loglevel_run},
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
	puts("mcproxyctl: shows and steers a running mcproxy\n\n"
	     "usage: mcproxyctl [--socket PATH] [--json] COMMAND\n");
	for (const struct command *command = commands; command->name != NULL; command++)
		printf("  %s %-*s %s\n", command->name, NAME_WIDTH - (int)strlen(command->name),
		       command->arguments, command->summary);
	puts("\nWHAT: status, instances, links, groups, routes or upstream\n"
	     "FILTER: --instance NAME, --link NAME, --group ADDRESS[/LENGTH]\n"
	     "OPTION: --link NAME, --seconds NUMBER\n"
	     "The default socket is " CTL_SOCKET ". See mcproxyctl(1).");
}

int command_usage(const char *name, const char *problem)
{
	const struct command *command = command_find(name);

	fprintf(stderr, "mcproxyctl: %s: %s\nusage: mcproxyctl %s %s\n", name, problem, name,
	        command != NULL ? command->arguments : "");
	return CTL_USAGE;
}
