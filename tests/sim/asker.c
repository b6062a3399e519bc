/* SPDX-License-Identifier: BSD-2-Clause */
#include "asker.h"

#include <assert.h>
#include <stdlib.h>

static void ask(struct asker *asker, int group, mtime max_response)
{
	struct frame_query query = {
		.version = asker->version,
		.group = group,
		.max_response = max_response,
		.robustness = asker->robustness,
		.interval = asker->query_interval,
		.from = asker->addr,
	};

	world_count(asker->world, TALLY_OTHER_QUERIES);
	port_send(&asker->port, frame_query(asker->family, &query));
}

static void ask_generally(void *object, mtime at)
{
	struct asker *asker = object;

	if (!asker->active || at != asker->general_at)
		return;
	ask(asker, GROUP_NONE, asker->query_response_interval);
	asker->general_at = at + asker->query_interval;
	agenda_add(&asker->world->agenda, asker->general_at, ask_generally, asker);
}

static void ask_specifically(void *object, mtime at)
{
	struct asker *asker = object;

	if (!asker->active || at != asker->specific_at)
		return;
	asker->specific_at = MTIME_NEVER;
	ask(asker, asker->specific_group, asker->last_member_query_interval);
	if (--asker->specific_left == 0)
		return;
	asker->specific_at = at + asker->last_member_query_interval;
	agenda_add(&asker->world->agenda, asker->specific_at, ask_specifically, asker);
}

static void hear(void *owner, const struct frame *frame)
{
	struct asker *asker = owner;

	if (!asker->active || frame->family != asker->family || !frame->narrows ||
	    asker->version == VERSION_1)
		return;
	asker->specific_group = frame->group;
	asker->specific_left = asker->robustness;
	asker->specific_at = world_now(asker->world);
	agenda_add(&asker->world->agenda, asker->specific_at, ask_specifically, asker);
}

void asker_start(struct asker *asker)
{
	if (asker->active)
		return;
	asker->active = true;
	asker->general_at = world_now(asker->world);
	asker->specific_at = MTIME_NEVER;
	agenda_add(&asker->world->agenda, asker->general_at, ask_generally, asker);
}

void asker_stop(struct asker *asker)
{
	asker->active = false;
}

struct asker *asker_new(struct world *world, struct segment *segment, enum family family,
                        bool has_lower_address)
{
	struct asker *asker = calloc(1, sizeof *asker);

	assert(asker != NULL);
	asker->world = world;
	asker->family = (uint8_t)family;
	asker->has_lower_address = has_lower_address;
	asker->addr = station_addr(family, segment->number, has_lower_address ? 1 : 200);
	asker->port.owner = asker;
	asker->port.hear = hear;
	asker->port.hears_reports = true;
	asker->port.up[family] = true;
	segment_attach(segment, &asker->port);
	return asker;
}

void asker_free(struct asker *asker)
{
	free(asker);
}
