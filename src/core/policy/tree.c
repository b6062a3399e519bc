/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The build goes down the levels with the list of rules that still can match. On each level it sweeps over the ends of these
 * rules' ranges, and keeps the set of rules whose ranges it is in. Two equal lists on a level have the same subtree, so
 * each subtree is built once.
 */
#include "core/policy/tree.h"

#include <stdlib.h>

/* A rule that still can match. */
struct candidate {
	uint32_t rule;
	/* LEVEL_MAC: its `by` condition is not fulfilled by the host's address, but could be by its MAC address. */
	bool pending;
};

/* A subtree that is built: for these candidates on this level, stored in the build's pool of candidates. */
struct built {
	uint32_t hash;
	uint32_t first, count;
	uint32_t node;
	uint8_t level;
};

struct build {
	struct policy *policy;
	struct tree *tree;
	bool reports;        /* builds the tree for reports, not the one for packets */
	struct built *table; /* open addressing, a power of two */
	uint32_t table_size, built_count;
	struct candidate *pool;
	uint32_t pool_count, pool_capacity;
	enum policy_failure failure;
};

/* Where the set of active candidates changes, or none does (NO_CANDIDATE). */
struct edge {
	struct addr at;
	uint32_t candidate;
	bool begins;
};
#define NO_CANDIDATE UINT32_MAX

#define NO_NODE UINT32_MAX

/* Makes room for `more` elements; false, with the reason set, when memory is short or the limit is reached. */
static bool reserve(struct build *build, void *array, uint32_t *capacity, uint32_t count, uint32_t more,
                    size_t size)
{
	void *memory;
	uint32_t wanted = *capacity ? *capacity : 64;

	if (count + more <= *capacity)
		return true;
	while (wanted < count + more)
		wanted *= 2;
	if (wanted > POLICY_BYTES_MAX / size) {
		build->failure = POLICY_TOO_COMPLEX;
		return false;
	}
	memcpy(&memory, array, sizeof memory);
	memory = realloc(memory, wanted * size);
	if (memory == NULL) {
		build->failure = POLICY_MEMORY;
		return false;
	}
	memcpy(array, &memory, sizeof memory);
	*capacity = wanted;
	return true;
}

/* NULL: the rule matches every address of the level. The hosts of packets are not known: an `allow` for some host lets them
 * pass, because only that host's report can have made the link a member. */
static const struct ranges *ranges_on(const struct build *build, const struct policy_rule *rule,
                                      enum level level)
{
	const struct policy_set *set = NULL;

	switch (level) {
	case LEVEL_GROUP:
		set = rule->what;
		break;
	case LEVEL_HOST:
	case LEVEL_MAC:
		set = build->reports ? rule->by : NULL;
		break;
	case LEVEL_SOURCE:
		set = rule->from;
		break;
	case LEVEL_LEAF:
		break;
	}
	return set ? &set->ranges : NULL;
}

/* Does the candidate match every address of the level? */
static bool matches_all(const struct build *build, const struct candidate *candidate, enum level level)
{
	if (level == LEVEL_MAC)
		return !candidate->pending;
	return ranges_on(build, &build->policy->rules[candidate->rule], level) == NULL;
}

/* Nothing but this candidate's `in` condition can keep it from deciding. */
static bool is_decided(const struct build *build, const struct candidate *candidate, enum level level)
{
	const struct policy_rule *rule = &build->policy->rules[candidate->rule];

	return rule->in[0] == '\0' && !candidate->pending && (level > LEVEL_GROUP || rule->what == NULL) &&
	       (level > LEVEL_HOST || rule->by == NULL || !build->reports) &&
	       (level > LEVEL_SOURCE || rule->from == NULL);
}

/* Cuts the list after the first candidate that decides in any case. */
static uint32_t cut(const struct build *build, const struct candidate *list, uint32_t count, enum level level)
{
	for (uint32_t i = 0; i < count; i++)
		if (is_decided(build, &list[i], level))
			return i + 1;
	return count;
}

static uint32_t hash_list(const struct candidate *list, uint32_t count, enum level level)
{
	uint32_t hash = 2166136261u ^ (uint32_t)level;

	for (uint32_t i = 0; i < count; i++)
		hash = (hash ^ (list[i].rule * 2 + list[i].pending)) * 16777619u;
	return hash;
}

