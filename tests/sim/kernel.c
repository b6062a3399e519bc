/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The kernel's forwarding table as a proxy uses it: entries per source and group, negative ones included,
 * packets kept while an upcall is unanswered, upcalls repeated after 10 s, packets that arrive by another
 * link than the entry says.
 */
#include "oracle.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#define UPCALL_REPEAT_INTERVAL (10 * MTIME_SECOND)
#define WRONG_UPCALL_INTERVAL  (3 * MTIME_SECOND)
#define UPCALL_DELAY_MAX       2
#define PACKET_BYTES           1000

struct upcall {
	struct proxy *proxy;
	struct input input;
};

static struct entry *entry_of(struct proxy *proxy, const struct data_packet *packet)
{
	return &proxy->entry[packet->family][packet->source][packet->group];
}

static void tell_upcall(void *object, mtime at)
{
	struct upcall *upcall = object;

	(void)at;
	proxy_input(upcall->proxy, &upcall->input, NULL, 0);
	free(upcall);
}

/* The owner finds no room for it in the ring: it makes the kernel forget the entry, so that the next packet
 * makes an upcall again. */
static bool lose_upcall(struct proxy *proxy, struct entry *entry)
{
	struct world *world = proxy->world;

	if (world->faults.upcall_loss == 0 || !random_percent(&world->random, world->faults.upcall_loss))
		return false;
	world_count(world, TALLY_UPCALLS_LOST);
	if (entry->state != ENTRY_UNRESOLVED)
		return true;
	while (entry->queued > 0)
		data_packet_drop(entry->queue[--entry->queued]);
	entry->state = ENTRY_NONE;
	return true;
}

static void make_upcall(const struct proxy_link *link, struct entry *entry, const struct data_packet *packet,
                        bool wrong_link)
{
	struct proxy *proxy = link->proxy;
	struct world *world = proxy->world;
	enum family family = packet->family;
	struct upcall *upcall;

	world_count(world, wrong_link ? TALLY_WRONG_LINK_UPCALLS : TALLY_UPCALLS);
	if (lose_upcall(proxy, entry))
		return;
	upcall = calloc(1, sizeof *upcall);
	assert(upcall != NULL);
	upcall->proxy = proxy;
	upcall->input.kind = INPUT_UPCALL;
	upcall->input.link = link->id;
	upcall->input.family = (uint8_t)family;
	upcall->input.wrong_link = wrong_link;
	upcall->input.source = universe_source(family, packet->source);
	upcall->input.group = universe_group(family, packet->group);
	agenda_add_owned(&world->agenda,
	                 world_now(world) + random_below(&world->random, UPCALL_DELAY_MAX + 1), tell_upcall,
	                 free, upcall);
}

/* At any time: a reload of filters is in force at once. */
static void check_filters(struct proxy *proxy, unsigned input, const struct proxy_link *output,
                          const struct data_packet *packet)
{
	const struct proxy_link *link = proxy_link_by_id(proxy, input);

	if (proxy->world->in_trouble || link == NULL ||
	    oracle_passes(link, output, packet->group, packet->source))
		return;
	world_fail(
		proxy->world,
		"proxy %u: a packet of family %u source %u group %u from link %s to %s, which a filter denies",
		proxy->number, packet->family, packet->source, packet->group, link->name, output->name);
}

static void forward(struct proxy *proxy, const struct entry *entry, struct data_packet *packet)
{
	uint64_t outputs = entry->outputs;

	for (unsigned i = 0; i < proxy->link_count; i++) {
		struct proxy_link *link = &proxy->links[i];

		if (!(outputs >> link->id & 1) || !link->port.up[packet->family])
			continue;
		check_filters(proxy, entry->input, link, packet);
		segment_carry(link->port.segment, &link->port, packet);
	}
}

static void receive_unresolved(const struct proxy_link *link, struct entry *entry, struct data_packet *packet)
{
	mtime now = world_now(link->proxy->world);
	bool ask = entry->state == ENTRY_NONE || now - entry->upcall_at >= UPCALL_REPEAT_INTERVAL;

	if (entry->state == ENTRY_NONE)
		*entry = (struct entry){.state = ENTRY_UNRESOLVED, .input = link->id};
	if (entry->queued < UNRESOLVED_PACKETS) {
		packet->references++;
		entry->queue_from[entry->queued] = link->id;
		entry->queue[entry->queued++] = packet;
	}
	if (!ask)
		return;
	entry->upcall_at = now;
	make_upcall(link, entry, packet, false);
}

static void receive_wrong(const struct proxy_link *link, struct entry *entry,
                          const struct data_packet *packet)
{
	mtime now = world_now(link->proxy->world);

	entry->wrong_packets++;
	if (entry->wrong_upcall_at != 0 && now - entry->wrong_upcall_at < WRONG_UPCALL_INTERVAL)
		return;
	entry->wrong_upcall_at = now;
	make_upcall(link, entry, packet, true);
}

void kernel_receive(struct proxy_link *link, struct data_packet *packet)
{
	struct entry *entry = entry_of(link->proxy, packet);

	if (entry->state != ENTRY_SET) {
		receive_unresolved(link, entry, packet);
		return;
	}
	entry->packets++;
	if (entry->input == link->id)
		forward(link->proxy, entry, packet);
	else
		receive_wrong(link, entry, packet);
}

