/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One rule of a filter: `allow|deny WHAT [from SOURCE] [by HOST] [in LINK]`. Plain values; sets are referred to, not owned.
 */
#ifndef MCPROXY_CORE_POLICY_RULE_H
#define MCPROXY_CORE_POLICY_RULE_H

#include "core/policy/sets.h"

#define RULE_LINK_SIZE 16 /* as LINK_NAME_SIZE */

struct policy_rule {
	bool allow;
	const struct policy_set *what; /* groups; NULL: all */
	const struct policy_set *from; /* sources; NULL: all */
	/* The sender of a report, by address or MAC address; NULL: all. */
	const struct policy_set *by;
	char in[RULE_LINK_SIZE]; /* name or pattern of the link where the stream enters; empty: all */
	unsigned line;           /* in the configuration file */
	char *text;              /* on the heap, by rule_make; freed by rule_fini */
};

/* The parts of a rule as the configuration gives them. NULL: not given. */
struct rule_words {
	const char *action, *what, *from, *by, *in;
};

/* False, with the reason in error. A rule that was made must be freed. */
bool rule_make(const struct rule_words *words, unsigned line, struct policy_sets *sets,
               struct policy_rule *rule, char error[POLICY_ERROR_SIZE]);
void rule_fini(struct policy_rule *rule);
/* The same as rule_make from one text. */
bool rule_parse(const char *text, unsigned line, struct policy_sets *sets, struct policy_rule *rule,
                char error[POLICY_ERROR_SIZE]);

#endif
