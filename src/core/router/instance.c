/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/engine.h"

#include <assert.h>
#include <stdlib.h>

#define V1_RESPONSE        (10 * MTIME_SECOND)
#define CORRECTIONS_A_TURN 16   /* of deadlines that have moved later */
#define CORRECTIONS_MAX    1024 /* some 100 us */

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
		free(instance->links[id]);
	deadlines_fini(&instance->deadlines);
	pool_free(instance->pool);
	free(instance);
}

void instance_drop(struct instance *instance, struct link *link, enum family family, enum drop drop)
{
	uint64_t *counter = link ? &link->family[family].drops[drop] : &instance->drops[drop];
	struct event event = {
		.kind = EVENT_DROP,
		.link = link ? link->id : UINT8_MAX,
		.family = (uint8_t)family,
		.before = (uint8_t)drop,
	};

	event.value = ++*counter;
	if ((event.value & (event.value - 1)) == 0)
		events_push(&instance->events, &event);
}

void instance_tell_querier(struct instance *instance, const struct link *link, enum family family, mtime now)
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

void instance_arm_querier(struct instance *instance, struct link *link, enum family family)
{
	deadlines_no_later_than(&instance->deadlines, &link->family[family].deadline,
	                        querier_deadline(&link->family[family].querier));
}

static void tell_link(struct instance *instance, const struct link *link, enum family family)
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

static void family_goes_down(struct instance *instance, struct link *link, enum family family, mtime now)
{
	struct link_family *state = &link->family[family];

	state->usable = false;
	instance->forwarding_due[family] = true;
	querier_stop(&state->querier);
	deadlines_remove(&instance->deadlines, &state->deadline);
	membership_drop_link(instance, link, family, now);
	forward_drop_link(instance, link, family);
	forward_update_all(instance, family, now);
	tell_link(instance, link, family);
}

static void family_comes_up(struct instance *instance, struct link *link, enum family family, mtime now)
{
	link->family[family].usable = true;
	instance->forwarding_due[family] = true;
	if (link->role == ROLE_UPSTREAM)
		membership_mark_all(instance, family);
	forward_update_all(instance, family, now);
	tell_link(instance, link, family);
}

static void family_changes(struct instance *instance, struct link *link, enum family family, mtime now,
                           const struct link_change *change)
{
	struct link_family *state = &link->family[family];
	bool usable = change->present && change->family[family].usable &&
	              change->settings.version[family] != VERSION_NONE;
	bool moved = !addr_equal(&state->address, &change->family[family].address);
	bool was_usable = state->usable;

	if (was_usable && !usable)
		family_goes_down(instance, link, family, now);
	state->address = change->family[family].address;
	if (!usable)
		return;
	/* A new address takes part in a new election. */
	if (link->role == ROLE_DOWNSTREAM && (!was_usable || moved)) {
		querier_start(&state->querier, &link->settings, now);
		instance_arm_querier(instance, link, family);
	}
	membership_querier_changed(instance, link, family, now);
	if (!was_usable)
		family_comes_up(instance, link, family, now);
	else
		forward_update_all(instance, family, now); /* settings decide who forwards */
}

/* What it dropped stays counted in the instance. */
static void link_free(struct instance *instance, struct link *link)
{
	forward_drop_link(instance, link, FAMILY_IPV4);
	forward_drop_link(instance, link, FAMILY_IPV6);
	for (int drop = 0; drop < DROP_CAUSES; drop++)
		for (int family = 0; family < FAMILIES; family++)
			instance->drops[drop] += link->family[family].drops[drop];
	instance->links[link->id] = NULL;
	set64_add(&instance->links_to_free, link->id);
	free(link);
}

static struct link *link_new(struct instance *instance, uint8_t id)
{
	/* Not from the pool: a link must come up even while a flood has filled that. */
	struct link *link = calloc(1, sizeof *link);

	if (link == NULL)
		return NULL;
	link->id = id;
	for (int family = 0; family < FAMILIES; family++) {
		link->family[family].address = addr_unspecified(family);
		link->family[family].deadline =
			(struct deadline){.kind = DEADLINE_QUERIER, .number = (uint16_t)family};
		querier_init(&link->family[family].querier);
	}
	return instance->links[id] = link;
}

/* What was configured for a link, perhaps anew while it is in use. */
static void link_configure(struct instance *instance, struct link *link, mtime now,
                           struct link_settings settings)
{
	struct link_settings before = link->settings;

	/* IGMPv1 hosts take up to 10 s to answer, whatever a query says (RFC 1112 appendix I). */
	if (settings.version[FAMILY_IPV4] == VERSION_1 && settings.query_response_interval < V1_RESPONSE)
		settings.query_response_interval = V1_RESPONSE;
	link->settings = settings;
	if (link->role == ROLE_UPSTREAM || link_settings_equal(&before, &settings))
		return;
	for (int family = 0; family < FAMILIES; family++) {
		bool other_version = before.version[family] != settings.version[family];

		if (!link->family[family].usable || settings.version[family] == VERSION_NONE)
			continue;
		querier_reconfigure(&link->family[family].querier, &settings, other_version, now);
		instance_arm_querier(instance, link, family);
		membership_reconfigure_link(instance, link, family, now);
	}
}

