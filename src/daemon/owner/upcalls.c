/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/upcalls.h"

#include "core/tables/links_vif_ports.h"
#include "daemon/owner/adoption.h"
#include "daemon/owner/copies.h"
#include "daemon/owner/early_routes.h"
#include "daemon/owner/entries.h"
#include "daemon/owner/instances.h"
#include "daemon/owner/kernel_table.h"
#include "daemon/owner/owner.h"
#include "daemon/owner/uplink.h"
#include "daemon/owner/yields.h"

#define UPCALLS_PER_TURN 256

/* Announces a stream to those of a set of instances that know the link; false when none of them had room. */
static bool announce(struct owner *owner, struct table *table, const struct route_key *key, unsigned vif,
                     bool wrong_link, uint64_t instances, uint64_t *refused)
{
	struct input input = {.kind = INPUT_UPCALL,
	                      .family = (uint8_t)table->family,
	                      .wrong_link = wrong_link,
	                      .source = key->source,
	                      .group = key->group};
	struct links_vif_port port = {0};
	bool any = false;

	*refused = 0;
	while (links_next_vif_port(owner->links, table->number, table->family, vif, false, &port)) {
		if ((instances >> port.instance & 1) == 0)
			continue;
		input.link = port.id;
		if (worker_tell(owner->instances[port.instance].channel, &input, NULL, 0))
			any = true;
		else
			*refused |= (uint64_t)1 << port.instance;
	}
	return any;
}

static void mark_pending(struct table *table, const struct route_key *key, unsigned vif, uint64_t instances)
{
	for (; instances != 0; instances &= instances - 1)
		routes_upcall_pending(table->routes, key, (unsigned)__builtin_ctzll(instances), vif);
}

static void new_stream(struct owner *owner, struct table *table, const struct route_key *key, unsigned vif)
{
	uint64_t refused;
	bool announced = announce(owner, table, key, vif, false, UINT64_MAX, &refused);

	if (!announced || refused != 0)
		table->upcalls_deferred++;
	/* No instance had room: makes the kernel ask again with the next packet. */
	if (!announced) {
		routes_ask_again(table->routes, key, vif);
		return;
	}
	early_routes_add(owner, table, key, vif, ~refused);
	mark_pending(table, key, vif, refused);
}

/* Those of a set of instances that do not have the stream. */
static uint64_t without_stream(const struct table *table, const struct route_key *key, uint64_t instances)
{
	uint64_t without = 0;

	for (; instances != 0; instances &= instances - 1)
		if (!routes_serves(table->routes, key, (unsigned)__builtin_ctzll(instances)))
			without |= instances & -instances;
	return without;
}

uint64_t upcalls_share(struct owner *owner, struct table *table, const struct route_key *key)
{
	uint32_t outputs = routes_outputs(table->routes, key);
	uint64_t all_refused = 0;

	for (; outputs != 0; outputs &= outputs - 1) {
		unsigned vif = (unsigned)__builtin_ctz(outputs);
		const struct uplink *uplink =
			uplink_find(owner, table->family,
		                    links_vif_name(owner->links, table->number, table->family, vif));
		uint64_t instances = uplink ? without_stream(table, key, uplink->instances) : 0, refused;

		if (instances == 0)
			continue;
		announce(owner, table, key, vif, false, instances, &refused);
		early_routes_add(owner, table, key, vif, instances & ~refused);
		mark_pending(table, key, vif, refused);
		all_refused |= refused;
	}
	return all_refused;
}

void upcalls_retry(struct owner *owner, struct table *table)
{
	struct route_key key;
	uint64_t instances, refused = 0;
	unsigned vif;

	/* A worker without room rings when it has made some. */
	while (refused == 0 && routes_pull_pending_upcall(table->routes, &key, &vif, &instances)) {
		announce(owner, table, &key, vif, false, instances, &refused);
		mark_pending(table, &key, vif, refused);
		refused |= upcalls_share(owner, table, &key);
	}
	instances_wake(owner);
}

