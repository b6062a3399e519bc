/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/base/text.h"
#include "daemon/config/config.h"
#include "daemon/control/control.h"
#include "daemon/log/log.h"
#include "daemon/owner/owner.h"

#include <getopt.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONFIG_PATH "/etc/mcproxy.conf"
#define LINE_SIZE   8192

/* Long options without a letter. */
enum { OPTION_RECORD = 256 };

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
	{NULL, "print help and exit"},
	{NULL, "print the version and exit"},
};

static void print_help(void)
{
	puts("mcproxy: IGMP/MLD multicast proxy\n\n"
	     "usage: mcproxy [-c FILE] [-dhrsStV] [-v[v]] [--record FILE]\n");
	for (size_t i = 0; long_options[i].name != NULL; i++) {
		const char *argument = option_texts[i].argument;
		char letter[4] = {'-', (char)long_options[i].val, ',', '\0'};

		printf("  %-3s --%s%s%-*s %s\n", long_options[i].val < OPTION_RECORD ? letter : "",
		       long_options[i].name, argument ? " " : "",
		       22 - (int)snprintf(NULL, 0, "%s%s", long_options[i].name, argument ? " " : ""),
		       argument ? argument : "", option_texts[i].text);
	}
	puts("\nSignals: HUP reload, USR1 status, TERM and INT stop.\nSee mcproxy(8) and mcproxy.conf(5).");
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

static bool read_options(int argc, char **argv, struct options *options)
{
	char letter_text[] = "-?";
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
		case 'h':
			print_help();
			exit(EXIT_SUCCESS);
		case 'V':
			puts("mcproxy " MCPROXY_VERSION);
			exit(EXIT_SUCCESS);
		default:
			/* optopt: the letter; 0 for a long option. */
			letter_text[1] = (char)optopt;
			print(stderr, "mcproxy: %s: no such option, or it is not complete\n",
			      optopt != 0 && optopt < OPTION_RECORD ? letter_text : argv[optind - 1]);
			return false;
		}
	}
	if (optind < argc)
		print(stderr, "mcproxy: %s: unexpected argument; use -c for a configuration file\n",
		      argv[optind]);
	return optind == argc;
}

/* Notes on links that are not there at present: mcproxy waits for them, but a name may be misspelt. */
static void note_missing(const struct config_link *links, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strpbrk(links[i].name, "*?[") == NULL && if_nametoindex(links[i].name) == 0)
			print(stdout, "note: %s: there is no such interface now; mcproxy will wait for it\n",
			      links[i].name);
}

static void print_check(const char *path, const struct config *config)
{
	print(stdout, "%s: %zu instance%s, configuration is valid\n", path, config->instance_count,
	      config->instance_count == 1 ? "" : "s");
	for (size_t i = 0; i < config->instance_count; i++) {
		note_missing(config->instances[i].upstream, config->instances[i].upstream_count);
		note_missing(config->instances[i].downstream, config->instances[i].downstream_count);
	}
}

int main(int argc, char **argv)
{
	struct options options = {.config_path = CONFIG_PATH};
	char error[CONFIG_ERROR_SIZE];
	struct config *config;
	int result;

	if (!read_options(argc, argv, &options)) {
		fputs("usage: mcproxy [-c FILE] [-dhrsStV] [-v[v]] [--record FILE]; see mcproxy -h\n",
		      stderr);
		return 2;
	}
	log_open(options.syslog, options.debug);
	config = config_load_first(options.config_path, error);
	if (config == NULL)
		fatalx("%s", error);
	if (options.check_only) {
		print_check(options.config_path, config);
		config_free(config);
		return EXIT_SUCCESS;
	}
	result = owner_run(&options, config, &control_handlers);
	log_close();
	return result;
}
