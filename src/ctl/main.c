/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/base/option.h"
#include "ctl/client/print.h"
#include "ctl/show.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct command overview = {.run = overview_run};

static const struct option options[] = {
	{"socket", required_argument, NULL, 's'},
	{"json", no_argument, NULL, 'j'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{0},
};

/* Removes `--json` from the arguments: it may also stand after the command. */
static int take_json(int argc, char **argv, struct ctl *ctl)
{
	int kept = 0;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			ctl->json = true;
		else
			argv[kept++] = argv[i];
	}
	argv[kept] = NULL;
	return kept;
}

/* Help may be requested anywhere: `help`, `show --help`. */
static bool wants_help(char **argv)
{
	if (strcmp(argv[0], "help") == 0)
		return true;
	for (; *argv != NULL; argv++)
		if (strcmp(*argv, "--help") == 0 || strcmp(*argv, "-h") == 0)
			return true;
	return false;
}

static bool read_options(int argc, char **argv, struct ctl *ctl)
{
	int letter;

	opterr = 0; /* getopt would print the option as it is */
	/* The first argument that is not an option is the command; the rest belongs to the command. */
	while ((letter = getopt_long(argc, argv, "+s:jhV", options, NULL)) != -1) {
		switch (letter) {
		case 's':
			ctl->socket = optarg;
			break;
		case 'j':
			ctl->json = true;
			break;
		case 'h':
			command_print_help();
			exit(CTL_DONE);
		case 'V':
			puts("mcproxyctl " MCPROXY_VERSION);
			exit(CTL_DONE);
		default:
			return false;
		}
	}
	return true;
}

/* `groups` is `show groups`: takes the place of an argument that was read. */
static void complete_show(int *argc, char ***argv)
{
	static char show[] = "show";

	if (!show_has(**argv))
		return;
	*--*argv = show;
	++*argc;
}

int main(int argc, char **argv)
{
	struct ctl ctl = {.socket = CTL_SOCKET};
	const struct command *command;
	char problem[128];
	int status;

	if (!read_options(argc, argv, &ctl)) {
		option_problem(options, optopt, argv[optind - 1], problem, sizeof problem);
		print_to(stderr, "mcproxyctl: %s; see mcproxyctl --help\n", problem);
		return CTL_USAGE;
	}
	argc -= optind;
	argv += optind;
	argc = take_json(argc, argv, &ctl);
	if (argc > 0 && wants_help(argv)) {
		command_print_help();
		return CTL_DONE;
	}
	if (argc > 0)
		complete_show(&argc, &argv);
	command = argc > 0 ? command_find(argv[0]) : &overview;
	if (command == NULL)
		return command_unknown(argv[0]);
	ctl.colour = !ctl.json && isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
	status = command->run(&ctl, argc, argv);
	if (fflush(stdout) != 0 && status == CTL_DONE) {
		print_to(stderr, "mcproxyctl: stdout: %s\n", strerror(errno));
		return CTL_FAILED;
	}
	return status;
}
