/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A token bucket: passes `rate` items a second on average, and after a pause at once as many as gather in a
 * second. Pure; a plain value, zeroed at first.
 */
#ifndef MCPROXY_CORE_BASE_BUCKET_H
#define MCPROXY_CORE_BASE_BUCKET_H

#include "core/base/mtime.h"

#include <stdbool.h>

struct bucket {
	bool begun;
	mtime filled_at;
	int64_t level; /* thousandths of a token; at most those of a burst */
};

/* How many of `count` may pass now. A rate of 0 is no limit. The rate may change between calls. */
uint32_t bucket_take(struct bucket *bucket, mtime now, uint32_t rate, uint32_t count);

/* The same, but the bucket holds at most `burst` tokens, which is at most `rate`. */
uint32_t bucket_take_burst(struct bucket *bucket, mtime now, uint32_t rate, uint32_t burst, uint32_t count);

/* How many may pass now, without taking any. The rate is not 0. */
uint32_t bucket_room(struct bucket *bucket, mtime now, uint32_t rate, uint32_t burst);

#endif