static void instance_configure(struct instance *instance, const void *payload, size_t size)
{
	assert(size == sizeof instance->settings);
	memcpy(&instance->settings, payload, size);
	pool_limit(instance->pool, instance->settings.memory_max);
	forward_limit(instance);
}

static void link_input(struct instance *instance, mtime now, const struct input *input, const void *payload,
                       size_t size)
{
	struct link *link = instance->links[input->link];
	struct link_change change;

	assert(size == sizeof change);
	memcpy(&change, payload, sizeof change);
	if (link == NULL && change.present)
		link = link_new(instance, input->link);
	if (link == NULL) {
		instance_drop(instance, NULL, FAMILY_IPV4, change.present ? DROP_MEMORY : DROP_LINK);
		if (!change.present)
			set64_add(&instance->links_to_free, input->link);
		return;
	}
	/* On the other side of the proxy it starts anew. */
	for (int family = 0; family < FAMILIES; family++)
		if (link->role != change.role && link->family[family].usable)
			family_goes_down(instance, link, family, now);
	link->role = change.role;
	link->mtu = change.mtu;
	link_configure(instance, link, now, change.settings);
	memcpy(link->name, change.name, sizeof link->name);
	for (int family = 0; family < FAMILIES; family++)
		family_changes(instance, link, family, now, &change);
	if (!change.present)
		link_free(instance, link);
}

static void link_message(struct instance *instance, mtime now, const struct input *input, const void *payload,
                         size_t size)
{
	enum family family = input->family ? FAMILY_IPV6 : FAMILY_IPV4;
	struct link *link = instance->links[input->link];
	struct flow_key key = {.source = input->source, .group = input->group};

	/* The kernel asks once in 10 s: an upcall counts also before news of the link has come; its route
	 * follows. */
	if (link != NULL && input->kind == INPUT_UPCALL)
		forward_upcall(instance, link, now, &key, input->wrong_link);
	else if (link == NULL || !link->family[family].usable)
		instance_drop(instance, link, family, DROP_LINK);
	else if (bucket_take(&link->family[family].reports, now, link->settings.report_rate_max, 1) == 0)
		instance_drop(instance, link, family, DROP_RATE);
	else if (input->truncated)
		instance_drop(instance, link, family, DROP_TRUNCATED);
	else
		receive_packet(instance, link, now, family, payload, size);
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
		break;
	case INPUT_PING:
		instance->pong_due = true;
		break;
	case INPUT_SETTINGS:
		instance_configure(instance, payload, payload_size);
		break;
	case INPUT_REPEAT:
		membership_mark_all(instance, input->family);
		forward_mark_all(instance, input->family);
		break;
	case INPUT_LISTEN:
		break;
	}
}

void instance_prefetch(const struct instance *instance, const struct input *input, const void *payload,
                       size_t payload_size, enum prefetch step)
{
	struct addr group;

	if (input->kind != INPUT_PACKET ||
	    !message_guess_group(input->family ? FAMILY_IPV6 : FAMILY_IPV4, payload, payload_size, &group))
		return;
	index_prefetch(&instance->memberships, addr_hash(&group, instance->seed), step);
}

static struct link *link_of_deadline(struct deadline *deadline, enum family *family)
{
	struct link_family *state =
		(struct link_family *)(void *)((char *)deadline - offsetof(struct link_family, deadline));

	*family = deadline->number;
	return (struct link *)(void *)((char *)(state - *family) - offsetof(struct link, family));
}

static struct link_group *link_group_of_deadline(struct deadline *deadline)
{
	return (struct link_group *)(void *)((char *)deadline - offsetof(struct link_group, deadline));
}

static mtime due_at(struct deadline *deadline)
{
	enum family family;

	if (deadline->kind == DEADLINE_LISTENER)
		return group_deadline(&link_group_of_deadline(deadline)->group);
	return querier_deadline(&link_of_deadline(deadline, &family)->family[family].querier);
}

static void expire_querier(struct instance *instance, struct link *link, enum family family, mtime now)
{
	if (querier_expire(&link->family[family].querier, &link->settings, now)) {
		instance_tell_querier(instance, link, family, now);
		membership_querier_changed(instance, link, family, now);
	}
	if (link->family[family].querier.query_now)
		set64_add(&instance->general_queries_due[family], link->id);
	instance_arm_querier(instance, link, family);
}

/* Timers that were refreshed have moved later, and the heap does not know it yet. Entries at the top are
 * corrected until one is true, but not too many at a time: a report of many groups may have refreshed them
 * all, and will again. So the time may be too early; then instance_expire goes on with it. */
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
	if (deadline->kind == DEADLINE_LISTENER) {
		link_group_expire(instance, link_group_of_deadline(deadline), now);
	} else {
		struct link *link = link_of_deadline(deadline, &family);

		expire_querier(instance, link, family, now);
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
