/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/instance.h"

#include "core/policy/group_map.h"
#include "core/policy/policy.h"
#include "core/router/choice.h"
#include "core/router/election.h"
#include "core/router/engine.h"
#include "core/router/filtering.h"
#include "core/router/forward.h"
#include "core/router/group_timers.h"
#include "core/router/membership.h"
#include "core/router/receive.h"
#include "core/router/requests.h"
#include "core/router/review.h"
#include "core/router/router_discovery.h"
#include "core/router/snapshot.h"
#include "core/router/static_groups.h"

#include <assert.h>
#include <stdlib.h>

#define CORRECTIONS_A_TURN 16   /* of deadlines that are later than the heap has them */
#define CORRECTIONS_MAX    1024 /* about 100 us */

struct instance *instance_new(const struct instance_settings *settings, uint64_t seed)
{
	struct instance *instance = calloc(1, sizeof *instance);

	if (instance == NULL)
		return NULL;
	instance->settings = *settings;
	instance->seed = seed;
	instance->pool = pool_new(settings->memory_max);
	if (instance->pool != NULL && deadlines_reserve(&instance->deadlines, (size_t)2 * LINKS_MAX))
		return instance;
	instance_free(instance);
	return NULL;
}

void instance_free(struct instance *instance)
{
	if (instance == NULL)
		return;
	index_fini(&instance->memberships);
	index_fini(&instance->flows);
	for (size_t id = 0; id < LINKS_MAX; id++)
		link_free(instance->links[id]);
	deadlines_fini(&instance->deadlines);
	pool_free(instance->pool);
	free(instance);
}

/* Deletes the groups of a link, and updates the routes of each. */
static void end_groups(struct instance *instance, const struct link *link, enum family family, mtime now)
{
	for (struct membership *membership = membership_oldest(instance); membership;
	     membership = membership_newer(membership))
		if (addr_family(&membership->group) == family &&
		    membership_leave_link(instance, membership, link))
			forward_update(instance, membership, now);
}

static void family_goes_down(struct instance *instance, struct link *link, enum family family, mtime now)
{
	struct link_family *state = &link->family[family];

	state->usable = false;
	instance->forwarding_due[family] = true;
	querier_stop(&state->querier);
	host_groups_clear(&state->host_groups, link->pool);
	state->other_version_at = 0;
	discovery_abandon(&state->discovery);
	deadlines_remove(&instance->deadlines, &state->deadline);
	end_groups(instance, link, family, now);
	forward_drop_link(instance, link, family);
	/* Streams from downstream go to an upstream link without any group there; another one may take over groups. */
	if (link->role == ROLE_UPSTREAM) {
		membership_mark_all(instance, family);
		forward_update_all(instance, family, now);
	}
	engine_push_link(instance, link, family);
}

static void family_comes_up(struct instance *instance, struct link *link, enum family family, mtime now)
{
	link->family[family].usable = true;
	instance->forwarding_due[family] = true;
	if (link->role == ROLE_UPSTREAM)
		membership_mark_all(instance, family);
	forward_update_all(instance, family, now);
	engine_push_link(instance, link, family);
}

/* before: the settings that the change replaces. */
static void family_changes(struct instance *instance, struct link *link, enum family family, mtime now,
                           const struct link_change *change, const struct link_settings *before)
{
	struct link_family *state = &link->family[family];
	bool usable = change->present && change->family[family].usable &&
	              change->settings.version[family] != VERSION_NONE;
	bool moved = !addr_equal(&state->address, &change->family[family].address);
	bool was_usable = state->usable, was_querier = querier_is_elected(&state->querier, now);

	if (was_usable && !usable)
		family_goes_down(instance, link, family, now);
	state->address = change->family[family].address;
	state->checked_host = addr_unspecified(FAMILY_IPV6);
	if (!usable)
		return;
	/* With another address this router takes part in a new election. */
	if (link->role == ROLE_DOWNSTREAM && (!was_usable || moved)) {
		discovery_abandon(&state->discovery);
		election_start(instance, link, family, now);
	} else if (link->role == ROLE_DOWNSTREAM && !was_querier && link->elections != change->elections) {
		election_restart(instance, link, family, now);
	}
	election_refresh(instance, link, family, now);
	if (!was_usable)
		family_comes_up(instance, link, family, now);
	else if (!link_settings_equal(before, &link->settings) ||
	         was_querier != querier_is_elected(&state->querier, now))
		forward_update_all(instance, family, now); /* both decide who forwards */
	static_groups_refresh(instance, link, family, now, was_usable ? before->static_groups : NULL);
	router_discovery_refresh(instance, link, family, now);
}

