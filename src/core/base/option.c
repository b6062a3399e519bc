/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/base/option.h"

#include "core/base/spelling.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

/* The length of the name of a long option, `--name=value`. */
static size_t name_length(const char *word)
{
	return strcspn(word, "=");
}

static void unknown_long(const struct option *options, const char *word, char *text, size_t size)
{
	char name[64];
	struct spelling spelling;

	snprintf(name, sizeof name, "%.*s", (int)name_length(word), word);
	spelling = spelling_begin(name + strspn(name, "-"));
	for (; options->name != NULL; options++)
		spelling_compare(&spelling, options->name);
	if (spelling.nearest != NULL)
		snprintf(text, size, "%s: no such option; did you mean --%s?", name, spelling.nearest);
	else
		snprintf(text, size, "%s: no such option", name);
}

void option_problem(const struct option *options, int letter, const char *word, char *text, size_t size)
{
	const struct option *option = options;

	if (letter == 0) {
		unknown_long(options, word, text, size);
		return;
	}
	while (option->name != NULL && option->val != letter)
		option++;
	if (option->name == NULL)
		snprintf(text, size, "-%c: no such option", letter);
	else if (option->has_arg == required_argument)
		snprintf(text, size, "--%s: its value is missing", option->name);
	else
		snprintf(text, size, "--%s: takes no value", option->name);
}
