/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/forward.h"

#include "core/router/membership.h"
#include "core/router/route_shares.h"

#include <assert.h>

#define GONE_MAX 1024

static uint32_t key_hash(const struct instance *instance, const struct flow_key *key)
{
	return addr_pair_hash(&key->source, &key->group, instance->seed);
}

static struct flow *flow_find(struct instance *instance, const struct flow_key *key)
{
	struct index_node *node = index_find(&instance->flows, key_hash(instance, key));

	for (; node != NULL; node = index_find_next(node))
		if (memcmp(&((struct flow *)node)->key, key, sizeof *key) == 0)
			break;
	return (struct flow *)node;
}

static struct flow *flow_oldest(const struct instance *instance)
{
	return (struct flow *)instance->flows.oldest;
}

static struct flow *flow_newer(const struct flow *flow)
{
	return (struct flow *)flow->node.newer;
}

static void flow_mark(struct instance *instance, struct flow *flow)
{
	if (flow->dirty)
		return;
	flow->dirty = true;
	DL_APPEND2(instance->dirty_flows, flow, dirty_prev, dirty_next);
}

static void push_event(struct instance *instance, const struct flow *flow, enum event_kind kind)
{
	struct event event = {
		.kind = (uint8_t)kind,
		.link = flow->input,
		.family = (uint8_t)addr_family(&flow->key.group),
		.group = flow->key.group,
		.source = flow->key.source,
		.value = flow->outputs,
	};

	events_push(&instance->events, &event);
}

uint64_t forward_links(const struct instance *instance, enum link_role role, enum family family, mtime now)
{
	uint64_t links = 0;

	for (size_t id = 0; id < LINKS_MAX; id++) {
		const struct link *link = instance->links[id];

		if (link != NULL && link->role == role && link_forwards(link, family, now))
			set64_add(&links, link->id);
	}
	return links;
}

uint64_t forward_yielding_links(const struct instance *instance, enum family family, mtime now)
{
	uint64_t links = 0;

	for (size_t id = 0; id < LINKS_MAX; id++)
		if (instance->links[id] != NULL && link_may_yield(instance->links[id], family, now))
			set64_add(&links, (unsigned)id);
	return links;
}

/* The links that a stream's packets go to (RFC 4605 section 4.2): the downstream links whose members want the
 * source, and for a source downstream the upstream links too. Never the link that they arrive on. membership
 * NULL: the group has none. */
static uint64_t outputs_of(const struct instance *instance, struct membership *membership,
                           const struct flow_key *key, const struct link *input, mtime now)
{
	enum family family = addr_family(&key->group);
	const struct link_group *link_group = membership ? link_group_first(membership) : NULL;
	uint64_t outputs = 0;

	if (input == NULL || !input->family[family].usable)
		return 0;
	for (; link_group != NULL; link_group = link_group_next(link_group))
		if (link_group->link != input && link_forwards(link_group->link, family, now) &&
		    group_wants(&link_group->group, &key->source))
			set64_add(&outputs, link_group->link->id);
	if (input->role == ROLE_DOWNSTREAM)
		outputs |= forward_links(instance, ROLE_UPSTREAM, family, now);
	return outputs;
}

/* The one place where a flow's outputs change. */
static void flow_route(struct instance *instance, struct flow *flow, mtime now, bool changed)
{
	uint64_t outputs =
		outputs_of(instance, flow->membership, &flow->key, instance->links[flow->input], now);
	enum flow_worth worth;

	if (outputs == flow->outputs && !changed)
		return;
	flow->outputs = outputs;
	worth = route_shares_worth(instance, outputs);
	if (worth != flow->worth)
		route_shares_move(instance, flow, worth);
	push_event(instance, flow, EVENT_ROUTE);
	flow_mark(instance, flow);
}

void forward_update(struct instance *instance, struct membership *membership, mtime now)
{
	struct flow *flow;

	DL_FOREACH (membership->flows, flow)
		if (!flow->gone)
			flow_route(instance, flow, now, false);
}

void forward_update_all(struct instance *instance, enum family family, mtime now)
{
	for (struct flow *flow = flow_oldest(instance); flow; flow = flow_newer(flow))
		if (!flow->gone && addr_family(&flow->key.group) == family)
			flow_route(instance, flow, now, false);
}

void forward_mark_all(struct instance *instance, enum family family)
{
	for (struct flow *flow = flow_oldest(instance); flow; flow = flow_newer(flow))
		if (addr_family(&flow->key.group) == family)
			flow_mark(instance, flow);
}

static void flow_end(struct instance *instance, struct flow *flow)
{
	if (flow->gone)
		return;
	flow->gone = true;
	route_shares_remove(instance, flow);
	push_event(instance, flow, EVENT_FLOW_GONE);
	flow_mark(instance, flow);
}

void flow_free(struct instance *instance, struct flow *flow)
{
	struct membership *membership = flow->membership;

	assert(!flow->dirty && flow->gone);
	index_remove(&instance->flows, &flow->node);
	DL_DELETE(membership->flows, flow);
	pool_give(instance->parts[flow->input], flow, sizeof *flow);
	membership_release(instance, membership);
}

/* Makes room for one more flow from the link: at the limit, another one ends. Flows that only wait for
 * REQUEST_ROUTE_NONE may exceed the limit by an eighth, and by GONE_MAX more for flows that a flood must not
 * delay. */
