/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `check GROUP`: what the filters of a configuration file decide, without a daemon.
 */
#include "ctl/check_paths.h"
#include "ctl/client/answer.h"
#include "ctl/client/listing.h"
#include "ctl/client/print.h"
#include "ctl/client/wrap.h"
#include "ctl/command.h"
#include "ctl/machine/config_file.h"

#include <stdio.h>
#include <string.h>

#define RULE_SIZE 320

static const struct listing_column columns[] = {
	{"INSTANCE", false, 0},
	{"FROM", false, 0},
	{"TO", false, 0},
	{"STREAM", false, 0},
	{"FILTER IN", false, 0},
	{"FILTER OUT", false, 0},
	{0},
};

static bool read_source(const char *text, struct decision_subject *subject)
{
	subject->has_source = addr_parse(text, &subject->source) && addr_is_source(&subject->source) &&
	                      addr_family(&subject->source) == addr_family(&subject->group);
	return subject->has_source;
}

/* A word of the language of rules, and what follows it. NULL, or what is wrong. */
static const char *read_condition(const char *word, const char *value, struct check_question *question)
{
	struct decision_subject *subject = &question->subject;

	if (strcmp(word, "from") != 0 && strcmp(word, "by") != 0 && strcmp(word, "in") != 0 &&
	    strcmp(word, "-c") != 0 && strcmp(word, "--config") != 0)
		return "after the group, `from SOURCE`, `by HOST`, `in LINK` or --config FILE is expected";
	if (value == NULL)
		return "its last word lacks what it is about";
	if (strcmp(word, "in") == 0)
		question->in = value;
	else if (word[0] == '-')
		question->path = value;
	else if (strcmp(word, "by") == 0 && !decision_read_host(value, subject))
		return "the host behind `by` is not an address or a MAC address";
	else if (strcmp(word, "from") == 0 && !read_source(value, subject))
		return "the source behind `from` is not an address that can send to this group";
	return NULL;
}

/* NULL, or what is wrong. */
static const char *read_question(int argc, char **argv, struct check_question *question)
{
	const char *problem = NULL;

	*question = (struct check_question){.path = CONFIG_FILE};
	if (argc < 2 || !addr_parse(argv[1], &question->subject.group) ||
	    !addr_is_multicast(&question->subject.group))
		return "a group is expected first: a multicast address such as 239.1.1.1 or ff3e::1";
	if (!addr_is_proxied_group(&question->subject.group))
		return "the group has link-local scope: no router forwards it";
	question->subject.host = addr_unspecified(addr_family(&question->subject.group));
	for (int i = 2; i < argc && problem == NULL; i += 2)
		problem = read_condition(argv[i], i + 1 < argc ? argv[i + 1] : NULL, question);
	return problem;
}

/* "allow tv (mcproxy.conf:12)" */
static const char *format_rule(struct json_object *decision, char text[RULE_SIZE])
{
	const char *file = answer_text(decision, "file"), *slash = strrchr(file, '/');

	if (!answer_has(decision, "rule"))
		return "-";
	if (answer_has(decision, "line"))
		snprintf(text, RULE_SIZE, "%.250s (%.40s:%.0f)", answer_text(decision, "rule"),
		         slash != NULL ? slash + 1 : file, answer_number(decision, "line"));
	else
		snprintf(text, RULE_SIZE, "%.250s (built in)", answer_text(decision, "rule"));
	return text;
}

static void put_path(struct listing *listing, const char *instance, struct json_object *path)
{
	const char *decision = answer_text(path, "decision");
	char text[RULE_SIZE];

	listing_put(listing, COLOUR_NONE, instance);
	listing_put(listing, COLOUR_NONE, answer_text(path, "from"));
	listing_put(listing, COLOUR_NONE, answer_text(path, "to"));
	listing_put(listing, strcmp(decision, "allowed") == 0 ? COLOUR_GOOD : COLOUR_BAD, decision);
	listing_put(listing, COLOUR_NONE, format_rule(answer_member(path, "filter_in"), text));
	listing_put(listing, COLOUR_NONE, format_rule(answer_member(path, "filter_out"), text));
}

static void print_joined(struct json_object *instance)
{
	struct json_object *joined = answer_member(instance, "joined");
	const char *name = answer_text(instance, "instance");

	if (answer_length(joined) == 0)
		print("%s: joined on no upstream link\n", name);
	for (size_t i = 0; i < answer_length(joined); i++) {
		struct json_object *one = json_object_array_get_idx(joined, i);
		bool part = strcmp(answer_text(one, "decision"), "allowed") != 0;

		print("%s: joined on %s for members on %s%s\n", name, answer_text(one, "link"),
		      answer_text(one, "for"), part ? ", for some sources" : "");
	}
}

static int print_text(const struct ctl *ctl, struct json_object *root, const struct check_question *question)
{
	struct json_object *instances = answer_member(root, "instances");
	struct listing *listing = listing_new(columns);

	if (listing == NULL)
		return CHECK_UNKNOWN;
	if (answer_length(instances) < 2)
		listing_hide(listing, "INSTANCE");
	for (size_t i = 0; i < answer_length(instances); i++) {
		struct json_object *instance = json_object_array_get_idx(instances, i);
		struct json_object *paths = answer_member(instance, "paths");

		for (size_t j = 0; j < answer_length(paths); j++)
			put_path(listing, answer_text(instance, "instance"),
			         json_object_array_get_idx(paths, j));
	}
	if (listing_rows(listing) > 0)
		listing_print(listing, stdout, ctl->colour, screen_width());
	else
		print("no instance has %s for this group\n",
		      question->in != NULL ? "such a link" : "an upstream link");
	listing_free(listing);
	if (answer_length(instances) > 0)
		putchar('\n');
	for (size_t i = 0; i < answer_length(instances); i++)
		print_joined(json_object_array_get_idx(instances, i));
	return answer_bool(root, "allowed") ? CHECK_CLEAN : CHECK_FOUND;
}

static int print_object(struct json_object *root)
{
	print_json(stdout, json_object_to_json_string_ext(root, JSON_C_TO_STRING_PLAIN));
	return answer_bool(root, "allowed") ? CHECK_CLEAN : CHECK_FOUND;
}

int check_run(const struct ctl *ctl, int argc, char **argv)
{
	struct check_question question;
	const char *problem = read_question(argc, argv, &question);
	char error[CONFIG_ERROR_SIZE];
	struct json_object *root;
	struct config *config;
	int status;

	if (problem != NULL)
		return command_usage(argv[0], problem);
	config = config_load(question.path, error);
	if (config == NULL) {
		print_to(stderr, "mcproxyctl: check: %s\n", error);
		return CHECK_UNKNOWN;
	}
	root = check_paths(config, &question);
	status = ctl->json ? print_object(root) : print_text(ctl, root, &question);
	json_object_put(root);
	config_free(config);
	return status;
}
