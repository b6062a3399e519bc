/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/election.h"

#include "core/router/forward.h"
#include "core/router/group_timers.h"
#include "core/router/membership.h"
#include "core/router/router_discovery.h"

void election_start(struct instance *instance, struct link *link, enum family family, mtime now)
{
	querier_start(&link->family[family].querier, &link->settings, now);
	engine_arm_link(instance, link, family);
}

void election_restart(struct instance *instance, struct link *link, enum family family, mtime now)
{
	election_start(instance, link, family, now);
	engine_push_querier(instance, link, family, now);
}

void election_refresh(struct instance *instance, struct link *link, enum family family, mtime now)
{
	const struct group_timers *timers = &link->family[family].timers;

	instance->forwarding_due[family] = true;
	link_refresh_timers(link, family, now);
	if (!timers->querier && !group_finishes_asking(timers))
		membership_cancel_queries(instance, link, family);
}

/* Another querier, or another of its variables: the event, the timers, the routes. */
static void change(struct instance *instance, struct link *link, enum family family, mtime now)
{
	struct link_family *state = &link->family[family];
	bool was_querier = state->timers.querier;

	engine_push_querier(instance, link, family, now);
	election_refresh(instance, link, family, now);
	router_discovery_refresh(instance, link, family, now);
	/* Routes depend on who is elected, not on the querier's variables. */
	if (was_querier != state->timers.querier && state->group_count > 0)
		forward_update_all(instance, family, now);
}

void election_receive(struct instance *instance, struct link *link, enum family family, mtime now,
                      const struct addr *from, const struct query *query)
{
	struct link_family *state = &link->family[family];

	if (querier_receive(&state->querier, &link->settings, &state->address, from, query, now))
		change(instance, link, family, now);
	engine_arm_link(instance, link, family);
}

void election_query(struct instance *instance, struct link *link, enum family family, mtime now)
{
	link->family[family].querier.query_at = now;
	engine_arm_link(instance, link, family);
}

mtime election_substitute(struct instance *instance, struct link *link, enum family family, mtime now,
                          uint8_t count)
{
	struct querier *querier = &link->family[family].querier;
	mtime until = querier_substitute(querier, &link->settings, count, now);

	engine_arm_link(instance, link, family);
	if (querier->query_now)
		set64_add(&instance->general_queries_due[family], link->id);
	return until;
}

void election_expire(struct instance *instance, struct link *link, enum family family, mtime now)
{
	if (querier_expire(&link->family[family].querier, &link->settings, now))
		change(instance, link, family, now);
	if (link->family[family].querier.query_now)
		set64_add(&instance->general_queries_due[family], link->id);
	engine_arm_link(instance, link, family);
}
