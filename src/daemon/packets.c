/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/packets.h"

#include "daemon/log.h"

#include <string.h>

#define BATCHES_PER_TURN 4 /* of a link, before the others' turn comes */

/* The instances that have a link, each with its id for it. */
struct ports {
	struct {
		unsigned instance;
		uint8_t id;
	} list[CONFIG_INSTANCES_MAX];
	unsigned count;
};

static void add_port(void *context, unsigned instance, uint8_t id)
{
	struct ports *ports = context;

	if (ports->count < CONFIG_INSTANCES_MAX) {
		ports->list[ports->count].instance = instance;
		ports->list[ports->count++].id = id;
	}
}

static void find_ports(struct owner *owner, const struct vif *vif, struct ports *ports)
{
	ports->count = 0;
	links_each_port(owner->links, vif->table->number, vif->table->family, vif->number, true, add_port,
	                ports);
}

/* The lane that packets of a link go into; NULL unless it is a single one. */
static struct lane *only_lane(struct owner *owner, const struct ports *ports)
{
	const struct instance_slot *slot =
		ports->count == 1 ? &owner->instances[ports->list[0].instance] : NULL;

	return slot != NULL && slot->channel != NULL ? slot->channel->down : NULL;
}

/* How many packets may be read now; 0: the worker will ring when it has made room. */
static size_t room_of(const struct vif *vif, struct lane *lane)
{
	size_t room = LINK_SOCKET_BATCH;

	if (lane == NULL)
		return room;
	room = lane_room(lane, vif->packet_max, LINK_SOCKET_BATCH);
	return room == 0 && lane_starve(lane) ? 1 : room;
}

static void hold(struct owner *owner, struct vif *vif)
{
	struct link_packet none;

	/* Readable although it is held: an error is on it, which reading nothing clears. */
	if (vif->held)
		link_socket_receive(vif->socket, &none, 0);
	else
		owner_pause(owner, &vif->source, true);
	owner->held += !vif->held;
	vif->held = true;
}

static void release(struct owner *owner, struct vif *vif)
{
	owner_pause(owner, &vif->source, false);
	owner->held--;
	vif->held = false;
}

static void deliver(struct owner *owner, struct vif *vif, const struct ports *ports,
                    const struct link_packet *packet)
{
	struct input input = {
		.kind = INPUT_PACKET, .family = (uint8_t)vif->table->family, .truncated = packet->truncated};

	for (unsigned i = 0; i < ports->count; i++) {
		input.link = ports->list[i].id;
		if (!intake_tell(&owner->instances[ports->list[i].instance], &input, packet->data,
		                 packet->length))
			vif->channel_drops++;
	}
}

static void wake(struct owner *owner, const struct ports *ports)
{
	for (unsigned i = 0; i < ports->count; i++) {
		const struct instance_slot *slot = &owner->instances[ports->list[i].instance];

		if (slot->channel != NULL)
			lane_wake(slot->channel->down);
	}
}

/* How many of the packets are within the rate. */
static int limit_rate(struct vif *vif, mtime now, int count)
{
	int passing = (int)bucket_take(&vif->reports, now, vif->report_rate_max, (uint32_t)count);

	if (passing == count)
		return count;
	vif->rate_drops += (unsigned)(count - passing);
	if (!vif->told_rate)
		warnx("%s: more than report_rate_max = %u %s packets a second; the rest is dropped and "
		      "counted",
		      vif->name, vif->report_rate_max, vif->table->family == FAMILY_IPV4 ? "IGMP" : "MLD");
	vif->told_rate = true;
	return passing;
}

void packets_take(struct owner *owner, struct loop_source *source, mtime now)
{
	struct vif *vif = (struct vif *)source;
	struct link_packet packets[LINK_SOCKET_BATCH];
	struct ports ports;
	struct lane *lane;

	find_ports(owner, vif, &ports);
	lane = only_lane(owner, &ports);
	for (int batch = 0; batch < BATCHES_PER_TURN; batch++) {
		size_t room = room_of(vif, lane);
		int count, passing;

		if (room == 0) {
			hold(owner, vif);
			return;
		}
		count = link_socket_receive(vif->socket, packets, room);
		passing = count > 0 ? limit_rate(vif, now, count) : 0;
		for (int i = 0; i < passing; i++)
			deliver(owner, vif, &ports, &packets[i]);
		wake(owner, &ports);
		if (count < (int)room)
			return;
	}
}

static void resume_vif(struct owner *owner, struct vif *vif)
{
	struct ports ports;

	find_ports(owner, vif, &ports);
	if (room_of(vif, only_lane(owner, &ports)) > 0)
		release(owner, vif);
}

void packets_resume(struct owner *owner)
{
	struct table *table;

	if (owner->held == 0)
		return;
	for (table = owner->tables; table != NULL; table = table->next)
		for (unsigned number = 0; number < MRT_VIFS; number++)
			if (table->vifs[number] != NULL && table->vifs[number]->held)
				resume_vif(owner, table->vifs[number]);
}

void packets_set_link(struct owner *owner, const struct link_op *op)
{
	const struct instance_slot *slot = &owner->instances[op->instance];

	for (int family = 0; family < FAMILIES && op->change.present; family++) {
		unsigned number = links_vif(owner->links, op->instance, op->id, family);
		struct vif *vif = slot->tables[family] != NULL && number != LINKS_NO_VIF
		                          ? slot->tables[family]->vifs[number]
		                          : NULL;

		if (vif == NULL)
			continue;
		vif->report_rate_max = op->change.settings.report_rate_max;
		vif->packet_max =
			op->change.mtu < LINK_SOCKET_PACKET_MAX ? op->change.mtu : LINK_SOCKET_PACKET_MAX;
	}
}

uint64_t packets_lost_in_socket(struct vif *vif)
{
	vif->kernel_drops += link_socket_drops(vif->socket);
	return vif->kernel_drops;
}