/* The instance keeps the link's counts of drops. */
static void remove_link(struct instance *instance, struct link *link)
{
	forward_drop_link(instance, link, FAMILY_IPV4);
	forward_drop_link(instance, link, FAMILY_IPV6);
	for (int drop = 0; drop < DROP_CAUSES; drop++)
		for (int family = 0; family < FAMILIES; family++)
			instance->drops[drop] += link->family[family].drops[drop];
	pool_part_set_sharing(link->pool, false);
	instance->links[link->id] = NULL;
	choice_refresh(instance);
	membership_pay_for(instance, link->id);
	set64_add(&instance->links_to_free, link->id);
	link_free(link);
}

static struct link *add_link(struct instance *instance, uint8_t id)
{
	struct link *link = NULL;

	/* What is left of an earlier link with this id still counts for its part. */
	if (instance->parts[id] == NULL)
		instance->parts[id] = pool_part_new(instance->pool);
	if (instance->parts[id] != NULL)
		link = link_new(id, instance->seed);
	if (link == NULL)
		return NULL;
	link->pool = instance->parts[id];
	pool_part_set_sharing(link->pool, true);
	for (int family = 0; family < FAMILIES; family++)
		link->family[family].deadline.kind = DEADLINE_LINK;
	return instance->links[id] = link;
}

/* What counts otherwise now is learned from answers to a query. */
static void ask_hosts(struct instance *instance, struct link *link, mtime now)
{
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++)
		if (link->role == ROLE_DOWNSTREAM && link->family[family].usable &&
		    querier_is_elected(&link->family[family].querier, now))
			election_start(instance, link, family, now);
}

/* What the filters no longer allow ends at once. */
static void filters_changed(struct instance *instance, mtime now)
{
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++) {
		membership_mark_all(instance, family);
		forward_update_all(instance, family, now);
	}
}

/* What packets show the other filters stop at once; this one needs the hosts. */
static void hosts_may_be_denied(struct instance *instance, struct link *link, mtime now)
{
	for (enum family family = FAMILY_IPV4; family < FAMILIES; family++)
		if (link->role == ROLE_DOWNSTREAM && link->family[family].usable)
			review_hosts(instance, link, family, now);
}

/* Streams of an earlier run may be those of hosts that are denied. */
static void review_adopted(struct instance *instance, mtime now)
{
	for (size_t id = 0; id < LINKS_MAX; id++) {
		struct link *link = instance->links[id];

		if (link != NULL && link->settings.filter_out != NULL &&
		    policy_uses_hosts(link->settings.filter_out))
			hosts_may_be_denied(instance, link, now);
	}
}

/* A new link may be one that filters of others name. */
static void link_added(struct instance *instance, mtime now)
{
	for (size_t id = 0; id < LINKS_MAX; id++) {
		struct link *link = instance->links[id];

		if (link != NULL && link->settings.filter_out != NULL &&
		    policy_uses_entry(link->settings.filter_out))
			ask_hosts(instance, link, now);
	}
}

/* Applies the settings of a link, which may be in use. */
static void link_configure(struct instance *instance, struct link *link, mtime now,
                           struct link_settings settings)
{
	struct link_settings before = link->settings;
	bool filters;

	settings.query_response_interval = link_settings_response_interval(&settings);
	link->settings = settings;
	filtering_refresh(instance);
	choice_refresh(instance);
	for (enum filter_direction direction = FILTER_IN; direction < FILTER_DIRECTIONS; direction++)
		if (link_settings_filter(&before, direction) != link_settings_filter(&settings, direction)) {
			hits_free(link->hits[direction]);
			link->hits[direction] = hits_new(link_settings_filter(&settings, direction));
		}
	if (before.filter_out != settings.filter_out && settings.filter_out != NULL &&
	    policy_uses_hosts(settings.filter_out))
		hosts_may_be_denied(instance, link, now);
	filters = before.filter_in != settings.filter_in || before.filter_out != settings.filter_out ||
	          before.order != settings.order;
	if (filters)
		filters_changed(instance, now);
	if (filters || before.ssm_map != settings.ssm_map)
		ask_hosts(instance, link, now);
	if (link->role == ROLE_UPSTREAM || link_settings_equal(&before, &settings))
		return;
	for (int family = 0; family < FAMILIES && settings.host_groups_max == 0; family++)
		host_groups_clear(&link->family[family].host_groups, link->pool);
	for (int family = 0; family < FAMILIES; family++) {
		bool other_version = before.version[family] != settings.version[family];

		if (!link->family[family].usable || settings.version[family] == VERSION_NONE)
			continue;
		querier_reconfigure(&link->family[family].querier, &settings, other_version, now);
		engine_arm_link(instance, link, family);
		membership_reconfigure_link(instance, link, family, now);
	}
}

