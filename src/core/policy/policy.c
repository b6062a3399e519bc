/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/policy/policy.h"

#include "core/policy/narrow.h"
#include "core/policy/source.h"
#include "core/policy/tree.h"

#include <fnmatch.h>
#include <stdatomic.h>
#include <stdlib.h>

/* Numbers the `in` conditions. */
static bool number_links(struct policy *policy)
{
	for (size_t i = 0; i < policy->rule_count; i++) {
		const char *in = policy->rules[i].in;
		unsigned n = 0;

		policy->in[i] = IN_ANY;
		if (in[0] == '\0')
			continue;
		while (n < policy->link_count && strcmp(policy->links[n], in) != 0)
			n++;
		if (n == POLICY_LINKS_MAX)
			return false;
		if (n == policy->link_count)
			memcpy(policy->links[policy->link_count++], in, RULE_LINK_SIZE);
		policy->in[i] = (uint8_t)n;
	}
	return true;
}

static void policy_free(struct policy *policy)
{
	tree_fini(&policy->tree);
	for (size_t i = 0; i < policy->rule_count; i++)
		rule_fini(&policy->rules[i]);
	free(policy->source);
	free(policy->can_match);
	free(policy->in);
	free(policy->rules);
	free(policy);
}

struct policy *policy_new(struct policy_rule *rules, size_t count, enum policy_failure *failure)
{
	struct policy *policy = calloc(1, sizeof *policy);

	*failure = POLICY_MEMORY;
	if (policy == NULL)
		return NULL;
	policy->holders = 1;
	policy->rules = malloc((count + 1) * sizeof *rules);
	policy->in = malloc(count + 1);
	policy->can_match = calloc(count + 1, sizeof *policy->can_match);
	if (policy->rules == NULL || policy->in == NULL || policy->can_match == NULL)
		goto fail;
	policy->source = source_write(rules, count);
	if (policy->source == NULL)
		goto fail;
	for (; policy->rule_count < count; policy->rule_count++) {
		policy->rules[policy->rule_count] = rules[policy->rule_count];
		rules[policy->rule_count].text = NULL;
	}
	*failure = POLICY_TOO_MANY_LINKS;
	if (!number_links(policy) || !tree_build(policy, failure))
		goto fail;
	narrow_prepare(policy);
	return policy;
fail:
	policy_free(policy);
	return NULL;
}

/* Only the count changes, so all other code may treat the policy as constant. */
static struct policy *mutable(const struct policy *policy)
{
	return (struct policy *)(uintptr_t)policy;
}

void policy_hold(const struct policy *policy)
{
	if (policy != NULL)
		atomic_fetch_add_explicit(&mutable(policy)->holders, 1, memory_order_relaxed);
}

void policy_release(const struct policy *policy)
{
	if (policy != NULL &&
	    atomic_fetch_sub_explicit(&mutable(policy)->holders, 1, memory_order_acq_rel) == 1)
		policy_free(mutable(policy));
}

bool policy_equal(const struct policy *a, const struct policy *b)
{
	if (a->rule_count != b->rule_count || !tree_equal(&a->tree, &b->tree))
		return false;
	for (size_t i = 0; i < a->rule_count; i++)
		if (a->rules[i].line != b->rules[i].line || strcmp(a->rules[i].text, b->rules[i].text) != 0)
			return false;
	return true;
}

const char *policy_source(const struct policy *policy)
{
	return policy->source;
}

size_t policy_rule_count(const struct policy *policy)
{
	return policy->rule_count;
}

const struct policy_rule *policy_rule(const struct policy *policy, uint32_t rule)
{
	return &policy->rules[rule];
}

bool policy_rule_can_match(const struct policy *policy, uint32_t rule)
{
	return policy->can_match[rule];
}

bool policy_allows_something(const struct policy *policy)
{
	return policy->allows;
}

uint64_t policy_entry(const struct policy *policy, const char *link)
{
	uint64_t entry = 0;

	for (unsigned n = 0; n < policy->link_count; n++)
		if (fnmatch(policy->links[n], link, 0) == 0)
			entry |= UINT64_C(1) << n;
	return entry;
}

uint32_t policy_decide(const struct policy *policy, const struct policy_question *question)
{
	uint32_t node = tree_find_sources(&policy->tree, question);

	node = tree_step(&policy->tree, node, LEVEL_SOURCE, &question->source);
	return tree_choose(&policy->tree, node, question->entry);
}

bool policy_allows(const struct policy *policy, uint32_t rule)
{
	return rule_allows(policy, rule);
}

bool policy_may_deny(const struct policy *policy, const struct addr *group)
{
	const struct tree *tree = &policy->tree;

	return tree->nodes[tree_step(tree, tree->root_packets, LEVEL_GROUP, group)].denies;
}

bool policy_may_deny_report(const struct policy *policy, const struct addr *group)
{
	const struct tree *tree = &policy->tree;

	return tree->nodes[tree_step(tree, tree->root_reports, LEVEL_GROUP, group)].denies;
}

bool policy_uses_entry(const struct policy *policy)
{
	return policy->link_count > 0;
}

bool policy_uses_hosts(const struct policy *policy)
{
	for (size_t i = 0; i < policy->rule_count; i++)
		if (policy->rules[i].by != NULL)
			return true;
	return false;
}

/* The level is left out where no rule needs it. */
bool policy_uses_macs(const struct policy *policy)
{
	for (uint32_t i = 0; i < policy->tree.node_count; i++)
		if (policy->tree.nodes[i].level == LEVEL_MAC)
			return true;
	return false;
}