/* A stream leaves its upstream vif. The kernel has just named another vif, and may not name this one for 3 s, so
 * the owner looks for the stream there at once. */
static void leave_home(struct owner *owner, struct table *table, mtime now, const struct route_key *key,
                       const struct routes_entry *before, unsigned vif)
{
	struct routes_entry after = {.input = vif, .home = before->input};
	struct yield_place place = {.key = *key, .input = vif, .home = true};

	if (!copies_is_upstream(owner, table, before->input))
		return;
	routes_set_home(table->routes, key, before->input);
	place.vif = copies_find_home(owner, table, key, &after, vif);
	if (place.vif == before->input)
		yield_seek_home(table->yield, now, &place);
}

/* No retry for instances without room: the kernel repeats such upcalls. */
static void stream_moved(struct owner *owner, struct table *table, mtime now, const struct route_key *key,
                         unsigned vif)
{
	struct routes_entry entry;
	uint64_t refused;

	table->moves++;
	if (routes_get_entry(table->routes, key, &entry) && entry.input != vif)
		leave_home(owner, table, now, key, &entry, vif);
	routes_arrives(table->routes, key, vif);
	announce(owner, table, key, vif, true, UINT64_MAX, &refused);
}

/* After that the kernel names the vif of the next wrong packet at once, and not up to 3 s later. */
static void input_moved(struct owner *owner, struct table *table, mtime now, const struct route_key *key,
                        unsigned vif)
{
	entries_announce_counters(owner, table, key);
	stream_moved(owner, table, now, key, vif);
	routes_lost(table->routes, key);
}

static bool read_entry(const struct table *table, const struct route_key *key, struct routes_entry *entry,
                       struct wrong_vif_reading *reading)
{
	struct mrt_counters counters;

	if (!routes_get_entry(table->routes, key, entry) ||
	    mrt_route_counters(table->mrt, &key->source, &key->group, &counters) != 0)
		return false;
	*reading = (struct wrong_vif_reading){
		.packets = counters.packets, .wrong = counters.wrong_vif, .input = entry->input};
	return true;
}

/* A host on a downstream link never keeps a stream that arrives upstream. The upcall itself shows that the stream
 * arrives there, except where the kernel may have looped back the packet (IPv6). True: the stream has moved. */
static bool return_home(struct owner *owner, struct table *table, mtime now, const struct route_key *key,
                        const struct routes_entry *entry, const struct mrt_upcall *upcall)
{
	struct yield_place place = {.key = *key,
	                            .vif = copies_find_home(owner, table, key, entry, upcall->vif),
	                            .input = entry->input,
	                            .home = true};
	bool looped = table->family == FAMILY_IPV6 && (entry->outputs >> upcall->vif & 1) != 0;

	if (place.vif == MRT_VIFS)
		return false;
	if (place.vif != upcall->vif || upcall->igmp || looped) {
		yield_seek_home(table->yield, now, &place);
		return false;
	}
	input_moved(owner, table, now, key, place.vif);
	return true;
}

static void take_wrong_vif(struct owner *owner, struct table *table, mtime now, const struct route_key *key,
                           const struct mrt_upcall *upcall)
{
	struct routes_entry entry;
	struct wrong_vif_reading reading;
	unsigned vif = upcall->vif;
	mtime interval;

	if (!read_entry(table, key, &entry, &reading) || entry.input == vif)
		return;
	interval = routes_packet_interval(table->routes, now, key, reading.packets - reading.wrong);
	/* Where no instance wants the stream from the vif by which it arrived last, the input need not stay.
	 */
	if (!entry.arrived) {
		/* An IGMP message is no stream. */
		if (!upcall->igmp)
			stream_moved(owner, table, now, key, vif);
		return;
	}
	/* The kernel makes no other upcall for 3 s, so an IGMP message begins the watch, too: the counters
	 * decide. */
	if (return_home(owner, table, now, key, &entry, upcall))
		return;
	yields_upcall(owner, table, now, key, &entry, vif, reading.packets - reading.wrong);
	if (wrong_vif_upcall(table->wrong_vif, now, key, vif, interval, &reading) == WRONG_VIF_MOVED)
		input_moved(owner, table, now, key, vif);
}

