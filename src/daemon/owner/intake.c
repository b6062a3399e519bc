/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/log/clock.h"
#include "daemon/log/log.h"
#include "daemon/owner/conflict.h"
#include "daemon/owner/copies.h"
#include "daemon/owner/owner.h"
#include "daemon/owner/uplink.h"

#include <errno.h>
#include <string.h>

#define NETLINK_RETRY_INTERVAL (1 * MTIME_SECOND)
#define UPCALLS_PER_TURN       256
#define READINGS_PER_TURN      256 /* of counters, so that a dump of many routes holds up nobody */

void intake_wake(struct owner *owner)
{
	for (size_t i = 0; i < owner->instance_count; i++)
		if (owner->instances[i].channel != NULL)
			lane_wake(owner->instances[i].channel->down);
}

/* What the callbacks for each port of a vif need. */
struct delivery {
	struct owner *owner;
	struct input input;
	uint64_t instances; /* set of those to be logged */
	uint64_t delivered, refused;
};

static void deliver(void *context, unsigned instance, uint8_t id)
{
	struct delivery *delivery = context;

	uint64_t *result = &delivery->refused;

	if ((delivery->instances >> instance & 1) == 0)
		return;
	delivery->input.link = id;
	if (worker_tell(delivery->owner->instances[instance].channel, &delivery->input, NULL, 0))
		result = &delivery->delivered;
	*result |= (uint64_t)1 << instance;
}

/* Tells those of a set of instances that know the link; false when none of them could be logged. */
static bool announce_upcall(struct owner *owner, struct table *table, const struct route_key *key,
                            unsigned vif, bool wrong_link, uint64_t instances, uint64_t *refused)
{
	struct delivery delivery = {
		.owner = owner,
		.instances = instances,
		.input = {.kind = INPUT_UPCALL,
	                  .family = (uint8_t)table->family,
	                  .wrong_link = wrong_link,
	                  .source = key->source,
	                  .group = key->group},
	};

	links_each_port(owner->links, table->number, table->family, vif, false, deliver, &delivery);
	*refused = delivery.refused;
	return delivery.delivered != 0;
}

/* What is needed to foresee what instances want of a new stream. */
struct foresight {
	struct owner *owner;
	struct table *table;
	const struct route_key *key;
	unsigned vif;
	uint64_t instances; /* set of those that were logged of it */
	const struct uplink *uplink;
};

static void foresee(void *context, unsigned instance, uint8_t id)
{
	const struct foresight *stream = context;
	const struct instance_slot *slot = &stream->owner->instances[instance];
	enum family family = stream->table->family;
	uint64_t links;
	uint32_t outputs;

	(void)id;
	if (((stream->uplink->instances & stream->instances) >> instance & 1) == 0)
		return;
	links = host_streams(stream->uplink->host, instance, &stream->key->group) & slot->forwarding[family];
	outputs = links_vifs(stream->owner->links, instance, links, family);
	if (outputs != 0)
		routes_assume(stream->table->routes, stream->key, instance, stream->vif, outputs);
}

/* A stream from upstream to a group whose members want every source need not wait for the workers: their
 * answers are known, and will only confirm the entry. */
static void foresee_routes(struct owner *owner, struct table *table, const struct route_key *key,
                           unsigned vif, uint64_t instances)
{
	struct foresight stream = {
		.owner = owner,
		.table = table,
		.key = key,
		.vif = vif,
		.instances = instances,
		.uplink = uplink_find(owner, table->family,
	                              links_vif_name(owner->links, table->number, table->family, vif))};

	if (stream.uplink != NULL && addr_is_proxied_stream(&key->source, &key->group))
		links_each_port(owner->links, table->number, table->family, vif, true, foresee, &stream);
}

static void upcall_pending(struct table *table, const struct route_key *key, unsigned vif, uint64_t instances)
{
	for (; instances != 0; instances &= instances - 1)
		routes_upcall_pending(table->routes, key, (unsigned)__builtin_ctzll(instances), vif);
}

static void deliver_upcall(struct owner *owner, struct table *table, const struct route_key *key,
                           unsigned vif)
{
	uint64_t refused;
	bool logged = announce_upcall(owner, table, key, vif, false, UINT64_MAX, &refused);

	if (!logged || refused != 0)
		table->upcalls_deferred++;
	/* Nobody could be logged: the next packet shall ask anew. */
	if (!logged) {
		routes_ask_again(table->routes, key, vif);
		return;
	}
	foresee_routes(owner, table, key, vif, ~refused);
	upcall_pending(table, key, vif, refused);
}

