/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/hits.h"

#include "core/policy/policy.h"

#include <stdlib.h>

struct filter_hit *hits_new(const struct policy *policy)
{
	return policy != NULL ? calloc(policy_rule_count(policy) + 1, sizeof(struct filter_hit)) : NULL;
}

void hits_free(struct filter_hit *hits)
{
	free(hits);
}

void hits_add_report(struct filter_hit *hits, uint32_t rule, mtime now)
{
	if (hits == NULL || rule == POLICY_NO_RULE)
		return;
	hits[rule].reports++;
	hits[rule].at = now;
}

void hits_add_stream(struct filter_hit *hits, uint32_t rule, mtime now)
{
	if (hits == NULL || rule == POLICY_NO_RULE)
		return;
	hits[rule].streams++;
	hits[rule].at = now;
}
