/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A filter from the text that policy_source returns, as recordings contain it.
 */
#ifndef MCPROXY_SIM_POLICY_SOURCE_H
#define MCPROXY_SIM_POLICY_SOURCE_H

#include "core/policy/policy.h"

/* NULL: the text is none, or memory is short. */
struct policy *policy_from_source(const char *source);

#endif
