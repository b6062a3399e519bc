/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/router/router_discovery.h"

#include "core/wire/mrd.h"

static bool is_wanted(const struct link *link, enum family family, mtime now)
{
	const struct link_family *state = &link->family[family];

	if (!state->usable || link->role != ROLE_DOWNSTREAM)
		return false;
	switch ((enum router_discovery)link->settings.router_discovery) {
	case ROUTER_DISCOVERY_OFF:
		return false;
	case ROUTER_DISCOVERY_ON:
		return true;
	case ROUTER_DISCOVERY_AUTO:
		return !querier_is_elected(&state->querier, now);
	}
	return false;
}

static void set(struct instance *instance, struct link *link, enum family family, bool wanted, mtime now)
{
	struct discovery *discovery = &link->family[family].discovery;

	discovery_set(discovery, wanted, now);
	if (discovery->terminate_now)
		set64_add(&instance->discovery_due[family], link->id);
}

void router_discovery_refresh(struct instance *instance, struct link *link, enum family family, mtime now)
{
	set(instance, link, family, is_wanted(link, family, now), now);
	engine_arm_link(instance, link, family);
}

void router_discovery_expire(struct instance *instance, struct link *link, enum family family, mtime now)
{
	discovery_expire(&link->family[family].discovery, now);
	if (link->family[family].discovery.advertise_now)
		set64_add(&instance->discovery_due[family], link->id);
}

void router_discovery_receive(struct instance *instance, struct link *link, mtime now,
                              const struct packet *packet)
{
	enum family family = packet->family;
	enum mrd_type type;
	enum drop drop = mrd_decode(packet, &type);

	if (drop == DROP_NONE &&
	    (type != MRD_SOLICITATION || !discovery_solicit(&link->family[family].discovery, now)))
		drop = DROP_DISCOVERY;
	if (drop != DROP_NONE)
		engine_drop(instance, link, family, drop);
	else
		engine_arm_link(instance, link, family);
}

void router_discovery_stop(struct instance *instance, mtime now)
{
	for (size_t id = 0; id < LINKS_MAX; id++)
		for (int family = 0; instance->links[id] != NULL && family < FAMILIES; family++)
			set(instance, instance->links[id], family, false, now);
}

/* Writes the message that is due; 0: none is. */
static size_t write_message(struct link *link, enum family family, mtime now, uint8_t *message)
{
	struct link_family *state = &link->family[family];
	struct mrd_advertisement advertisement = {
		.advertisement_interval = DISCOVERY_ADVERTISEMENT_INTERVAL / MTIME_SECOND,
		.query_interval = (uint32_t)querier_query_interval(&state->querier, &link->settings),
		.robustness = querier_robustness(&state->querier, &link->settings),
	};

	if (state->discovery.terminate_now) {
		discovery_terminated(&state->discovery);
		return mrd_encode_termination(message, &state->address);
	}
	if (!state->discovery.advertise_now)
		return 0;
	discovery_advertised(&state->discovery, now);
	return mrd_encode_advertisement(message, &state->address, &advertisement);
}

bool router_discovery_pull(struct instance *instance, mtime now, struct request *request, uint8_t *payload,
                           size_t *payload_size)
{
	for (int family = 0; family < FAMILIES; family++) {
		unsigned id;

		while (set64_take(&instance->discovery_due[family], &id)) {
			struct link *link = instance->links[id];
			size_t size = link == NULL ? 0
			                           : write_message(link, family, now,
			                                           payload + packet_header_size(family));

			if (size == 0)
				continue;
			*payload_size = packet_finish(family, payload, &link->family[family].address,
			                              &mrd_all_snoopers[family], size);
			*request = (struct request){.kind = REQUEST_SEND,
			                            .link = link->id,
			                            .family = (uint8_t)family,
			                            .group = mrd_all_snoopers[family]};
			engine_arm_link(instance, link, family);
			return true;
		}
	}
	return false;
}
