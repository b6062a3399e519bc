/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/base/option.h"
#include "core/base/text.h"
#include "daemon/config/notes.h"
#include "daemon/control/control.h"
#include "daemon/keeper/keeper.h"
#include "daemon/log/log.h"
#include "daemon/owner/owner.h"
#include "kernel/link_master_find.h"

#include <getopt.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONFIG_PATH "/etc/mcproxy.conf"
#define LINE_SIZE   8192
#define USAGE       "mcproxy [OPTION...] [-c FILE | INSTANCE...]"

/* Exit status beside EXIT_SUCCESS and EXIT_FAILURE; 78 is EX_CONFIG of sysexits(3). */
enum { EXIT_USAGE = 2, EXIT_CONFIG = 78 };

/* Long options without a letter. */
enum { OPTION_RECORD = 256, OPTION_NO_ADOPT, OPTION_KEEPER };

struct option_text {
	const char *argument;
	const char *text;
};

static const struct option long_options[] = {
	{"config", required_argument, NULL, 'c'},
	{"check", no_argument, NULL, 't'},
	{"status", no_argument, NULL, 's'},
	{"verbose", no_argument, NULL, 'v'},
	{"debug", no_argument, NULL, 'd'},
	{"reset-rp-filter", no_argument, NULL, 'r'},
	{"syslog", no_argument, NULL, 'S'},
	{"record", required_argument, NULL, OPTION_RECORD},
	{"keeper", no_argument, NULL, OPTION_KEEPER},
	{"no-adopt", no_argument, NULL, OPTION_NO_ADOPT},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{0},
};

/* In the order of long_options. */
static const struct option_text option_texts[] = {
	{"FILE", "configuration file (default " CONFIG_PATH ")"},
	{NULL, "check the configuration file and exit"},
	{NULL, "print a status every 4 seconds"},
	{NULL, "with -s, print groups too; twice: also sources"},
	{NULL, "log every change of state"},
	{NULL, "set rp_filter of upstream links to 0 until exit"},
	{NULL, "log to the system log instead of stderr"},
	{"FILE", "record all inputs for a replay"},
	{NULL, "keep the daemon alive, and its streams"},
	{NULL, "start with empty tables, not with what is left"},
	{NULL, "print help and exit"},
	{NULL, "print the version and exit"},
};

static void print_help(void)
{
	puts("mcproxy: IGMP/MLD multicast proxy\n\n"
	     "usage: " USAGE "\n\n"
	     "INSTANCE, one argument in quotes such as 'eth0 ==> eth1', replaces the file.\n");
	for (size_t i = 0; long_options[i].name != NULL; i++) {
		const char *argument = option_texts[i].argument;
		char letter[4] = {'-', (char)long_options[i].val, ',', '\0'};

		printf("  %-3s --%s%s%-*s %s\n", long_options[i].val < OPTION_RECORD ? letter : "",
		       long_options[i].name, argument ? " " : "",
		       22 - (int)snprintf(NULL, 0, "%s%s", long_options[i].name, argument ? " " : ""),
		       argument ? argument : "", option_texts[i].text);
	}
	puts("\nSignals: HUP reload, USR1 status, USR2 hand over, TERM and INT stop.\nSee mcproxy(8) and mcproxy.conf(5).");
}