static void instance_configure(struct instance *instance, mtime now, const void *payload, size_t size)
{
	uint32_t choice;

	assert(size == sizeof instance->settings);
	choice = instance->settings.upstream_choice;
	memcpy(&instance->settings, payload, size);
	for (enum family family = FAMILY_IPV4;
	     family < FAMILIES && choice != instance->settings.upstream_choice; family++) {
		membership_mark_all(instance, family);
		forward_update_all(instance, family, now);
	}
	pool_limit(instance->pool, instance->settings.memory_max);
	forward_limit(instance);
}

static void link_input(struct instance *instance, mtime now, const struct input *input, const void *payload,
                       size_t size)
{
	struct link *link = instance->links[input->link];
	bool is_new = link == NULL;
	struct link_settings before;
	struct link_change change;

	assert(size == sizeof change);
	memcpy(&change, payload, sizeof change);
	if (link == NULL && change.present)
		link = add_link(instance, input->link);
	if (link == NULL) {
		engine_drop(instance, NULL, FAMILY_IPV4, change.present ? DROP_MEMORY : DROP_LINK);
		settings_release(&change.settings);
		if (!change.present)
			set64_add(&instance->links_to_free, input->link);
		return;
	}
	/* A link with another role starts again. */
	for (int family = 0; family < FAMILIES; family++)
		if (link->role != change.role && link->family[family].usable)
			family_goes_down(instance, link, family, now);
	link->role = change.role;
	link->mtu = change.mtu;
	link->addresses = change.addresses;
	memcpy(link->name, change.name, sizeof link->name);
	before = link->settings;
	link_configure(instance, link, now, change.settings);
	if (is_new)
		link_added(instance, now);
	for (int family = 0; family < FAMILIES; family++)
		family_changes(instance, link, family, now, &change, &before);
	settings_release(&before);
	if (link->elections != change.elections)
		link->foreign_count = 0;
	link->elections = change.elections;
	if (!change.present)
		remove_link(instance, link);
}

/* Of a packet that is not parsed yet; one that is too short has the unspecified address. */
static struct addr source_of(enum family family, const uint8_t *packet, size_t size)
{
	if (size < (family == FAMILY_IPV4 ? 20 : 40))
		return addr_unspecified(family);
	return wire_get_addr(packet + (family == FAMILY_IPV4 ? 12 : 8), family);
}

/* The source's own limit comes first, so that a host that floods does not use up the link's. */
static bool within_rates(struct instance *instance, struct link *link, mtime now, enum family family,
                         const void *packet, size_t size)
{
	struct addr source = source_of(family, packet, size);
	bool host = link_host_passes(link, family, instance->seed, &source, now);

	if (host && bucket_take(&link->family[family].reports, now, link->settings.report_rate_max, 1) > 0)
		return true;
	engine_drop(instance, link, family, host ? DROP_RATE : DROP_HOST_RATE);
	return false;
}

static void link_message(struct instance *instance, mtime now, const struct input *input, const void *payload,
                         size_t size)
{
	enum family family = input->family ? FAMILY_IPV6 : FAMILY_IPV4;
	struct link *link = instance->links[input->link];
	struct flow_key key = {.source = input->source, .group = input->group};

	/* The kernel repeats an upcall only after 10 s. So it counts even before the link is usable; the
	 * route follows when it is. */
	if (link != NULL && input->kind == INPUT_UPCALL)
		forward_upcall(instance, link, now, &key, input->wrong_link);
	else if (link == NULL || !link->family[family].usable)
		engine_drop(instance, link, family, DROP_LINK);
	else if (!within_rates(instance, link, now, family, payload, size))
		return;
	else if (input->truncated)
		engine_drop(instance, link, family, DROP_TRUNCATED);
	else
		receive_packet(instance, link, now, family, &input->source, payload, size);
}

