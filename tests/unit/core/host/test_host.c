/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The host side upstream with kernel memberships, in both families: the kernel's operations first, then the
 * report of what the kernel holds, read back by the decoders and by a router in small.
 */
#include "core/host/host.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "support/fail.h"
#include "support/fake_joins.h"

#include "support/random.h"
#include "support/record_type_name.h"

#define INSTANCES 3
#define MEMORY    ((size_t)4 << 20)
#define RETRY     2000
#define OLDER     260000 /* the older version querier present timeout of the settings below */
#define IN        FILTER_INCLUDE
#define EX        FILTER_EXCLUDE

static const struct link_settings settings = {
	.upstream_membership = MEMBERSHIP_KERNEL,
	.version = {VERSION_3, VERSION_3},
	.robustness = 2,
	.query_interval = 125000,
	.query_response_interval = 10000,
};

struct world {
	enum family family;
	struct host *host;
	mtime now;
	uint64_t seed;
	struct host_link link;
	struct fake_joins fake;
	unsigned reported[FAKE_GROUPS]; /* sources that a router upstream believes to be wanted */
	unsigned wants[INSTANCES][FAKE_GROUPS];
	struct random random;
	unsigned packets;
	bool answers;    /* are to be expected */
	char text[2048]; /* records reported so far */
};

static void check(const struct world *world, bool condition, const char *what)
{
	if (!condition)
		fail_msg("seed %llu: %s; reported:%s", (unsigned long long)world->seed, what, world->text);
}

