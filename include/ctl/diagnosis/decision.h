/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a filter of a link decides on a stream or a join, and by which rule. Pure.
 */
#ifndef MCPROXY_CTL_DIAGNOSIS_DECISION_H
#define MCPROXY_CTL_DIAGNOSIS_DECISION_H

#include "core/policy/policy.h"

/* The stream or the join in question. */
struct decision_subject {
	struct addr group;
	struct addr source;
	bool has_source; /* false: any source */
	bool has_host;   /* false: no report, only packets; rules that deny by host do not match */
	struct addr host;
	struct addr mac; /* by addr_from_mac; unspecified: not known */
};

enum decision_kind { DECISION_ALLOWED, DECISION_PARTLY /* depends on the source */, DECISION_DENIED };

struct decision {
	enum decision_kind kind;
	const struct policy_rule *rule; /* the one that denies, or that allows; NULL: none matches */
};

/* policy NULL: no filter. link: where the stream enters. */
struct decision decision_find(const struct policy *policy, const struct decision_subject *subject,
                              const char *link);
/* "allowed", "partly allowed", "denied" */
const char *decision_name(enum decision_kind kind);
/* Reads the address or MAC address of a host. */
bool decision_read_host(const char *text, struct decision_subject *subject);

#endif
