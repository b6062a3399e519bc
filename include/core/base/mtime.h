/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Time as the core knows it: milliseconds on a clock that somebody else reads. The core is told `now` with
 * every call and never asks for it. Names ending in _at or _until are points in time, _interval is a length.
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