static void open_with(struct world *world, enum family family, const struct host_limits *limits,
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

static void open_world(struct world *world, enum family family)
{
	open_with(world, family, &(struct host_limits){5, 4, MEMORY}, &settings);
}

static void close_world(struct world *world)
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

static void read_packet(struct world *world, const uint8_t *bytes, size_t size,
                        const struct addr *destination, struct message *message)
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

static void join_all(struct world *world)
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

static void send_all(struct world *world)
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

static void turn(struct world *world)
{
	join_all(world);
	send_all(world);
	check(world, host_deadline(world->host) > world->now, "a deadline that is over, and nothing to do");
}

static void expect(struct world *world, const char *records)
{
	world->text[0] = 0;
	turn(world);
	assert_string_equal(world->text, records);
}

/* Where the members of a group are that want every source. */
static uint64_t links_of(unsigned instance, unsigned group, enum filter_mode mode, unsigned mask)
{
	return mode == FILTER_EXCLUDE && mask == 0 ? (uint64_t)(group + 1) << 8 * instance : 0;
}

static void want(struct world *world, unsigned instance, unsigned group, enum filter_mode mode, unsigned mask)
{
	uint64_t links = links_of(instance, group, mode, mask);
	struct addr list[FAKE_SOURCES], address = fake_group(world->family, group);
	struct filter filter = fake_filter(world->family, mode, mask, list);

	assert_true(host_want(world->host, world->now, instance, &address, &filter, links));
	assert_true(host_streams(world->host, instance, &address) == links);
	world->wants[instance][group] = fake_passing(mode, mask);
}

static struct host_status status_of(const struct world *world)
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

static void check_settled(const struct world *world)
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

/* RFC 9776 section 5.1: the record of each change; no state is INCLUDE{}. */
static const struct {
	enum filter_mode from_mode;
	unsigned from;
	enum filter_mode to_mode;
	unsigned to;
	const char *records;
} transitions[] = {
	{IN, 0, IN, 0, ""},
	{IN, 0, EX, 0, " TO_EX 0{}"},
	{IN, 0, EX, 3, " TO_EX 0{ab}"},
	{IN, 0, IN, 3, " ALLOW 0{ab}"},
	{IN, 3, IN, 3, ""},
	{IN, 3, IN, 7, " ALLOW 0{c}"},
	{IN, 7, IN, 3, " BLOCK 0{c}"},
	{IN, 3, IN, 6, " ALLOW 0{c} BLOCK 0{a}"},
	{IN, 3, IN, 0, " BLOCK 0{ab}"},
	{EX, 0, EX, 0, ""},
	{EX, 0, EX, 1, " BLOCK 0{a}"},
	{EX, 3, EX, 1, " ALLOW 0{b}"},
	{EX, 3, EX, 6, " ALLOW 0{a} BLOCK 0{c}"},
	{EX, 0, IN, 0, " TO_IN 0{}"},
	{EX, 3, IN, 0, " TO_IN 0{}"},
	{IN, 3, EX, 0, " TO_EX 0{}"},
	{IN, 3, EX, 6, " TO_EX 0{bc}"},
	{EX, 0, IN, 3, " TO_IN 0{ab}"},
	{EX, 3, IN, 6, " TO_IN 0{bc}"},
	/* Over several sockets it is one change. */
	{IN, 0, IN, 1023, " ALLOW 0{abcdefghij}"},
	{IN, 1023, IN, 0, " BLOCK 0{abcdefghij}"},
	{EX, 1, IN, 1023, " TO_IN 0{abcdefghij}"},
	/* What the kernel does not take is reported as it is held. */
	{IN, 0, EX, 31, " TO_EX 0{}"},
	{EX, 1, EX, 31, " ALLOW 0{a}"},
	{EX, 31, EX, 1, " BLOCK 0{a}"},
	{EX, 31, EX, 62, ""},
	{EX, 31, IN, 1, " TO_IN 0{a}"},
	{EX, 31, IN, 0, " TO_IN 0{}"},
};

static void report_of_each_change(void **state)
{
	(void)state;
	for (int family = 0; family < FAMILIES; family++)
		for (size_t i = 0; i < LENGTH(transitions); i++) {
			struct world world;

			open_world(&world, (enum family)family);
			want(&world, 0, 0, transitions[i].from_mode, transitions[i].from);
			turn(&world);
			check_settled(&world);
			want(&world, 0, 0, transitions[i].to_mode, transitions[i].to);
			expect(&world, transitions[i].records);
			check_settled(&world);
			expect(&world, "");
			close_world(&world);
		}
}

/* Of a group nothing is reported before the kernel has done its part; changes before that make one. */
static void operations_come_first(void **state)
{
	struct world world;
	struct join_op op;

	(void)state;
	open_world(&world, FAMILY_IPV4);
	want(&world, 0, 0, EX, 0);
	send_all(&world);
	assert_string_equal(world.text, "");
	assert_true(host_pull_join(world.host, world.now, &op));
	assert_int_equal(op.kind, JOIN_GROUP);
	assert_int_equal(fake_operate(&world.fake, &op), 0);
	host_join_done(world.host, world.now, &op, 0);
	expect(&world, " TO_EX 0{}");
	want(&world, 0, 0, IN, 0);
	send_all(&world);
	assert_string_equal(world.text, " TO_EX 0{}");
	assert_true(host_pull_join(world.host, world.now, &op));
	assert_int_equal(op.kind, JOIN_LEAVE);
	assert_int_equal(fake_operate(&world.fake, &op), 0);
	host_join_done(world.host, world.now, &op, 0);
	/* Joined and left, then left and joined, before the report could go. */
	want(&world, 0, 0, EX, 0);
	join_all(&world);
	want(&world, 0, 0, IN, 3);
	want(&world, 0, 0, IN, 1);
	want(&world, 0, 1, EX, 0);
	want(&world, 0, 1, IN, 0);
	turn(&world);
	check_settled(&world);
	close_world(&world);
}

static void wishes_are_merged(void **state)
{
	struct world world;

	(void)state;
	open_world(&world, FAMILY_IPV6);
	want(&world, 0, 0, IN, 3);
	expect(&world, " ALLOW 0{ab}");
	want(&world, 1, 0, IN, 6);
	expect(&world, " ALLOW 0{c}");
	want(&world, 2, 0, EX, 12);
	expect(&world, " TO_EX 0{d}");
	want(&world, 0, 0, IN, 0);
	expect(&world, "");
	want(&world, 1, 0, IN, 8);
	expect(&world, " ALLOW 0{d} BLOCK 0{c}");
	check_settled(&world);
	want(&world, 0, 5, EX, 0);
	expect(&world, " TO_EX 5{}");
	/* An instance goes, twice. */
	memset(world.wants[2], 0, sizeof world.wants[2]);
	host_unwant_all(world.host, world.now, 2);
	host_unwant_all(world.host, world.now, 2);
	expect(&world, " TO_IN 0{d}");
	memset(world.wants[1], 0, sizeof world.wants[1]);
	host_unwant_all(world.host, world.now, 1);
	expect(&world, " BLOCK 0{d}");
	check_settled(&world);
	host_unwant_all(world.host, world.now, 0);
	expect(&world, " TO_IN 5{}");
	assert_int_equal(status_of(&world).groups, 0);
	close_world(&world);
}

/* As many groups in a packet as its MTU allows; any one is decoded, and no group is reported twice. */
static void many_groups(struct world *world, uint32_t mtu, unsigned packets)
{
	static const struct filter all = {.mode = FILTER_EXCLUDE};
	struct addr destination;
	struct join_op op;
	uint8_t buffer[9216];
	bool heard[300] = {false};
	unsigned count = 0;
	size_t size;

	world->link.mtu = mtu;
	host_set_link(world->host, world->now, &world->link);
	for (uint32_t i = 0; i < LENGTH(heard); i++) {
		struct addr group = nth_addr(fake_first(world->family, true), i);

		assert_true(host_want(world->host, world->now, 0, &group, &all, 0));
	}
	while (host_pull_join(world->host, world->now, &op))
		host_join_done(world->host, world->now, &op, 0);
	for (; host_pull_packet(world->host, world->now, buffer, &size, &destination); count++) {
		struct message message;
		struct record record;

		read_packet(world, buffer, size, &destination, &message);
		while (message_next_record(&message, &record)) {
			size_t place = 0;
			struct addr group = nth_addr(fake_first(world->family, true), 0);

			while (!addr_equal(&group, &record.group) && ++place < LENGTH(heard))
				group = nth_addr(fake_first(world->family, true), (uint32_t)place);
			assert_true(place < LENGTH(heard));
			assert_false(heard[place]);
			heard[place] = true;
			assert_int_equal(record.type, TO_EX);
		}
	}
	for (size_t i = 0; i < LENGTH(heard); i++)
		assert_true(heard[i]);
	assert_int_equal(count, packets);
	assert_int_equal(status_of(world).reports_sent, packets);
}

static void reports_are_packed(void **state)
{
	static const struct {
		enum family family;
		uint32_t mtu;
		unsigned packets;
	} rows[] = {
		/* (MTU - IP header - 8) / (4 + address) records each. */
		{FAMILY_IPV4, 1500, 2},  {FAMILY_IPV4, 576, 5},  {FAMILY_IPV4, 9000, 1},
		{FAMILY_IPV4, 65536, 1}, {FAMILY_IPV6, 1500, 5}, {FAMILY_IPV6, 1280, 5},
		{FAMILY_IPV6, 9000, 1},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct world world;

		open_world(&world, rows[i].family);
		many_groups(&world, rows[i].mtu, rows[i].packets);
		close_world(&world);
	}
}

static void hear_query(struct world *world, enum version version, bool general)
{
	struct upstream_query query = {
		.querier = addr_of(world->family == FAMILY_IPV4 ? "192.0.2.1" : "fe80::1"),
		.group = general ? addr_unspecified(world->family) : fake_group(world->family, 3),
		.max_response = 10000,
		.version = (uint8_t)version,
	};

	host_receive_query(world->host, world->now, &query, NULL);
}

/* A query of an older version is heard: its forms until it has not been heard for long enough. */
static void older_querier(void **state)
{
	struct world world;

	(void)state;
	open_world(&world, FAMILY_IPV4);
	want(&world, 0, 0, EX, 0);
	want(&world, 0, 1, EX, 0);
	expect(&world, " TO_EX 0{} TO_EX 1{}");
	assert_int_equal(status_of(&world).version, VERSION_3);
	assert_true(status_of(&world).query_received_at == MTIME_NEVER);
	hear_query(&world, VERSION_2, false);
	assert_int_equal(status_of(&world).version, VERSION_3);
	hear_query(&world, VERSION_2, true);
	assert_int_equal(status_of(&world).version, VERSION_2);
	assert_int_equal(status_of(&world).queries_received, 2);
	assert_true(status_of(&world).query_received_at == world.now);
	/* The kernel answers the query. */
	expect(&world, "");
	want(&world, 0, 2, EX, 0);
	expect(&world, " report2 2");
	want(&world, 0, 3, IN, 1);
	expect(&world, " report2 3");
	/* The kernel says so at once. */
	want(&world, 0, 0, IN, 0);
	expect(&world, "");
	/* Sources are nothing to it. */
	want(&world, 0, 1, IN, 3);
	expect(&world, "");
	want(&world, 0, 3, IN, 2);
	want(&world, 0, 1, EX, 4);
	expect(&world, "");
	/* But not of a group that it has not reported itself yet. */
	want(&world, 0, 3, IN, 0);
	expect(&world, " leave2 3");
	hear_query(&world, VERSION_1, true);
	assert_int_equal(status_of(&world).version, VERSION_1);
	want(&world, 0, 2, IN, 0);
	want(&world, 0, 4, EX, 0);
	expect(&world, " report1 4");
	/* The version 1 querier is older than the version 2 one, but its time ends with it here. */
	world.now += OLDER - 1;
	hear_query(&world, VERSION_2, true);
	assert_int_equal(status_of(&world).version, VERSION_1);
	world.now += 1;
	assert_int_equal(status_of(&world).version, VERSION_2);
	want(&world, 0, 5, EX, 0);
	expect(&world, " report2 5");
	world.now += OLDER - 2;
	assert_int_equal(status_of(&world).version, VERSION_2);
	world.now += 1;
	assert_int_equal(status_of(&world).version, VERSION_3);
	want(&world, 0, 5, IN, 0);
	expect(&world, " TO_IN 5{}");
	want(&world, 0, 6, IN, 5);
	expect(&world, " ALLOW 6{ac}");
	close_world(&world);
}

static void older_querier_ipv6(void **state)
{
	struct world world;

	(void)state;
	open_world(&world, FAMILY_IPV6);
	want(&world, 0, 0, EX, 0);
	expect(&world, " TO_EX 0{}");
	hear_query(&world, VERSION_2, true);
	/* The kernel says both at once. */
	want(&world, 0, 0, IN, 0);
	expect(&world, "");
	want(&world, 0, 1, IN, 1);
	expect(&world, "");
	want(&world, 0, 2, EX, 0);
	want(&world, 0, 2, IN, 0);
	expect(&world, "");
	world.now += OLDER;
	want(&world, 0, 1, IN, 0);
	expect(&world, " BLOCK 1{a}");
	close_world(&world);
}

/* Older versions, groups that the kernel keeps: what is sent beside the kernel's own messages. */
static void kernel_sends_older_leaves_and_dones(void **state)
{
	static const struct {
		enum family family;
		enum version version;
		mtime after; /* the join */
		const char *join, *leave;
	} rows[] = {
		{FAMILY_IPV4, VERSION_1, 0, " report1 0", ""},
		{FAMILY_IPV4, VERSION_1, 1000, " report1 0", ""},
		{FAMILY_IPV4, VERSION_2, 0, " report2 0", " leave2 0"},
		{FAMILY_IPV4, VERSION_2, 99, " report2 0", " leave2 0"},
		{FAMILY_IPV4, VERSION_2, 100, " report2 0", ""},
		{FAMILY_IPV4, VERSION_2, 1000, " report2 0", ""},
		{FAMILY_IPV6, VERSION_2, 0, "", ""},
		{FAMILY_IPV6, VERSION_2, 1000, "", ""},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct world world;

		open_world(&world, rows[i].family);
		hear_query(&world, rows[i].version, true);
		for (int again = 0; again < 2; again++) {
			want(&world, 0, 0, EX, 0);
			expect(&world, rows[i].join);
			world.now += rows[i].after;
			expect(&world, "");
			want(&world, 0, 0, IN, 0);
			expect(&world, rows[i].leave);
			world.now += 1000;
			expect(&world, "");
		}
		close_world(&world);
	}
}

/* Queries about a group that nobody wants, then one about group 3. */
static void hear_queries(struct world *world, enum version version, unsigned before)
{
	struct upstream_query other = {
		.querier = addr_of(world->family == FAMILY_IPV4 ? "192.0.2.1" : "fe80::1"),
		.group = fake_group(world->family, 20),
		.max_response = 10000,
		.version = (uint8_t)version,
	};

	for (unsigned n = 0; n < before; n++)
		host_receive_query(world->host, world->now, &other, NULL);
	hear_query(world, version, false);
}

/* The kernel answers so many queries in a second, whatever they are about; those beyond are answered here. */
static void queries_that_the_kernel_drops_are_answered(void **state)
{
	static const struct {
		enum family family;
		enum version version;
		enum membership_provider membership;
		unsigned before; /* queries */
		const char *specific, *general;
	} rows[] = {
		{FAMILY_IPV6, VERSION_3, MEMBERSHIP_KERNEL, 31, "", " IS_IN 3{a} IS_EX 4{}"},
		{FAMILY_IPV6, VERSION_3, MEMBERSHIP_KERNEL, 30, "", ""},
		{FAMILY_IPV6, VERSION_3, MEMBERSHIP_KERNEL, 32, " IS_IN 3{a}",
	         " IS_IN 3{a} IS_IN 3{a} IS_EX 4{}"},
		{FAMILY_IPV6, VERSION_3, MEMBERSHIP_AUTO, 32, " IS_IN 3{a}",
	         " IS_IN 3{a} IS_IN 3{a} IS_EX 4{}"},
		{FAMILY_IPV6, VERSION_2, MEMBERSHIP_KERNEL, 31, " report2 3", " report2 3 report2 4"},
		{FAMILY_IPV6, VERSION_2, MEMBERSHIP_KERNEL, 30, "", ""},
		{FAMILY_IPV4, VERSION_3, MEMBERSHIP_KERNEL, 100, "", ""},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct link_settings own = settings;
		struct world world;

		own.upstream_membership = rows[i].membership;
		own.kernel_groups_max = 100;
		open_with(&world, rows[i].family, &(struct host_limits){5, 4, MEMORY}, &own);
		want(&world, 0, 3, IN, 1);
		want(&world, 0, 4, EX, 0);
		turn(&world);
		world.answers = true;
		for (int again = 0; again < 2; again++) {
			if (rows[i].version < VERSION_3)
				hear_query(&world, rows[i].version, true);
			hear_queries(&world, rows[i].version, rows[i].before);
			world.now += 10000;
			expect(&world, rows[i].specific);
		}
		hear_queries(&world, rows[i].version, rows[i].before);
		hear_query(&world, rows[i].version, true);
		world.now += 10000;
		expect(&world, rows[i].general);
		close_world(&world);
	}
}

/* The kernel had heard the older querier before we came. */
static void kernel_speaks_an_older_version(void **state)
{
	struct world world;

	(void)state;
	for (int version = VERSION_1; version <= VERSION_2; version++) {
		open_world(&world, FAMILY_IPV4);
		world.link.usable = false;
		host_set_link(world.host, world.now, &world.link);
		world.link.usable = true;
		world.link.kernel_version = (enum version)version;
		host_set_link(world.host, world.now, &world.link);
		want(&world, 0, 0, EX, 0);
		expect(&world, version == VERSION_1 ? " report1 0" : " report2 0");
		world.now += OLDER;
		want(&world, 0, 0, IN, 0);
		expect(&world, " TO_IN 0{}");
		close_world(&world);
	}
}

static void set_usable(struct world *world, bool usable)
{
	world->link.usable = usable;
	host_set_link(world->host, world->now, &world->link);
}

/* The interface goes: the owner closes the sockets. */
static void forget(struct world *world)
{
	host_forget(world->host, world->now);
	world->link.usable = false;
	for (uint32_t slot = 0; slot < FAKE_SLOTS; slot++) {
		assert_int_equal(host_slot_memberships(world->host, slot), 0);
		fake_close(&world->fake, slot);
	}
	memset(world->reported, 0, sizeof world->reported);
}

static void link_comes_and_goes(void **state)
{
	struct world world;

	(void)state;
	open_world(&world, FAMILY_IPV4);
	set_usable(&world, false);
	want(&world, 0, 0, EX, 0);
	want(&world, 1, 1, IN, 31);
	expect(&world, "");
	assert_true(host_deadline(world.host) == MTIME_NEVER);
	set_usable(&world, true);
	expect(&world, " TO_EX 0{} ALLOW 1{abcde}");
	check_settled(&world);
	/* Down and up: the kernel keeps the memberships, and tells of them itself. */
	set_usable(&world, false);
	want(&world, 0, 2, EX, 0);
	want(&world, 0, 0, IN, 0);
	expect(&world, "");
	set_usable(&world, true);
	turn(&world);
	check_settled(&world);
	/* Gone: everything is joined anew. */
	forget(&world);
	want(&world, 0, 3, IN, 1);
	want(&world, 0, 2, IN, 0);
	expect(&world, "");
	set_usable(&world, true);
	turn(&world);
	check_settled(&world);
	forget(&world);
	forget(&world);
	set_usable(&world, true);
	expect(&world, " ALLOW 1{abcde} ALLOW 3{a}");
	check_settled(&world);
	close_world(&world);
}

/* What is joined is announced when the link returns, when its address is another one, and on demand; whoever
 * keeps it.
 */
static void the_state_is_announced(void **state)
{
	static const enum membership_provider memberships[] = {MEMBERSHIP_KERNEL, MEMBERSHIP_USER,
	                                                       MEMBERSHIP_AUTO};

	(void)state;
	for (size_t i = 0; i < FAMILIES * LENGTH(memberships); i++) {
		struct link_settings own = settings;
		struct world world;

		own.upstream_membership = memberships[i / FAMILIES];
		own.kernel_groups_max = 1;
		open_with(&world, (enum family)(i % FAMILIES), &(struct host_limits){5, 4, MEMORY}, &own);
		want(&world, 0, 0, EX, 0);
		want(&world, 0, 1, IN, 3);
		turn(&world);
		world.now += 20000;
		turn(&world);
		for (int cause = 0; cause < 3; cause++) {
			world.now += 20000;
			if (cause == 0) {
				set_usable(&world, false);
				set_usable(&world, true);
			} else if (cause == 1) {
				world.link.address.bytes[15]++;
				host_set_link(world.host, world.now, &world.link);
			} else {
				host_announce(world.host, world.now);
			}
			for (int copy = 0; copy < 2; copy++) {
				turn(&world);
				world.now += 2;
				expect(&world, " IS_EX 0{} IS_IN 1{ab}");
				world.now += 1000;
			}
			expect(&world, "");
		}
		/* Nothing else of the link is a reason. */
		world.link.mtu = 1400;
		host_set_link(world.host, world.now, &world.link);
		world.now += 2;
		expect(&world, "");
		set_usable(&world, false);
		host_announce(world.host, world.now);
		expect(&world, "");
		close_world(&world);
	}
}

/* What comes and goes while the link is down leaves nothing behind. */
static void nothing_piles_up_while_the_link_is_down(void **state)
{
	static const struct filter all = {.mode = FILTER_EXCLUDE}, none = {.mode = FILTER_INCLUDE};
	struct world world;

	(void)state;
	open_world(&world, FAMILY_IPV4);
	set_usable(&world, false);
	for (uint32_t i = 0; i < 200000; i++) {
		struct addr group = nth_addr("239.0.0.1", i);

		assert_true(host_want(world.host, world.now, i % 2, &group, &all, 0));
		if (i % 3 == 0)
			host_unwant_all(world.host, world.now, i % 2);
		else
			assert_true(host_want(world.host, world.now, i % 2, &group, &none, 0));
	}
	assert_int_equal(status_of(&world).groups, 0);
	set_usable(&world, true);
	expect(&world, "");
	close_world(&world);
}

static const int errors[] = {ENOBUFS, ENOMEM, ENODEV, EINVAL, EMFILE};

static void refused_joins_rest(void **state)
{
	struct world world;

	(void)state;
	for (size_t i = 0; i < LENGTH(errors); i++) {
		open_world(&world, FAMILY_IPV4);
		world.fake.fail = -errors[i];
		world.fake.fail_kinds = 1u << JOIN_GROUP;
		world.fake.fail_to = UINT32_MAX;
		want(&world, 0, 0, EX, 0);
		want(&world, 0, 1, EX, 0);
		/* The others go on. */
		want(&world, 0, 2, IN, 1);
		expect(&world, " ALLOW 2{a}");
		assert_int_equal(status_of(&world).failing, 2);
		assert_int_equal(status_of(&world).last_error, errors[i]);
		for (int round = 0; round < 3; round++) {
			unsigned operations = world.fake.operations;

			assert_true(host_deadline(world.host) == world.now + RETRY);
			world.now += RETRY - 1;
			expect(&world, "");
			assert_int_equal(world.fake.operations, operations);
			world.now++;
			expect(&world, "");
			assert_true(world.fake.operations > operations);
		}
		world.fake.fail = 0;
		world.now += RETRY;
		expect(&world, " TO_EX 0{} TO_EX 1{}");
		check_settled(&world);
		assert_true(host_deadline(world.host) == MTIME_NEVER);
		close_world(&world);
	}
}

/* Not only after a rest: a new want and a link that comes up are tried at once. */
static void refused_join_is_tried_at_once(void **state)
{
	struct world world;

	(void)state;
	open_world(&world, FAMILY_IPV6);
	world.fake.fail = -ENODEV;
	world.fake.fail_kinds = 0x1f;
	world.fake.fail_to = UINT32_MAX;
	want(&world, 0, 0, EX, 0);
	want(&world, 0, 1, EX, 0);
	want(&world, 0, 2, EX, 0);
	expect(&world, "");
	assert_int_equal(status_of(&world).failing, 3);
	world.fake.fail = 0;
	want(&world, 1, 1, IN, 1);
	expect(&world, " TO_EX 1{}");
	want(&world, 0, 0, IN, 0);
	expect(&world, "");
	assert_int_equal(status_of(&world).failing, 1);
	assert_int_equal(status_of(&world).groups, 2);
	set_usable(&world, false);
	assert_true(host_deadline(world.host) == MTIME_NEVER);
	set_usable(&world, true);
	expect(&world, " TO_EX 2{}");
	check_settled(&world);
	close_world(&world);
}

/* The kernel takes a shorter list than its setting says: EXCLUDE{} is held and reported, until the want changes.
 */
static void refused_list_becomes_a_superset(void **state)
{
	struct world world;

	(void)state;
	open_world(&world, FAMILY_IPV4);
	world.fake.sources_max = 2;
	want(&world, 0, 0, EX, 7);
	expect(&world, " TO_EX 0{}");
	check_settled(&world);
	assert_int_equal(status_of(&world).supersets, 1);
	assert_int_equal(status_of(&world).failing, 0);
	/* It is tried again, without a word while the kernel refuses it still. */
	world.now = host_deadline(world.host);
	expect(&world, "");
	assert_int_equal(status_of(&world).supersets, 1);
	world.fake.sources_max = 10;
	world.now = host_deadline(world.host);
	expect(&world, " BLOCK 0{abc}");
	assert_int_equal(status_of(&world).supersets, 0);
	world.fake.sources_max = 2;
	want(&world, 0, 0, EX, 15);
	expect(&world, " ALLOW 0{abc}");
	assert_int_equal(status_of(&world).supersets, 1);
	want(&world, 0, 0, EX, 3);
	expect(&world, " BLOCK 0{ab}");
	check_settled(&world);
	want(&world, 0, 0, EX, 1023);
	turn(&world);
	check_settled(&world);
	forget(&world);
	assert_int_equal(status_of(&world).supersets, 0);
	want(&world, 0, 0, IN, 0);
	set_usable(&world, true);
	turn(&world);
	assert_int_equal(status_of(&world).supersets, 0);
	close_world(&world);
}

static void memory_is_limited(void **state)
{
	static struct addr list[200];
	struct filter filter = {.mode = FILTER_INCLUDE, .sources = {.list = list, .count = LENGTH(list)}};
	struct filter all = {.mode = FILTER_EXCLUDE}, none = {.mode = FILTER_INCLUDE};
	struct world world;
	struct addr group;
	uint32_t count = 0, more = 0;

	(void)state;
	for (uint32_t i = 0; i < LENGTH(list); i++)
		list[i] = nth_addr("10.0.0.1", i);
	open_with(&world, FAMILY_IPV4, &(struct host_limits){5, 4, 100000}, &settings);
	while (group = nth_addr("239.0.0.1", count), host_want(world.host, world.now, 0, &group, &filter, 0))
		assert_true(++count < 1000);
	assert_true(count > 10);
	/* The refused one left nothing behind, and takes no part in the merge. */
	assert_int_equal(status_of(&world).groups, count);
	/* A want that there is no more memory for stays what it was. */
	group = nth_addr("239.0.0.1", 0);
	assert_true(host_want(world.host, world.now, 0, &group, &all, 0));
	while (group = nth_addr("239.0.0.1", count + more),
	       host_want(world.host, world.now, 0, &group, &filter, 0))
		assert_true(++more < 1000);
	group = nth_addr("239.0.0.1", 0);
	assert_false(host_want(world.host, world.now, 0, &group, &filter, 0));
	assert_int_equal(status_of(&world).groups, count + more);
	for (uint32_t i = 0; i < count + more; i++) {
		group = nth_addr("239.0.0.1", i);
		assert_true(host_want(world.host, world.now, 0, &group, &none, 0));
	}
	expect(&world, "");
	assert_int_equal(status_of(&world).groups, 0);
	close_world(&world);
}

static unsigned times_in(const char *text, const char *word)
{
	unsigned times = 0;

	while ((text = strstr(text, word)) != NULL) {
		times++;
		text += strlen(word);
	}
	return times;
}

/* Without kernel memberships nothing is joined; the reports are all. */
static void user_memberships(void **state)
{
	struct link_settings user = settings;
	struct world world;

	(void)state;
	user.upstream_membership = MEMBERSHIP_USER;
	open_with(&world, FAMILY_IPV4, &(struct host_limits){5, 4, MEMORY}, &user);
	want(&world, 0, 0, EX, 1023);
	want(&world, 0, 1, IN, 3);
	expect(&world, " TO_EX 0{abcdefghij} ALLOW 1{ab}");
	/* And once more, robustness being 2. */
	while (host_deadline(world.host) <= world.now + 10000) {
		world.now = host_deadline(world.host);
		turn(&world);
	}
	assert_int_equal(times_in(world.text, " TO_EX 0{abcdefghij}"), 2);
	assert_int_equal(times_in(world.text, " ALLOW 1{ab}"), 2);
	assert_int_equal(world.fake.operations, 0);
	close_world(&world);
}

/* Other settings while all goes on: what was reported stays reported. */
static void configured_under_way(void **state)
{
	struct link_settings user = settings;
	struct world world;

	(void)state;
	user.upstream_membership = MEMBERSHIP_USER;
	open_with(&world, FAMILY_IPV4, &(struct host_limits){5, 4, MEMORY}, &user);
	want(&world, 0, 0, EX, 0);
	expect(&world, " TO_EX 0{}");
	user.robustness = 4;
	host_configure(world.host, world.now, &user);
	expect(&world, "");
	want(&world, 0, 1, IN, 3);
	expect(&world, " ALLOW 1{ab}");
	while (host_deadline(world.host) <= world.now + 10000) {
		world.now = host_deadline(world.host);
		turn(&world);
	}
	assert_int_equal(times_in(world.text, " ALLOW 1{ab}"), 4);
	user.upstream_version[FAMILY_IPV4] = VERSION_2;
	host_configure(world.host, world.now, &user);
	assert_int_equal(status_of(&world).version, VERSION_2);
	user.upstream_version[FAMILY_IPV4] = VERSION_NONE;
	host_configure(world.host, world.now, &user);
	assert_int_equal(status_of(&world).version, VERSION_3);
	close_world(&world);
}

/* What an instance wants, whether or not there is memory for it. */
static void try_want(struct world *world, unsigned instance, unsigned group, enum filter_mode mode,
                     unsigned mask)
{
	struct addr list[FAKE_SOURCES], address = fake_group(world->family, group);
	struct filter filter = fake_filter(world->family, mode, mask, list);

	host_want(world->host, world->now, instance, &address, &filter,
	          links_of(instance, group, mode, mask));
	world->wants[instance][group] = fake_passing(mode, mask);
}

static void elapse(struct world *world, mtime time)
{
	turn(world);
	world->now += time;
	turn(world);
}

static void live_through_failures(struct world *world)
{
	for (unsigned group = 0; group < 6; group++)
		try_want(world, 0, group, EX, 0);
	try_want(world, 0, 6, IN, 3);
	try_want(world, 1, 6, IN, 12);
	try_want(world, 2, 6, EX, 1);
	elapse(world, 100);
	try_want(world, 1, 0, IN, 7);
	try_want(world, 0, 7, IN, 1023);
	try_want(world, 0, 8, EX, 31);
	elapse(world, 1500);
	try_want(world, 0, 8, EX, 3);
	try_want(world, 0, 6, IN, 0);
	try_want(world, 2, 6, IN, 6);
	try_want(world, 0, 7, IN, 5);
	elapse(world, 3000);
	set_usable(world, false);
	try_want(world, 0, 9, EX, 0);
	try_want(world, 0, 1, IN, 0);
	elapse(world, 10);
	set_usable(world, true);
	host_unwant_all(world->host, world->now, 1);
	memset(world->wants[1], 0, sizeof world->wants[1]);
	elapse(world, 1000);
	forget(world);
	try_want(world, 1, 10, IN, 9);
	set_usable(world, true);
	elapse(world, 1000);
	try_want(world, 0, 10, EX, 2);
	try_want(world, 0, 2, IN, 0);
	elapse(world, 1000);
}

/* The owner has the workers say again what they want; what the host itself could not do it does by itself. */
static void recover(struct world *world)
{
	for (unsigned instance = 0; instance < INSTANCES; instance++)
		for (unsigned group = 0; group < FAKE_GROUPS; group++) {
			unsigned passing = world->wants[instance][group];
			bool exclude = passing & FAKE_OTHERS;

			want(world, instance, group, exclude ? EX : IN,
			     exclude ? FAKE_ALL & ~passing : passing);
		}
	for (int i = 0; i < 5; i++)
		elapse(world, 10000);
}

struct failure_case {
	enum family family;
	enum membership_provider membership;
	uint32_t leave_hold;
};

static unsigned with_failures(const void *context, unsigned from, unsigned to)
{
	const struct failure_case *row = context;
	struct link_settings own = settings;
	struct world world;
	unsigned count;

	own.upstream_membership = (uint8_t)row->membership;
	own.kernel_groups_max = 4;
	own.leave_hold = row->leave_hold;
	open_with(&world, row->family, &(struct host_limits){5, 4, MEMORY}, &own);
	world.link.mtu = 9000;
	host_set_link(world.host, world.now, &world.link);
	world.answers = row->membership != MEMBERSHIP_KERNEL;
	world.seed = from;
	fail_between(from, to);
	live_through_failures(&world);
	count = fail_end();
	recover(&world);
	check_settled(&world);
	check(&world, host_deadline(world.host) == MTIME_NEVER, "something is left to do");
	close_world(&world);
	return count;
}

static void every_allocation_may_fail(void **state)
{
	static const struct failure_case rows[] = {
		{FAMILY_IPV4, MEMBERSHIP_KERNEL, 0}, {FAMILY_IPV6, MEMBERSHIP_KERNEL, 500},
		{FAMILY_IPV4, MEMBERSHIP_USER, 500}, {FAMILY_IPV6, MEMBERSHIP_USER, 0},
		{FAMILY_IPV4, MEMBERSHIP_AUTO, 0},   {FAMILY_IPV6, MEMBERSHIP_AUTO, 500},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++)
		fail_everywhere(with_failures, &rows[i]);
}

/* A host that cannot be made leaves nothing behind. One that cannot take over everything is given up; the old
 * one is as it was. */
static unsigned take_over_with_failures(const void *context, unsigned from, unsigned to)
{
	struct link_settings own = settings;
	struct world world;
	struct host *host;
	unsigned count;
	bool copied;

	(void)context;
	open_world(&world, FAMILY_IPV4);
	for (unsigned group = 0; group < 6; group++) {
		want(&world, 0, group, EX, 0);
		want(&world, 1, group, IN, 3);
	}
	turn(&world);
	own.upstream_membership = MEMBERSHIP_USER;
	fail_between(from, to);
	host = host_new(FAMILY_IPV4, &(struct host_limits){5, 4, MEMORY}, &own, 99);
	copied = host != NULL && host_copy_wants(world.host, world.now, host);
	count = fail_end();
	assert_true(copied || from < count);
	if (copied) {
		struct host_status status;

		host_get_status(host, world.now, &status);
		assert_int_equal(status.groups, 6);
	}
	host_free(host);
	expect(&world, "");
	check_settled(&world);
	close_world(&world);
	return count;
}

static void taking_over_may_fail(void **state)
{
	(void)state;
	fail_everywhere(take_over_with_failures, NULL);
}

/* The kernel keeps what was kept here, and the other way round: in between both want it. */
static void another_host_takes_over(void **state)
{
	static const enum membership_provider from[] = {MEMBERSHIP_KERNEL, MEMBERSHIP_USER, MEMBERSHIP_AUTO};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct link_settings own = settings;
		struct world old, world;

		own.upstream_membership = (uint8_t)from[i];
		own.kernel_groups_max = 1;
		open_with(&old, FAMILY_IPV4, &(struct host_limits){5, 4, MEMORY}, &own);
		want(&old, 0, 0, EX, 3);
		want(&old, 1, 0, IN, 1);
		want(&old, 2, 1, IN, 3);
		turn(&old);
		own.upstream_membership = (uint8_t)from[(i + 1) % 3];
		open_with(&world, FAMILY_IPV4, &(struct host_limits){5, 4, MEMORY}, &own);
		assert_true(host_copy_wants(old.host, old.now, world.host));
		expect(&world, " TO_EX 0{b} ALLOW 1{ab}");
		/* The wants are the instances' still. */
		host_unwant_all(world.host, world.now, 0);
		expect(&world, " TO_IN 0{a}");
		close_world(&old);
		close_world(&world);
	}
}

