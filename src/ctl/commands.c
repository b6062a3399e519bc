/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/base/spelling.h"
#include "ctl/client/print.h"
#include "ctl/show.h"

#include <stdio.h>
#include <string.h>

#define NAME_WIDTH 33

/* The last one has no name. */
static const struct command commands[] = {
	{"show", "WHAT [FILTER...] [VIEW...]", "print a table of the current state", show_run},
	{"explain", "GROUP [SOURCE] [OPTION...]", "show where a stream stops, and what helps", explain_run},
	{"doctor", "[--config FILE] [--quick]", "check the machine and its network", doctor_run},
	{"check", "GROUP [CONDITION...] [--config FILE]", "show what filters of a file decide", check_run},
#ifdef MCPROXY_CONVERT
	{"convert", "FILE|- [--from KIND] [--strict]", "convert another proxy's configuration", convert_run},
#endif
	{"monitor", "[FILTER...]", "print events as they happen", monitor_run},
#ifdef MCPROXY_TOP
	{"top", "[SECONDS]", "show links and streams live", top_run},
#endif
	{"metrics", "[--streams] [--openmetrics] [--output FILE]", "print Prometheus metrics", metrics_run},
	{"reload", "", "reload the configuration", reload_run},
	{"upgrade", "", "let the installed daemon take over", upgrade_run},
	{"clear", "groups [FILTER...]", "ask hosts again, and forget who is gone", clear_run},
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

int command_unknown(const char *name)
{
	struct spelling spelling = spelling_begin(name);

	for (const struct command *command = commands; command->name != NULL; command++)
		spelling_compare(&spelling, command->name);
	for (size_t i = 0; views[i] != NULL; i++)
		spelling_compare(&spelling, views[i]->what);
	if (spelling.nearest != NULL)
		print_to(stderr, "mcproxyctl: %s: no such command; did you mean %s?\n", name,
		         spelling.nearest);
	else
		print_to(stderr, "mcproxyctl: %s: no such command; see mcproxyctl --help\n", name);
	return CTL_USAGE;
}

void command_print_help(void)
{
	puts("mcproxyctl: shows and controls a running mcproxy\n\nusage: mcproxyctl "
	     "[--socket PATH] [--json] [COMMAND [ARGUMENT...]]\n\n"
	     "Without a command, it prints an overview.\n");
	for (const struct command *command = commands; command->name != NULL; command++)
		print("  %s %-*s  %s\n", command->name, NAME_WIDTH - (int)strlen(command->name),
		      command->arguments, command->summary);
	puts("\nWHAT: status, instances, links, groups, routes, upstream, uplinks, filters, sets\n"
	     "The word show may be omitted.\n"
	     "FILTER: --instance NAME, --link NAME, --group ADDRESS[/LENGTH]\n"
	     "VIEW: --details, --all, --sort COLUMN\n"
	     "OPTION: --link NAME, --host HOST, --seconds NUMBER\n"
	     "CONDITION: from SOURCE, by HOST, in LINK\n"
	     "-s, -j, -h and -V are short for --socket, --json, --help and --version.\n"
	     "The default socket is " CTL_SOCKET ". See mcproxyctl(1).");
}

int command_usage(const char *name, const char *problem)
{
	const struct command *command = command_find(name);

	print_to(stderr, "mcproxyctl: %s: %s\nusage: mcproxyctl %s %s\n", name, problem, name,
	         command != NULL ? command->arguments : "");
	return CTL_USAGE;
}
