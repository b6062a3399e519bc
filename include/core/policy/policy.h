/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A filter of a link, compiled: the rules in order, and a search structure that finds the first rule that matches. The search
 * time hardly grows with the number of rules. Immutable after policy_new, so that several threads may read it. It needs the
 * sets no longer.
 *
 * The first rule that matches decides; where none matches, the stream is allowed.
 */
#ifndef MCPROXY_CORE_POLICY_POLICY_H
#define MCPROXY_CORE_POLICY_POLICY_H

#include "core/base/filter.h"
#include "core/policy/rule.h"

#define POLICY_LINKS_MAX 64         /* different `in` conditions of one filter */
#define POLICY_BYTES_MAX (64 << 20) /* of the search structure */
#define POLICY_NO_RULE   UINT32_MAX

struct policy;

enum policy_failure { POLICY_MEMORY, POLICY_TOO_COMPLEX, POLICY_TOO_MANY_LINKS };

/* Takes over the rules' texts. NULL, with the reason in failure: memory is short, there are too many different links, or the
 * rules overlap so much that the structure would exceed POLICY_BYTES_MAX. */
struct policy *policy_new(struct policy_rule *rules, size_t count, enum policy_failure *failure);
/* A policy is freed when all that hold it have released it; policy_new holds it once. Any thread. NULL: nothing. */
void policy_hold(const struct policy *policy);
void policy_release(const struct policy *policy);
/* Do both have the same rules, at the same lines, and decide the same? */
bool policy_equal(const struct policy *a, const struct policy *b);

/* The rules and their sets as a text, for recordings. */
const char *policy_source(const struct policy *policy);

size_t policy_rule_count(const struct policy *policy);
const struct policy_rule *policy_rule(const struct policy *policy, uint32_t rule);
/* Can the rule decide on anything? False: rules before it match all that it matches. */
bool policy_rule_can_match(const struct policy *policy, uint32_t rule);
/* False: it denies everything. */
bool policy_allows_something(const struct policy *policy);

/* The set of `in` conditions that the entry link fulfils, for struct policy_question. */
uint64_t policy_entry(const struct policy *policy, const char *link);

struct policy_question {
	struct addr group;
	struct addr source;
	uint64_t entry; /* policy_entry of the link where the stream enters */
	bool report; /* about the report of a host; false: about packets, so rules with `by` do not match */
	struct addr host; /* of a report */
	struct addr mac;  /* the host's, by addr_from_mac; unspecified: not known */
};

/* The rule that decides; POLICY_NO_RULE: none does. */
uint32_t policy_decide(const struct policy *policy, const struct policy_question *question);
/* Does that rule allow? POLICY_NO_RULE does. */
bool policy_allows(const struct policy *policy, uint32_t rule);
/* Do the rules deny some packets of the group, or may they? */
bool policy_may_deny(const struct policy *policy, const struct addr *group);
/* The same for reports of the group. */
bool policy_may_deny_report(const struct policy *policy, const struct addr *group);
/* Does a rule have an `in` condition, or a `by` condition? */
bool policy_uses_entry(const struct policy *policy);
bool policy_uses_hosts(const struct policy *policy);
/* Does a `by` condition name a MAC address? */
bool policy_uses_macs(const struct policy *policy);

/* What remains of a source filter for the question's group; its source does not matter.
 *
 * INCLUDE loses the denied sources. EXCLUDE becomes INCLUDE where only a list of sources is allowed, and lists the denied
 * sources where only a list is denied. Where prefixes are allowed and denied, it stays as it is, and denied streams must be
 * dropped one by one: then the function returns false. A result of INCLUDE{} is no membership.
 *
 * denied: the first rule that denies a source that the filter passes, or may pass; POLICY_NO_RULE: none does.
 * The filter's capacity bounds lists; scratch has the same capacity. */
bool policy_narrow(const struct policy *policy, const struct policy_question *question, struct filter *filter,
                   struct sources *scratch, uint32_t *denied);

/* The rules that policy_narrow went by; POLICY_NO_RULE: none. */
struct policy_deciders {
	uint32_t allowed; /* allows the first source that is left, or any source */
	uint32_t denied;  /* as above */
};
/* The same, which also finds the rule that allows what is left. */
bool policy_narrow_by(const struct policy *policy, const struct policy_question *question,
                      struct filter *filter, struct sources *scratch, struct policy_deciders *deciders);

#endif