static void open_auto(struct world *world, enum family family, const struct host_limits *limits,
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

static void pass_seconds(struct world *world, unsigned seconds)
{
	mtime end = world->now + seconds * MTIME_SECOND;

	while (host_deadline(world->host) <= end) {
		world->now = host_deadline(world->host);
		turn(world);
	}
	world->now = end;
}

/* The kernel keeps the first groups: it repeats and answers for these. Those beyond are repeated and answered
 * for here. A place that becomes free is taken by the next new group. */
static void kernel_keeps_the_first_groups(void **state)
{
	(void)state;
	for (int family = 0; family < FAMILIES; family++) {
		struct world world;

		open_auto(&world, (enum family)family, &(struct host_limits){5, 4, MEMORY}, 2);
		for (unsigned group = 0; group < 4; group++)
			want(&world, 0, group, EX, 0);
		expect(&world, " TO_EX 0{} TO_EX 1{} TO_EX 2{} TO_EX 3{}");
		assert_int_equal(world.fake.operations, 2);
		assert_int_equal(status_of(&world).groups, 4);
		assert_int_equal(status_of(&world).kept_here, 2);
		world.text[0] = 0;
		pass_seconds(&world, 2);
		assert_string_equal(world.text, " TO_EX 2{} TO_EX 3{}");
		world.text[0] = 0;
		hear_query(&world, VERSION_3, true);
		pass_seconds(&world, 11);
		assert_string_equal(world.text, " IS_EX 2{} IS_EX 3{}");

		want(&world, 0, 1, IN, 0);
		want(&world, 0, 3, IN, 0);
		want(&world, 0, 4, EX, 0);
		turn(&world);
		want(&world, 0, 5, EX, 0);
		pass_seconds(&world, 2);
		assert_int_equal(fake_held(&world.fake, 5), FAKE_ALL);
		assert_int_equal(status_of(&world).groups, 4);
		assert_int_equal(status_of(&world).kept_here, 2);
		check_settled(&world);
		close_world(&world);
	}
}

/* Where the kernel has no room, below its number too, a group is kept here; other failures are tried again.
 */
static void a_full_kernel_keeps_no_more(void **state)
{
	static const struct {
		int result;
		size_t kept_here;
	} cases[] = {{-ENOBUFS, 1}, {-ENOMEM, 1}, {-EMFILE, 1}, {-ENODEV, 0}};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct world world;

		open_auto(&world, FAMILY_IPV4, &(struct host_limits){5, 4, MEMORY}, 10);
		want(&world, 0, 0, EX, 0);
		turn(&world);
		world.fake.fail = cases[i].result;
		world.fake.fail_kinds = ~0u;
		world.fake.fail_from = 1;
		world.fake.fail_to = 100;
		want(&world, 0, 1, EX, 0);
		turn(&world);
		assert_int_equal(world.reported[1], cases[i].kept_here ? FAKE_ALL : 0);
		assert_int_equal(status_of(&world).kept_here, cases[i].kept_here);
		assert_int_equal(status_of(&world).failing, 1 - cases[i].kept_here);
		world.fake.fail = 0;
		pass_seconds(&world, 3);
		check_settled(&world);
		close_world(&world);
	}
}

