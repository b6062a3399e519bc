/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/tables/wrong_vif.h"

#include <assert.h>
#include <stdlib.h>
#include <utlist.h>

#define INTERVAL     250 /* the kernel tells of a stream on a wrong vif every 3 s */
#define CHECKS       8
#define SUSPECTS_MAX 1024

struct suspect {
	struct suspect *prev, *next; /* in order of check_at */
	struct route_key key;
	uint8_t vif;
	uint8_t checks_left;
	mtime check_at;
	uint64_t packets;
	uint64_t wrong;
};

struct suspects {
	struct suspect *list;
	size_t count;
};

struct suspects *suspects_new(void)
{
	return calloc(1, sizeof(struct suspects));
}

static void end(struct suspects *suspects, struct suspect *suspect)
{
	DL_DELETE(suspects->list, suspect);
	suspects->count--;
	free(suspect);
}

void suspects_free(struct suspects *suspects)
{
	while (suspects != NULL && suspects->list != NULL)
		end(suspects, suspects->list);
	free(suspects);
}

void suspects_add(struct suspects *suspects, mtime now, const struct route_key *key, unsigned vif,
                  uint64_t packets, uint64_t wrong)
{
	struct suspect *suspect = suspects->count < SUSPECTS_MAX ? malloc(sizeof *suspect) : NULL;

	if (suspect == NULL)
		return;
	*suspect = (struct suspect){.key = *key,
	                            .vif = (uint8_t)vif,
	                            .checks_left = CHECKS,
	                            .check_at = now + INTERVAL,
	                            .packets = packets,
	                            .wrong = wrong};
	DL_APPEND(suspects->list, suspect);
	suspects->count++;
}

bool suspects_pull(struct suspects *suspects, mtime now, struct route_key *key, unsigned *vif)
{
	const struct suspect *suspect = suspects->list;

	if (suspect == NULL || suspect->check_at > now)
		return false;
	*key = suspect->key;
	*vif = suspect->vif;
	return true;
}

bool suspects_has_moved(struct suspects *suspects, mtime now, const struct route_key *key, uint64_t packets,
                        uint64_t wrong)
{
	struct suspect *suspect = suspects->list;
	uint64_t by_wrong = wrong - suspect->wrong, rightly = packets - suspect->packets - by_wrong;
	bool undecided = by_wrong == 0 && rightly == 0;

	assert(addr_equal(&suspect->key.source, &key->source) &&
	       addr_equal(&suspect->key.group, &key->group));
	/* Counters that began anew tell nothing. */
	if (packets < suspect->packets || wrong < suspect->wrong) {
		by_wrong = rightly = 0;
	} else if (undecided && --suspect->checks_left > 0) {
		suspect->check_at = now + INTERVAL;
		DL_DELETE(suspects->list, suspect);
		DL_APPEND(suspects->list, suspect);
		return false;
	}
	end(suspects, suspect);
	return by_wrong > rightly;
}

mtime suspects_deadline(const struct suspects *suspects)
{
	return suspects->list != NULL ? suspects->list->check_at : MTIME_NEVER;
}