static bool is_built(const struct build *build, const struct built *built, uint32_t hash, enum level level,
                     const struct candidate *list, uint32_t count)
{
	if (built->hash != hash || built->level != level || built->count != count)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		const struct candidate *other = &build->pool[built->first + i];

		if (other->rule != list[i].rule || other->pending != list[i].pending)
			return false;
	}
	return true;
}

/* The place of the subtree in the table, or the free place for it. */
static struct built *find_built(const struct build *build, uint32_t hash, enum level level,
                                const struct candidate *list, uint32_t count)
{
	uint32_t at = hash & (build->table_size - 1);

	while (build->table[at].node != NO_NODE &&
	       !is_built(build, &build->table[at], hash, level, list, count))
		at = (at + 1) & (build->table_size - 1);
	return &build->table[at];
}

static bool grow_table(struct build *build)
{
	uint32_t old_size = build->table_size, size = old_size ? 2 * old_size : 256;
	struct built *old = build->table;

	if (build->built_count < old_size / 2)
		return true;
	build->table = size <= POLICY_BYTES_MAX / sizeof *old ? malloc(size * sizeof *old) : NULL;
	if (build->table == NULL) {
		build->table = old;
		build->failure = POLICY_TOO_COMPLEX;
		return false;
	}
	build->table_size = size;
	for (uint32_t i = 0; i < size; i++)
		build->table[i].node = NO_NODE;
	for (uint32_t i = 0; i < old_size; i++)
		if (old[i].node != NO_NODE)
			*find_built(build, old[i].hash, old[i].level, build->pool + old[i].first,
			            old[i].count) = old[i];
	free(old);
	return true;
}

static bool remember(struct build *build, enum level level, const struct candidate *list, uint32_t count,
                     uint32_t node)
{
	uint32_t hash = hash_list(list, count, level);

	if (!grow_table(build) || !reserve(build, &build->pool, &build->pool_capacity, build->pool_count,
	                                   count, sizeof *build->pool))
		return false;
	*find_built(build, hash, level, list, count) = (struct built){.hash = hash,
	                                                              .first = build->pool_count,
	                                                              .count = count,
	                                                              .node = node,
	                                                              .level = (uint8_t)level};
	if (count > 0)
		memcpy(build->pool + build->pool_count, list, count * sizeof *list);
	build->pool_count += count;
	build->built_count++;
	return true;
}

static uint32_t node_new(struct build *build, enum level level, uint32_t first, uint32_t count)
{
	struct tree *tree = build->tree;

	if (!reserve(build, &tree->nodes, &tree->node_capacity, tree->node_count, 1, sizeof *tree->nodes))
		return NO_NODE;
	tree->nodes[tree->node_count] = (struct node){.level = (uint8_t)level,
	                                              .mixed_by = {POLICY_NO_RULE, POLICY_NO_RULE},
	                                              .first = first,
	                                              .count = count};
	return tree->node_count++;
}

static uint32_t leaf_new(struct build *build, const struct candidate *list, uint32_t count)
{
	struct tree *tree = build->tree;
	struct policy *policy = build->policy;
	uint32_t first = tree->leaf_rule_count;
	bool allows = false, denies = false, decided = false;
	uint32_t node;

	if (!reserve(build, &tree->leaf_rules, &tree->leaf_rule_capacity, tree->leaf_rule_count, count,
	             sizeof *tree->leaf_rules))
		return NO_NODE;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t rule = list[i].rule;

		tree->leaf_rules[tree->leaf_rule_count++] =
			(struct leaf_rule){.rule = rule, .in = policy->in[rule]};
		policy->can_match[rule] = true;
		*(policy->rules[rule].allow ? &allows : &denies) = true;
		decided |= policy->in[rule] == IN_ANY;
	}
	node = node_new(build, LEVEL_LEAF, first, count);
	if (node == NO_NODE)
		return NO_NODE;
	tree->nodes[node].allows = allows || !decided;
	tree->nodes[node].denies = denies;
	policy->allows |= tree->nodes[node].allows;
	return node;
}

