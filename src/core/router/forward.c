/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/forward.h"

#include "core/router/choice.h"
#include "core/router/filtering.h"
#include "core/router/membership.h"
#include "core/router/route_shares.h"
#include "core/router/wants.h"

#include <assert.h>

#define GONE_MAX 1024

static uint32_t key_hash(const struct instance *instance, const struct flow_key *key)
{
	return addr_pair_hash(&key->source, &key->group, instance->seed);
}

static struct flow *flow_find(struct instance *instance, const struct flow_key *key)
{
	struct index_node *node = index_find(&instance->flows, key_hash(instance, key));

	for (; node != NULL; node = index_find_next(&instance->flows, node))
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

/* The upstream links to which a stream from downstream goes. */
static uint64_t upstream_outputs(const struct instance *instance, const struct link *input,
                                 const struct flow_key *key)
{
	uint64_t links = choice_links(instance, addr_family(&key->group), true), left = links;
	unsigned id;

	while (set64_take(&left, &id))
		if (!filtering_passes(input, instance->links[id], key))
			set64_remove(&links, id);
	return links;
}

/* Do members of the link want the stream, which arrives on another one? */
static bool link_wants(const struct link_group *link_group, const struct link *input,
                       const struct flow_key *key, mtime now)
{
	const struct link *link = link_group->link;

	return link != input && link_forwards(link, addr_family(&key->group), now) &&
	       wants_source(link_group, &key->source);
}

/* Does the link with members get the stream from this input? With CHOICE_FIRST only from the upstream link that it
 * takes it by. */
static bool takes(const struct instance *instance, const struct link_group *link_group,
                  const struct link *input, const struct flow_key *key, mtime now)
{
	const struct link *link = link_group->link;

	return link_wants(link_group, input, key, now) && filtering_passes(input, link, key) &&
	       (input->role == ROLE_DOWNSTREAM || instance->settings.upstream_choice != CHOICE_FIRST ||
	        choice_of_stream(instance, link, key) == input);
}

/* The links that a stream's packets go to (RFC 4605 section 4.2): the downstream links whose members want the
 * source, and for a source downstream the upstream links too. Never the link that they arrive on, and only as far as
 * filters allow it. membership NULL: the group has none. */
static uint64_t outputs_of(const struct instance *instance, struct membership *membership,
                           const struct flow_key *key, const struct link *input, mtime now)
{
	enum family family = addr_family(&key->group);
	const struct link_group *link_group = membership ? link_group_first(membership) : NULL;
	uint64_t outputs = 0;

	if (input == NULL || !input->family[family].usable)
		return 0;
	for (; link_group != NULL; link_group = link_group_next(link_group))
		if (takes(instance, link_group, input, key, now))
			set64_add(&outputs, link_group->link->id);
	if (input->role == ROLE_DOWNSTREAM)
		outputs |= upstream_outputs(instance, input, key);
	return outputs;
}

static void flow_arrive(struct instance *instance, struct flow *flow, const struct link *link, mtime now);

/* The upstream link from which members receive a stream that arrives on `link`; NULL: none. It is `link` if that is one of
 * several. A link whose filters keep the stream from all members is none of them. */
static struct link *input_of_members(const struct instance *instance, struct membership *membership,
                                     const struct flow_key *key, struct link *link, mtime now)
{
	bool any = instance->settings.upstream_choice != CHOICE_FIRST;
	const struct link_group *link_group = link_group_first(membership);
	struct link *chosen = NULL, *one;

	for (; link_group != NULL; link_group = link_group_next(link_group)) {
		if (!link_forwards(link_group->link, addr_family(&key->group), now) ||
		    !wants_source(link_group, &key->source))
			continue;
		one = any && filtering_passes(link, link_group->link, key)
		              ? link
		              : choice_of_stream(instance, link_group->link, key);
		if (one == link)
			return link;
		if (chosen == NULL)
			chosen = one;
	}
	return chosen;
}

/* CHOICE_MUTEX: the upstream link of the oldest stream of the group that members get from there and that no reading of its
 * counters has shown to be silent for mutex_hold; NULL: none. */
static struct link *mutex_input(const struct instance *instance, const struct membership *membership)
{
	struct flow *flow;

