/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A filter as a text that needs no configuration: the sets that its rules name, one a line (`tv = 239.35.0.0-239.35.255.255`), and
 * the rules, each behind its line number. Recordings contain it.
 */
#ifndef MCPROXY_CORE_POLICY_SOURCE_H
#define MCPROXY_CORE_POLICY_SOURCE_H

#include "core/policy/rule.h"

/* On the heap; NULL when memory is short. */
char *source_write(const struct policy_rule *rules, size_t count);

#endif
