/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Segments: membership packets with loss, doubling and delay; data packets at once, because
 * the proxies alone decide what happens to them.
 */
#include "proxy.h"

#include <assert.h>
#include <stdlib.h>

#define IDLE_INTERVAL (10 * MTIME_SECOND)

struct delivery {
	struct segment *segment;
	const struct port *from;
	struct frame *frame;
};

void segment_attach(struct segment *segment, struct port *port)
{
	segment->ports = realloc(segment->ports, (segment->port_count + 1) * sizeof(struct port *));
	assert(segment->ports != NULL);
	segment->ports[segment->port_count++] = port;
	port->segment = segment;
}

static bool is_lost(struct world *world)
{
	bool lost = world->faults.loss > 0 && random_percent(&world->random, world->faults.loss);

	if (lost)
		world_count(world, TALLY_LOST);
	return lost;
}

static void drop_delivery(void *object)
{
	struct delivery *delivery = object;

	frame_drop(delivery->frame);
	free(delivery);
}

static void deliver(void *object, mtime at)
{
	struct delivery *delivery = object;
	struct segment *segment = delivery->segment;
	const struct frame *frame = delivery->frame;

	(void)at;
	for (size_t i = 0; i < segment->port_count; i++) {
		struct port *port = segment->ports[i];

		if (port == delivery->from || !port->up[frame->family] ||
		    (!frame->is_query && !port->receives_reports))
			continue;
		if (!is_lost(segment->world))
			port->receive(port->owner, frame);
	}
	drop_delivery(delivery);
}

static void schedule(const struct port *port, struct frame *frame)
{
	struct world *world = port->segment->world;
	struct delivery *delivery = malloc(sizeof *delivery);
	mtime at = world_now(world) + random_below(&world->random, (uint32_t)world->faults.delay_max + 1);

	assert(delivery != NULL);
	if (!world->faults.overtaking && at < port->segment->last_at)
		at = port->segment->last_at;
	port->segment->last_at = at;
	*delivery = (struct delivery){.segment = port->segment, .from = port, .frame = frame};
	agenda_add_owned(&world->agenda, at, deliver, drop_delivery, delivery);
}

void port_send(struct port *port, struct frame *frame)
{
	struct world *world = port->segment->world;

	if (!port->up[frame->family]) {
		frame_drop(frame);
		return;
	}
	if (world->faults.doubling > 0 && random_percent(&world->random, world->faults.doubling)) {
		world_count(world, TALLY_DOUBLED);
		frame->references++;
		schedule(port, frame);
	}
	schedule(port, frame);
}

void segment_carry(struct segment *segment, const struct port *from, struct data_packet *packet)
{
	if (++packet->copies[segment->number] > 16)
		world_fail(segment->world, "a packet runs in circles on segment %u", segment->number);
	for (size_t i = 0; i < segment->port_count; i++) {
		struct port *port = segment->ports[i];

		if (port != from && port->up[packet->family] && port->receive == proxy_receive)
			kernel_receive(port->owner, packet);
	}
}

struct data_packet *source_send(struct world *world, enum family family, unsigned source, unsigned group)
{
	const struct stream_source *from = &world->sources[family][source];
	struct data_packet *packet = calloc(1, sizeof *packet);

	assert(packet != NULL);
	packet->references = 1;
	packet->family = (uint8_t)family;
	packet->source = source;
	packet->group = group;
	world_count(world, TALLY_DATA_PACKETS);
	segment_carry(from->segment, NULL, packet);
	if (from->on_both)
		segment_carry(&world->second, NULL, packet);
	return packet;
}

void source_run(void *object, mtime at)
{
	struct stream_source *source = object;
	struct world *world = source->world;
	mtime interval = world->streaming ? world->stream_interval : IDLE_INTERVAL;

	for (unsigned group = 0; world->streaming && group < world->group_count; group++)
		if (source->groups >> group & 1)
			data_packet_drop(source_send(world, source->family, source->number, group));
	agenda_add(&world->agenda, at + interval, source_run, source);
}

void data_packet_drop(struct data_packet *packet)
{
	if (--packet->references == 0)
		free(packet);
}
