/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Filters: the input is a text with sets and rules, one a line, and numbers that make questions. What the compiled filter
 * decides is compared with the rules read one by one, and what policy_narrow leaves with that.
 */
#include "fuzz.h"

#include "core/policy/policy.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

#define RULES     24
#define QUESTIONS 16
#define SOURCES   32

struct world {
	struct policy_sets sets;
	struct policy_rule rules[RULES];
	size_t count;
	struct policy *policy;
};

static const char *const links[] = {"eth0", "ppp0", "br-lan"};

static void read_set(struct world *world, char *line)
{
	char error[POLICY_ERROR_SIZE], *rest;
	const char *name = strtok_r(line, "= ", &rest);
	struct policy_set *set = name ? sets_define(&world->sets, name, 1, error) : NULL;

	for (const char *member; set != NULL && (member = strtok_r(NULL, "= ", &rest)) != NULL;)
		sets_add(&world->sets, set, member, error);
	if (set != NULL)
		sets_complete(set);
}

static void read_lines(struct world *world, char *text)
{
	char error[POLICY_ERROR_SIZE], *rest;

	for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
		if (strchr(line, '=') != NULL)
			read_set(world, line);
		else if (world->count < RULES && rule_parse(line, (unsigned)world->count + 1, &world->sets,
		                                            &world->rules[world->count], error))
			world->count++;
	}
}

/* An address that some rule names, or one beside it. */
static struct addr near_some(const struct world *world, uint8_t choice, uint8_t offset)
{
	const struct policy_set *set = world->sets.first;
	struct addr addr = addr_from_ipv4_number(0x0a000001u + offset);

	for (unsigned skip = choice % 16; set != NULL && skip > 0; skip--)
		set = set->next;
	if (set == NULL || set->ranges.count == 0)
		return addr;
	addr = choice & 16 ? set->ranges.list[0].first : set->ranges.list[set->ranges.count - 1].last;
	if (offset & 1)
		addr_next(&addr);
	return addr;
}

static bool contains(const struct policy_set *set, const struct addr *addr)
{
	return set == NULL || ranges_has(&set->ranges, addr);
}

static uint32_t oracle(const struct world *world, const struct policy_rule *rules,
                       const struct policy_question *question, const char *link)
{
	for (uint32_t i = 0; i < world->count; i++) {
		const struct policy_rule *rule = &rules[i];
		bool by = rule->by == NULL || (question->report ? contains(rule->by, &question->host) ||
		                                                          contains(rule->by, &question->mac)
		                                                : rule->allow);

		if (by && contains(rule->what, &question->group) && contains(rule->from, &question->source) &&
		    (rule->in[0] == '\0' || fnmatch(rule->in, link, 0) == 0))
			return i;
	}
	return POLICY_NO_RULE;
}

static void check_narrow(const struct world *world, const struct policy_rule *rules,
                         struct policy_question *question, const char *link, uint8_t choice)
{
	struct addr list[SOURCES], before_list[SOURCES], scratch_list[SOURCES];
	struct filter filter = {.mode = choice & 1 ? FILTER_EXCLUDE : FILTER_INCLUDE,
	                        .sources = sources_on(list, SOURCES)};
	struct filter before = {.mode = filter.mode, .sources = sources_on(before_list, SOURCES)};
	struct sources scratch = sources_on(scratch_list, SOURCES);
	uint32_t denied;
	bool exact;

	if (choice & 2) {
		sources_insert(&filter.sources, &question->source);
		sources_insert(&before.sources, &question->source);
	}
	exact = policy_narrow(world->policy, question, &filter, &scratch, &denied);
	if (addr_family(&question->source) == addr_family(&question->group)) {
		bool allowed = policy_allows(world->policy, oracle(world, rules, question, link));
		bool wanted = filter_passes(&before, &question->source) && allowed;
		bool passes = filter_passes(&filter, &question->source);

		assert(exact ? passes == wanted : passes || !wanted);
	}
}

static void ask(const struct world *world, const struct policy_rule *rules, const uint8_t bytes[8])
{
	const char *link = links[bytes[0] % 3];
	struct policy_question question = {
		.group = near_some(world, bytes[1], bytes[2]),
		.source = near_some(world, bytes[3], bytes[4]),
		.entry = policy_entry(world->policy, link),
		.report = bytes[0] & 64,
		.host = near_some(world, bytes[5], bytes[6]),
		.mac = near_some(world, bytes[6], bytes[5]),
	};

	/* The contract: a group is multicast, a host is no MAC address, and a MAC address is one or unspecified. */
	if (!addr_is_multicast(&question.group) || addr_is_mac(&question.source))
		return;
	if (addr_is_mac(&question.host))
		question.host = addr_unspecified(FAMILY_IPV4);
	if (!addr_is_mac(&question.mac))
		question.mac = addr_unspecified(FAMILY_IPV6);
	assert(policy_decide(world->policy, &question) == oracle(world, rules, &question, link));
	check_narrow(world, rules, &question, link, bytes[7]);
}

/* What is shown of the sets reads as the same again. */
static void check_sets(const struct world *world)
{
	char text[RANGE_TEXT_SIZE];
	struct range again;

	for (const struct policy_set *set = world->sets.first; set != NULL; set = set->next)
		for (size_t i = 0; i < set->ranges.count; i++) {
			const struct range *range = &set->ranges.list[i];
			const char *problem = range_parse(range_format(range, text), &again);

			assert(problem == NULL && addr_equal(&again.first, &range->first) &&
			       addr_equal(&again.last, &range->last));
		}
}

static void check_rules(const struct policy *policy)
{
	bool allows = policy_rule_count(policy) == 0, hosts = policy_uses_hosts(policy);

	assert(policy_equal(policy, policy) && policy_source(policy) != NULL);
	assert(hosts || !policy_uses_macs(policy));
	for (uint32_t i = 0; i < policy_rule_count(policy); i++)
		allows |= policy_rule_can_match(policy, i) && policy_rule(policy, i)->allow;
	assert(policy_allows_something(policy) || !allows);
	assert(policy_entry(policy, "eth0") == 0 || policy_uses_entry(policy));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t numbers = 8 * QUESTIONS;
	struct policy_rule rules[RULES];
	enum policy_failure failure;
	struct world world = {0};
	char *text;

	if (size <= numbers || size > 4096)
		return 0;
	text = malloc(size - numbers + 1);
	assert(text != NULL);
	memcpy(text, data + numbers, size - numbers);
	text[size - numbers] = '\0';
	sets_init(&world.sets);
	read_lines(&world, text);
	memcpy(rules, world.rules, sizeof rules);
	check_sets(&world);
	world.policy = policy_new(world.rules, world.count, &failure);
	if (world.policy != NULL)
		check_rules(world.policy);
	for (size_t i = 0; world.policy != NULL && i < QUESTIONS; i++)
		ask(&world, rules, data + 8 * i);
	policy_release(world.policy);
	for (size_t i = 0; i < world.count; i++)
		rule_fini(&world.rules[i]);
	sets_fini(&world.sets);
	free(text);
	return 0;
}
