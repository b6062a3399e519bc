/* SPDX-License-Identifier: BSD-2-Clause */
#include "uplink.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define SLOTS               128
#define GROUPS_PER_SOCKET   2 /* so that several are needed */
#define GROUPS_KERNEL_KEEPS 3 /* MEMBERSHIP_AUTO */
#define REFUSALS            2 /* percent of the kernel's operations while in trouble */
#define PACKET_MAX          9216
#define INSTANCE            0

/* What a socket holds of a group. */
struct holding {
	bool joined;
	struct want want;
};

struct uplink {
	struct member *kernel;
	struct host *host; /* NULL: the member alone */
	mtime wake_at;
	struct holding held[SLOTS][GROUPS_MAX];
};

static struct world *world_of(const struct uplink *uplink)
{
	return uplink->kernel->world;
}

/* The kernel's sockets; its errors are those of net/ipv4/igmp.c. */

static int join(struct uplink *uplink, uint32_t slot, struct holding *holding, struct want want)
{
	unsigned count = 0;

	for (unsigned group = 0; group < GROUPS_MAX; group++)
		count += uplink->held[slot][group].joined;
	if (holding->joined)
		return -EADDRINUSE;
	if (count >= GROUPS_PER_SOCKET)
		return -ENOBUFS;
	*holding = (struct holding){.joined = true, .want = want};
	return 0;
}

static int join_source(struct uplink *uplink, uint32_t slot, struct holding *holding, uint64_t source)
{
	int result = join(uplink, slot, holding, WANT_NONE);

	if (result != 0 && result != -EADDRINUSE)
		return result;
	if (holding->want.exclude && holding->want.sources != 0)
		return -EINVAL;
	holding->want.exclude = false;
	if (holding->want.sources & source)
		return -EADDRNOTAVAIL;
	holding->want.sources |= source;
	return 0;
}

static int leave_source(struct holding *holding, uint64_t source)
{
	if (!holding->joined || holding->want.exclude)
		return -EINVAL;
	if (!(holding->want.sources & source))
		return -EADDRNOTAVAIL;
	holding->want.sources &= ~source;
	holding->joined = holding->want.sources != 0;
	return 0;
}

static uint64_t source_bit(const struct addr *addr)
{
	int number = universe_source_number(addr);

	assert(number >= 0);
	return (uint64_t)1 << number;
}

static struct want want_of(const struct filter *filter)
{
	struct want want = {.exclude = filter->mode == FILTER_EXCLUDE};

	for (size_t i = 0; i < filter->sources.count; i++)
		want.sources |= source_bit(&filter->sources.list[i]);
	return want;
}

static int operate(struct uplink *uplink, const struct join_op *op, struct holding *holding)
{
	switch (op->kind) {
	case JOIN_GROUP:
		return join(uplink, op->slot, holding, WANT_ALL);
	case JOIN_LEAVE:
		if (!holding->joined)
			return -EADDRNOTAVAIL;
		*holding = (struct holding){0};
		return 0;
	case JOIN_SOURCE:
		return join_source(uplink, op->slot, holding, source_bit(&op->source));
	case JOIN_LEAVE_SOURCE:
		return leave_source(holding, source_bit(&op->source));
	case JOIN_SET_FILTER:
		if (!holding->joined)
			return -EINVAL;
		holding->want = want_of(&op->filter);
		holding->joined = !want_is_none(holding->want);
		return 0;
	}
	abort();
}

static bool refuses(struct world *world, const struct join_op *op)
{
	return world->in_trouble && op->kind != JOIN_LEAVE && op->kind != JOIN_LEAVE_SOURCE &&
	       random_percent(&world->random, REFUSALS);
}

/* The kernel reports upstream what all sockets want together. */
static int perform(struct uplink *uplink, const struct join_op *op)
{
	int group = universe_group_number(&op->group), result;
	struct want want = WANT_NONE;

	assert(op->slot < SLOTS && group >= 0);
	if (refuses(world_of(uplink), op))
		return -ENOMEM;
	result = operate(uplink, op, &uplink->held[op->slot][group]);
	for (unsigned slot = 0; slot < SLOTS; slot++)
		if (uplink->held[slot][group].joined)
			want = want_merge(want, uplink->held[slot][group].want);
	member_set_want(uplink->kernel, (unsigned)group, want);
	return result;
}

/* Its own packets. */

static void send_packets(struct uplink *uplink)
{
	static uint8_t bytes[PACKET_MAX];
	struct world *world = world_of(uplink);
	struct addr destination;
	size_t size;

	while (host_pull_packet(uplink->host, world_now(world), bytes, &size, &destination)) {
		struct frame *frame = frame_copy(uplink->kernel->family, bytes, size);
		const char *problem = frame_read_report(frame);

		if (problem != NULL)
			world_fail(world, "segment %u: a malformed report upstream: %s",
			           uplink->kernel->port.segment->number, problem);
		world_count(world, TALLY_REPORTS);
		port_send(&uplink->kernel->port, frame);
	}
}

