/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The host side upstream: the input chooses the settings, what instances want, queries, the state of the link, and what the
 * kernel refuses. The kernel is the model of the unit tests. At the end the kernel holds what is wanted, and then nothing.
 */
#include "fuzz.h"

#include "core/host/host.h"

#include "support/fake_joins.h"

#define INSTANCES  3
#define TURN_MAX   20000 /* operations and packets */
#define SETTLE_MAX 30000 /* turns */
#define MUCH       ((size_t)4 << 20)
#define PACKET_MAX 9216

struct world {
	struct wire input;
	enum family family;
	struct host_limits limits;
	struct link_settings settings;
	struct host *host;
	struct host_link link;
	struct fake_joins kernel;
	struct host_walk walk;
	mtime now;
	bool refused; /* a want found no memory */
	unsigned wants[INSTANCES][FAKE_GROUPS];
};

static struct link_settings settings_of(struct wire *input, uint8_t membership)
{
	static const uint32_t delays[] = {0, 1, 100, 1500, 10000};
	uint8_t choice = fuzz_byte(input), more = fuzz_byte(input), last = fuzz_byte(input);

	return (struct link_settings){
		.upstream_membership = membership,
		.version = {1 + choice % 3, 2 + (choice >> 2 & 1)},
		.upstream_version = {choice >> 3 & 3, choice >> 5 & 1 ? 2 + (choice >> 6 & 1) : VERSION_NONE},
		.repeat_without_querier = choice >> 7,
		.robustness = more == 0xff ? 255 : (uint8_t)(1 + more % 7),
		.query_interval = 1000u + more * 500u,
		.query_response_interval = 100u + last * 40u,
		.kernel_groups_max = last % (FAKE_GROUPS + 1),
		.unsolicited_report_interval = delays[more / 7 % LENGTH(delays)],
		.leave_hold = delays[last / 25 % LENGTH(delays)],
	};
}

static void open_host(struct world *world)
{
	static const uint8_t memberships[] = {MEMBERSHIP_AUTO, MEMBERSHIP_KERNEL, MEMBERSHIP_USER};
	uint8_t choice = fuzz_byte(&world->input), limits = fuzz_byte(&world->input);

	world->family = choice & 1 ? FAMILY_IPV6 : FAMILY_IPV4;
	world->limits = (struct host_limits){
		.groups_per_socket = 1 + limits % 8,
		.sources_per_filter = 1 + limits / 8 % FAKE_SOURCES,
		.memory_max = choice & 0x80 ? 4096 * (size_t)(1 + (choice >> 3 & 15)) : MUCH,
	};
	world->kernel.groups_max = world->limits.groups_per_socket;
	world->kernel.sources_max = world->limits.sources_per_filter;
	world->settings = settings_of(&world->input, memberships[(choice >> 1 & 3) % LENGTH(memberships)]);
	world->host = host_new(world->family, &world->limits, &world->settings, choice);
	assert(world->host != NULL);
}

static struct addr own_address(enum family family, uint8_t number)
{
	struct addr addr = {{0xfe, 0x80, [15] = number}};

	return family == FAMILY_IPV4 ? addr_from_ipv4_number(0xc0000200u + number) : addr;
}

static void set_link(struct world *world)
{
	static const uint16_t mtus[] = {1500, 576, 1280, 9000, 68, 65535};
	uint8_t choice = fuzz_byte(&world->input), versions = fuzz_byte(&world->input);

	world->link = (struct host_link){
		.usable = choice & 3,
		.address = own_address(world->family, (uint8_t)(1 + (choice >> 2 & 3))),
		.mtu = mtus[(choice >> 4) % LENGTH(mtus)],
		.kernel_version = 1 + versions % 3,
		.forced_version = versions / 3 % 4,
	};
	host_set_link(world->host, world->now, &world->link);
}

static void close_sockets(struct world *world)
{
	for (uint32_t slot = 0; slot < FAKE_SLOTS; slot++)
		fake_close(&world->kernel, slot);
}

static void forget(struct world *world)
{
	host_forget(world->host, world->now);
	world->link.usable = false;
	for (uint32_t slot = 0; slot < FAKE_SLOTS; slot++)
		assert(host_slot_memberships(world->host, slot) == 0);
	close_sockets(world);
}

