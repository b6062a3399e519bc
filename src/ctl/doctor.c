/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `doctor`: what is wrong with the machine and its network.
 */
#include "ctl/diagnosis/doctor.h"

#include "core/base/option.h"
#include "ctl/client/print.h"
#include "ctl/client/wrap.h"
#include "ctl/command.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

/* The file of the option, or of a daemon that does not run. */
static void judge_file(const char *file, struct machine *machine)
{
	if (file == NULL && machine->daemon.problem.kind == SESSION_ABSENT)
		file = CONFIG_FILE;
	if (file != NULL)
		config_file_judge(&machine->file, file);
}

static int report(const struct ctl *ctl, const struct machine *machine, const struct findings *findings)
{
	if (machine->quick)
		; /* the exit status says it */
	else if (ctl->json)
		findings_print_json(findings, stdout);
	else
		findings_print(findings, stdout, ctl->colour, screen_width());
	if (findings_problems(findings) > 0)
		return CHECK_FOUND;
	return machine->daemon.status != NULL ? CHECK_CLEAN : CHECK_UNKNOWN;
}

static const struct option options[] = {
	{"config", required_argument, NULL, 'c'},
	{"quick", no_argument, NULL, 'q'},
	{0},
};

static bool read_options(int argc, char **argv, const char **file, bool *quick, char *problem, size_t size)
{
	int letter;

	optind = 0; /* restart getopt */
	opterr = 0;
	while ((letter = getopt_long(argc, argv, "c:q", options, NULL)) != -1) {
		if (letter == 'c') {
			*file = optarg;
		} else if (letter == 'q') {
			*quick = true;
		} else {
			option_problem(options, optopt, argv[optind - 1], problem, size);
			return false;
		}
	}
	snprintf(problem, size, "only the options --config FILE and --quick are expected");
	return optind == argc;
}

int doctor_run(const struct ctl *ctl, int argc, char **argv)
{
	struct machine *machine = calloc(1, sizeof *machine);
	struct findings *findings = calloc(1, sizeof *findings);
	int status = CHECK_UNKNOWN, result;
	char problem[128];
	const char *file = NULL;
	bool quick = false;

	if (!read_options(argc, argv, &file, &quick, problem, sizeof problem)) {
		status = command_usage(argv[0], problem);
	} else if (machine != NULL && findings != NULL) {
		machine->quick = quick;
		machine->firewall_why = "--quick starts no other program";
		if (!quick)
			machine->firewall = gather_firewall(&machine->firewall_why);
		gather_daemon(ctl, NULL, &machine->daemon);
		judge_file(file, machine);
		result = doctor_gather(machine);
		if (result == 0) {
			doctor_check(machine, findings);
			status = report(ctl, machine, findings);
		} else {
			print_to(stderr, "mcproxyctl: doctor: the interfaces cannot be read: %s\n",
			         strerror(-result));
		}
		daemon_view_free(&machine->daemon);
		interfaces_free(&machine->interfaces);
		firewall_free(machine->firewall);
		config_file_free(&machine->file);
	}
	free(machine);
	free(findings);
	return status;
}