static int compare_edges(const void *a, const void *b)
{
	return addr_compare(&((const struct edge *)a)->at, &((const struct edge *)b)->at);
}

#define GROUP_EDGES 3

/* Where multicast groups begin and end, so that an interval has only groups or none. */
static size_t add_group_edges(struct edge *edges)
{
	static const uint8_t ipv6_groups[16] = {0xff};

	edges[0] = (struct edge){.at = addr_from_ipv4_number(0xe0000000), .candidate = NO_CANDIDATE};
	edges[1] = (struct edge){.at = addr_from_ipv4_number(0xf0000000), .candidate = NO_CANDIDATE};
	edges[2] = (struct edge){.at = addr_from_ipv6(ipv6_groups), .candidate = NO_CANDIDATE};
	return GROUP_EDGES;
}

/* The ends of the candidates' ranges in order. NULL: memory is short. */
static struct edge *find_edges(const struct build *build, enum level level, const struct candidate *list,
                               uint32_t count, size_t *edge_count)
{
	struct edge *edges;
	size_t ranges = 0;

	*edge_count = 0;
	for (uint32_t i = 0; i < count; i++)
		if (!matches_all(build, &list[i], level))
			ranges += ranges_on(build, &build->policy->rules[list[i].rule], level)->count;
	edges = malloc((2 * ranges + GROUP_EDGES) * sizeof *edges);
	if (edges == NULL)
		return NULL;
	if (level == LEVEL_GROUP)
		*edge_count = add_group_edges(edges);
	for (uint32_t i = 0; i < count; i++) {
		const struct ranges *set = ranges_on(build, &build->policy->rules[list[i].rule], level);

		if (matches_all(build, &list[i], level))
			continue;
		for (size_t n = 0; n < set->count; n++) {
			struct addr behind = set->list[n].last;

			if (level != LEVEL_SOURCE && level != LEVEL_GROUP &&
			    range_is_mac(&set->list[n]) != (level == LEVEL_MAC))
				continue;
			edges[(*edge_count)++] =
				(struct edge){.at = set->list[n].first, .candidate = i, .begins = true};
			if (addr_next(&behind))
				edges[(*edge_count)++] = (struct edge){.at = behind, .candidate = i};
		}
	}
	qsort(edges, *edge_count, sizeof *edges, compare_edges);
	return edges;
}

/* A sweep over the intervals of a level. The sets have a bit for each candidate. */
struct sweep {
	enum level level;
	const struct candidate *list;
	uint32_t count;
	uint64_t *active; /* the sweep is inside of a range of theirs */
	uint64_t *always; /* they stay candidates in every interval */
	struct candidate *matching;
	/* of the node that is made: its intervals, added to the tree when all subtrees exist */
	struct addr *firsts;
	uint32_t *children;
	uint32_t interval_count;
};

/* Candidates that match everywhere on the level, or may match by a MAC address on the next one. */
static void find_always(const struct build *build, struct sweep *sweep)
{
	for (uint32_t i = 0; i < sweep->count; i++) {
		const struct ranges *set =
			ranges_on(build, &build->policy->rules[sweep->list[i].rule], sweep->level);

		if (matches_all(build, &sweep->list[i], sweep->level) ||
		    (sweep->level == LEVEL_HOST && ranges_has_mac(set)))
			sweep->always[i / 64] |= UINT64_C(1) << i % 64;
	}
}

/* Fills `matching` with the candidates that match in the present interval. */
static uint32_t find_matching(const struct build *build, const struct sweep *sweep)
{
	uint32_t count = 0;

	for (uint32_t word = 0; word <= sweep->count / 64; word++)
		for (uint64_t left = sweep->active[word] | sweep->always[word]; left != 0; left &= left - 1) {
			uint32_t i = word * 64 + (uint32_t)__builtin_ctzll(left);
			struct candidate candidate = sweep->list[i];

			if (sweep->level == LEVEL_MAC)
				candidate.pending = false;
			else if (sweep->level == LEVEL_HOST && !matches_all(build, &candidate, LEVEL_HOST))
				candidate.pending = !(sweep->active[word] & (left & -left));
			sweep->matching[count++] = candidate;
		}
	return count;
}

