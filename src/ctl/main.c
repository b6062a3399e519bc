/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/client/print.h"
#include "ctl/command.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

int main(int argc, char **argv)
{
	struct ctl ctl = {.socket = CTL_SOCKET};
	const struct command *command;
	int status;

	if (!read_options(argc, argv, &ctl)) {
		print_to(stderr,
		         "mcproxyctl: %s: no such option, or it is not complete; see mcproxyctl --help\n",
		         optopt != 0 ? (char[]){'-', (char)optopt, '\0'} : argv[optind - 1]);
		return CTL_USAGE;
	}
	argc -= optind;
	argv += optind;
	argc = take_json(argc, argv, &ctl);
	if (argc == 0) {
		fputs("mcproxyctl: a command is missing; see mcproxyctl --help\n", stderr);
		return CTL_USAGE;
	}
	if (wants_help(argv)) {
		command_print_help();
		return CTL_DONE;
	}
	command = command_find(argv[0]);
	if (command == NULL) {
		print_to(stderr, "mcproxyctl: %s: no such command; see mcproxyctl --help\n", argv[0]);
		return CTL_USAGE;
	}
	ctl.colour = !ctl.json && isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
	status = command->run(&ctl, argc, argv);
	if (fflush(stdout) != 0 && status == CTL_DONE) {
		print_to(stderr, "mcproxyctl: stdout: %s\n", strerror(errno));
		return CTL_FAILED;
	}
	return status;
}
