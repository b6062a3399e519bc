/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit/core/host/host_world.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

const struct link_settings settings = {
	.upstream_membership = MEMBERSHIP_KERNEL,
	.version = {VERSION_3, VERSION_3},
	.querier_election = true,
	.robustness = 2,
	.query_interval = 125000,
	.query_response_interval = 10000,
};

void check(const struct world *world, bool condition, const char *what)
{
	if (!condition)
		fail_msg("seed %llu: %s; reported:%s", (unsigned long long)world->seed, what, world->text);
}

void open_with(struct world *world, enum family family, const struct host_limits *limits,
               const struct link_settings *own)
{
	*world = (struct world){
		.family = family,
		.now = 5000,
		.fake = {.groups_max = limits->groups_per_socket, .sources_max = limits->sources_per_filter},
		.link = {.usable = true,
	                 .address = addr_of(family == FAMILY_IPV4 ? "192.0.2.7" : "fe80::7"),
	                 .mtu = 1500,
	                 .kernel_version = VERSION_3},
	};
	world->host = host_new(family, limits, own, 99);
	assert_non_null(world->host);
	host_set_link(world->host, world->now, &world->link);
}

void open_world(struct world *world, enum family family)
{
	open_with(world, family, &(struct host_limits){5, 4, MEMORY}, &settings);
}

void close_world(struct world *world)
{
	host_free(world->host);
}

/* Packets, read as a router reads them. */

static unsigned record_mask(const struct world *world, const struct record *record)
{
	unsigned mask = 0;

	for (size_t i = 0; i < record->source_count; i++) {
		struct addr addr =
			wire_get_addr(record->sources + i * addr_wire_size(world->family), world->family);

		mask |= 1u << fake_number(&addr, false);
	}
	return mask;
}

static void hear_record(struct world *world, const struct record *record)
{
	unsigned group = fake_number(&record->group, true), mask = record_mask(world, record);

	if (record->type == TO_EX)
		world->reported[group] = fake_passing(EX, mask);
	else if (record->type == TO_IN)
		world->reported[group] = mask;
	else if (record->type == ALLOW)
		world->reported[group] |= mask;
	else if (record->type == BLOCK)
		world->reported[group] &= ~mask;
	else if (record->type == IS_EX)
		check(world, world->reported[group] == fake_passing(EX, mask),
		      "a state that is not what was reported");
	else if (record->type == IS_IN)
		/* The end of a packet may cut a list: the rest follows. */
		check(world, (mask & ~world->reported[group]) == 0 && !(world->reported[group] & FAKE_OTHERS),
		      "a state that is not what was reported");
	else
		check(world, false, "a record that is no change");
}

static void note_record(struct world *world, const struct record *record)
{
	unsigned mask = record_mask(world, record);
	char *text = world->text;

	if (strlen(text) > sizeof world->text - 64)
		text[0] = 0;
	sprintf(text + strlen(text), " %s %u{", record_type_name(record->type),
	        fake_number(&record->group, true));
	for (unsigned n = 0; n < FAKE_SOURCES; n++)
		if (mask >> n & 1)
			sprintf(text + strlen(text), "%c", 'a' + n);
	strcat(text, "}");
}

static struct addr v3_routers(enum family family)
{
	return family == FAMILY_IPV4 ? addr_from_ipv4_number(IGMP_V3_ROUTERS) : mld_v2_routers;
}

static struct addr all_routers(enum family family)
{
	return family == FAMILY_IPV4 ? addr_from_ipv4_number(IGMP_ALL_ROUTERS) : mld_all_routers;
}

static void hear_older(struct world *world, const struct message *message, const struct addr *destination)
{
	const struct record *record = &message->report.single;
	bool leaves = record->type == TO_IN;
	struct addr expected = leaves ? all_routers(world->family) : record->group;

	check(world, addr_equal(destination, &expected), "a wrong destination");
	sprintf(world->text + strlen(world->text), " %s%d %u", leaves ? "leave" : "report",
	        (int)message->report.version, fake_number(&record->group, true));
}

void read_packet(struct world *world, const uint8_t *bytes, size_t size, const struct addr *destination,
                 struct message *message)
{
	struct packet packet;

	check(world, size <= world->link.mtu, "a packet larger than the MTU");
	check(world, packet_parse(world->family, bytes, size, &packet) == DROP_NONE, "a bad IP header");
	check(world, packet.router_alert, "no Router Alert");
	check(world, addr_equal(&packet.source, &world->link.address), "a wrong source");
	check(world, addr_equal(&packet.destination, destination), "two destinations");
	check(world,
	      (world->family == FAMILY_IPV4 ? igmp_decode(&packet, message) : mld_decode(&packet, message)) ==
	              DROP_NONE,
	      "a packet that cannot be decoded");
	check(world, message->kind == MESSAGE_REPORT, "no report");
}

static void hear_packet(struct world *world, const uint8_t *bytes, size_t size,
                        const struct addr *destination)
{
	struct addr routers = v3_routers(world->family);
	struct message message;
	struct record record;

	read_packet(world, bytes, size, destination, &message);
	world->packets++;
	if (message.report.version != VERSION_3) {
		hear_older(world, &message, destination);
		return;
	}
	check(world, addr_equal(destination, &routers), "a wrong destination");
	while (message_next_record(&message, &record)) {
		note_record(world, &record);
		hear_record(world, &record);
	}
}

