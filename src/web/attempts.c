/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/attempts.h"

#include <string.h>

static size_t find_place(const struct attempts *attempts, const unsigned char address[16], mtime now)
{
	size_t place = ATTEMPT_PLACES;

	for (size_t i = 0; i < ATTEMPT_PLACES; i++) {
		if (attempts->places[i].until <= now)
			place = i;
		else if (memcmp(attempts->places[i].address, address, 16) == 0)
			return i;
	}
	return place;
}

bool attempts_are_used_up(const struct attempts *attempts, const unsigned char address[16], mtime now)
{
	size_t place = find_place(attempts, address, now);

	return attempts->places[place].until > now + (ATTEMPTS_MAX - 1) * ATTEMPT_INTERVAL;
}

/* A right password does not clear the failures: its owner could then try those of others without a limit. */
void attempts_add_wrong(struct attempts *attempts, const unsigned char address[16], mtime now)
{
	size_t place = find_place(attempts, address, now);

	memcpy(attempts->places[place].address, address, 16);
	if (attempts->places[place].until < now)
		attempts->places[place].until = now;
	attempts->places[place].until += ATTEMPT_INTERVAL;
	attempts->wrong++;
}