static void note_left(struct world *world, const struct join_op *op)
{
	sprintf(world->text + strlen(world->text), " %u", fake_number(&op->group, true));
}

/* The kernel finds a membership by walking from the newest one. */
static void all_are_left_newest_first(void **state)
{
	struct world world;
	struct join_op op;

	(void)state;
	open_world(&world, FAMILY_IPV4);
	for (unsigned group = 0; group < 6; group++)
		want(&world, 0, group, EX, 0);
	turn(&world);
	host_unwant_all(world.host, world.now, 0);
	want(&world, 0, 7, EX, 0);
	memset(world.wants[0], 0, 7 * sizeof world.wants[0][0]);
	world.text[0] = 0;
	while (host_pull_join(world.host, world.now, &op)) {
		note_left(&world, &op);
		host_join_done(world.host, world.now, &op, fake_operate(&world.fake, &op));
	}
	assert_string_equal(world.text, " 5 4 3 2 1 0 7");
	turn(&world);
	check_settled(&world);
	close_world(&world);
}

static void check_walk(struct host_walk *walk, const char *expected)
{
	char text[256] = "";
	struct host_group group;

	while (host_walk_next(walk, &group)) {
		const char *state = group.refused ? "refused" : group.joining ? "joining" : "joined";

		sprintf(text + strlen(text), " %u %s %s %zu", fake_number(&group.group, true), state,
		        filter_mode_name(group.wanted.mode), group.wanted.sources.count);
	}
	assert_string_equal(text, expected);
	assert_null(walk->host);
}