/* As a change of upstream_membership: a new host takes over, the sockets of the old one are closed. */
static void replace(struct world *world)
{
	struct host *old = world->host;

	if (world->walk.host != NULL)
		host_walk_end(&world->walk);
	open_host(world);
	if (addr_family(&world->link.address) != world->family) {
		/* Another family cannot take over. */
		memset(world->wants, 0, sizeof world->wants);
		world->link = (struct host_link){.mtu = 1500, .address = own_address(world->family, 1)};
	} else if (!host_copy_wants(old, world->now, world->host)) {
		world->refused = true;
	}
	host_free(old);
	close_sockets(world);
	host_set_link(world->host, world->now, &world->link);
}

static void want(struct world *world)
{
	uint8_t which = fuzz_byte(&world->input), group = fuzz_byte(&world->input);
	unsigned instance = which % INSTANCES, mask = fuzz_two_bytes(&world->input) & (FAKE_OTHERS - 1);
	enum filter_mode mode = which & 0x80 ? FILTER_EXCLUDE : FILTER_INCLUDE;
	struct addr list[FAKE_SOURCES], address = fake_group(world->family, group % FAKE_GROUPS);
	struct filter filter = fake_filter(world->family, mode, which & 0x40 ? 0 : mask, list);
	uint64_t links = which & 0xc0 ? which : 0;

	for (enum prefetch step = PREFETCH_FAR; step <= PREFETCH_NEAR; step++)
		host_prefetch(world->host, &address, step);
	if (!host_want(world->host, world->now, instance, &address, &filter, links)) {
		assert(world->limits.memory_max < MUCH);
		world->refused = true;
		return;
	}
	assert(host_streams(world->host, instance, &address) == (filter_is_none(&filter) ? 0 : links));
	world->wants[instance][group % FAKE_GROUPS] = fake_passing_filter(&filter);
}

/* What the kernel and the router upstream have from an earlier run. Perhaps no instance wants it. */
static void adopt(struct world *world)
{
	uint8_t which = fuzz_byte(&world->input), group = fuzz_byte(&world->input);
	unsigned mask = fuzz_two_bytes(&world->input) & (FAKE_OTHERS - 1);
	struct addr list[FAKE_SOURCES], address = fake_group(world->family, group % FAKE_GROUPS);
	struct filter filter =
		fake_filter(world->family, which & 0x80 ? FILTER_EXCLUDE : FILTER_INCLUDE, mask, list);

	if (!filter_is_none(&filter) && !host_adopt(world->host, world->now, &address, &filter))
		assert(world->limits.memory_max < MUCH);
}

/* What a new configuration denies: half of a list, or all of a group. */
static void deny(void *context, const struct addr *group, struct filter *filter)
{
	unsigned groups = *(const unsigned *)context;

	if (!(groups >> fake_number(group, true) & 1))
		return;
	filter->sources.count /= filter->mode == FILTER_INCLUDE ? 2 : FAKE_SOURCES + 1;
	filter->mode = FILTER_INCLUDE;
}

static void narrow_adopted(struct world *world)
{
	unsigned groups = fuzz_two_bytes(&world->input);

	host_adopted_narrow(world->host, world->now, deny, &groups);
	for (unsigned n = 0; n < FAKE_GROUPS; n++) {
		struct addr group = fake_group(world->family, n);

		if (host_is_only_adopted(world->host, &group))
			for (unsigned instance = 0; instance < INSTANCES; instance++)
				assert(world->wants[instance][n] == 0 || world->refused);
	}
}

/* As a reload with another memory_max. */
static void limit_memory(struct world *world)
{
	world->limits.memory_max = 4096 * (size_t)(1 + fuzz_byte(&world->input) % 16);
	host_set_memory_max(world->host, world->limits.memory_max);
}

static void query(struct world *world)
{
	static const uint32_t responses[] = {0, 1, 100, 1000, 10000, 8388608};
	uint8_t choice = fuzz_byte(&world->input), more = fuzz_byte(&world->input);
	unsigned mask = choice & 0x20 ? fuzz_two_bytes(&world->input) : 0;
	struct addr list[FAKE_SOURCES];
	struct filter filter = fake_filter(world->family, FILTER_INCLUDE, mask & (FAKE_OTHERS - 1), list);
	struct upstream_query question = {
		.querier = own_address(world->family, 9),
		.group = choice & 0x40 ? addr_unspecified(world->family)
	                               : fake_group(world->family, more % FAKE_GROUPS),
		.max_response = responses[choice % LENGTH(responses)],
		.version = 1 + more % 3,
		.robustness = more >> 5,
		.query_interval = choice & 0x80 ? more * 1000u : 0,
		.about_sources = choice & 0x20,
		.source_count = (uint16_t)filter.sources.count,
	};
	struct addr *sources = malloc(sizeof list);

	memcpy(sources, list, sizeof list);
	for (int times = choice & 0x10 ? 40 : 1; times > 0; times--)
		host_receive_query(world->host, world->now, &question, sources);
	free(sources);
}

