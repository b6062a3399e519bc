/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define RULES_MAX   5
#define ALL_GROUPS  UINT32_MAX
#define ALL_SOURCES UINT64_MAX
#define ANYWHERE    (-1)

struct plain_rule {
	bool allow;
	uint32_t groups;
	uint64_t sources;
	int entry;
	bool has_host;
	struct addr host;
};

struct rules {
	unsigned count;
	struct plain_rule list[RULES_MAX];
	struct policy *policy;
	char text[512];
};

static struct plain_rule random_rule(struct random *random, unsigned groups, unsigned sources, int entry,
                                     const struct addr *host)
{
	struct plain_rule rule = {.allow = random_percent(random, 50),
	                          .groups = ALL_GROUPS,
	                          .sources = ALL_SOURCES,
	                          .entry = random_percent(random, 30) ? entry : ANYWHERE};

	if (random_percent(random, 60))
		rule.groups = 1u << random_below(random, groups) | 1u << random_below(random, groups);
	if (random_percent(random, 50))
		rule.sources = random_next(random) & random_next(random) & (((uint64_t)1 << sources) - 1);
	if (rule.sources == 0)
		rule.sources = 1;
	if (host != NULL && random_percent(random, 30)) {
		rule.has_host = true;
		rule.host = *host;
	}
	return rule;
}

static void add_members(struct policy_sets *sets, const char *name, uint64_t numbers,
                        struct addr (*universe)(enum family family, unsigned number))
{
	char error[POLICY_ERROR_SIZE], text[ADDR_TEXT_SIZE];
	struct policy_set *set = sets_define(sets, name, 1, error);
	bool added = set != NULL;

	for (unsigned number = 0; number < 64; number++)
		for (enum family family = FAMILY_IPV4; family < FAMILIES && numbers >> number & 1; family++) {
			struct addr addr = universe(family, number);

			added = added && sets_add(sets, set, addr_format(&addr, text), error);
		}
	assert(added);
	sets_complete(set);
}

static struct policy_rule compile_rule(const struct plain_rule *plain, unsigned number,
                                       struct policy_sets *sets)
{
	char what[16] = "all", from[16] = "all", in[16], by[ADDR_TEXT_SIZE], error[POLICY_ERROR_SIZE];
	struct rule_words words = {.action = plain->allow ? "allow" : "deny", .what = what, .from = from};
	struct policy_rule rule;
	bool made;

	if (plain->groups != ALL_GROUPS) {
		snprintf(what, sizeof what, "g%u", number);
		add_members(sets, what, plain->groups, universe_group);
	}
	if (plain->sources != ALL_SOURCES) {
		snprintf(from, sizeof from, "s%u", number);
		add_members(sets, from, plain->sources, universe_source);
	}
	if (plain->entry != ANYWHERE) {
		snprintf(in, sizeof in, "eth%d", plain->entry);
		words.in = in;
	}
	if (plain->has_host)
		words.by = addr_format(&plain->host, by);
	made = rule_make(&words, number + 1, sets, &rule, error);
	assert(made);
	return rule;
}

static void write_text(struct rules *rules)
{
	int used = 0;

	for (unsigned i = 0; i < rules->count; i++) {
		const struct plain_rule *rule = &rules->list[i];

		used += snprintf(rules->text + used, sizeof rules->text - (size_t)used,
		                 "%s groups %x sources %llx in %d%s; ", rule->allow ? "allow" : "deny",
		                 rule->groups, (unsigned long long)rule->sources, rule->entry,
		                 rule->has_host ? " by a host" : "");
	}
}

struct rules *rules_random(struct random *random, unsigned groups, unsigned sources, int entry,
                           const struct addr *host)
{
	struct rules *rules = calloc(1, sizeof *rules);
	struct policy_rule compiled[RULES_MAX];
	enum policy_failure failure;
	struct policy_sets sets;

	assert(rules != NULL);
	sets_init(&sets);
	for (unsigned count = random_between(random, 1, RULES_MAX); rules->count < count; rules->count++) {
		rules->list[rules->count] = random_rule(random, groups, sources, entry, host);
		compiled[rules->count] = compile_rule(&rules->list[rules->count], rules->count, &sets);
	}
	rules->policy = policy_new(compiled, rules->count, &failure);
	assert(rules->policy != NULL);
	sets_fini(&sets);
	write_text(rules);
	return rules;
}

void rules_free(struct rules *rules)
{
	if (rules == NULL)
		return;
	policy_release(rules->policy);
	free(rules);
}

const struct policy *rules_hold(const struct rules *rules)
{
	if (rules == NULL)
		return NULL;
	policy_hold(rules->policy);
	return rules->policy;
}

const char *rules_text(const struct rules *rules)
{
	return rules->text;
}

bool rules_use_entry(const struct rules *rules)
{
	for (unsigned i = 0; rules != NULL && i < rules->count; i++)
		if (rules->list[i].entry != ANYWHERE)
			return true;
	return false;
}

bool rules_allow(const struct rules *rules, unsigned group, unsigned source, int entry,
                 const struct addr *host)
{
	for (unsigned i = 0; rules != NULL && i < rules->count; i++) {
		const struct plain_rule *rule = &rules->list[i];

		/* What allows a host's report must let the packets pass to it; what denies it says nothing about packets. */
		if (rule->has_host && (host != NULL ? !addr_equal(&rule->host, host) : !rule->allow))
			continue;
		if (rule->groups >> group & 1 &&
		    (rule->sources == ALL_SOURCES || (source < SOURCES_MAX && rule->sources >> source & 1)) &&
		    (rule->entry == ANYWHERE || rule->entry == entry))
			return rule->allow;
	}
	return true;
}