/* Of a set of instances those that do not have the stream. */
static uint64_t without_stream(const struct table *table, const struct route_key *key, uint64_t instances)
{
	uint64_t without = 0;

	for (; instances != 0; instances &= instances - 1)
		if (!routes_serves(table->routes, key, (unsigned)__builtin_ctzll(instances)))
			without |= instances & -instances;
	return without;
}

uint64_t intake_share(struct owner *owner, struct table *table, const struct route_key *key)
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
		announce_upcall(owner, table, key, vif, false, instances, &refused);
		foresee_routes(owner, table, key, vif, instances & ~refused);
		upcall_pending(table, key, vif, refused);
		all_refused |= refused;
	}
	return all_refused;
}

void upcalls_retry(struct owner *owner, struct table *table)
{
	struct route_key key;
	uint64_t instances, refused = 0;
	unsigned vif;

	/* Who has no room rings when it has made some. */
	while (refused == 0 && routes_pull_pending_upcall(table->routes, &key, &vif, &instances)) {
		announce_upcall(owner, table, &key, vif, false, instances, &refused);
		upcall_pending(table, &key, vif, refused);
		refused |= intake_share(owner, table, &key);
	}
	intake_wake(owner);
}

/* What the kernel repeats needs no other try. */
static void stream_moved(struct owner *owner, struct table *table, const struct route_key *key, unsigned vif)
{
	uint64_t refused;

	table->moves++;
	routes_arrives(table->routes, key, vif);
	announce_upcall(owner, table, key, vif, true, UINT64_MAX, &refused);
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

static void take_wrong_vif(struct owner *owner, struct table *table, mtime now, const struct route_key *key,
                           unsigned vif)
{
	struct routes_entry entry;
	struct wrong_vif_reading reading;
	mtime interval;

	if (!read_entry(table, key, &entry, &reading) || entry.input == vif)
		return;
	interval = routes_packet_interval(table->routes, now, key, reading.packets - reading.wrong);
	/* Where no instance wants it from the vif by which it arrived last, there is nothing to keep. */
	if (!entry.arrived ||
	    wrong_vif_upcall(table->wrong_vif, now, key, vif, interval, &reading) == WRONG_VIF_MOVED)
		stream_moved(owner, table, key, vif);
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
		stream_moved(owner, table, key, vif);
		break;
	case WRONG_VIF_ASK:
		routes_lost(table->routes, key);
		break;
	case WRONG_VIF_COPIES:
		if (copies_check(owner, table, now, key, &entry, vif))
			stream_moved(owner, table, key, vif);
		break;
	}
}

void intake_wrong_vif(struct owner *owner, struct table *table, mtime now)
{
	struct route_key key;

	while (wrong_vif_pull(table->wrong_vif, now, &key))
		check_stream(owner, table, now, &key);
	intake_wake(owner);
}

static void take_upcall(struct owner *owner, struct table *table, mtime now, const struct mrt_upcall *upcall)
{
	struct route_key key = {.source = upcall->source, .group = upcall->group};

	table->upcalls++;
	if (upcall->kind == MRT_UPCALL_WRONGVIF) {
		if (!upcall->igmp)
			take_wrong_vif(owner, table, now, &key, upcall->vif);
		return;
	}
	/* The kernel asks only for entries it does not have. */
	routes_lost(table->routes, &key);
	if (upcall->igmp) {
		/* An IGMP message is no stream. Data that its sender sends to the group must ask at once. */
		if (addr_is_proxied_stream(&key.source, &key.group))
			routes_ask_again(table->routes, &key, upcall->vif);
		return;
	}
	routes_arrives(table->routes, &key, upcall->vif);
	deliver_upcall(owner, table, &key, upcall->vif);
}

void intake_upcalls(struct owner *owner, struct loop_source *source, mtime now)
{
	struct table *table = (struct table *)source;
	struct mrt_upcall upcalls[UPCALLS_PER_TURN];
	int count = mrt_receive(table->mrt, now, upcalls, UPCALLS_PER_TURN);

	for (int i = 0; i < count; i++)
		if (upcalls[i].vif < MRT_VIFS)
			take_upcall(owner, table, now, &upcalls[i]);
	/* The kernel keeps few packets until there is an entry; to write it is quicker than to wake
	 * anybody. */
	edge_apply_routes(owner, table, now);
	intake_wake(owner);
}