	DL_FOREACH (membership->flows, flow) {
		struct link *link = instance->links[flow->input];

		if (!flow->gone && flow->arrived && flow->outputs != 0 &&
		    flow->read_at - flow->active_at < instance->settings.mutex_hold && link != NULL &&
		    link->role == ROLE_UPSTREAM && link->family[addr_family(&flow->key.group)].usable)
			return link;
	}
	return NULL;
}

/* The link from which the instance takes a stream that arrives on `link`. If upstream_choice or filters select another
 * upstream link, what arrives on `link` is an unwanted copy. */
static struct link *choose_input(const struct instance *instance, struct membership *membership,
                                 const struct flow_key *key, struct link *link, mtime now)
{
	struct link *chosen = NULL;

	if (membership == NULL || link == NULL || link->role != ROLE_UPSTREAM)
		return link;
	if (instance->settings.upstream_choice == CHOICE_MUTEX)
		chosen = mutex_input(instance, membership);
	if (chosen != NULL)
		link = chosen;
	chosen = choice_differs(instance) ? input_of_members(instance, membership, key, link, now) : NULL;
	return chosen != NULL ? chosen : link;
}

/* The link where a flow's packets were seen last, if that still is an upstream link in use; else its input. */
static struct link *flow_origin(const struct instance *instance, const struct flow *flow)
{
	struct link *seen = instance->links[flow->seen];

