/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A token bucket: lets `rate` things a second through on average, and after a pause as many as gather in a
 * second at once. Pure; plain value, zeroed at first.
 */
#ifndef MCPROXY_CORE_BASE_BUCKET_H
#define MCPROXY_CORE_BASE_BUCKET_H

#include "core/base/mtime.h"

#include <stdbool.h>

struct bucket {
	bool begun;
	mtime filled_at;
	int64_t level; /* thousandths of a thing; at most rate * 1000 */
};

/* How many of `count` may pass now. A rate of 0 sets no limit. The rate may be another one than before. */
uint32_t bucket_take(struct bucket *bucket, mtime now, uint32_t rate, uint32_t count);

#endif