static bool make_room(struct instance *instance, const struct link *link, enum flow_worth worth)
{
	size_t count = instance->flows.count, max = instance->settings.routes_max;
	bool urgent = worth == FLOW_WANTED || !route_shares_has_half(instance, link);
	size_t gone_max = max / 8 + (urgent ? GONE_MAX : 0);
	struct flow *flow;

	if (count < max)
		return true;
	if (count - instance->route_count > gone_max)
		return false;
	if (instance->route_count < max)
		return true;
	flow = route_shares_find(instance, link, worth);
	if (flow != NULL)
		flow_end(instance, flow);
	return flow != NULL;
}

void forward_limit(struct instance *instance)
{
	struct flow *flow;

	while (instance->route_count > instance->settings.routes_max &&
	       (flow = route_shares_surplus(instance)) != NULL)
		flow_end(instance, flow);
}

static struct flow *flow_new(struct instance *instance, struct link *link, const struct flow_key *key,
                             mtime now, enum flow_worth worth)
{
	bool reserved = worth == FLOW_WANTED;
	struct membership *membership = membership_get(instance, link, &key->group, reserved);
	struct flow *flow = NULL;

	if (membership != NULL)
		flow = reserved ? pool_take_reserved(link->pool, sizeof *flow)
		                : pool_take(link->pool, sizeof *flow);
	if (flow != NULL && !index_add(&instance->flows, &flow->node, key_hash(instance, key))) {
		pool_give(link->pool, flow, sizeof *flow);
		flow = NULL;
	}
	if (flow == NULL) {
		if (membership != NULL)
			membership_release(instance, membership);
		return NULL;
	}
	flow->key = *key;
	flow->membership = membership;
	flow->made_at = flow->read_at = now;
	flow->serial = ++instance->flow_serial;
	flow->input = link->id;
	flow->gone = true;
	DL_APPEND(membership->flows, flow);
	return flow;
}

/* A flow for a new stream; NULL: a limit was reached. */
static struct flow *flow_admit(struct instance *instance, struct link *link, const struct flow_key *key,
                               mtime now)
{
	uint64_t outputs = outputs_of(instance, membership_find(instance, &key->group), key, link, now);
	enum flow_worth worth = route_shares_worth(instance, outputs);
	bool has_room = make_room(instance, link, worth);
	struct flow *flow = has_room ? flow_new(instance, link, key, now, worth) : NULL;

	if (flow != NULL)
		return flow;
	engine_drop(instance, link, addr_family(&key->group), has_room ? DROP_MEMORY : DROP_ROUTES_MAX);
	if (instance->refused_count < REFUSED_MAX)
		instance->refused[instance->refused_count++] = *key;
	return NULL;
}

/* The stream arrives on the link, which may be another than before. */
static void flow_arrive(struct instance *instance, struct flow *flow, const struct link *link, mtime now)
{
	if (!flow->gone)
		route_shares_remove(instance, flow);
	pool_move(instance->parts[flow->input], link->pool, sizeof *flow);
	membership_pay(instance, flow->membership, link);
	flow->gone = false;
	flow->input = link->id;
	flow->active_at = now;
	route_shares_add(instance, flow);
}

void forward_upcall(struct instance *instance, struct link *link, mtime now, const struct flow_key *key,
                    bool wrong_link)
{
	enum family family = addr_family(&key->group);
	struct flow *flow = flow_find(instance, key);
	bool moved = flow != NULL && flow->input != link->id;

	if (!addr_is_proxied_stream(&key->source, &key->group)) {
		engine_drop(instance, link, family, DROP_SCOPE);
		return;
	}
	if (wrong_link && !moved)
		return;
	if (flow == NULL)
		flow = flow_admit(instance, link, key, now);
	if (flow == NULL)
		return;
	flow_arrive(instance, flow, link, now);
	push_event(instance, flow, moved ? EVENT_FLOW_MOVED : EVENT_FLOW);
	flow_route(instance, flow, now, true);
}

/* Counters that went back belong to a new entry, and give no rate. */
static void flow_measure(struct flow *flow, mtime now, uint64_t bytes)
{
	if (now > flow->read_at && bytes >= flow->bytes) {
		uint64_t rate = (bytes - flow->bytes) * 1000 / (uint64_t)(now - flow->read_at);

		flow->rate = rate > UINT32_MAX ? UINT32_MAX : (uint32_t)rate;
	}
	flow->read_at = now;
}

void forward_counters(struct instance *instance, mtime now, const struct input *input)
{
	struct flow_key key = {.source = input->source, .group = input->group};
	struct flow *flow = flow_find(instance, &key);

	if (flow == NULL || flow->gone)
		return;
	/* The kernel also counts packets that arrive on a wrong link. They do not show that the flow is
	 * active. */
	if ((uint32_t)input->packets - input->wrong_link_packets !=
	    (uint32_t)flow->packets - flow->wrong_link) {
		flow->active_at = now;
		route_shares_move(instance, flow, flow->worth);
	}
	flow_measure(flow, now, input->bytes);
	flow->packets = input->packets;
	flow->bytes = input->bytes;
	flow->wrong_link = input->wrong_link_packets;
	if (now - flow->active_at >= instance->settings.route_timeout)
		flow_end(instance, flow);
}

void forward_drop_link(struct instance *instance, struct link *link, enum family family)
{
	for (struct flow *flow = flow_oldest(instance); flow; flow = flow_newer(flow))
		if (flow->input == link->id && addr_family(&flow->key.group) == family)
			flow_end(instance, flow);
}
