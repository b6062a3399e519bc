/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/base/bucket.h"

/* Each millisecond adds `rate` thousandths of a token. */
static void fill(struct bucket *bucket, mtime now, uint32_t rate, uint32_t burst)
{
	int64_t full = (int64_t)burst * 1000;
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

uint32_t bucket_room(struct bucket *bucket, mtime now, uint32_t rate, uint32_t burst)
{
	fill(bucket, now, rate, burst);
	return (uint32_t)(bucket->level / 1000);
}

uint32_t bucket_take_burst(struct bucket *bucket, mtime now, uint32_t rate, uint32_t burst, uint32_t count)
{
	uint32_t there;

	if (rate == 0)
		return count;
	there = bucket_room(bucket, now, rate, burst);
	if (count > there)
		count = there;
	bucket->level -= (int64_t)count * 1000;
	return count;
}

uint32_t bucket_take(struct bucket *bucket, mtime now, uint32_t rate, uint32_t count)
{
	return bucket_take_burst(bucket, now, rate, rate, count);
}