/* leave_hold: what is left stays for a moment. */

enum { HOLD = 1500 };

static void open_holding(struct world *world, uint8_t membership)
{
	struct link_settings own = settings;

	own.upstream_membership = membership;
	own.leave_hold = HOLD;
	own.robustness = 1;
	open_with(world, FAMILY_IPV4, &(struct host_limits){5, 4, MEMORY}, &own);
}

static void pass(struct world *world, mtime interval)
{
	world->now += interval;
}

static void what_is_left_is_held_for_a_moment(void **state)
{
	static const uint8_t memberships[] = {MEMBERSHIP_KERNEL, MEMBERSHIP_USER};

	(void)state;
	for (size_t i = 0; i < LENGTH(memberships); i++) {
		struct world world;

		open_holding(&world, memberships[i]);
		want(&world, 0, 0, EX, 0);
		expect(&world, " TO_EX 0{}");
		/* Left for good. */
		want(&world, 0, 0, IN, 0);
		expect(&world, "");
		assert_int_equal(host_deadline(world.host), world.now + HOLD);
		pass(&world, HOLD - 1);
		expect(&world, "");
		pass(&world, 1);
		expect(&world, " TO_IN 0{}");
		assert_int_equal(status_of(&world).groups, 0);
		assert_int_equal(host_deadline(world.host), MTIME_NEVER);
		/* Left, and come back to: nobody hears of it; and what is left again is held anew. */
		want(&world, 0, 1, IN, 1);
		expect(&world, " ALLOW 1{a}");
		want(&world, 0, 1, IN, 0);
		pass(&world, 1000);
		want(&world, 0, 1, IN, 1);
		expect(&world, "");
		want(&world, 0, 1, IN, 0);
		pass(&world, HOLD - 1);
		expect(&world, "");
		pass(&world, 1);
		expect(&world, " BLOCK 1{a}");
		close_world(&world);
	}
}

