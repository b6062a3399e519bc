/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/requests.h"

#include "core/router/choice.h"
#include "core/router/election.h"
#include "core/router/forward.h"
#include "core/router/group_queries.h"
#include "core/router/membership.h"
#include "core/router/router_discovery.h"
#include "core/router/snapshot.h"
#include "core/router/wants.h"
#include "core/wire/igmp.h"
#include "core/wire/mld.h"

#include <assert.h>

static bool pull_forwarding(struct instance *instance, mtime now, struct request *request)
{
	for (int family = 0; family < FAMILIES; family++) {
		uint64_t links, yielding;

		if (!instance->forwarding_due[family])
			continue;
		instance->forwarding_due[family] = false;
		links = forward_links(instance, ROLE_DOWNSTREAM, family, now);
		yielding = forward_yielding_links(instance, family, now);
		if (links == instance->forwarding[family] && yielding == instance->yielding[family])
			continue;
		instance->forwarding[family] = links;
		instance->yielding[family] = yielding;
		*request = (struct request){.kind = REQUEST_FORWARDING,
		                            .family = (uint8_t)family,
		                            .links = links,
		                            .yielding = yielding};
		return true;
	}
	return false;
}

/* What the group is wanted for on an upstream link; NULL: on all. membership NULL: it is gone. False: nothing, and nothing
 * was wanted before. */
static bool build_membership(struct instance *instance, struct membership *membership,
                             const struct link *upstream, mtime now, struct request *request, void *payload,
                             size_t *payload_size)
{
	const struct upstream_walk *walk = &instance->upstream_walk;
	struct filter filter = {.sources = sources_on(payload, REQUEST_SOURCES_MAX)};
	uint64_t links = 0;
	struct event event;

	if (membership != NULL)
		wants_filter(instance, membership, upstream, &filter, now);
	if (!walk->was_wanted && filter_is_none(&filter))
		return false;
	if (!filter_is_none(&filter)) {
		membership->wanted_upstream = true;
		if (choice_is_pure(instance) &&
		    (upstream == NULL || !wants_may_be_denied(membership, upstream)))
			links = wants_open_links(membership);
	}
	*request = (struct request){
		.kind = REQUEST_MEMBERSHIP,
		.link = upstream != NULL ? upstream->id : LINK_ALL,
		.family = (uint8_t)addr_family(&walk->group),
		.mode = (uint8_t)filter.mode,
		.count = (uint16_t)filter.sources.count,
		.group = walk->group,
		.links = links,
	};
	*payload_size = filter.sources.count * sizeof(struct addr);
	event = (struct event){.kind = EVENT_UPSTREAM,
	                       .link = request->link,
	                       .family = request->family,
	                       .after = request->mode,
	                       .count = request->count,
	                       .group = walk->group};
	if (filter.sources.count > 0)
		event.source = filter.sources.list[0];
	events_push(&instance->events, &event);
	return true;
}

/* The next upstream link of a membership whose links get different wants. */
static bool pull_upstream_walk(struct instance *instance, struct membership *membership, mtime now,
                               struct request *request, void *payload, size_t *payload_size)
{
	unsigned id;

	while (set64_take(&instance->upstream_walk.links, &id))
		if (instance->links[id] != NULL && build_membership(instance, membership, instance->links[id],
		                                                    now, request, payload, payload_size))
			return true;
	return false;
}

/* This also updates the routes of its streams, once for all records since the last pull. */
static bool pull_membership(struct instance *instance, mtime now, struct request *request, void *payload,
                            size_t *payload_size)
{
	struct upstream_walk *walk = &instance->upstream_walk;
	struct membership *membership;
	bool pulled = false;

	if (walk->links != 0 && pull_upstream_walk(instance, membership_find(instance, &walk->group), now,
	                                           request, payload, payload_size))
		return true;
	while (!pulled && (membership = membership_pull_marked(instance)) != NULL) {
		*walk = (struct upstream_walk){.group = membership->group,
		                               .was_wanted = membership->wanted_upstream};
		forward_update(instance, membership, now);
		membership->wanted_upstream = false;
		if (choice_differs(instance)) {
			walk->links = choice_links(instance, addr_family(&walk->group), false);
			pulled =
				pull_upstream_walk(instance, membership, now, request, payload, payload_size);
		} else {
			pulled = build_membership(instance, membership, NULL, now, request, payload,
			                          payload_size);
		}
		membership_release(instance, membership);
	}
	return pulled;
}

static bool pull_flow(struct instance *instance, struct request *request)
{
	struct flow *flow = instance->dirty_flows;

	if (flow == NULL)
		return false;
	DL_DELETE2(instance->dirty_flows, flow, dirty_prev, dirty_next);
	flow->dirty = false;
	*request = (struct request){
		.kind = flow->gone ? REQUEST_ROUTE_NONE : REQUEST_ROUTE,
		.link = flow->input,
		.family = (uint8_t)addr_family(&flow->key.group),
		.source = flow->key.source,
		.group = flow->key.group,
		.links = flow->gone ? 0 : flow->outputs,
		.more = flow->gone && flow->lost,
	};
	if (flow->gone)
		flow_free(instance, flow);
	return true;
}

