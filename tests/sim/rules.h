/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A filter of a link, as a plain list of rules over the numbers of groups and sources, which is read from the top each
 * time; and the same rules compiled for the engine. The two share nothing but the rules' texts.
 */
#ifndef MCPROXY_SIM_RULES_H
#define MCPROXY_SIM_RULES_H

#include "want.h"

#include "core/policy/policy.h"
#include "support/random.h"

struct rules;

/* entry: the id of a link that some rules name as the one where the stream enters. host: one that some rules name; NULL:
 * none do. */
struct rules *rules_random(struct random *random, unsigned groups, unsigned sources, int entry,
                           const struct addr *host);
/* NULL: nothing. The engine may still hold the compiled ones. */
void rules_free(struct rules *rules);
/* The compiled rules, with one more hold on them; NULL for NULL. */
const struct policy *rules_hold(const struct rules *rules);
const char *rules_text(const struct rules *rules);

/* Does any rule ask where the stream enters? */
bool rules_use_entry(const struct rules *rules);
/* SOURCES_MAX stands for a source that no rule lists. host: of a report; NULL: it is about packets. rules NULL: everything is
 * allowed. */
bool rules_allow(const struct rules *rules, unsigned group, unsigned source, int entry,
                 const struct addr *host);

#endif