void intake_counters(struct owner *owner, struct table *table, mtime now)
{
	struct route_key key;
	uint64_t instances;

	for (int i = 0; i < READINGS_PER_TURN && routes_pull_reading(table->routes, now, &key, &instances);
	     i++) {
		struct mrt_counters counters;
		struct input input = {.kind = INPUT_COUNTERS,
		                      .family = (uint8_t)table->family,
		                      .source = key.source,
		                      .group = key.group};

		if (mrt_route_counters(table->mrt, &key.source, &key.group, &counters) != 0) {
			/* Not in the kernel: somebody took it away. */
			routes_observe(table->routes, &key, &(struct route_observed){.present = false});
			owner->again = true;
			continue;
		}
		routes_counted(table->routes, now, &key, counters.packets - counters.wrong_vif);
		input.packets = counters.packets;
		input.bytes = counters.bytes;
		input.wrong_link_packets = (uint32_t)counters.wrong_vif;
		for (; instances != 0; instances &= instances - 1)
			worker_tell(owner->instances[__builtin_ctzll(instances)].channel, &input, NULL, 0);
	}
	intake_wake(owner);
}

void interfaces_log_missing(struct owner *owner, uint64_t instances)
{
	size_t cursor = 0;
	unsigned instance;
	const char *pattern;

	while (links_next_missing(owner->links, &cursor, &instance, &pattern))
		if (instances >> instance & 1)
			warnx("%s: %s: no such interface; waiting for it",
			      owner->instances[instance].config->name, pattern);
}

/* Out of memory: a dump a moment later has the address again. */
static void take_address(struct owner *owner, const struct netlink_news *news)
{
	if (links_address(owner->links, news->ifindex, &news->address, news->kind == NETLINK_ADDRESS))
		return;
	owner->netlink_refresh_at = clock_now() + NETLINK_RETRY_INTERVAL;
}

static void take_news(void *context, const struct netlink_news *news)
{
	struct owner *owner = context;

	switch (news->kind) {
	case NETLINK_LINK:
		if (!links_interface(owner->links, news->ifindex, news->name, news->up, news->multicast,
		                     news->mtu)) {
			warnx("%s: not used now: out of memory, or more than %d links in an instance",
			      news->name, LINKS_MAX);
			owner->netlink_refresh_at = clock_now() + NETLINK_RETRY_INTERVAL;
		}
		if (links_attachment(owner->links, news->ifindex, &news->attachment) || news->moved)
			uplinks_announce(owner, news->ifindex);
		break;
	case NETLINK_LINK_GONE:
		links_interface_gone(owner->links, news->ifindex);
		break;
	case NETLINK_ADDRESS:
	case NETLINK_ADDRESS_GONE:
		take_address(owner, news);
		break;
	case NETLINK_OVERRUN:
		links_dump_begin(owner->links);
		break;
	case NETLINK_DUMP_END:
		links_dump_end(owner->links);
		if (!owner->first_dump_over)
			interfaces_log_missing(owner, UINT64_MAX);
		owner->first_dump_over = true;
		break;
	}
}

/* What was missed is asked for again, and again if need be; said once. */
static void netlink_failed(struct owner *owner, mtime now, int result)
{
	owner->netlink_refresh_at = now + NETLINK_RETRY_INTERVAL;
	if (owner->logged_netlink)
		return;
	owner->logged_netlink = true;
	errno = -result;
	warn("netlink: news of interfaces cannot be read; trying again");
}

void intake_netlink(struct owner *owner, struct loop_source *source, mtime now)
{
	int result = netlink_receive(owner->netlink, take_news, owner);

	(void)source;
	if (result != 0)
		netlink_failed(owner, now, result);
}

void intake_events(struct owner *owner)
{
	bool wanted = log_is_debug() ||
	              (owner->control != NULL && owner->control_handlers->wants_events(owner));

	for (size_t i = 0; i < owner->instance_count; i++) {
		struct instance_slot *instance = &owner->instances[i];
		struct input input = {.kind = INPUT_EVENTS, .wanted = wanted};

		if (instance->events_wanted != wanted && worker_tell(instance->channel, &input, NULL, 0))
			instance->events_wanted = wanted;
	}
}

void intake_refresh_netlink(struct owner *owner, mtime now)
{
	int result;

	if (owner->netlink_refresh_at > now)
		return;
	owner->netlink_refresh_at = MTIME_NEVER;
	links_dump_begin(owner->links);
	result = netlink_refresh(owner->netlink);
	if (result != 0)
		netlink_failed(owner, now, result);
}