/* Before the flows: the same stream may have got room since. */
static bool pull_refused(struct instance *instance, struct request *request)
{
	const struct flow_key *key;

	if (instance->refused_count == 0)
		return false;
	key = &instance->refused[--instance->refused_count];
	*request = (struct request){
		.kind = REQUEST_ROUTE_NONE,
		.family = (uint8_t)addr_family(&key->group),
		.source = key->source,
		.group = key->group,
	};
	return true;
}

/* Completes a query: the packet in the payload, and the request to send it. */
static void build_query(const struct link *link, enum family family, struct query *query,
                        const struct sources *sources, struct request *request, uint8_t *payload,
                        size_t *payload_size)
{
	const struct link_family *state = &link->family[family];
	const struct addr all =
		family == FAMILY_IPV4 ? addr_from_ipv4_number(IGMP_ALL_SYSTEMS) : mld_all_nodes;
	struct addr destination = addr_is_unspecified(&query->group) ? all : query->group;
	uint8_t *message = payload + packet_header_size(family);
	size_t size;

	query->version = link->settings.version[family];
	query->robustness = querier_robustness(&state->querier, &link->settings);
	query->query_interval = (uint32_t)querier_query_interval(&state->querier, &link->settings);
	query->source_count = sources->count;
	size = family == FAMILY_IPV4
	               ? igmp_encode_query(message, query, sources->list)
	               : mld_encode_query(message, query, sources->list, &state->address, &destination);
	*payload_size = packet_finish(family, payload, &state->address, &destination, size);
	*request = (struct request){
		.kind = REQUEST_SEND, .link = link->id, .family = (uint8_t)family, .group = destination};
}

static void push_query_event(struct instance *instance, struct link *link, enum family family,
                             const struct query *query)
{
	link->family[family].counters[COUNTER_QUERIES_SENT]++;
	events_push(&instance->events, &(struct event){.kind = EVENT_QUERY,
	                                               .link = link->id,
	                                               .family = (uint8_t)family,
	                                               .after = query->suppress,
	                                               .count = (uint16_t)query->source_count,
	                                               .group = query->group});
}

static bool pull_general_query(struct instance *instance, mtime now, struct request *request,
                               uint8_t *payload, size_t *payload_size)
{
	static const struct sources none = {0};

	for (int family = 0; family < FAMILIES; family++) {
		unsigned id;

		while (set64_take(&instance->general_queries_due[family], &id)) {
			struct link *link = instance->links[id];
			struct query query = {.group = addr_unspecified(family)};
			struct link_family *state;

			if (link == NULL || !link->family[family].querier.query_now)
				continue;
			state = &link->family[family];
			query.max_response = link->settings.query_response_interval;
			build_query(link, family, &query, &none, request, payload, payload_size);
			querier_sent(&state->querier, &link->settings, now);
			engine_arm_link(instance, link, family);
			push_query_event(instance, link, family, &query);
			return true;
		}
	}
	return false;
}

static size_t query_sources_max(const struct link *link, enum family family)
{
	size_t fixed = packet_header_size(family) + (family == FAMILY_IPV4 ? 12 : 28);

	return (packet_size_max(link->mtu) - fixed) / addr_wire_size(family);
}

/* Beyond query_rate_max a general query asks for all groups. A router that is no longer the querier sends none;
 * the elected one does within the membership interval. */
static void substitute_queries(struct instance *instance, mtime now, struct link_group *link_group)
{
	enum family family = addr_family(&link_group->membership->group);
	struct link *link = link_group->link;
	const struct group_timers *timers = &link->family[family].timers;
	mtime until = now + timers->membership_interval;

	if (timers->querier)
		until = election_substitute(instance, link, family, now, timers->last_member_query_count);
	group_substitute_queries(&link_group->group, timers, now, until);
	engine_drop(instance, link, family, DROP_QUERY_RATE);
}

static bool pull_group_query(struct instance *instance, mtime now, struct request *request, uint8_t *payload,
                             size_t *payload_size)
{
	struct link_group *link_group;

	while ((link_group = instance->asking) != NULL) {
		enum family family = addr_family(&link_group->membership->group);
		struct link *link = link_group->link;
		const struct group_timers *timers = &link->family[family].timers;
		struct group_query next = {
			.sources = sources_on(instance->scratch, query_sources_max(link, family))};
		struct query query = {.group = link_group->membership->group};

		if (group_query_is_due(&link_group->group, now) && !link_has_query_room(link, now))
			substitute_queries(instance, now, link_group);
		if (!group_pull_query(&link_group->group, timers, now, &next)) {
			link_group_set_asking(instance, link_group, false);
			link_group_arm(instance, link_group);
			continue;
		}
		link_take_query(link, now);
		query.max_response = (uint32_t)timers->last_member_query_interval;
		query.suppress = next.suppress;
		build_query(link, family, &query, &next.sources, request, payload, payload_size);
		push_query_event(instance, link, family, &query);
		return true;
	}
	return false;
}

