/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/host_rates.h"

/* The place of the source in its set, or the fullest one, which it gets. */
static struct host_rate *find(struct host_rate *set, uint32_t hash, mtime now, uint32_t rate)
{
	struct host_rate *chosen = NULL;
	uint32_t most = 0;

	for (int way = 0; way < HOST_RATES_WAYS; way++)
		if (set[way].bucket.begun && set[way].hash == hash)
			return &set[way];
	for (int way = 0; way < HOST_RATES_WAYS; way++) {
		struct bucket bucket = set[way].bucket;
		uint32_t room = bucket_room(&bucket, now, rate, rate);

		if (chosen == NULL || room > most) {
			chosen = &set[way];
			most = room;
		}
	}
	*chosen = (struct host_rate){.hash = hash};
	return chosen;
}

bool host_rates_pass(struct host_rates *rates, uint64_t seed, const struct addr *source, mtime now,
                     uint32_t rate)
{
	if (rate == 0)
		return true;
	if (rates->last_rate == NULL || !addr_equal(&rates->last, source)) {
		uint32_t hash = addr_hash(source, seed);

		rates->last_rate = find(rates->sets[hash % HOST_RATES_SETS], hash, now, rate);
		rates->last = *source;
	}
	return bucket_take(&rates->last_rate->bucket, now, rate, 1) > 0;
}