void join_all(struct world *world)
{
	struct join_op op;

	for (int count = 0; host_pull_join(world->host, world->now, &op); count++) {
		check(world, world->link.usable, "an operation on a link that is not usable");
		host_join_done(world->host, world->now, &op, fake_operate(&world->fake, &op));
		if (host_slot_memberships(world->host, op.slot) == 0)
			fake_close(&world->fake, op.slot);
		check(world, count < 5000, "an endless loop");
	}
}

void send_all(struct world *world)
{
	struct addr destination;
	uint8_t buffer[9216];
	size_t size;

	for (int count = 0; host_pull_packet(world->host, world->now, buffer, &size, &destination); count++) {
		uint8_t *copy = heap_copy(buffer, size);

		check(world, world->link.usable, "a packet on a link that is not usable");
		hear_packet(world, copy, size, &destination);
		free(copy);
		check(world, count < 1000, "an endless loop");
	}
}

void turn(struct world *world)
{
	join_all(world);
	send_all(world);
	check(world, host_deadline(world->host) > world->now, "a deadline that is over, and nothing to do");
}

void expect(struct world *world, const char *records)
{
	world->text[0] = 0;
	turn(world);
	assert_string_equal(world->text, records);
}

uint64_t links_of(unsigned instance, unsigned group, enum filter_mode mode, unsigned mask)
{
	return mode == FILTER_EXCLUDE && mask == 0 ? (uint64_t)(group + 1) << 8 * instance : 0;
}

void want(struct world *world, unsigned instance, unsigned group, enum filter_mode mode, unsigned mask)
{
	uint64_t links = links_of(instance, group, mode, mask);
	struct addr list[FAKE_SOURCES], address = fake_group(world->family, group);
	struct filter filter = fake_filter(world->family, mode, mask, list);

	assert_true(host_want(world->host, world->now, instance, &address, &filter, links));
	assert_true(host_streams(world->host, instance, &address) == links);
	world->wants[instance][group] = fake_passing(mode, mask);
}

struct host_status status_of(const struct world *world)
{
	struct host_status status;

	host_get_status(world->host, world->now, &status);
	return status;
}

/* The kernel holds what all instances together want; `superset`: as EXCLUDE{}. Unless the host keeps it. */
static unsigned expected_of(const struct world *world, unsigned group, bool kept_here, bool *superset)
{
	unsigned passing = 0;

	for (size_t i = 0; i < INSTANCES; i++)
		passing |= world->wants[i][group];
	*superset = !kept_here && (passing & FAKE_OTHERS) &&
	            (unsigned)__builtin_popcount(FAKE_ALL & ~passing) > world->fake.sources_max;
	return *superset ? FAKE_ALL : passing;
}

void check_settled(const struct world *world)
{
	struct host_status status = status_of(world);
	size_t supersets = 0, groups = 0, kept_here = 0;

	for (unsigned group = 0; group < FAKE_GROUPS; group++) {
		unsigned held = fake_held(&world->fake, group);
		bool superset, here = world->answers && held == 0;
		unsigned expected = expected_of(world, group, here, &superset);

		check(world, here || held == expected, "not what is wanted is held");
		kept_here += here && expected != 0;
		check(world, world->reported[group] == expected, "another state was reported than is held");
		supersets += superset;
		groups += expected != 0;
	}
	check(world, status.supersets == supersets, "supersets are miscounted");
	/* One that was left is still to be reported again. */
	check(world, world->answers ? status.groups >= groups : status.groups == groups,
	      "groups are miscounted");
	check(world, world->answers ? status.kept_here >= kept_here : status.kept_here == 0,
	      "what is kept here is miscounted");
	check(world, status.failing == 0, "failures are miscounted");
}

void hear_query(struct world *world, enum version version, bool general)
{
	struct upstream_query query = {
		.querier = addr_of(world->family == FAMILY_IPV4 ? "192.0.2.1" : "fe80::1"),
		.group = general ? addr_unspecified(world->family) : fake_group(world->family, 3),
		.max_response = 10000,
		.version = (uint8_t)version,
	};

	host_receive_query(world->host, world->now, &query, NULL);
}

void set_usable(struct world *world, bool usable)
{
	world->link.usable = usable;
	host_set_link(world->host, world->now, &world->link);
}

void forget(struct world *world)
{
	host_forget(world->host, world->now);
	world->link.usable = false;
	for (uint32_t slot = 0; slot < FAKE_SLOTS; slot++) {
		assert_int_equal(host_slot_memberships(world->host, slot), 0);
		fake_close(&world->fake, slot);
	}
	memset(world->reported, 0, sizeof world->reported);
}

unsigned times_in(const char *text, const char *word)
{
	unsigned times = 0;

	while ((text = strstr(text, word)) != NULL) {
		times++;
		text += strlen(word);
	}
	return times;
}

void open_auto(struct world *world, enum family family, const struct host_limits *limits,
               uint32_t kernel_groups_max)
{
	struct link_settings own = settings;

	own.upstream_membership = MEMBERSHIP_AUTO;
	own.kernel_groups_max = kernel_groups_max;
	open_with(world, family, limits, &own);
	/* No list is split over two packets: the router here knows no such thing. */
	world->link.mtu = 9000;
	host_set_link(world->host, world->now, &world->link);
	world->answers = true;
}

void open_holding(struct world *world, uint8_t membership)
{
	struct link_settings own = settings;

	own.upstream_membership = membership;
	own.leave_hold = HOLD;
	own.robustness = 1;
	open_with(world, FAMILY_IPV4, &(struct host_limits){5, 4, MEMORY}, &own);
}

void pass(struct world *world, mtime interval)
{
	world->now += interval;
}