static void only_the_last_of_several_wishes_is_worth_holding(void **state)
{
	struct world world;

	(void)state;
	open_holding(&world, MEMBERSHIP_KERNEL);
	want(&world, 0, 0, EX, 0);
	want(&world, 1, 0, IN, 1);
	expect(&world, " TO_EX 0{}");
	want(&world, 0, 0, IN, 0);
	pass(&world, HOLD);
	expect(&world, " TO_IN 0{a}");
	/* A change of the filter is no leave. */
	want(&world, 1, 0, IN, 3);
	expect(&world, " ALLOW 0{b}");
	close_world(&world);
}

/* An instance that ends, and an interface that goes, leave nothing behind to be held. */
static void ends_end_holds(void **state)
{
	struct world world;

	(void)state;
	open_holding(&world, MEMBERSHIP_KERNEL);
	want(&world, 0, 0, EX, 0);
	want(&world, 0, 1, EX, 0);
	turn(&world);
	want(&world, 0, 0, IN, 0);
	host_unwant_all(world.host, world.now, 0);
	expect(&world, " TO_IN 1{} TO_IN 0{}");
	want(&world, 0, 0, EX, 0);
	turn(&world);
	want(&world, 0, 0, IN, 0);
	forget(&world);
	world.link.usable = true;
	host_set_link(world.host, world.now, &world.link);
	expect(&world, "");
	assert_int_equal(status_of(&world).groups, 0);
	pass(&world, HOLD);
	expect(&world, "");
	close_world(&world);
}

