/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Time in the core: milliseconds on a clock that the caller reads. `now` is a parameter of each call; the
 * core never reads a clock. Names that end in _at or _until are points in time, those in _interval are
 * lengths.
 */
#ifndef MCPROXY_CORE_BASE_MTIME_H
#define MCPROXY_CORE_BASE_MTIME_H

#include <stdint.h>

typedef int64_t mtime;

#define MTIME_NEVER  INT64_MAX
#define MTIME_SECOND 1000

static inline mtime mtime_min(mtime a, mtime b)
{
	return a < b ? a : b;
}

#endif