static uint32_t build_node(struct build *build, enum level level, const struct candidate *list,
                           uint32_t count);

/* Adds an interval that begins at `first`, unless it has the same subtree as the one before it. */
static bool add_interval(struct build *build, struct sweep *sweep, const struct addr *first)
{
	uint32_t count = find_matching(build, sweep);
	uint32_t child = build_node(build, sweep->level + 1, sweep->matching, count);

	if (child == NO_NODE)
		return false;
	if (sweep->interval_count > 0 && sweep->children[sweep->interval_count - 1] == child)
		return true;
	sweep->firsts[sweep->interval_count] = *first;
	sweep->children[sweep->interval_count++] = child;
	return true;
}

static bool sweep_intervals(struct build *build, struct sweep *sweep, const struct edge *edges,
                            size_t edge_count)
{
	struct addr at = {{0}};
	size_t next = 0;

	for (;;) {
		for (; next < edge_count && addr_equal(&edges[next].at, &at); next++) {
			uint64_t bit = UINT64_C(1) << edges[next].candidate % 64;

			if (edges[next].begins)
				sweep->active[edges[next].candidate / 64] |= bit;
			else if (edges[next].candidate != NO_CANDIDATE)
				sweep->active[edges[next].candidate / 64] &= ~bit;
		}
		if ((sweep->level != LEVEL_GROUP || addr_is_multicast(&at)) &&
		    !add_interval(build, sweep, &at))
			return false;
		if (next == edge_count)
			return true;
		at = edges[next].at;
	}
}

/* The node for the intervals of a sweep; with a single one, its child. */
static uint32_t add_node(struct build *build, const struct sweep *sweep)
{
	struct tree *tree = build->tree;
	uint32_t first = tree->interval_count, capacity = tree->interval_capacity, node;

	if (sweep->interval_count == 1)
		return sweep->children[0];
	if (!reserve(build, &tree->firsts, &capacity, first, sweep->interval_count, sizeof *tree->firsts) ||
	    !reserve(build, &tree->children, &tree->interval_capacity, first, sweep->interval_count,
	             sizeof *tree->children))
		return NO_NODE;
	memcpy(tree->firsts + first, sweep->firsts, sweep->interval_count * sizeof *tree->firsts);
	memcpy(tree->children + first, sweep->children, sweep->interval_count * sizeof *tree->children);
	tree->interval_count += sweep->interval_count;
	node = node_new(build, sweep->level, first, sweep->interval_count);
	for (uint32_t i = 0; node != NO_NODE && i < sweep->interval_count; i++) {
		tree->nodes[node].allows |= tree->nodes[sweep->children[i]].allows;
		tree->nodes[node].denies |= tree->nodes[sweep->children[i]].denies;
	}
	return node;
}

static uint32_t divide(struct build *build, enum level level, const struct candidate *list, uint32_t count)
{
	size_t edge_count;
	struct edge *edges = find_edges(build, level, list, count, &edge_count);
	struct sweep sweep = {
		.level = level,
		.list = list,
		.count = count,
		.active = calloc(count / 64 + 1, sizeof *sweep.active),
		.always = calloc(count / 64 + 1, sizeof *sweep.always),
		.matching = malloc((count + 1) * sizeof *sweep.matching),
		.firsts = malloc((edge_count + 1) * sizeof *sweep.firsts),
		.children = malloc((edge_count + 1) * sizeof *sweep.children),
	};
	uint32_t node = NO_NODE;

	build->failure = POLICY_MEMORY;
	if (edges != NULL && sweep.active != NULL && sweep.always != NULL && sweep.matching != NULL &&
	    sweep.firsts != NULL && sweep.children != NULL) {
		find_always(build, &sweep);
		if (sweep_intervals(build, &sweep, edges, edge_count))
			node = add_node(build, &sweep);
	}
	free(edges);
	free(sweep.active);
	free(sweep.always);
	free(sweep.matching);
	free(sweep.firsts);
	free(sweep.children);
	return node;
}