	if (seen != NULL && seen->role == ROLE_UPSTREAM && seen->family[addr_family(&flow->key.group)].usable)
		return seen;
	return instance->links[flow->input];
}

/* Counts the rules of filters that decided about the stream. */
static void count_hits(struct instance *instance, const struct flow *flow, struct link *input, mtime now)
{
	const struct link_group *link_group = link_group_first(flow->membership);
	uint64_t outputs = 0;

	if (input == NULL)
		return;
	for (; link_group != NULL; link_group = link_group_next(link_group))
		if (link_wants(link_group, input, &flow->key, now))
			set64_add(&outputs, link_group->link->id);
	if (input->role == ROLE_DOWNSTREAM)
		outputs |= choice_links(instance, addr_family(&flow->key.group), true);
	filtering_count_stream(instance, input, outputs, &flow->key, now);
}

/* The one place where a flow's outputs change. */
static void flow_route(struct instance *instance, struct flow *flow, mtime now, bool changed)
{
	struct link *link =
		choose_input(instance, flow->membership, &flow->key, flow_origin(instance, flow), now);
	enum flow_worth worth;
	uint64_t outputs;

	if (link != NULL && link->id != flow->input) {
		flow_arrive(instance, flow, link, now);
		push_event(instance, flow, EVENT_FLOW_MOVED);
		changed = true;
	}
	outputs = outputs_of(instance, flow->membership, &flow->key, link, now);
	if (outputs == flow->outputs && !changed)
		return;
	count_hits(instance, flow, link, now);
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
	instance->rate -= flow->rate;
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
	flow->input = flow->seen = link->id;
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

/* The stream arrives on the link, which may be another than before, or is taken from there if it ever does. */
static void flow_arrive(struct instance *instance, struct flow *flow, const struct link *link, mtime now)
{
	if (!flow->gone)
		route_shares_remove(instance, flow);
	pool_move(instance->parts[flow->input], link->pool, sizeof *flow);
	membership_pay(instance, flow->membership, link);
	flow->gone = flow->lost = false;
	flow->input = link->id;
	flow->arrived = flow->seen == link->id;
	flow->active_at = now;
	route_shares_add(instance, flow);
}

void forward_upcall(struct instance *instance, struct link *link, mtime now, const struct flow_key *key,
                    bool wrong_link)
{
	enum family family = addr_family(&key->group);
	struct flow *flow = flow_find(instance, key);
	uint8_t seen = link->id;
	bool moved;

	link = choose_input(instance, membership_find(instance, &key->group), key, link, now);
	moved = flow != NULL && flow->input != link->id;

	if (!addr_is_proxied_stream(&key->source, &key->group)) {
		engine_drop(instance, link, family, DROP_SCOPE);
		return;
	}
	if (flow == NULL && !wrong_link)
		flow = flow_admit(instance, link, key, now);
	if (flow == NULL)
		return;
	flow->seen = seen;
	if (wrong_link && !moved)
		return;
	/* A packet on another link does not show that its input is alive. */
	if (flow->gone || moved || seen == link->id)
		flow_arrive(instance, flow, link, now);
	push_event(instance, flow, moved ? EVENT_FLOW_MOVED : EVENT_FLOW);
	flow_route(instance, flow, now, true);
	/* The other streams of the group follow. */
	if (moved && instance->settings.upstream_choice == CHOICE_MUTEX)
		forward_update(instance, flow->membership, now);
}

void forward_adopt(struct instance *instance, struct link *link, mtime now, const struct input *input)
{
	struct flow_key key = {.source = input->source, .group = input->group};
	enum family family = addr_family(&key.group);
	struct flow *flow;

	if (!addr_is_proxied_stream(&key.source, &key.group))
		return;
	for (uint64_t heard = input->heard; heard != 0; heard &= heard - 1) {
		struct link *output = instance->links[__builtin_ctzll(heard)];

		if (output != NULL && output->role == ROLE_DOWNSTREAM && output->family[family].usable)
			membership_adopt(instance, output, now, &key);
	}
	if (link == NULL)
		return;
	forward_upcall(instance, link, now, &key, false);
	flow = flow_find(instance, &key);
	/* What it had before gives no rate. */
	if (flow != NULL)
		flow->bytes = input->bytes;
}

/* Counters that went back belong to a new entry, and give no rate. */
static void flow_measure(struct instance *instance, struct flow *flow, mtime now, uint64_t bytes)
{
	if (now > flow->read_at && bytes >= flow->bytes) {
		uint64_t rate = (bytes - flow->bytes) * 1000 / (uint64_t)(now - flow->read_at);

		instance->rate -= flow->rate;
		flow->rate = rate > UINT32_MAX ? UINT32_MAX : (uint32_t)rate;
		instance->rate += flow->rate;
	}
	flow->read_at = now;
}

/* Have packets arrived by the input? The kernel also counts those that arrive on a wrong link, which do not show that the
 * flow is active. Counters that went back begin at 0: they belong to a new entry. */
static bool counts_more(const struct flow *flow, const struct input *input)
{
	uint32_t rightly = (uint32_t)input->packets - input->wrong_link_packets;

	return rightly != (input->packets < flow->packets ? 0 : (uint32_t)flow->packets - flow->wrong_link);
}

/* CHOICE_MUTEX: packets arrive where the group is not taken from. They are what members get as soon as the present link is
 * silent. */
static void follow_mutex(struct instance *instance, struct flow *flow, mtime now)
{
	uint8_t input = flow->input;

	flow_route(instance, flow, now, false);
	if (flow->input != input)
		forward_update(instance, flow->membership, now);
}

void forward_counters(struct instance *instance, mtime now, const struct input *input)
{
	struct flow_key key = {.source = input->source, .group = input->group};
	struct flow *flow = flow_find(instance, &key);
	bool elsewhere;

	if (flow == NULL || flow->gone)
		return;
	elsewhere = input->wrong_link_packets != flow->wrong_link && flow->seen != flow->input;
	if (counts_more(flow, input)) {
		flow->active_at = now;
		flow->arrived = true;
		route_shares_move(instance, flow, flow->worth);
	}
	flow_measure(instance, flow, now, input->bytes);
	flow->packets = input->packets;
	flow->bytes = input->bytes;
	flow->wrong_link = input->wrong_link_packets;
	if (elsewhere && instance->settings.upstream_choice == CHOICE_MUTEX)
		follow_mutex(instance, flow, now);
	if (now - flow->active_at >= instance->settings.route_timeout)
		flow_end(instance, flow);
}

void forward_drop_link(struct instance *instance, struct link *link, enum family family)
{
	for (struct flow *flow = flow_oldest(instance); flow; flow = flow_newer(flow))
		if (flow->input == link->id && addr_family(&flow->key.group) == family) {
			flow->lost = true;
			flow_end(instance, flow);
		}
}
