/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a policy leaves of a source filter: policy_narrow, and what it computes once.
 */
#ifndef MCPROXY_CORE_POLICY_NARROW_H
#define MCPROXY_CORE_POLICY_NARROW_H

#include "core/policy/policy.h"

/* For policy_new, when the tree is complete. */
void narrow_prepare(struct policy *policy);

#endif