static void holds_without_memory_end_at_once(void **state)
{
	struct link_settings own = settings;
	struct world world;
	bool full = false;

	(void)state;
	own.leave_hold = HOLD;
	own.upstream_membership = MEMBERSHIP_USER;
	own.robustness = 1;
	open_with(&world, FAMILY_IPV4, &(struct host_limits){5, 4, (size_t)40 << 10}, &own);
	/* Each hold that ended before its time stays in the queue. */
	for (int i = 0; i < 2000; i++) {
		want(&world, 0, 0, EX, 0);
		send_all(&world);
		want(&world, 0, 0, IN, 0);
		world.text[0] = 0;
		send_all(&world);
		full |= strcmp(world.text, " TO_IN 0{}") == 0;
	}
	assert_true(full);
	pass(&world, HOLD);
	turn(&world);
	assert_int_equal(status_of(&world).groups, 0);
	close_world(&world);
}

/* Hosts that zap without end leave holds behind that nobody waits for: those take no memory from others. */
static void holds_have_a_limit(void **state)
{
	struct link_settings own = settings;
	struct world world;
	bool full = false;

	(void)state;
	own.leave_hold = HOLD;
	own.upstream_membership = MEMBERSHIP_USER;
	own.robustness = 1;
	open_with(&world, FAMILY_IPV4, &(struct host_limits){5, 4, (size_t)16 << 20}, &own);
	for (int i = 0; i < 70000; i++) {
		want(&world, 0, 0, EX, 0);
		send_all(&world);
		want(&world, 0, 0, IN, 0);
		world.text[0] = 0;
		send_all(&world);
		if (world.text[0] != 0)
			assert_true(i >= 65535);
		full |= world.text[0] != 0;
	}
	assert_true(full);
	pass(&world, HOLD);
	turn(&world);
	assert_int_equal(status_of(&world).groups, 0);
	want(&world, 0, 0, EX, 0);
	turn(&world);
	want(&world, 0, 0, IN, 0);
	expect(&world, "");
	close_world(&world);
}

static void walks_tell_what_is_wanted_and_how_far_it_is(void **state)
{
	struct host_walk walk;
	struct world world;

	(void)state;
	open_world(&world, FAMILY_IPV4);
	host_walk_begin(world.host, &walk);
	check_walk(&walk, "");
	want(&world, 0, 0, EX, 0);
	want(&world, 0, 1, IN, 3);
	want(&world, 1, 1, IN, 4);
	host_walk_begin(world.host, &walk);
	check_walk(&walk, " 0 joining EXCLUDE 0 1 joining INCLUDE 3");
	turn(&world);
	world.fake.fail = -ENOBUFS;
	world.fake.fail_kinds = 1u << JOIN_GROUP;
	world.fake.fail_to = UINT32_MAX;
	want(&world, 0, 2, EX, 0);
	turn(&world);
	host_walk_begin(world.host, &walk);
	check_walk(&walk, " 0 joined EXCLUDE 0 1 joined INCLUDE 3 2 refused EXCLUDE 0");
	close_world(&world);
}

static void walks_go_over_both_keepers(void **state)
{
	struct host_walk walk;
	struct host_group group;
	struct world world;

	(void)state;
	open_auto(&world, FAMILY_IPV4, &(struct host_limits){5, 4, MEMORY}, 2);
	for (unsigned i = 0; i < 4; i++)
		want(&world, 0, i, EX, 0);
	turn(&world);
	host_walk_begin(world.host, &walk);
	for (unsigned i = 0; i < 4; i++) {
		assert_true(host_walk_next(&walk, &group));
		assert_int_equal(fake_number(&group.group, true), i);
		assert_int_equal(group.kept_here, i >= 2);
	}
	assert_false(host_walk_next(&walk, &group));
	close_world(&world);
}

static void walks_go_on_while_groups_come_and_go(void **state)
{
	struct host_walk walk, other;
	struct host_group group;
	struct world world;

	(void)state;
	open_world(&world, FAMILY_IPV4);
	for (unsigned i = 0; i < 4; i++)
		want(&world, 0, i, EX, 0);
	turn(&world);
	host_walk_begin(world.host, &walk);
	host_walk_begin(world.host, &other);
	assert_true(host_walk_next(&walk, &group));
	/* The next two of one walk go, and another one comes. */
	want(&world, 0, 1, IN, 0);
	want(&world, 0, 2, IN, 0);
	turn(&world);
	want(&world, 0, 4, EX, 0);
	turn(&world);
	check_walk(&walk, " 3 joined EXCLUDE 0 4 joined EXCLUDE 0");
	check_walk(&other, " 0 joined EXCLUDE 0 3 joined EXCLUDE 0 4 joined EXCLUDE 0");
	host_walk_begin(world.host, &walk);
	host_walk_begin(world.host, &other);
	host_walk_end(&other);
	close_world(&world); /* in the middle of a walk, which is over then */
	assert_null(walk.host);
}