static void wake(void *object, mtime at);

/* First the kernel's memberships, then the reports of them. */
static void run(struct uplink *uplink)
{
	struct world *world = world_of(uplink);
	mtime now = world_now(world), deadline;
	struct join_op op;

	while (host_pull_join(uplink->host, now, &op))
		host_join_done(uplink->host, now, &op, perform(uplink, &op));
	send_packets(uplink);
	deadline = host_deadline(uplink->host);
	if (deadline <= now)
		world_fail(world, "segment %u: the host side is due again at once",
		           uplink->kernel->port.segment->number);
	if (deadline >= uplink->wake_at)
		return;
	uplink->wake_at = deadline;
	agenda_add(&world->agenda, deadline, wake, uplink);
}

static void wake(void *object, mtime at)
{
	struct uplink *uplink = object;

	if (at != uplink->wake_at)
		return;
	uplink->wake_at = MTIME_NEVER;
	run(uplink);
}

void uplink_want(struct uplink *uplink, const struct request *request, const void *sources)
{
	struct filter filter = {.mode = request->mode};
	struct world *world = world_of(uplink);

	memcpy(&filter.sources.list, &sources, sizeof sources);
	filter.sources.count = filter.sources.capacity = request->count;
	if (uplink->host == NULL) {
		member_set_want(uplink->kernel, (unsigned)universe_group_number(&request->group),
		                want_of(&filter));
		return;
	}
	if (!host_want(uplink->host, world_now(world), INSTANCE, &request->group, &filter, request->links))
		world_fail(world, "the host side is out of memory");
	run(uplink);
}

void uplink_unwant_all(struct uplink *uplink)
{
	if (uplink->host != NULL) {
		host_unwant_all(uplink->host, world_now(world_of(uplink)), INSTANCE);
		run(uplink);
		return;
	}
	for (unsigned group = 0; group < GROUPS_MAX; group++)
		member_set_want(uplink->kernel, group, WANT_NONE);
}

void uplink_receive_query(struct uplink *uplink, const struct upstream_query *query,
                          const struct addr *sources)
{
	if (uplink->host == NULL)
		return;
	host_receive_query(uplink->host, world_now(world_of(uplink)), query, sources);
	run(uplink);
}

/* With the interface its memberships are gone, without a report. */
static void lose_interface(struct uplink *uplink)
{
	host_forget(uplink->host, world_now(world_of(uplink)));
	memset(uplink->held, 0, sizeof uplink->held);
	for (unsigned group = 0; group < GROUPS_MAX; group++)
		uplink->kernel->interests[group].want = WANT_NONE;
}

void uplink_link_changed(struct uplink *uplink, bool present)
{
	struct member *kernel = uplink->kernel;
	struct host_link link = {
		.usable = kernel->port.up[kernel->family],
		.address = kernel->addr,
		.mtu = 1500,
		.kernel_version = (enum version)kernel->spoken,
		.forced_version = VERSION_NONE,
	};

	if (uplink->host == NULL)
		return;
	host_set_link(uplink->host, world_now(world_of(uplink)), &link);
	if (!present)
		lose_interface(uplink);
	run(uplink);
}

static const struct link_settings *settings_of_kind(unsigned kind)
{
	static struct link_settings settings = {
		.kernel_groups_max = GROUPS_KERNEL_KEEPS,
		.version = {VERSION_3, VERSION_3},
		.querier_election = true,
		.robustness = 2,
		.repeat_without_querier = true,
		.query_interval = 125 * MTIME_SECOND,
		.query_response_interval = 10 * MTIME_SECOND,
	};
	static const uint8_t membership[] = {MEMBERSHIP_KERNEL, MEMBERSHIP_USER, MEMBERSHIP_AUTO};

	if (kind == 0)
		return NULL;
	settings.upstream_membership = membership[kind - 1];
	return &settings;
}

struct uplink *uplink_new(struct member *kernel, unsigned number)
{
	struct uplink *uplink = calloc(1, sizeof *uplink);
	uint64_t mixed = (kernel->world->seed + 1) * 0x9e3779b97f4a7c15 + number * 0xbf58476d1ce4e5b9;
	const struct link_settings *settings = settings_of_kind(mixed >> 62);
	const struct host_limits limits = {.groups_per_socket = GROUPS_PER_SOCKET,
	                                   .sources_per_filter = SOURCES_MAX,
	                                   .memory_max = 16 << 20};

	assert(uplink != NULL);
	uplink->kernel = kernel;
	uplink->wake_at = MTIME_NEVER;
	if (settings != NULL) {
		uplink->host = host_new(kernel->family, &limits, settings, mixed);
		assert(uplink->host != NULL);
	}
	return uplink;
}

void uplink_free(struct uplink *uplink)
{
	if (uplink->host != NULL)
		host_free(uplink->host);
	free(uplink);
}
