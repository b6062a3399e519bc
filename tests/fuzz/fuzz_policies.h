/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A few compiled filters and group maps for links, of the groups and sources of fuzz_instance.
 */
#ifndef MCPROXY_FUZZ_POLICIES_H
#define MCPROXY_FUZZ_POLICIES_H

#include "core/policy/group_map.h"
#include "core/policy/policy.h"

/* The filter of that number, held once more for the one who gets it; NULL for most numbers: none. */
const struct policy *fuzz_policy(unsigned number);
/* The same for group maps. */
const struct group_map *fuzz_map(unsigned number);
/* Does the filter allow a stream that enters by the link of that name? NULL allows all. */
bool fuzz_policy_allows(const struct policy *policy, const struct addr *source, const struct addr *group,
                        const char *link);

#endif