/* The random test. */

static void something_happens(struct world *world)
{
	unsigned instance = random_below(&world->random, INSTANCES);
	unsigned mask = (unsigned)random_next(&world->random) & (unsigned)random_next(&world->random) &
	                (FAKE_OTHERS - 1);

	switch (random_below(&world->random, 40)) {
	case 0:
		forget(world);
		break;
	case 1:
	case 2:
		set_usable(world, !world->link.usable);
		break;
	case 3:
		if (random_percent(&world->random, 20)) {
			host_unwant_all(world->host, world->now, instance);
			memset(world->wants[instance], 0, sizeof world->wants[instance]);
		}
		break;
	case 4:
		hear_query(world, VERSION_3, random_percent(&world->random, 50));
		break;
	default:
		if (random_percent(&world->random, 25))
			mask = 0;
		want(world, instance, random_below(&world->random, FAKE_GROUPS),
		     random_percent(&world->random, 60) ? IN : EX, mask);
	}
}

static void something_fails(struct world *world)
{
	static const int which[] = {-ENOBUFS, -ENOMEM, -ENODEV, -EMFILE};

	world->fake.fail = which[random_below(&world->random, LENGTH(which))];
	world->fake.fail_kinds = random_below(&world->random, 32);
	world->fake.fail_from = world->fake.operations + random_below(&world->random, 5);
	world->fake.fail_to = world->fake.fail_from + random_below(&world->random, 20);
}

/* Wishes are reported once more, so that lists which were refused are tried again. */
static void come_to_rest(struct world *world)
{
	world->fake.fail = 0;
	set_usable(world, true);
	world->now += RETRY;
	for (unsigned instance = 0; instance < INSTANCES; instance++)
		for (unsigned group = 0; group < FAKE_GROUPS; group++) {
			unsigned passing = world->wants[instance][group];
			bool exclude = passing & FAKE_OTHERS;

			want(world, instance, group, exclude ? EX : IN,
			     exclude ? FAKE_ALL & ~passing : passing);
		}
	turn(world);
	check_settled(world);
}

static void check_streams(const struct world *world, unsigned instance, unsigned group, uint64_t links)
{
	struct addr address = fake_group(world->family, group);

	assert_true(host_streams(world->host, instance, &address) == links);
}

/* Links change while the filter does not; and they end with the try_want, though it is held. */
static void links_are_kept_with_wishes(void **state)
{
	static const struct filter all = {.mode = FILTER_EXCLUDE};
	struct world world, other;
	struct addr group;

	(void)state;
	open_holding(&world, MEMBERSHIP_AUTO);
	check_streams(&world, 0, 0, 0);
	want(&world, 0, 0, EX, 0);
	want(&world, 1, 0, EX, 0);
	want(&world, 2, 0, EX, 3);
	expect(&world, " TO_EX 0{}");
	group = fake_group(world.family, 0);
	assert_true(host_want(world.host, world.now, 0, &group, &all, 6));
	expect(&world, "");
	check_streams(&world, 0, 0, 6);
	check_streams(&world, 1, 0, links_of(1, 0, EX, 0));
	check_streams(&world, 2, 0, 0);
	check_streams(&world, 3, 0, 0);
	check_streams(&world, 0, 1, 0);
	assert_true(host_want(world.host, world.now, 0, &group, &all, 0));
	check_streams(&world, 0, 0, 0);
	open_holding(&other, MEMBERSHIP_USER);
	assert_true(host_copy_wants(world.host, world.now, other.host));
	check_streams(&other, 1, 0, links_of(1, 0, EX, 0));
	close_world(&other);
	/* Held, taken up again, and over. */
	want(&world, 1, 0, IN, 0);
	pass(&world, HOLD - 1);
	expect(&world, "");
	check_streams(&world, 1, 0, 0);
	want(&world, 1, 0, EX, 0);
	pass(&world, HOLD);
	turn(&world);
	check_streams(&world, 1, 0, links_of(1, 0, EX, 0));
	host_unwant_all(world.host, world.now, 1);
	check_streams(&world, 1, 0, 0);
	/* The interface goes and the instance's members stay. */
	want(&world, 0, 0, EX, 0);
	forget(&world);
	check_streams(&world, 0, 0, links_of(0, 0, EX, 0));
	close_world(&world);
}

static void random_wishes(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 400; seed++) {
		struct random random = {seed};
		struct host_limits limits = {random_between(&random, 1, 8),
		                             random_between(&random, 1, FAKE_SOURCES), MEMORY};
		static struct world world;

		if (seed <= 200)
			open_with(&world, seed % 2 ? FAMILY_IPV4 : FAMILY_IPV6, &limits, &settings);
		else
			open_auto(&world, seed % 2 ? FAMILY_IPV4 : FAMILY_IPV6, &limits,
			          random_below(&random, FAKE_GROUPS));
		world.seed = seed;
		world.random = random;
		for (int step = 0; step < 200; step++) {
			something_happens(&world);
			world.now += random_below(&world.random, 500);
			if (seed % 3 == 0 && random_percent(&world.random, 10))
				something_fails(&world);
			if (random_percent(&world.random, 40))
				turn(&world);
			if (random_percent(&world.random, 5))
				come_to_rest(&world);
		}
		come_to_rest(&world);
		close_world(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(report_of_each_change),
		cmocka_unit_test(what_is_left_is_held_for_a_moment),
		cmocka_unit_test(only_the_last_of_several_wishes_is_worth_holding),
		cmocka_unit_test(ends_end_holds),
		cmocka_unit_test(holds_without_memory_end_at_once),
		cmocka_unit_test(holds_have_a_limit),
		cmocka_unit_test(operations_come_first),
		cmocka_unit_test(wishes_are_merged),
		cmocka_unit_test(reports_are_packed),
		cmocka_unit_test(older_querier),
		cmocka_unit_test(older_querier_ipv6),
		cmocka_unit_test(kernel_sends_older_leaves_and_dones),
		cmocka_unit_test(queries_that_the_kernel_drops_are_answered),
		cmocka_unit_test(kernel_speaks_an_older_version),
		cmocka_unit_test(link_comes_and_goes),
		cmocka_unit_test(the_state_is_announced),
		cmocka_unit_test(nothing_piles_up_while_the_link_is_down),
		cmocka_unit_test(refused_joins_rest),
		cmocka_unit_test(refused_join_is_tried_at_once),
		cmocka_unit_test(refused_list_becomes_a_superset),
		cmocka_unit_test(memory_is_limited),
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(taking_over_may_fail),
		cmocka_unit_test(user_memberships),
		cmocka_unit_test(kernel_keeps_the_first_groups),
		cmocka_unit_test(a_full_kernel_keeps_no_more),
		cmocka_unit_test(all_are_left_newest_first),
		cmocka_unit_test(configured_under_way),
		cmocka_unit_test(another_host_takes_over),
		cmocka_unit_test(walks_tell_what_is_wanted_and_how_far_it_is),
		cmocka_unit_test(walks_go_over_both_keepers),
		cmocka_unit_test(walks_go_on_while_groups_come_and_go),
		cmocka_unit_test(links_are_kept_with_wishes),
		cmocka_unit_test(random_wishes),
	};

	host_free(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
