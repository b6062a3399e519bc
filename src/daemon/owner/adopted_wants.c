/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/adopted_wants.h"

#include "core/base/grow.h"
#include "core/policy/policy.h"
#include "core/tables/links.h"
#include "daemon/owner/inherited.h"
#include "daemon/owner/instances.h"
#include "daemon/owner/owner.h"
#include "daemon/owner/uplink.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

struct narrowing {
	struct owner *owner;
	const struct uplink *uplink;
	const struct addr *group;
	struct links_port *ports; /* all */
	size_t count, capacity;
};

static bool read_ports(struct narrowing *narrowing)
{
	struct links_port port, *list;
	size_t cursor = 0;

	while (links_next_port(narrowing->owner->links, &cursor, &port)) {
		list = grow(narrowing->ports, narrowing->count, &narrowing->capacity, sizeof *list);
		if (list == NULL)
			return false;
		narrowing->ports = list;
		list[narrowing->count++] = port;
	}
	return true;
}

static struct filter copy(const struct filter *filter, struct addr list[REQUEST_SOURCES_MAX])
{
	struct filter one = {.mode = filter->mode, .sources = sources_on(list, REQUEST_SOURCES_MAX)};

	one.sources.count = filter->sources.count;
	if (one.sources.count > 0)
		memcpy(list, filter->sources.list, one.sources.count * sizeof *list);
	return one;
}

static void narrow(const struct narrowing *narrowing, const struct policy *policy, const char *entry,
                   struct filter *filter)
{
	struct sources scratch = sources_on(narrowing->owner->adoption->scratch[0], REQUEST_SOURCES_MAX);
	struct policy_question question = {.group = *narrowing->group};
	uint32_t denied;

	if (policy == NULL || filter_is_none(filter))
		return;
	question.entry = policy_entry(policy, entry);
	policy_narrow(policy, &question, filter, &scratch, &denied);
}

static void narrow_between(const struct narrowing *narrowing, const struct links_port *from,
                           const struct links_port *to, struct filter *filter)
{
	narrow(narrowing, to->settings.filter_out, from->name, filter);
	narrow(narrowing, from->settings.filter_in, from->name, filter);
}

static bool is_before(const struct links_port *a, const struct links_port *b)
{
	int order = (a->settings.order > b->settings.order) - (a->settings.order < b->settings.order);

	return (order != 0 ? order : strcmp(a->name, b->name)) < 0;
}

/* As core/router/choice.c does it. */
static void leave_to_earlier(const struct narrowing *narrowing, const struct links_port *upstream,
                             const struct links_port *downstream, struct filter *filter)
{
	for (size_t i = 0; i < narrowing->count && !filter_is_none(filter); i++) {
		const struct links_port *port = &narrowing->ports[i];
		struct filter one;

		if (port->instance != upstream->instance || port->role != ROLE_UPSTREAM ||
		    !port->usable[narrowing->uplink->family] || !is_before(port, upstream))
			continue;
		one = copy(filter, narrowing->owner->adoption->scratch[1]);
		narrow_between(narrowing, port, downstream, &one);
		if (filter->mode == FILTER_INCLUDE)
			sources_subtract(&filter->sources, &one.sources);
		else if (!filter_is_none(&one))
			*filter = (struct filter){
				.mode = FILTER_INCLUDE,
				.sources = sources_on(filter->sources.list, filter->sources.capacity)};
	}
}

/* Adds to `left` what the instance's downstream links may want of the filter by the upstream link. True: all of it. */
static bool add_allowed(const struct narrowing *narrowing, const struct links_port *upstream,
                        const struct filter *filter, struct filter *left)
{
	const struct instance_slot *instance = &narrowing->owner->instances[upstream->instance];
	bool first = instance->config->settings.upstream_choice == CHOICE_FIRST;

	for (size_t i = 0; i < narrowing->count; i++) {
		const struct links_port *port = &narrowing->ports[i];
		struct filter one;

		if (port->instance != upstream->instance || port->role != ROLE_DOWNSTREAM)
			continue;
		one = copy(filter, narrowing->owner->adoption->scratch[2]);
		if (first)
			leave_to_earlier(narrowing, upstream, port, &one);
		narrow_between(narrowing, upstream, port, &one);
		filter_merge(left, &one);
		if (filter_equal(left, filter))
			return true;
	}
	return false;
}

static void narrow_want(void *context, const struct addr *group, struct filter *filter)
{
	struct narrowing *narrowing = context;
	const struct uplink *uplink = narrowing->uplink;
	struct filter left = {
		.sources = sources_on(narrowing->owner->adoption->scratch[3], REQUEST_SOURCES_MAX)};

	narrowing->group = group;
	for (size_t i = 0; i < narrowing->count; i++) {
		const struct links_port *port = &narrowing->ports[i];

		if (port->role == ROLE_UPSTREAM && (uplink->instances >> port->instance & 1) != 0 &&
		    strcmp(port->name, uplink->name) == 0 && add_allowed(narrowing, port, filter, &left))
			return;
	}
	left = copy(&left, filter->sources.list);
	left.sources.capacity = filter->sources.capacity;
	*filter = left;
}

void adopted_wants_narrow(struct owner *owner, mtime now)
{
	struct narrowing narrowing = {.owner = owner};
	struct adoption *adoption = owner->adoption;
	struct uplink *uplink;

	if (!adoption->wants_widened && adoption->narrowed_to == owner->config)
		return;
	adoption->wants_widened = false;
	adoption->narrowed_to = owner->config;
	/* Without memory they stay as they are until the end of the adoption. */
	if (read_ports(&narrowing))
		LL_FOREACH (owner->uplinks, uplink) {
			narrowing.uplink = uplink;
			host_adopted_narrow(uplink->host, now, narrow_want, &narrowing);
		}
	free(narrowing.ports);
}
