/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A source filter: INCLUDE or EXCLUDE with a set of sources, as hosts report it and as RFC 4605 merges it.
 * INCLUDE{} means "not a member". Pure values; the caller owns the memory of the set.
 */
#ifndef MCPROXY_CORE_BASE_FILTER_H
#define MCPROXY_CORE_BASE_FILTER_H

#include "core/base/sources.h"

enum filter_mode { FILTER_INCLUDE, FILTER_EXCLUDE };

struct filter {
	enum filter_mode mode;
	struct sources sources;
};

bool filter_is_none(const struct filter *filter); /* INCLUDE{} */
bool filter_equal(const struct filter *a, const struct filter *b);
/* Does the filter pass this source? */
bool filter_passes(const struct filter *filter, const struct addr *source);

/* Merges `other` into `into`, which then passes every source that either passes (RFC 9776 section 3.2, RFC
 * 4605 section 4.1). When the result exceeds the capacity of `into`, it becomes the superset EXCLUDE{}, and
 * the function returns false. */
bool filter_merge(struct filter *into, const struct filter *other);

const char *filter_mode_name(enum filter_mode mode); /* "INCLUDE", "EXCLUDE" */

#endif