static void release_queue(struct proxy *proxy, struct entry *entry)
{
	while (entry->queued > 0) {
		struct data_packet *packet = entry->queue[0];
		uint8_t arrived_at = entry->queue_from[0];

		memmove(&entry->queue[0], &entry->queue[1], --entry->queued * sizeof entry->queue[0]);
		memmove(&entry->queue_from[0], &entry->queue_from[1], entry->queued);
		entry->packets++;
		if (entry->input == arrived_at)
			forward(proxy, entry, packet);
		data_packet_drop(packet);
	}
}

static struct entry *entry_of_request(struct proxy *proxy, const struct request *request)
{
	int source = universe_source_number(&request->source), group = universe_group_number(&request->group);

	if (source < 0 || group < 0)
		world_fail(proxy->world, "proxy %u: a route for addresses that do not exist", proxy->number);
	return &proxy->entry[request->family][source][group];
}

static void check_route(struct proxy *proxy, const struct request *request)
{
	if (request->links >> request->link & 1)
		world_fail(proxy->world, "proxy %u: a route back to its input link %u", proxy->number,
		           request->link);
	for (unsigned id = 0; id < LINKS_MAX; id++) {
		struct proxy_link *link = proxy_link_by_id(proxy, id);

		if (request->links >> id & 1 &&
		    (link == NULL || link->announced_gone || !link->usable[request->family]))
			world_fail(proxy->world, "proxy %u: a route to link %u, which is not usable",
			           proxy->number, id);
	}
}

void kernel_set_route(struct proxy *proxy, const struct request *request)
{
	struct entry *entry = entry_of_request(proxy, request);
	enum entry_state before = entry->state;

	check_route(proxy, request);
	world_count(proxy->world, TALLY_ROUTES_SET);
	entry->state = ENTRY_SET;
	entry->input = request->link;
	entry->outputs = request->links;
	if (before == ENTRY_UNRESOLVED)
		release_queue(proxy, entry);
}

static void clear(struct entry *entry)
{
	while (entry->queued > 0)
		data_packet_drop(entry->queue[--entry->queued]);
	*entry = (struct entry){.state = ENTRY_NONE};
}

void kernel_remove_route(struct proxy *proxy, const struct request *request)
{
	struct entry *entry = entry_of_request(proxy, request);

	world_count(proxy->world, TALLY_ROUTES_REMOVED);
	if (entry->state == ENTRY_SET || request->more)
		clear(entry);
}

static void tell_counters(struct proxy *proxy, enum family family, unsigned source, unsigned group)
{
	const struct entry *entry = &proxy->entry[family][source][group];
	struct input input = {.kind = INPUT_COUNTERS, .link = entry->input, .family = (uint8_t)family};

	if (entry->state != ENTRY_SET)
		return;
	input.wrong_link_packets = entry->wrong_packets;
	input.source = universe_source(family, source);
	input.group = universe_group(family, group);
	input.packets = entry->packets;
	input.bytes = entry->packets * PACKET_BYTES;
	proxy_input(proxy, &input, NULL, 0);
}

void kernel_read_counters(struct proxy *proxy)
{
	const struct world *world = proxy->world;

	for (int family = 0; family < FAMILIES; family++)
		for (unsigned source = 0; source < world->source_count; source++)
			for (unsigned group = 0; group < world->group_count; group++)
				tell_counters(proxy, family, source, group);
}

static void check_expected(struct proxy *proxy, unsigned number, enum family family, unsigned source,
                           unsigned group)
{
	const struct entry *entry = &proxy->entry[family][source][group];
	const struct proxy_link *upstream = proxy_upstream(proxy, number);
	uint64_t open = proxy->open[number][family][group], expected = open & proxy->forwarding[family];

	if (entry->state != ENTRY_SET || entry->input != upstream->id || !upstream->port.up[family] ||
	    open == 0)
		return;
	if (entry->outputs != expected)
		world_fail(proxy->world,
		           "proxy %u: family %u source %u group %u goes to links %" PRIx64 ", where %" PRIx64
		           " are expected",
		           proxy->number, family, source, group, entry->outputs, expected);
	world_count(proxy->world, TALLY_EXPECTED_CHECKS);
}

void kernel_check_expected(struct proxy *proxy)
{
	const struct world *world = proxy->world;

	for (int family = 0; family < FAMILIES; family++)
		for (unsigned source = 0; source < world->source_count; source++)
			for (unsigned group = 0; group < world->group_count; group++)
				for (unsigned number = 0; number < proxy_upstreams(proxy); number++)
					check_expected(proxy, number, family, source, group);
	proxy->unchecked = false;
}

static bool names_link(const struct entry *entry, unsigned id)
{
	return entry->state == ENTRY_SET && (entry->input == id || entry->outputs >> id & 1);
}

bool kernel_names_link(const struct proxy *proxy, unsigned id)
{
	for (int family = 0; family < FAMILIES; family++)
		for (unsigned source = 0; source < SOURCES_MAX; source++)
			for (unsigned group = 0; group < GROUPS_MAX; group++)
				if (names_link(&proxy->entry[family][source][group], id))
					return true;
	return false;
}

void kernel_flush(struct proxy *proxy)
{
	for (int family = 0; family < FAMILIES; family++)
		for (unsigned source = 0; source < SOURCES_MAX; source++)
			for (unsigned group = 0; group < GROUPS_MAX; group++)
				clear(&proxy->entry[family][source][group]);
}
