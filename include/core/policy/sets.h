/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The named sets of a configuration, and the built-in ones: `discovery`, `ssm`, and the administrative scopes. Rules
 * refer to sets by pointer, so the sets live as long as the rules.
 */
#ifndef MCPROXY_CORE_POLICY_SETS_H
#define MCPROXY_CORE_POLICY_SETS_H

#include "core/policy/ranges.h"

#define SET_NAME_SIZE 32

struct policy_set {
	struct policy_set *next;
	char name[SET_NAME_SIZE]; /* empty: an address, prefix or range that stands in a rule */
	struct ranges ranges;     /* normalized */
	bool builtin;
	bool used; /* a rule or another set refers to it */
	unsigned line;
};

struct policy_sets {
	struct policy_set *first, **last; /* in order of definition; last: where the next one goes */
};

#define POLICY_ERROR_SIZE 160

void sets_init(struct policy_sets *sets);
void sets_fini(struct policy_sets *sets);
/* An empty set with this name. NULL, with the reason in error: the name cannot be used, or memory is short. */
struct policy_set *sets_define(struct policy_sets *sets, const char *name, unsigned line,
                               char error[POLICY_ERROR_SIZE]);
/* Adds an address, prefix, range, MAC address, or all members of a set that is defined already or built in. */
bool sets_add(struct policy_sets *sets, struct policy_set *set, const char *text,
              char error[POLICY_ERROR_SIZE]);
/* Call it when all members are added: normalizes the ranges. */
void sets_complete(struct policy_set *set);
/* The set of that name, or an unnamed set with the address, prefix, range or MAC address in the text. NULL, with
 * the reason in error. */
const struct policy_set *sets_find(struct policy_sets *sets, const char *text, char error[POLICY_ERROR_SIZE]);

/* The n-th built-in set, with its purpose; false: there are no more. */
bool sets_builtin(size_t n, const char **name, const char **purpose);

#endif
