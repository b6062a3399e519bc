/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The search structure of a policy: a tree with one level for each condition of a rule. A node divides the addresses into
 * intervals, each with a node of the next level. A leaf lists the rules that are left, in order. Equal subtrees
 * exist once. The nodes are in an array, and refer to each other by index.
 */
#ifndef MCPROXY_CORE_POLICY_TREE_H
#define MCPROXY_CORE_POLICY_TREE_H

#include "core/policy/policy.h"

enum level { LEVEL_GROUP, LEVEL_HOST, LEVEL_MAC, LEVEL_SOURCE, LEVEL_LEAF };

struct node {
	uint8_t level; /* enum level */
	bool allows;   /* something below it is allowed */
	bool denies;
	/* LEVEL_SOURCE: the first rule that denies, if prefixes of the family's sources are allowed and others denied,
	 * whatever the entry link is; POLICY_NO_RULE: that is not so. */
	uint32_t mixed_by[FAMILIES];
	uint32_t first; /* index into firsts and children; of a leaf: into leaf_rules */
	uint32_t count; /* intervals; of a leaf: leaf_rules */
};

/* A rule of a leaf. It decides if it has no `in` condition, or if the entry link fulfils that. */
struct leaf_rule {
	uint32_t rule;
	uint8_t in; /* number of the condition, or IN_ANY */
};
#define IN_ANY UINT8_MAX

struct tree {
	struct node *nodes;
	struct addr *firsts; /* the first address of each interval, ascending within a node */
	uint32_t *children;  /* the node of each interval */
	struct leaf_rule *leaf_rules;
	uint32_t node_count, interval_count, leaf_rule_count;
	uint32_t node_capacity, interval_capacity, leaf_rule_capacity;
	uint32_t root_reports, root_packets;
};

struct policy {
	_Atomic unsigned holders;
	char *source;              /* source_write */
	struct policy_rule *rules; /* their sets may be gone after the build */
	size_t rule_count;
	uint8_t *in;     /* of each rule: number of its `in` condition, or IN_ANY */
	bool *can_match; /* of each rule */
	bool allows;     /* something */
	char links[POLICY_LINKS_MAX][RULE_LINK_SIZE];
	unsigned link_count;
	struct tree tree;
};

static inline bool rule_allows(const struct policy *policy, uint32_t rule)
{
	return rule == POLICY_NO_RULE || policy->rules[rule].allow;
}

/* Builds policy->tree. False, with the reason in failure. */
bool tree_build(struct policy *policy, enum policy_failure *failure);
void tree_fini(struct tree *tree);
/* The same nodes in the same order, as equal rules make them. */
bool tree_equal(const struct tree *a, const struct tree *b);

/* The child for an address; the node itself if it belongs to a later level. */
uint32_t tree_step(const struct tree *tree, uint32_t node, enum level level, const struct addr *addr);
/* The node of the level of sources, or a later one, for the group and the host. */
uint32_t tree_find_sources(const struct tree *tree, const struct policy_question *question);
/* The rule of a leaf that decides for an entry. */
uint32_t tree_choose(const struct tree *tree, uint32_t leaf, uint64_t entry);

#endif