static void check_stream(struct owner *owner, struct table *table, mtime now, const struct route_key *key)
{
	struct routes_entry entry;
	struct wrong_vif_reading reading;
	unsigned vif;

	if (!read_entry(table, key, &entry, &reading)) {
		wrong_vif_remove(table->wrong_vif, key);
		return;
	}
	switch (wrong_vif_check(table->wrong_vif, now, key, &reading, &vif)) {
	case WRONG_VIF_STAYS:
		break;
	case WRONG_VIF_MOVED:
		input_moved(owner, table, now, key, vif);
		break;
	case WRONG_VIF_ASK:
		entries_announce_counters(owner, table, key);
		routes_lost(table->routes, key);
		break;
	case WRONG_VIF_COPIES:
		if (copies_check(owner, table, now, key, &entry, &vif))
			input_moved(owner, table, now, key, vif);
		break;
	}
}

void upcalls_check_wrong_vif(struct owner *owner, struct table *table, mtime now)
{
	struct route_key key;

	while (wrong_vif_pull(table->wrong_vif, now, &key))
		check_stream(owner, table, now, &key);
	instances_wake(owner);
}

static void take_stream(struct owner *owner, struct table *table, const struct mrt_upcall *upcall)
{
	struct route_key key = {.source = upcall->source, .group = upcall->group};

	routes_arrives(table->routes, &key, upcall->vif);
	new_stream(owner, table, &key, upcall->vif);
}

void upcalls_resume(struct owner *owner, mtime now)
{
	struct mrt_upcall upcall;
	struct table *table;

	while (adoption_pull_held(owner, now, &table, &upcall)) {
		take_stream(owner, table, &upcall);
		owner->loop.again = true;
	}
}

static void take_upcall(struct owner *owner, struct table *table, mtime now, const struct mrt_upcall *upcall)
{
	struct route_key key = {.source = upcall->source, .group = upcall->group};

	table->upcalls++;
	if (upcall->kind == MRT_UPCALL_WRONGVIF) {
		take_wrong_vif(owner, table, now, &key, upcall);
		return;
	}
	/* The kernel asks only for entries that it does not have. */
	routes_lost(table->routes, &key);
	if (upcall->igmp) {
		/* An IGMP message is no stream. Data from its sender to the group must ask at once. */
		if (addr_is_proxied_stream(&key.source, &key.group))
			routes_ask_again(table->routes, &key, upcall->vif);
		return;
	}
	if (!adoption_holds(owner, table, now, upcall))
		take_stream(owner, table, upcall);
}

void upcalls_receive_copies(void *context, struct loop_source *source, mtime now)
{
	struct owner *owner = context;
	struct yield_place home;
	struct table *table;

	while ((table = yields_receive(owner, source, now, &home)) != NULL) {
		input_moved(owner, table, now, &home.key, home.vif);
		entries_apply(owner, table, now);
	}
	instances_wake(owner);
}

void upcalls_receive(void *context, struct loop_source *source, mtime now)
{
	struct owner *owner = context;
	struct table *table = (struct table *)source;
	struct mrt_upcall upcalls[UPCALLS_PER_TURN];
	int count = mrt_receive(table->mrt, now, upcalls, UPCALLS_PER_TURN);

	for (int i = 0; i < count; i++)
		if (upcalls[i].vif < MRT_VIFS)
			take_upcall(owner, table, now, &upcalls[i]);
	/* The kernel keeps few packets until there is an entry, so the entries come before the wake-ups. */
	entries_apply(owner, table, now);
	instances_wake(owner);
}
