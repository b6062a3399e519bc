/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy_source.h"

#include <stdlib.h>

static bool read_set(struct policy_sets *sets, char *line)
{
	char error[POLICY_ERROR_SIZE], *rest;
	const char *name = strtok_r(line, " =", &rest), *member;
	struct policy_set *set = name != NULL ? sets_define(sets, name, 0, error) : NULL;

	if (set == NULL)
		return false;
	while ((member = strtok_r(NULL, " =", &rest)) != NULL)
		if (!sets_add(sets, set, member, error))
			return false;
	sets_complete(set);
	return true;
}

static bool read_rule(struct policy_sets *sets, const char *line, struct policy_rule *rule)
{
	char error[POLICY_ERROR_SIZE];
	unsigned number = 0;

	for (; *line >= '0' && *line <= '9'; line++)
		number = number * 10 + (unsigned)(*line - '0');
	return rule_parse(line, number, sets, rule, error);
}

static size_t count_lines(const char *text)
{
	size_t lines = 1;

	while ((text = strchr(text, '\n')) != NULL) {
		text++;
		lines++;
	}
	return lines;
}

struct policy *policy_from_source(const char *source)
{
	size_t size = strlen(source) + 1, count = 0;
	struct policy_rule *rules = calloc(count_lines(source), sizeof *rules);
	struct policy *policy = NULL;
	enum policy_failure failure;
	struct policy_sets sets;
	char *copy = malloc(size), *rest;
	bool good = rules != NULL && copy != NULL;

	sets_init(&sets);
	if (good)
		memcpy(copy, source, size);
	for (char *line = good ? strtok_r(copy, "\n", &rest) : NULL; good && line != NULL;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (strchr(line, '=') != NULL)
			good = read_set(&sets, line);
		else
			good = read_rule(&sets, line, &rules[count]);
		count += good && strchr(line, '=') == NULL;
	}
	if (good)
		policy = policy_new(rules, count, &failure);
	for (size_t i = 0; rules != NULL && i < count; i++)
		rule_fini(&rules[i]);
	free(rules);
	free(copy);
	sets_fini(&sets);
	return policy;
}
