/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/engine.h"

void engine_drop_host(struct instance *instance, struct link *link, enum family family, enum drop drop,
                      const struct addr *host)
{
	uint64_t *counter = link ? &link->family[family].drops[drop] : &instance->drops[drop];
	struct event event = {
		.kind = EVENT_DROP,
		.link = link ? link->id : UINT8_MAX,
		.family = (uint8_t)family,
		.before = (uint8_t)drop,
	};

	if (host != NULL)
		event.source = *host;
	event.value = ++*counter;
	if ((event.value & (event.value - 1)) == 0)
		events_push(&instance->events, &event);
}

void engine_drop(struct instance *instance, struct link *link, enum family family, enum drop drop)
{
	engine_drop_host(instance, link, family, drop, NULL);
}

void engine_push_link(struct instance *instance, const struct link *link, enum family family)
{
	struct event event = {
		.kind = EVENT_LINK,
		.link = link->id,
		.family = (uint8_t)family,
		.after = link->family[family].usable,
		.source = link->family[family].address,
	};

	events_push(&instance->events, &event);
}

void engine_push_querier(struct instance *instance, const struct link *link, enum family family, mtime now)
{
	const struct link_family *state = &link->family[family];
	bool own = querier_is_elected(&state->querier, now);
	struct event event = {
		.kind = EVENT_QUERIER,
		.link = link->id,
		.family = (uint8_t)family,
		.before = state->timers.querier,
		.after = own,
		.source = own ? state->address : state->querier.other,
	};

	events_push(&instance->events, &event);
}

void engine_arm_link(struct instance *instance, struct link *link, enum family family)
{
	deadlines_no_later_than(&instance->deadlines, &link->family[family].deadline,
	                        link_deadline(link, family));
}
