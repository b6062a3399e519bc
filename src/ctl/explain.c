/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `explain GROUP [SOURCE]`: where a stream stops, and what helps.
 */
#include "core/base/option.h"
#include "ctl/client/print.h"
#include "ctl/command.h"
#include "ctl/diagnosis/decision.h"
#include "ctl/diagnosis/explanation.h"
#include "ctl/diagnosis/steps_print.h"

#include <getopt.h>
#include <stdlib.h>

#define SECONDS_MAX 3600.0

/* Where the streams go. */
struct output {
	bool colour;
	struct json_object *list; /* with --json: the streams */
	size_t printed;           /* without: their number so far */
};

static const struct option options[] = {
	{"link", required_argument, NULL, 'l'},
	{"host", required_argument, NULL, 'h'},
	{"seconds", required_argument, NULL, 's'},
	{0},
};

static bool read_seconds(const char *text, double *seconds)
{
	char *end;

	*seconds = strtod(text, &end);
	return end != text && *end == '\0' && *seconds >= 0.1 && *seconds <= SECONDS_MAX;
}

/* NULL, or what is wrong. */
static const char *read_question(int argc, char **argv, struct question *question)
{
	static char problem[128];
	struct decision_subject host;
	int letter;

	*question = (struct question){.seconds = EXPLAIN_SECONDS};
	optind = 0; /* restart getopt */
	opterr = 0;
	while ((letter = getopt_long(argc, argv, "l:h:s:", options, NULL)) != -1) {
		if (letter == 'l') {
			question->link = optarg;
		} else if (letter == 'h') {
			question->host = optarg;
			if (!decision_read_host(optarg, &host))
				return "--host: an address or a MAC address is expected";
		} else if (letter != 's') {
			option_problem(options, optopt, argv[optind - 1], problem, sizeof problem);
			return problem;
		} else if (!read_seconds(optarg, &question->seconds)) {
			return "--seconds: a number from 0.1 to 3600 is expected";
		}
	}
	argc -= optind;
	argv += optind;
	if (argc < 1 || argc > 2)
		return "a group address is expected, and optionally a source address";
	return question_read(question, argv[0], argc == 2 ? argv[1] : NULL);
}

static void take_stream(void *context, const struct stream_facts *stream, const struct steps *steps)
{
	struct output *output = context;

	if (output->list != NULL) {
		json_object_array_add(output->list, steps_object(stream, steps));
		return;
	}
	if (output->printed++ > 0)
		putchar('\n');
	steps_print(stream, steps, output->colour);
}

static void print_list(struct json_object *streams)
{
	struct json_object *root = explanation_object(streams);

	print_json(stdout, json_object_to_json_string_ext(root, JSON_C_TO_STRING_PLAIN));
	json_object_put(root);
}

int explain_run(const struct ctl *ctl, int argc, char **argv)
{
	struct output output = {.colour = ctl->colour};
	struct evidence *evidence;
	struct question question;
	const char *problem = read_question(argc, argv, &question);
	int status = CHECK_UNKNOWN;

	if (problem != NULL)
		return command_usage(argv[0], problem);
	evidence = evidence_gather(ctl, &question);
	problem = evidence != NULL ? evidence_problem(evidence) : "out of memory";
	if (problem != NULL) {
		print_to(stderr, "mcproxyctl: %s\n", problem);
	} else {
		output.list = ctl->json ? json_object_new_array() : NULL;
		status = explanation_make(evidence, take_stream, &output) ? CHECK_CLEAN : CHECK_FOUND;
		if (ctl->json)
			print_list(output.list);
	}
	evidence_free(evidence);
	return status;
}