static void fail(struct world *world)
{
	static const int results[] = {-ENOBUFS,    -ENOMEM, -ENODEV,        -EMFILE,
	                              -EADDRINUSE, -EINVAL, -EADDRNOTAVAIL, -EPERM};
	uint8_t choice = fuzz_byte(&world->input);

	world->kernel.fail = results[choice % LENGTH(results)];
	world->kernel.fail_kinds = fuzz_byte(&world->input);
	world->kernel.fail_from = world->kernel.operations + (choice >> 3 & 3);
	world->kernel.fail_to = world->kernel.fail_from + (choice >> 5) * 3u;
}

static void check_record(const struct world *world, const struct record *record)
{
	assert(fake_number(&record->group, true) < FAKE_GROUPS);
	for (size_t i = 0; i < record->source_count; i++) {
		struct addr source =
			wire_get_addr(record->sources + i * addr_wire_size(world->family), world->family);

		assert(fake_number(&source, false) < FAKE_SOURCES);
	}
}

static void check_packet(const struct world *world, const uint8_t *data, size_t size,
                         const struct addr *destination)
{
	uint8_t *bytes = fuzz_copy(data, size);
	struct packet packet;
	struct message message;
	struct record record;

	assert(world->link.usable && size <= packet_size_max(world->link.mtu));
	assert(packet_parse(world->family, bytes, size, &packet) == DROP_NONE && packet.router_alert);
	assert(addr_equal(&packet.source, &world->link.address));
	assert(addr_equal(&packet.destination, destination));
	assert((world->family == FAMILY_IPV4 ? igmp_decode(&packet, &message)
	                                     : mld_decode(&packet, &message)) == DROP_NONE);
	assert(message.kind == MESSAGE_REPORT);
	while (message_next_record(&message, &record))
		check_record(world, &record);
	free(bytes);
}

static void join(struct world *world, unsigned limit)
{
	struct join_op op;

	for (unsigned count = 0; count < limit && host_pull_join(world->host, world->now, &op); count++) {
		assert(world->link.usable && count < TURN_MAX);
		host_join_done(world->host, world->now, &op, fake_operate(&world->kernel, &op));
		if (host_slot_memberships(world->host, op.slot) == 0)
			fake_close(&world->kernel, op.slot);
	}
}

/* All that is due; afterwards nothing is. */
static void turn(struct world *world)
{
	struct addr destination;
	static uint8_t buffer[PACKET_MAX];
	size_t size;

	join(world, UINT32_MAX);
	for (int count = 0; host_pull_packet(world->host, world->now, buffer, &size, &destination); count++) {
		assert(size <= PACKET_MAX && count < TURN_MAX);
		check_packet(world, buffer, size, &destination);
	}
	assert(host_deadline(world->host) > world->now);
}

static void walk(struct world *world)
{
	struct host_group group;

	if (world->walk.host == NULL)
		host_walk_begin(world->host, &world->walk);
	if (fuzz_byte(&world->input) == 0) {
		host_walk_end(&world->walk);
		return;
	}
	for (int i = 0; i < 3 && world->walk.host != NULL; i++)
		if (host_walk_next(&world->walk, &group))
			assert(fake_mask(&group.wanted.sources) < FAKE_OTHERS &&
			       filter_mode_name(group.wanted.mode)[0] != 0);
}

static void check_status(const struct world *world)
{
	struct host_status status;

	host_get_status(world->host, world->now, &status);
	assert(status.groups <= FAKE_GROUPS && status.kept_here <= status.groups);
	assert(status.failing <= status.groups && status.supersets <= status.groups);
	assert(host_keeps_some(world->host) == (status.kept_here > 0));
	assert(host_has_supersets(world->host) == (status.supersets > 0));
	assert(status.version >= VERSION_1 && status.version <= VERSION_3);
	assert(host_membership(world->host) == status.membership);
	assert(membership_name(status.membership) != NULL);
}

