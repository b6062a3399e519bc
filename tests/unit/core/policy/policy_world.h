/* SPDX-License-Identifier: BSD-2-Clause
 *
 * For the tests of policies: filters and questions from texts.
 */
#ifndef MCPROXY_POLICY_WORLD_H
#define MCPROXY_POLICY_WORLD_H

#include "core/policy/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/craft.h"

#define WORLD_RULES 64

struct policy_world {
	struct policy_sets sets;
	struct policy_rule rules[WORLD_RULES];
	size_t rule_count;
	struct policy *policy;
};

/* Rules, one a line; "NAME = MEMBER MEMBER ..." defines a set. */
void world_init(struct policy_world *world, const char *text);
void world_fini(struct policy_world *world);

/* "GROUP [from SOURCE] [by HOST] [in LINK]"; HOST is an address or a MAC address, and makes it about a report. */
struct policy_question world_question(const struct policy_world *world, const char *text);

/* "INCLUDE a b" or "EXCLUDE a b"; the list holds the sources. */
struct filter world_filter(const char *text, struct addr *list, size_t capacity);
/* The filter as such a text. */
void world_filter_format(const struct filter *filter, char *text, size_t size);

#endif
