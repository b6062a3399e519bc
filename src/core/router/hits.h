/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How often each rule of a link's filter decided: on reports, and on streams. A link without a filter has no hits, and where
 * memory is short they are not counted. The instance's thread.
 */
#ifndef MCPROXY_CORE_ROUTER_HITS_H
#define MCPROXY_CORE_ROUTER_HITS_H

#include "core/base/mtime.h"

#include <stdint.h>

struct policy;

/* Of one rule. */
struct filter_hit {
	uint32_t
		reports; /* records; of filter_in upstream: what each link with members wants, when that changes */
	uint32_t streams; /* decisions where a stream goes */
	mtime at;         /* the last of them, if there was one */
};

/* An array with an element for each rule; policy NULL: NULL. */
struct filter_hit *hits_new(const struct policy *policy);
void hits_free(struct filter_hit *hits);
/* hits NULL, rule POLICY_NO_RULE: nothing. */
void hits_add_report(struct filter_hit *hits, uint32_t rule, mtime now);
void hits_add_stream(struct filter_hit *hits, uint32_t rule, mtime now);

#endif
