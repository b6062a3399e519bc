/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/discovery.h"

#include "core/base/xorshift.h"

void discovery_init(struct discovery *discovery, uint64_t seed)
{
	/* The generator must not start at 0. */
	*discovery = (struct discovery){.advertise_at = MTIME_NEVER, .random = seed | 1};
}

/* A random length of at least `least` and less than `limit`. */
static mtime random_between(struct discovery *discovery, mtime least, mtime limit)
{
	return least + (mtime)(xorshift_next(&discovery->random) % (uint64_t)(limit - least));
}

void discovery_set(struct discovery *discovery, bool wanted, mtime now)
{
	if (wanted == discovery->advertises)
		return;
	discovery->advertises = wanted;
	discovery->advertise_now = false;
	discovery->terminate_now = !wanted && discovery->announced;
	discovery->initial_left = wanted ? DISCOVERY_INITIAL_COUNT : 0;
	discovery->advertise_at =
		wanted ? now + random_between(discovery, 0, DISCOVERY_INITIAL_INTERVAL) : MTIME_NEVER;
}

bool discovery_solicit(struct discovery *discovery, mtime now)
{
	if (!discovery->advertises || discovery->advertise_now ||
	    discovery->advertise_at < now + DISCOVERY_RESPONSE_DELAY)
		return false;
	discovery->advertise_at =
		now + random_between(discovery, DISCOVERY_SPACING, DISCOVERY_RESPONSE_DELAY);
	return true;
}

void discovery_abandon(struct discovery *discovery)
{
	discovery_init(discovery, discovery->random);
}

void discovery_expire(struct discovery *discovery, mtime now)
{
	if (discovery->advertise_at > now)
		return;
	discovery->advertise_at = MTIME_NEVER;
	discovery->advertise_now = true;
}

mtime discovery_deadline(const struct discovery *discovery)
{
	return discovery->advertise_at;
}

/* Every advertisement starts the interval again, an answer too (section 3.4). */
void discovery_advertised(struct discovery *discovery, mtime now)
{
	mtime least = DISCOVERY_ADVERTISEMENT_INTERVAL - DISCOVERY_JITTER;
	mtime limit = DISCOVERY_ADVERTISEMENT_INTERVAL + DISCOVERY_JITTER + 1;

	discovery->advertise_now = false;
	discovery->announced = true;
	if (discovery->initial_left > 0)
		discovery->initial_left--;
	if (discovery->initial_left > 0) {
		least = DISCOVERY_SPACING;
		limit = DISCOVERY_INITIAL_INTERVAL;
	}
	discovery->advertise_at = now + random_between(discovery, least, limit);
}

void discovery_terminated(struct discovery *discovery)
{
	discovery->terminate_now = false;
	discovery->announced = false;
}