void instance_input(struct instance *instance, mtime now, const struct input *input, const void *payload,
                    size_t payload_size)
{
	assert(input->link < LINKS_MAX);
	switch ((enum input_kind)input->kind) {
	case INPUT_PACKET:
	case INPUT_UPCALL:
		link_message(instance, now, input, payload, payload_size);
		break;
	case INPUT_LINK:
		link_input(instance, now, input, payload, payload_size);
		break;
	case INPUT_COUNTERS:
		forward_counters(instance, now, input);
		break;
	case INPUT_SNAPSHOT:
		snapshot_input(instance, input);
		break;
	case INPUT_EVENTS:
		instance->events.wanted = input->wanted;
		break;
	case INPUT_STOP:
		instance->stopping = true;
		router_discovery_stop(instance, now);
		break;
	case INPUT_PING:
		instance->pong_due = true;
		break;
	case INPUT_SETTINGS:
		instance_configure(instance, now, payload, payload_size);
		break;
	case INPUT_REPEAT:
		membership_mark_all(instance, input->family);
		forward_mark_all(instance, input->family);
		break;
	case INPUT_LISTEN:
		break;
	case INPUT_ADOPTED:
		forward_adopt(instance, instance->links[input->link], now, input);
		break;
	case INPUT_ALL_ADOPTED:
		instance->all_adopted_due = true;
		review_adopted(instance, now);
		break;
	case INPUT_REVIEW:
		if (input->every_link || instance->links[input->link] != NULL)
			review_groups(instance, input->every_link ? NULL : instance->links[input->link], now,
			              &input->group, input->prefix_length);
		break;
	}
}

static struct link_group *link_group_of_deadline(struct deadline *deadline)
{
	return (struct link_group *)(void *)((char *)deadline - offsetof(struct link_group, deadline));
}

static mtime due_at(struct deadline *deadline)
{
	const struct link *link;
	enum family family;

	if (deadline->kind == DEADLINE_LINK_GROUP)
		return group_deadline(&link_group_of_deadline(deadline)->group);
	link = link_of_deadline(deadline, &family);
	return link_deadline(link, family);
}

/* A refreshed timer is later than the heap has it. This corrects entries at the top until one is right, but
 * only a few at a time: a report of many groups may have refreshed them all, and the next report will again.
 * So the result may be too early; instance_expire then corrects more. */
mtime instance_deadline(struct instance *instance)
{
	struct deadline *first;

	for (int corrected = 0; (first = deadlines_first(&instance->deadlines)) != NULL; corrected++) {
		mtime at = due_at(first);

		if (at == deadlines_first_at(&instance->deadlines) || corrected == CORRECTIONS_A_TURN)
			break;
		deadlines_set(&instance->deadlines, first, at);
	}
	return deadlines_first_at(&instance->deadlines);
}

static void expire(struct instance *instance, struct deadline *deadline, mtime now)
{
	enum family family;

	deadlines_remove(&instance->deadlines, deadline);
	if (deadline->kind == DEADLINE_LINK_GROUP) {
		link_group_expire(instance, link_group_of_deadline(deadline), now);
	} else {
		struct link *link = link_of_deadline(deadline, &family);

		router_discovery_expire(instance, link, family, now);
		election_expire(instance, link, family, now);
	}
}

void instance_expire(struct instance *instance, mtime now)
{
	unsigned corrected = 0;

	while (deadlines_first_at(&instance->deadlines) <= now) {
		struct deadline *first = deadlines_first(&instance->deadlines);
		mtime at = due_at(first);

		if (at <= now)
			expire(instance, first, now);
		else if (corrected++ < CORRECTIONS_MAX)
			deadlines_set(&instance->deadlines, first, at);
		else
			return;
	}
}

bool instance_pull(struct instance *instance, mtime now, struct request *request, void *payload,
                   size_t *payload_size)
{
	return requests_pull(instance, now, request, payload, payload_size);
}

unsigned instance_query_room(const struct instance *instance)
{
	return INSTANCE_QUERIES_MAX - instance->upstream_queries.count;
}
