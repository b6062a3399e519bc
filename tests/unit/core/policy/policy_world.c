/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy_world.h"

#include <stdio.h>

static void define_set(struct policy_world *world, char *line)
{
	char error[POLICY_ERROR_SIZE], *rest;
	struct policy_set *set = sets_define(&world->sets, strtok_r(line, " ", &rest), 1, error);

	assert_non_null(set);
	assert_string_equal(strtok_r(NULL, " ", &rest), "=");
	for (char *member; (member = strtok_r(NULL, " ", &rest)) != NULL;)
		if (!sets_add(&world->sets, set, member, error))
			fail_msg("%s", error);
	sets_complete(set);
}

void world_init(struct policy_world *world, const char *text)
{
	char copy[4096], error[POLICY_ERROR_SIZE], *rest;
	enum policy_failure failure;

	*world = (struct policy_world){0};
	sets_init(&world->sets);
	snprintf(copy, sizeof copy, "%s", text);
	for (char *line = strtok_r(copy, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
		if (strchr(line, '=') != NULL) {
			define_set(world, line);
			continue;
		}
		assert_true(world->rule_count < WORLD_RULES);
		if (!rule_parse(line, (unsigned)world->rule_count + 1, &world->sets,
		                &world->rules[world->rule_count], error))
			fail_msg("%s", error);
		world->rule_count++;
	}
	world->policy = policy_new(world->rules, world->rule_count, &failure);
	assert_non_null(world->policy);
}

void world_fini(struct policy_world *world)
{
	policy_release(world->policy);
	sets_fini(&world->sets);
}

static struct addr parse(const char *text)
{
	struct range range;

	assert_null(range_parse(text, &range));
	return range.first;
}

struct policy_question world_question(const struct policy_world *world, const char *text)
{
	struct policy_question question = {.group = {{0}}};
	char copy[256], *rest;
	char *word;

	snprintf(copy, sizeof copy, "%s", text);
	question.group = parse(strtok_r(copy, " ", &rest));
	while ((word = strtok_r(NULL, " ", &rest)) != NULL) {
		const char *value = strtok_r(NULL, " ", &rest);

		if (strcmp(word, "from") == 0) {
			question.source = parse(value);
		} else if (strcmp(word, "in") == 0) {
			question.entry = policy_entry(world->policy, value);
		} else {
			struct range range;

			assert_string_equal(word, "by");
			assert_null(range_parse(value, &range));
			*(range_is_mac(&range) ? &question.mac : &question.host) = range.first;
			question.report = true;
		}
	}
	return question;
}

struct filter world_filter(const char *text, struct addr *list, size_t capacity)
{
	struct filter filter = {.sources = sources_on(list, capacity)};
	char copy[512], *rest;
	const char *word;

	snprintf(copy, sizeof copy, "%s", text);
	word = strtok_r(copy, " ", &rest);
	filter.mode = strcmp(word, "EXCLUDE") == 0 ? FILTER_EXCLUDE : FILTER_INCLUDE;
	while ((word = strtok_r(NULL, " ", &rest)) != NULL) {
		struct addr addr = parse(word);

		assert_true(sources_insert(&filter.sources, &addr));
	}
	return filter;
}

void world_filter_format(const struct filter *filter, char *text, size_t size)
{
	char one[ADDR_TEXT_SIZE];
	int length = snprintf(text, size, "%s", filter_mode_name(filter->mode));

	for (size_t i = 0; i < filter->sources.count; i++)
		length += snprintf(text + length, size - (size_t)length, " %s",
		                   addr_format(&filter->sources.list[i], one));
}
