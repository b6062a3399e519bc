/* SPDX-License-Identifier: BSD-2-Clause */
#include "other_querier.h"

#include <assert.h>
#include <stdlib.h>

static void send_query(struct other_querier *querier, int group, mtime max_response)
{
	struct frame_query query = {
		.version = querier->version,
		.group = group,
		.max_response = max_response,
		.robustness = querier->robustness,
		.interval = querier->query_interval,
		.from = querier->addr,
	};

	world_count(querier->world, TALLY_OTHER_QUERIES);
	port_send(&querier->port, frame_query(querier->family, &query));
}

static void query_generally(void *object, mtime at)
{
	struct other_querier *querier = object;

	if (!querier->active || at != querier->general_at)
		return;
	send_query(querier, GROUP_NONE, querier->query_response_interval);
	querier->general_at = at + querier->query_interval;
	agenda_add(&querier->world->agenda, querier->general_at, query_generally, querier);
}

static void query_specifically(void *object, mtime at)
{
	struct other_querier *querier = object;

	if (!querier->active || at != querier->specific_at)
		return;
	querier->specific_at = MTIME_NEVER;
	send_query(querier, querier->specific_group, querier->last_member_query_interval);
	if (--querier->specific_left == 0)
		return;
	querier->specific_at = at + querier->last_member_query_interval;
	agenda_add(&querier->world->agenda, querier->specific_at, query_specifically, querier);
}

static void receive(void *owner, const struct frame *frame)
{
	struct other_querier *querier = owner;

	if (!querier->active || frame->family != querier->family || !frame->narrows ||
	    querier->version == VERSION_1 || !querier->sends_specific_queries)
		return;
	querier->specific_group = frame->group;
	querier->specific_left = querier->robustness;
	querier->specific_at = world_now(querier->world);
	agenda_add(&querier->world->agenda, querier->specific_at, query_specifically, querier);
}

void other_querier_start(struct other_querier *querier)
{
	if (querier->active)
		return;
	querier->active = true;
	querier->general_at = world_now(querier->world);
	querier->specific_at = MTIME_NEVER;
	agenda_add(&querier->world->agenda, querier->general_at, query_generally, querier);
}

void other_querier_stop(struct other_querier *querier)
{
	querier->active = false;
}

struct other_querier *other_querier_new(struct world *world, struct segment *segment, enum family family,
                                        bool has_lower_address)
{
	struct other_querier *querier = calloc(1, sizeof *querier);

	assert(querier != NULL);
	querier->world = world;
	querier->family = (uint8_t)family;
	querier->has_lower_address = has_lower_address;
	querier->sends_specific_queries = true;
	querier->addr = station_addr(family, segment->number, has_lower_address ? 1 : 200);
	querier->port.owner = querier;
	querier->port.receive = receive;
	querier->port.receives_reports = true;
	querier->port.up[family] = true;
	segment_attach(segment, &querier->port);
	return querier;
}

void other_querier_free(struct other_querier *querier)
{
	free(querier);
}