/* The root of the subtree for the candidates from this level on. */
static uint32_t build_node(struct build *build, enum level level, const struct candidate *list,
                           uint32_t count)
{
	const struct built *built;
	uint32_t node;

	count = cut(build, list, count, level);
	built = find_built(build, hash_list(list, count, level), level, list, count);
	if (built->node != NO_NODE)
		return built->node;
	node = level == LEVEL_LEAF ? leaf_new(build, list, count) : divide(build, level, list, count);
	if (node == NO_NODE || !remember(build, level, list, count, node))
		return NO_NODE;
	return node;
}

/* The tree for questions of one kind: about packets, no rule matches that denies by host. */
static bool build_root(struct build *build, bool reports, uint32_t *root)
{
	const struct policy *policy = build->policy;
	struct candidate *list = malloc((policy->rule_count + 1) * sizeof *list);
	uint32_t count = 0;

	build->failure = POLICY_MEMORY;
	build->reports = reports;
	build->built_count = build->pool_count = 0;
	for (uint32_t i = 0; i < build->table_size; i++)
		build->table[i].node = NO_NODE;
	if (list == NULL)
		return false;
	for (uint32_t i = 0; i < policy->rule_count; i++)
		if (reports || policy->rules[i].by == NULL || policy->rules[i].allow)
			list[count++] = (struct candidate){.rule = i};
	*root = build_node(build, LEVEL_GROUP, list, count);
	free(list);
	return *root != NO_NODE;
}

bool tree_build(struct policy *policy, enum policy_failure *failure)
{
	struct build build = {.policy = policy, .tree = &policy->tree};
	bool done = grow_table(&build) && build_root(&build, true, &policy->tree.root_reports) &&
	            build_root(&build, false, &policy->tree.root_packets);

	free(build.table);
	free(build.pool);
	*failure = build.failure;
	return done;
}

void tree_fini(struct tree *tree)
{
	free(tree->nodes);
	free(tree->firsts);
	free(tree->children);
	free(tree->leaf_rules);
}

bool tree_equal(const struct tree *a, const struct tree *b)
{
	if (a->node_count != b->node_count || a->interval_count != b->interval_count ||
	    a->leaf_rule_count != b->leaf_rule_count || a->root_reports != b->root_reports ||
	    a->root_packets != b->root_packets)
		return false;
	for (uint32_t i = 0; i < a->node_count; i++)
		if (a->nodes[i].level != b->nodes[i].level || a->nodes[i].first != b->nodes[i].first ||
		    a->nodes[i].count != b->nodes[i].count)
			return false;
	for (uint32_t i = 0; i < a->interval_count; i++)
		if (!addr_equal(&a->firsts[i], &b->firsts[i]) || a->children[i] != b->children[i])
			return false;
	for (uint32_t i = 0; i < a->leaf_rule_count; i++)
		if (a->leaf_rules[i].rule != b->leaf_rules[i].rule ||
		    a->leaf_rules[i].in != b->leaf_rules[i].in)
			return false;
	return true;
}

uint32_t tree_step(const struct tree *tree, uint32_t node, enum level level, const struct addr *addr)
{
	const struct node *here = &tree->nodes[node];
	uint32_t from, to;

	if (here->level != level)
		return node;
	from = here->first;
	to = here->first + here->count;
	while (to - from > 1) {
		uint32_t middle = from + (to - from) / 2;

		if (addr_compare(addr, &tree->firsts[middle]) < 0)
			to = middle;
		else
			from = middle;
	}
	return tree->children[from];
}

uint32_t tree_find_sources(const struct tree *tree, const struct policy_question *question)
{
	uint32_t node = question->report ? tree->root_reports : tree->root_packets;

	node = tree_step(tree, node, LEVEL_GROUP, &question->group);
	node = tree_step(tree, node, LEVEL_HOST, &question->host);
	return tree_step(tree, node, LEVEL_MAC, &question->mac);
}

uint32_t tree_choose(const struct tree *tree, uint32_t leaf, uint64_t entry)
{
	const struct node *node = &tree->nodes[leaf];

	for (uint32_t i = 0; i < node->count; i++) {
		const struct leaf_rule *leaf_rule = &tree->leaf_rules[node->first + i];

		if (leaf_rule->in == IN_ANY || entry & UINT64_C(1) << leaf_rule->in)
			return leaf_rule->rule;
	}
	return POLICY_NO_RULE;
}
