/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/diagnosis/decision.h"

#define SOURCES_MAX 1024

const char *decision_name(enum decision_kind kind)
{
	switch (kind) {
	case DECISION_ALLOWED:
		return "allowed";
	case DECISION_PARTLY:
		return "partly allowed";
	case DECISION_DENIED:
		break;
	}
	return "denied";
}

bool decision_read_host(const char *text, struct decision_subject *subject)
{
	struct range range;

	if (range_parse(text, &range) != NULL || !addr_equal(&range.first, &range.last))
		return false;
	*(range_is_mac(&range) ? &subject->mac : &subject->host) = range.first;
	return subject->has_host = true;
}

static struct decision by_rule(const struct policy *policy, uint32_t rule)
{
	return (struct decision){
		.kind = policy_allows(policy, rule) ? DECISION_ALLOWED : DECISION_DENIED,
		.rule = rule != POLICY_NO_RULE ? policy_rule(policy, rule) : NULL,
	};
}

/* What is left of a join of all sources. */
static struct decision of_any_source(const struct policy *policy, struct policy_question *question)
{
	struct addr list[SOURCES_MAX], scratch_list[SOURCES_MAX];
	struct sources scratch = sources_on(scratch_list, SOURCES_MAX);
	struct filter filter = {.mode = FILTER_EXCLUDE, .sources = sources_on(list, SOURCES_MAX)};
	struct decision decision = {.kind = DECISION_PARTLY};
	uint32_t denied;
	bool exact = policy_narrow(policy, question, &filter, &scratch, &denied);

	if (exact && filter.mode == FILTER_EXCLUDE && filter.sources.count == 0)
		return by_rule(policy, policy_decide(policy, question));
	if (filter_is_none(&filter))
		decision.kind = DECISION_DENIED;
	if (denied != POLICY_NO_RULE)
		decision.rule = policy_rule(policy, denied);
	return decision;
}

struct decision decision_find(const struct policy *policy, const struct decision_subject *subject,
                              const char *link)
{
	struct policy_question question = {
		.group = subject->group,
		.source = subject->has_source ? subject->source
	                                      : addr_unspecified(addr_family(&subject->group)),
		.report = subject->has_host,
		.host = subject->host,
		.mac = subject->mac,
	};

	if (policy == NULL)
		return (struct decision){.kind = DECISION_ALLOWED};
	question.entry = policy_entry(policy, link);
	if (subject->has_source)
		return by_rule(policy, policy_decide(policy, &question));
	return of_any_source(policy, &question);
}
