/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/base/bucket.h"

/* Each millisecond adds `rate` thousandths of a token. */
static void fill(struct bucket *bucket, mtime now, uint32_t rate)
{
	int64_t full = (int64_t)rate * 1000;
	mtime elapsed = now - bucket->filled_at;

	if (!bucket->begun || elapsed >= MTIME_SECOND)
		bucket->level = full;
	else
		bucket->level += elapsed * rate;
	if (bucket->level > full)
		bucket->level = full;
	bucket->begun = true;
	bucket->filled_at = now;
}

uint32_t bucket_take(struct bucket *bucket, mtime now, uint32_t rate, uint32_t count)
{
	uint32_t there;

	if (rate == 0)
		return count;
	fill(bucket, now, rate);
	there = (uint32_t)(bucket->level / 1000);
	if (count > there)
		count = there;
	bucket->level -= (int64_t)count * 1000;
	return count;
}
