/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A source filter: INCLUDE or EXCLUDE with a set of sources, as hosts report it and as RFC 4605 merges it.
 * INCLUDE{} means "not a member". Pure values; the set's memory belongs to the caller.
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
/* Does the filter let this source through? */
bool filter_passes(const struct filter *filter, const struct addr *source);

/* Everything INCLUDE lists name and EXCLUDE lists leave over (RFC 9776 section 3.2, RFC 4605 section 4.1):
 * into := into merged with other. When the result does not fit the room of `into`, it becomes the superset
 * EXCLUDE{} and false is returned. */
bool filter_merge(struct filter *into, const struct filter *other);

const char *filter_mode_name(enum filter_mode mode); /* "INCLUDE", "EXCLUDE" */

#endif