static void step(struct world *world)
{
	uint8_t choice = fuzz_byte(&world->input);
	mtime deadline = host_deadline(world->host);

	switch (choice % 16) {
	case 0:
		set_link(world);
		break;
	case 1:
		if (choice < 0x20)
			forget(world);
		else
			host_announce(world->host, world->now);
		break;
	case 2:
	case 3:
		query(world);
		break;
	case 4:
		fail(world);
		break;
	case 5:
		world->now += fuzz_byte(&world->input);
		break;
	case 6:
		world->now += 100 * fuzz_two_bytes(&world->input);
		break;
	case 7:
	case 8:
		if (deadline > world->now && deadline < MTIME_NEVER)
			world->now = deadline;
		turn(world);
		break;
	case 9:
		turn(world);
		break;
	case 10:
		join(world, fuzz_byte(&world->input) % 4);
		break;
	case 11:
		walk(world);
		check_status(world);
		break;
	case 12:
		if (choice < 0x20) {
			replace(world);
			break;
		}
		world->settings = settings_of(&world->input, world->settings.upstream_membership);
		host_configure(world->host, world->now, &world->settings);
		break;
	case 13:
		if (choice >= 0xf0)
			limit_memory(world);
		else if (choice >= 0xe0)
			narrow_adopted(world);
		else if (choice >= 0xc0)
			host_adoption_end(world->host, world->now);
		else if (choice >= 0x20)
			adopt(world);
		if (choice >= 0x20)
			break;
		choice = fuzz_byte(&world->input) % INSTANCES;
		host_unwant_all(world->host, world->now, choice);
		memset(world->wants[choice], 0, sizeof world->wants[choice]);
		break;
	default:
		want(world);
	}
}

/* The kernel holds what is wanted of a group, or everything where no filter of it can. */
static void check_group(const struct world *world, const struct host_group *group)
{
	unsigned number = fake_number(&group->group, true), wanted = 0;
	unsigned held = fake_held(&world->kernel, number);

	for (unsigned instance = 0; instance < INSTANCES; instance++)
		wanted |= world->wants[instance][number];
	assert(!group->joining && !group->refused);
	assert(fake_passing_filter(&group->wanted) == wanted);
	assert(group->kept_here ? held == 0 : held == (group->superset ? FAKE_ALL : wanted));
}

/* The kernel works, and refusals and holds are over. */
static void settle(struct world *world)
{
	struct host_group group;
	struct host_walk all;

	host_adoption_end(world->host, world->now);
	world->kernel.fail = 0;
	world->link.usable = true;
	host_set_link(world->host, world->now, &world->link);
	for (int turns = 0; turns < 4; turns++) {
		turn(world);
		world->now += 10001;
	}
	turn(world);
	check_status(world);
	if (world->refused || world->limits.memory_max < MUCH)
		return;
	host_walk_begin(world->host, &all);
	while (host_walk_next(&all, &group))
		check_group(world, &group);
}

/* Everything is given up: after the last report nothing is left, here and in the kernel. */
static void give_up_all(struct world *world)
{
	struct host_status status = {.groups = 1};

	host_adoption_end(world->host, world->now);
	for (unsigned instance = 0; instance < INSTANCES; instance++)
		host_unwant_all(world->host, world->now, instance);
	for (int turns = 0; status.groups > 0; turns++) {
		assert(turns < SETTLE_MAX);
		turn(world);
		host_get_status(world->host, world->now, &status);
		assert(status.groups == 0 || host_deadline(world->host) < MTIME_NEVER);
		world->now = mtime_min(host_deadline(world->host), world->now + 10000);
	}
	check_status(world);
	for (unsigned group = 0; group < FAKE_GROUPS; group++)
		assert(fake_held(&world->kernel, group) == 0);
	for (uint32_t slot = 0; slot < FAKE_SLOTS; slot++)
		assert(host_slot_memberships(world->host, slot) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world world;

	world = (struct world){.input = {data, size}, .now = 100000};
	open_host(&world);
	world.link = (struct host_link){.usable = true,
	                                .mtu = 1500,
	                                .address = own_address(world.family, 1),
	                                .kernel_version = VERSION_3};
	host_set_link(world.host, world.now, &world.link);
	while (world.input.left > 0)
		step(&world);
	settle(&world);
	give_up_all(&world);
	host_free(world.host);
	return 0;
}
