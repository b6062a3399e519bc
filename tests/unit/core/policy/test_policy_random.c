/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Random filters against an oracle that reads the rules one by one, over small universes of groups, sources, hosts and links.
 */
#include "policy_world.h"

#include "support/random.h"

#include <stdio.h>
#include <stdlib.h>

#define ROUNDS    4000
#define RULES     9
#define ADDRESSES 12 /* in each universe */

static const char *const links[] = {"eth0", "eth1", "ppp0", "ppp1"};
static const char *const patterns[] = {"eth0", "ppp*", "*", "eth?", "none"};

struct random_policy {
	struct policy_set sets[3 * RULES];
	size_t set_count;
	struct policy_rule rules[RULES];
	size_t rule_count;
	struct policy *policy;
};

static struct addr universe(const char *first, unsigned n)
{
	return nth_addr(first, n * 7); /* gaps, so that prefixes and lists differ */
}

static const struct policy_set *random_set(struct random_policy *drawn, struct random *state,
                                           const char *first, const char *mac_first)
{
	struct policy_set *set = &drawn->sets[drawn->set_count++];
	unsigned members = 1 + random_below(state, 3);

	*set = (struct policy_set){.name = "x"};
	for (unsigned i = 0; i < members; i++) {
		unsigned from = random_below(state, ADDRESSES), length = random_below(state, 4);
		bool mac = mac_first != NULL && random_below(state, 2) == 0;
		struct range range = {universe(first, from), nth_addr(first, (from + length) * 7)};

		if (mac) {
			uint8_t bytes[MAC_SIZE] = {2, 0, 0, 0, 0, (uint8_t)from};

			range.first = range.last = addr_from_mac(bytes);
		}
		assert_true(ranges_add(&set->ranges, &range));
	}
	ranges_normalize(&set->ranges);
	return set;
}

static void random_policy_init(struct random_policy *drawn, struct random *state, const char *groups,
                               const char *sources)
{
	enum policy_failure failure;

	*drawn = (struct random_policy){.rule_count = random_below(state, RULES + 1)};
	for (size_t i = 0; i < drawn->rule_count; i++) {
		struct policy_rule *rule = &drawn->rules[i];

		rule->allow = random_below(state, 2);
		rule->text = calloc(1, 1);
		if (random_below(state, 3) > 0)
			rule->what = random_set(drawn, state, groups, NULL);
		if (random_below(state, 2) == 0)
			rule->from = random_set(drawn, state, sources, NULL);
		if (random_below(state, 3) == 0)
			rule->by = random_set(drawn, state, "192.168.0.1", "x");
		if (random_below(state, 3) == 0)
			snprintf(rule->in, sizeof rule->in, "%s",
			         patterns[random_below(state, LENGTH(patterns))]);
	}
	drawn->policy = policy_new(drawn->rules, drawn->rule_count, &failure);
	assert_non_null(drawn->policy);
}

static void random_policy_fini(struct random_policy *drawn)
{
	policy_release(drawn->policy);
	for (size_t i = 0; i < drawn->set_count; i++)
		ranges_fini(&drawn->sets[i].ranges);
}

static bool contains(const struct policy_set *set, const struct addr *addr)
{
	if (set == NULL)
		return true;
	for (size_t i = 0; i < set->ranges.count; i++)
		if (addr_compare(addr, &set->ranges.list[i].first) >= 0 &&
		    addr_compare(addr, &set->ranges.list[i].last) <= 0)
			return true;
	return false;
}

static uint32_t oracle(const struct random_policy *drawn, const struct policy_question *question,
                       const char *link)
{
	for (uint32_t i = 0; i < drawn->rule_count; i++) {
		const struct policy_rule *rule = &drawn->rules[i];

		if (!contains(rule->what, &question->group) || !contains(rule->from, &question->source))
			continue;
		if (rule->by != NULL && !question->report && !rule->allow)
			continue;
		if (rule->by != NULL && question->report && !contains(rule->by, &question->host) &&
		    !contains(rule->by, &question->mac))
			continue;
		if (rule->in[0] == '\0' || strcmp(rule->in, "*") == 0 || strcmp(rule->in, link) == 0 ||
		    (strcmp(rule->in, "ppp*") == 0 && strncmp(link, "ppp", 3) == 0) ||
		    (strcmp(rule->in, "eth?") == 0 && strncmp(link, "eth", 3) == 0))
			return i;
	}
	return POLICY_NO_RULE;
}

/* What passes after policy_narrow is what passed and is allowed; where it says that it could not be exact, no less. */
static void check_narrow(const struct random_policy *drawn, struct random *state,
                         struct policy_question *question, const char *link, const char *sources)
{
	struct addr before_list[2 * ADDRESSES], list[2 * ADDRESSES], scratch_list[2 * ADDRESSES];
	struct filter before = {.mode = random_below(state, 2) ? FILTER_EXCLUDE : FILTER_INCLUDE,
	                        .sources = sources_on(before_list, 2 * ADDRESSES)};
	struct filter filter = {.mode = before.mode, .sources = sources_on(list, 2 * ADDRESSES)};
	struct sources scratch = sources_on(scratch_list, 2 * ADDRESSES);
	uint32_t denied;
	bool exact;

	for (unsigned n = random_below(state, 4); n > 0; n--) {
		struct addr addr = universe(sources, random_below(state, ADDRESSES));

		sources_insert(&before.sources, &addr);
		sources_insert(&filter.sources, &addr);
	}
	exact = policy_narrow(drawn->policy, question, &filter, &scratch, &denied);
	for (unsigned n = 0; n < 7 * (ADDRESSES + 4); n++) {
		struct addr source = nth_addr(sources, n);
		bool passed = filter_passes(&before, &source), passes = filter_passes(&filter, &source),
		     allowed;

		question->source = source;
		allowed = policy_allows(drawn->policy, oracle(drawn, question, link));
		if (passes != (passed && allowed) && (exact || !passes))
			fail_msg("source %u: passes %d, passed %d, allowed %d, exact %d", n, passes, passed,
			         allowed, exact);
	}
}

static void check_round(uint64_t seed, const char *groups, const char *sources)
{
	struct random state = {.state = seed};
	struct random_policy drawn;

	random_policy_init(&drawn, &state, groups, sources);
	for (unsigned i = 0; i < 40; i++) {
		const char *link = links[random_below(&state, LENGTH(links))];
		uint8_t mac[MAC_SIZE] = {2, 0, 0, 0, 0, (uint8_t)random_below(&state, ADDRESSES)};
		struct policy_question question = {
			.group = nth_addr(groups, random_below(&state, 7 * ADDRESSES)),
			.source = nth_addr(sources, random_below(&state, 7 * ADDRESSES)),
			.entry = policy_entry(drawn.policy, link),
			.report = random_below(&state, 2),
			.host = nth_addr("192.168.0.1", random_below(&state, 7 * ADDRESSES)),
		};

		if (random_below(&state, 2))
			question.mac = addr_from_mac(mac);
		if (policy_decide(drawn.policy, &question) != oracle(&drawn, &question, link))
			fail_msg("seed %llu: rule %u decides, not %u", (unsigned long long)seed,
			         policy_decide(drawn.policy, &question), oracle(&drawn, &question, link));
		check_narrow(&drawn, &state, &question, link, sources);
	}
	random_policy_fini(&drawn);
}

static void decisions_are_those_of_the_rules_in_order(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= ROUNDS; seed++)
		check_round(seed, seed % 2 ? "239.0.0.0" : "ff3e::1", seed % 2 ? "10.0.0.1" : "2001:db8::1");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(decisions_are_those_of_the_rules_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
