/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/policy/narrow.h"

#include "core/policy/tree.h"

/* A range of up to so many addresses counts as a list of them; a larger one is a prefix. */
#define LIST_RANGE_MAX 16

/* Visits the intervals of the sources of one family, in order, each with the rule that decides on it. */
struct interval_walk {
	const struct policy *policy;
	uint32_t node;
	uint64_t entry;
	enum family family;
	uint32_t next;
};

/* An IPv4 address is v4-mapped: the family's addresses are an interval of all. */
static struct range family_range(enum family family)
{
	struct range range = {.first = addr_unspecified(family), .last = addr_unspecified(family)};

	memset(range.last.bytes + (family == FAMILY_IPV4 ? 12 : 0), 0xff, family == FAMILY_IPV4 ? 4 : 16);
	return range;
}

static bool clip(struct range *range, const struct range *to)
{
	if (addr_compare(&range->first, &to->first) < 0)
		range->first = to->first;
	if (addr_compare(&range->last, &to->last) > 0)
		range->last = to->last;
	return addr_compare(&range->first, &range->last) <= 0;
}

/* All of it is v4-mapped, so no IPv6 source is in it. */
static bool is_ipv4(const struct range *range)
{
	return addr_family(&range->first) == FAMILY_IPV4 && addr_family(&range->last) == FAMILY_IPV4;
}

static void addr_back(struct addr *addr)
{
	for (size_t i = sizeof addr->bytes; i-- > 0;)
		if (addr->bytes[i]-- != 0)
			return;
}

/* False: there are no more. */
static bool walk_next(struct interval_walk *walk, struct range *range, uint32_t *rule)
{
	const struct tree *tree = &walk->policy->tree;
	const struct node *node = &tree->nodes[walk->node];
	struct range family = family_range(walk->family);

	if (node->level == LEVEL_LEAF) {
		*range = family;
		*rule = tree_choose(tree, walk->node, walk->entry);
		return walk->next++ == 0;
	}
	while (walk->next < node->count) {
		uint32_t at = node->first + walk->next++;

		*range = (struct range){.first = tree->firsts[at], .last = family_range(FAMILY_IPV6).last};
		if (walk->next < node->count) {
			range->last = tree->firsts[at + 1];
			addr_back(&range->last);
		}
		if (!clip(range, &family) || (walk->family == FAMILY_IPV6 && is_ipv4(range)))
			continue;
		*rule = tree_choose(tree, tree->children[at], walk->entry);
		return true;
	}
	return false;
}

/* How many addresses the range has, if it counts as a list; 0: it is a prefix. */
static size_t list_size(const struct range *range)
{
	uint64_t more = addr_half(range->last.bytes + 8) - addr_half(range->first.bytes + 8);

	return addr_half(range->first.bytes) == addr_half(range->last.bytes) && more < LIST_RANGE_MAX
	               ? more + 1
	               : 0;
}

/* What the rules do to the sources of a group. A list that exceeds the capacity counts as a prefix. */
struct division {
	bool allows_prefix, denies_prefix;
	size_t allowed, denied; /* addresses in lists */
	uint32_t rule;          /* the first one that denies */
};

/* Ends early where prefixes are allowed and denied: the rest changes nothing. */
static struct division divide(struct interval_walk walk, size_t capacity)
{
	struct division division = {.rule = POLICY_NO_RULE};
	struct range range;
	uint32_t rule;

	while (!(division.allows_prefix && division.denies_prefix) && walk_next(&walk, &range, &rule)) {
		size_t size = list_size(&range);
		bool allows = rule_allows(walk.policy, rule);
		size_t *count = allows ? &division.allowed : &division.denied;

		if (!allows && division.rule == POLICY_NO_RULE)
			division.rule = rule;
		*count += size;
		if (size == 0 || *count > capacity)
			*(allows ? &division.allows_prefix : &division.denies_prefix) = true;
	}
	return division;
}

/* Does a decision below the node depend on the link where the stream enters? */
static bool uses_entry(const struct tree *tree, uint32_t node)
{
	const struct node *here = &tree->nodes[node];

	for (uint32_t i = 0; i < here->count; i++) {
		const struct node *leaf = &tree->nodes[tree->children[here->first + i]];

		for (uint32_t n = 0; n < leaf->count; n++)
			if (tree->leaf_rules[leaf->first + n].in != IN_ANY)
				return true;
	}
	return false;
}