static bool pull_upstream_general_query(struct instance *instance, struct request *request, uint8_t *payload,
                                        size_t *payload_size)
{
	struct upstream_queries *queries = &instance->upstream_queries;

	for (int family = 0; family < FAMILIES; family++) {
		unsigned link;

		if (!set64_take(&queries->general_due[family], &link))
			continue;
		*payload_size = sizeof queries->general[link][family];
		memcpy(payload, &queries->general[link][family], *payload_size);
		*request = (struct request){
			.kind = REQUEST_UPSTREAM_QUERY, .link = (uint8_t)link, .family = (uint8_t)family};
		return true;
	}
	return false;
}

static bool pull_upstream_specific_query(struct instance *instance, struct request *request, uint8_t *payload,
                                         size_t *payload_size)
{
	struct upstream_queries *queries = &instance->upstream_queries;
	struct specific_query *oldest = &queries->specific[queries->first];
	size_t sources_size = oldest->query.source_count * sizeof *oldest->sources;

	if (queries->count == 0)
		return false;
	queries->first = (queries->first + 1) % INSTANCE_QUERIES_MAX;
	queries->count--;
	memcpy(payload, &oldest->query, sizeof oldest->query);
	if (sources_size > 0)
		memcpy(payload + sizeof oldest->query, oldest->sources, sources_size);
	pool_give(instance->parts[oldest->link], oldest->sources, sources_size);
	*payload_size = sizeof oldest->query + sources_size;
	*request = (struct request){
		.kind = REQUEST_UPSTREAM_QUERY, .link = oldest->link, .family = oldest->family};
	return true;
}

static bool pull_link_free(struct instance *instance, struct request *request)
{
	unsigned id;

	if (!set64_take(&instance->links_to_free, &id))
		return false;
	assert(instance->links[id] != NULL || instance->parts[id] == NULL ||
	       pool_used(instance->parts[id]) == 0);
	*request = (struct request){.kind = REQUEST_LINK_FREE, .link = (uint8_t)id};
	return true;
}

static bool pull_event(struct instance *instance, struct request *request)
{
	*request = (struct request){.kind = REQUEST_EVENT};
	if (!events_pull(&instance->events, &request->event))
		return false;
	request->kind = REQUEST_EVENT;
	return true;
}

/* An answer without a content. */
static bool pull_answer(bool *due, enum request_kind kind, struct request *request)
{
	if (!*due)
		return false;
	*due = false;
	*request = (struct request){.kind = (uint8_t)kind};
	return true;
}

static bool pull_stopped(struct instance *instance, struct request *request)
{
	if (instance->stopped)
		return false;
	instance->stopped = true;
	*request = (struct request){.kind = REQUEST_STOPPED};
	return true;
}

/* The most urgent first:
 *
 *   pong                       must be on time under any load, and is rare
 *   forwarding                 a link that no longer forwards comes before the members on it
 *   upstream general queries   few; they decide how the changes behind them are reported
 *   membership, refused, flow  what starts and stops streams
 *   all adopted                what the routes above answer
 *   group, general queries     what keeps memberships alive
 *   router discovery           keeps the streams of LAN sources coming through switches
 *   upstream specific queries  a flood of them delays nothing above
 *   snapshot, event            what shows the state
 *   link free                  when no other request has the link's id */
bool requests_pull(struct instance *instance, mtime now, struct request *request, void *payload,
                   size_t *payload_size)
{
	*payload_size = 0;
	if (instance->stopping)
		return router_discovery_pull(instance, now, request, payload, payload_size) ||
		       pull_stopped(instance, request);
	return pull_answer(&instance->pong_due, REQUEST_PONG, request) ||
	       pull_forwarding(instance, now, request) ||
	       pull_upstream_general_query(instance, request, payload, payload_size) ||
	       pull_membership(instance, now, request, payload, payload_size) ||
	       pull_refused(instance, request) || pull_flow(instance, request) ||
	       pull_answer(&instance->all_adopted_due, REQUEST_ALL_ADOPTED, request) ||
	       pull_group_query(instance, now, request, payload, payload_size) ||
	       pull_general_query(instance, now, request, payload, payload_size) ||
	       router_discovery_pull(instance, now, request, payload, payload_size) ||
	       pull_upstream_specific_query(instance, request, payload, payload_size) ||
	       snapshot_pull(instance, now, request, payload, payload_size) ||
	       pull_event(instance, request) || pull_link_free(instance, request);
}