/* Prints what the user or the configuration names, without what could control a terminal. */
__attribute__((format(printf, 2, 3))) static void print(FILE *out, const char *format, ...)
{
	char text[LINE_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	text_clean(text, strlen(text), "\n");
	fputs(text, out);
}

/* The rest of the command line. Without quotes the shell takes the > of an arrow away. */
static bool check_instances(char **arguments, struct options *options)
{
	for (char **argument = arguments; *argument != NULL; argument++) {
		if (strstr(*argument, "==>") != NULL)
			continue;
		print(stderr,
		      "mcproxy: %s: an instance is one argument in quotes, such as 'eth0 ==> eth1'; to "
		      "name a configuration file, use -c FILE\n",
		      *argument);
		return false;
	}
	if (*arguments == NULL) {
		options->config_path = options->config_path != NULL ? options->config_path : CONFIG_PATH;
		return true;
	}
	if (options->config_path != NULL)
		print(stderr,
		      "mcproxy: -c %s: either a configuration file or instances are expected, not both\n",
		      options->config_path);
	return options->config_path == NULL;
}

static bool read_options(int argc, char **argv, struct options *options)
{
	char problem[128];
	int letter;

	opterr = 0; /* getopt would print the option as it is */
	while ((letter = getopt_long(argc, argv, "c:tsSvdrhV", long_options, NULL)) != -1) {
		switch (letter) {
		case 'c':
			options->config_path = optarg;
			break;
		case 't':
			options->check_only = true;
			break;
		case 's':
			options->status = true;
			break;
		case 'S':
			options->syslog = true;
			break;
		case 'v':
			options->verbose++;
			break;
		case 'd':
			options->debug = true;
			break;
		case 'r':
			options->reset_rp_filter = true;
			break;
		case OPTION_RECORD:
			options->recording_path = optarg;
			break;
		case OPTION_KEEPER:
			options->keeper = true;
			break;
		case OPTION_NO_ADOPT:
			options->no_adopt = true;
			break;
		case 'h':
			print_help();
			exit(EXIT_SUCCESS);
		case 'V':
			puts("mcproxy " MCPROXY_VERSION);
			exit(EXIT_SUCCESS);
		default:
			option_problem(long_options, optopt, argv[optind - 1], problem, sizeof problem);
			print(stderr, "mcproxy: %s\n", problem);
			return false;
		}
	}
	return check_instances(argv + optind, options);
}

/* Links that are not there at present, because mcproxy waits for them, but a name may be misspelt; and ports of bridges,
 * which are named in place of the bridge. */
static bool examine_interface(void *context, const char *name, char note[CONFIG_NOTE_SIZE])
{
	struct link_master master;

	(void)context;
	if (if_nametoindex(name) == 0) {
		config_note_missing(name, note);
		return true;
	}
	if (!link_master_find(name, &master))
		return false;
	link_master_text(name, &master, note, CONFIG_NOTE_SIZE);
	return true;
}

static void print_note(void *context, const char *note)
{
	(void)context;
	print(stdout, "note: %s\n", note);
}

static void print_check(const char *path, const struct config *config)
{
	print(stdout, "%s: %zu instance%s, configuration is valid\n", path, config->instance_count,
	      config->instance_count == 1 ? "" : "s");
	config_notes_make(config, &(struct config_notes){
					  .path = path, .examine = examine_interface, .take = print_note});
}

/* The daemon gets the other arguments. getopt also takes the beginning of a long option. */
static int keep(char **argv)
{
	char **to = argv;

	for (char **argument = argv; *argument != NULL; argument++)
		if (strncmp(*argument, "--k", 3) != 0 ||
		    strncmp(*argument, "--keeper", strlen(*argument)) != 0)
			*to++ = *argument;
	*to = NULL;
	return keeper_run(argv);
}

int main(int argc, char **argv)
{
	struct options options = {0};
	char error[CONFIG_ERROR_SIZE];
	struct config *config;
	int result;

	if (argc > 0 && strcmp(argv[0], KEEPER_SIGNAL) == 0)
		return keeper_signal(argv);
	if (!read_options(argc, argv, &options)) {
		fputs("usage: " USAGE "; see mcproxy -h\n", stderr);
		return EXIT_USAGE;
	}
	log_open(options.syslog, options.debug);
	if (options.keeper && !options.check_only)
		return keep(argv);
	config = options.config_path != NULL
	                 ? config_load_first(options.config_path, error)
	                 : config_from_lines(argv + optind, (size_t)(argc - optind), error);
	if (config == NULL) {
		errorx("%s", error);
		return EXIT_CONFIG;
	}
	if (options.check_only) {
		print_check(options_source(&options), config);
		config_free(config);
		return EXIT_SUCCESS;
	}
	result = owner_run(&options, config, &control_handlers);
	log_close();
	return result;
}