/* The tree is complete: notes where narrow_exclude needs no look at the intervals. */
void narrow_prepare(struct policy *policy)
{
	struct tree *tree = &policy->tree;

	for (uint32_t i = 0; i < tree->node_count; i++) {
		struct interval_walk walk = {.policy = policy, .node = i};

		if (tree->nodes[i].level != LEVEL_SOURCE || uses_entry(tree, i))
			continue;
		for (walk.family = FAMILY_IPV4; walk.family < FAMILIES; walk.family++) {
			struct division division = divide(walk, SIZE_MAX);

			if (division.allows_prefix && division.denies_prefix)
				tree->nodes[i].mixed_by[walk.family] = division.rule;
		}
	}
}

/* The addresses of all lists that the rules allow, or deny, in order. */
static bool collect(struct interval_walk walk, bool allowed, struct sources *sources)
{
	struct range range;
	uint32_t rule;

	sources->count = 0;
	while (walk_next(&walk, &range, &rule)) {
		if (rule_allows(walk.policy, rule) != allowed || list_size(&range) == 0)
			continue;
		for (struct addr addr = range.first;; addr_next(&addr)) {
			if (!sources_append(sources, &addr))
				return false;
			if (addr_equal(&addr, &range.last))
				break;
		}
	}
	return true;
}

static void copy_sources(struct sources *to, const struct sources *from)
{
	to->count = from->count;
	memcpy(to->list, from->list, from->count * sizeof *from->list);
}

static bool narrow_exclude(const struct interval_walk *walk, struct filter *filter, struct sources *scratch,
                           uint32_t *denied)
{
	const struct node *node = &walk->policy->tree.nodes[walk->node];
	struct division division;

	*denied = node->mixed_by[walk->family];
	if (*denied != POLICY_NO_RULE)
		return false;
	if (!node->denies)
		return true;
	division = divide(*walk, filter->sources.capacity);
	*denied = division.rule;
	if (division.denied == 0 && !division.denies_prefix)
		return true;
	if (!division.allows_prefix && collect(*walk, true, scratch)) {
		sources_subtract(scratch, &filter->sources);
		copy_sources(&filter->sources, scratch);
		filter->mode = FILTER_INCLUDE;
		return true;
	}
	if (division.denies_prefix || filter->sources.count + division.denied > filter->sources.capacity ||
	    !collect(*walk, false, scratch))
		return false;
	for (size_t i = 0; i < scratch->count; i++)
		if (!sources_has(&filter->sources, &scratch->list[i]))
			sources_insert(&filter->sources, &scratch->list[i]);
	return true;
}

static void narrow_include(const struct interval_walk *walk, struct filter *filter, uint32_t *denied)
{
	const struct tree *tree = &walk->policy->tree;
	size_t kept = 0;

	*denied = POLICY_NO_RULE;
	for (size_t i = 0; i < filter->sources.count; i++) {
		const struct addr *source = &filter->sources.list[i];
		uint32_t leaf = tree_step(tree, walk->node, LEVEL_SOURCE, source);
		uint32_t rule = tree_choose(tree, leaf, walk->entry);

		if (rule_allows(walk->policy, rule))
			filter->sources.list[kept++] = *source;
		else if (*denied == POLICY_NO_RULE)
			*denied = rule;
	}
	filter->sources.count = kept;
}

/* The rule that allows what is left. */
static uint32_t find_allowing(const struct interval_walk *walk, const struct filter *left)
{
	const struct tree *tree = &walk->policy->tree;
	struct addr any = addr_unspecified(walk->family);
	const struct addr *source = left->mode == FILTER_INCLUDE ? left->sources.list : &any;
	uint32_t rule;

	if (filter_is_none(left))
		return POLICY_NO_RULE;
	rule = tree_choose(tree, tree_step(tree, walk->node, LEVEL_SOURCE, source), walk->entry);
	return rule_allows(walk->policy, rule) ? rule : POLICY_NO_RULE;
}

bool policy_narrow_by(const struct policy *policy, const struct policy_question *question,
                      struct filter *filter, struct sources *scratch, struct policy_deciders *deciders)
{
	struct interval_walk walk = {
		.policy = policy,
		.node = tree_find_sources(&policy->tree, question),
		.entry = question->entry,
		.family = addr_family(&question->group),
	};
	bool exact = true;

	if (filter->mode == FILTER_EXCLUDE)
		exact = narrow_exclude(&walk, filter, scratch, &deciders->denied);
	else
		narrow_include(&walk, filter, &deciders->denied);
	deciders->allowed = find_allowing(&walk, filter);
	return exact;
}

bool policy_narrow(const struct policy *policy, const struct policy_question *question, struct filter *filter,
                   struct sources *scratch, uint32_t *denied)
{
	struct policy_deciders deciders;
	bool exact = policy_narrow_by(policy, question, filter, scratch, &deciders);

	*denied = deciders.denied;
	return exact;
}
