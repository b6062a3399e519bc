/* SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz_policies.h"

#include <assert.h>
#include <stdio.h>

#define RULES_MAX 8
#define POLICIES  8

static const char *const texts[POLICIES] = {
	"deny discovery",
	"deny all",
	"allow 239.1.1.1\nallow ff05::2\ndeny all",
	"allow all from 10.9.9.1\nallow all from 2001:db8::2\ndeny all",
	"deny 239.1.0.0/16 from 10.9.9.0/24\ndeny all from 2001:db8::/64",
	"allow all in eth0\nallow 239.1.0.0/16 in eth[12]\ndeny all",
	"allow all by 10.0.1.0/24\nallow all by fe80::/65\ndeny all",
	"deny 239.1.1.2 from 10.9.9.3-10.9.9.5\nallow all in eth1\ndeny all from 10.9.9.2",
};

static struct policy *compile(const char *text)
{
	char copy[256], error[POLICY_ERROR_SIZE], *rest;
	struct policy_rule rules[RULES_MAX];
	enum policy_failure failure;
	struct policy_sets sets;
	struct policy *policy;
	size_t count = 0;

	sets_init(&sets);
	snprintf(copy, sizeof copy, "%s", text);
	for (char *line = strtok_r(copy, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
		bool made = rule_parse(line, (unsigned)count + 1, &sets, &rules[count], error);

		assert(made);
		count++;
	}
	policy = policy_new(rules, count, &failure);
	assert(policy != NULL);
	sets_fini(&sets);
	return policy;
}

const struct policy *fuzz_policy(unsigned number)
{
	static struct policy *policies[POLICIES];

	if (number >= POLICIES)
		return NULL;
	if (policies[number] == NULL)
		policies[number] = compile(texts[number]);
	policy_hold(policies[number]);
	return policies[number];
}

/* Ranges and sources as texts; no source: all. */
static const struct {
	const char *groups, *source;
} maps[] = {
	{"239.1.1.1", NULL},
	{"239.1.1.0-239.1.1.3", "10.9.9.1"},
	{"239.1.1.2-239.1.1.9", "10.9.9.2"},
	{"ff05::2", "2001:db8::2"},
	{"239.1.1.2", NULL},
};
#define MAPS (sizeof maps / sizeof *maps)

const struct group_map *fuzz_map(unsigned number)
{
	static struct group_map *made[MAPS];
	struct group_map_entry entries[MAPS];
	size_t count = 0;

	if (number >= MAPS)
		return NULL;
	for (; made[number] == NULL && number + count < MAPS && count < 3; count++) {
		struct range source;
		const char *problem = range_parse(maps[number + count].groups, &entries[count].groups);

		entries[count].source = addr_unspecified(addr_family(&entries[count].groups.first));
		if (problem == NULL && maps[number + count].source != NULL) {
			problem = range_parse(maps[number + count].source, &source);
			entries[count].source = source.first;
		}
		assert(problem == NULL);
	}
	if (made[number] == NULL)
		made[number] = group_map_new(entries, count);
	assert(made[number] != NULL && group_map_equal(made[number], made[number]));
	group_map_hold(made[number]);
	return made[number];
}

bool fuzz_policy_allows(const struct policy *policy, const struct addr *source, const struct addr *group,
                        const char *link)
{
	struct policy_question question = {.group = *group, .source = *source};

	if (policy == NULL)
		return true;
	question.entry = policy_entry(policy, link);
	return policy_allows(policy, policy_decide(policy, &question));
}
