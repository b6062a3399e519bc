/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a proxy cannot be faster than: bare loops of the same system calls without any protocol. It believes
 * every version 3 report, holds a group until it is left, sends no query, repeats nothing. Measured like any
 * other proxy, its figures are the floors.
 */
#include "kernel/join.h"
#include "kernel/link_socket.h"
#include "kernel/mrt.h"

#include "core/wire/packet.h"
#include "support/craft.h"

#include <err.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define GROUPS      (1U << 18) /* told apart by their low bits */
#define UPSTREAM    0
#define DOWNSTREAM  1
#define PER_SOCKET  20
#define RECORDS_MAX 180
#define UPCALLS     256

static const char usage[] = "usage: bench_floor [-kls] upstream downstream\n"
			    "  -k  join in the kernel, instead of crafting reports upstream\n"
			    "  -l  only listen to reports\n"
			    "  -s  open no packet sockets: every stream is forwarded\n";

struct group {
	struct addr source; /* of its stream; unspecified: none was seen */
	bool joined;
};

struct floor {
	bool kernel, listen, everything;
	int upstream_ifindex;
	struct mrt *mrt;
	struct link_socket *upstream, *downstream;
	struct link_room *room;
	struct group *groups;
	int join_fd;
	unsigned joins;
	uint8_t report[1500];
	unsigned records;
};

static volatile sig_atomic_t ended;

static void end(int signal)
{
	(void)signal;
	ended = 1;
}

static struct group *find_group(struct floor *floor, uint32_t number)
{
	return &floor->groups[number % GROUPS];
}

static void set_route(struct floor *floor, const struct addr *source, uint32_t number, bool forward)
{
	struct addr group = addr_from_ipv4_number(number);

	mrt_set_route(floor->mrt, source, &group, UPSTREAM, forward ? 1U << DOWNSTREAM : 0);
}

static void take_upcalls(struct floor *floor)
{
	struct mrt_upcall upcalls[UPCALLS];
	int count = mrt_receive(floor->mrt, 0, upcalls, UPCALLS);

	for (int i = 0; i < count; i++) {
		uint32_t number = ipv4_number(&upcalls[i].group);
		struct group *group = find_group(floor, number);

		group->source = upcalls[i].source;
		set_route(floor, &upcalls[i].source, number, group->joined || floor->everything);
	}
}

static void send_report(struct floor *floor)
{
	struct addr source = addr_from_ipv4_number(0x0a000001),
		    destination = addr_from_ipv4_number(0xe0000016);
	uint8_t *message = floor->report + PACKET_HEADER_IPV4;
	size_t size = 8 + 8 * (size_t)floor->records;
	struct link_send send = {.data = floor->report, .destination = destination};
	uint16_t sum;

	if (floor->records == 0)
		return;
	memcpy(message,
	       (uint8_t[]){0x22, 0, 0, 0, 0, 0, (uint8_t)(floor->records >> 8), (uint8_t)floor->records}, 8);
	sum = wire_checksum(0, message, size);
	message[2] = (uint8_t)(sum >> 8);
	message[3] = (uint8_t)sum;
	send.length = packet_finish(FAMILY_IPV4, floor->report, &source, &destination, size);
	link_socket_send(floor->upstream, &send, 1);
	floor->records = 0;
}

static void tell_upstream(struct floor *floor, const uint8_t *record)
{
	memcpy(floor->report + PACKET_HEADER_IPV4 + 8 + 8 * (size_t)floor->records, record, 8);
	if (++floor->records == RECORDS_MAX)
		send_report(floor);
}

static void join_kernel(struct floor *floor, uint32_t number)
{
	struct addr group = addr_from_ipv4_number(number);

	if (floor->joins++ % PER_SOCKET == 0)
		floor->join_fd = join_socket(FAMILY_IPV4);
	join_group(floor->join_fd, floor->upstream_ifindex, &group);
}

static void take_record(struct floor *floor, const uint8_t *record)
{
	uint32_t number =
		(uint32_t)record[4] << 24 | (uint32_t)record[5] << 16 | (uint32_t)record[6] << 8 | record[7];
	struct group *group = find_group(floor, number);
	bool joined = record[0] == 2 || record[0] == 4;

	if (group->joined == joined)
		return;
	group->joined = joined;
	if (!addr_is_unspecified(&group->source))
		set_route(floor, &group->source, number, joined);
	if (!floor->kernel)
		tell_upstream(floor, record);
	else if (joined)
		join_kernel(floor, number);
}

static void take_reports(struct floor *floor)
{
	struct link_packet packets[LINK_SOCKET_BATCH];
	int count = link_socket_receive(link_socket_fd(floor->downstream), floor->room, packets,
	                                LINK_SOCKET_BATCH);

	for (int i = 0; i < count && !floor->listen; i++) {
		const uint8_t *message = packets[i].data + PACKET_HEADER_IPV4;

		if (message[0] != 0x22)
			continue;
		for (size_t at = 8; at + 8 <= packets[i].length - PACKET_HEADER_IPV4; at += 8)
			take_record(floor, message + at);
	}
	send_report(floor);
}

static int interface_index(const char *name)
{
	unsigned index = if_nametoindex(name);

	if (index == 0)
		err(1, "%s", name);
	return (int)index;
}

static void check(int result, const char *what)
{
	if (result != 0)
		errx(1, "%s: %s", what, strerror(-result));
}

static void open_all(struct floor *floor, const char *upstream, const char *downstream)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	floor->groups = calloc(GROUPS, sizeof *floor->groups);
	floor->room = link_room_new();
	if (floor->groups == NULL || floor->room == NULL)
		err(1, "memory");
	for (unsigned i = 0; i < GROUPS; i++)
		floor->groups[i].source = addr_unspecified(FAMILY_IPV4);
	floor->upstream_ifindex = interface_index(upstream);
	if (!floor->everything) {
		check(link_socket_open(&floor->upstream, floor->upstream_ifindex, FAMILY_IPV4, -1), upstream);
		check(link_socket_open(&floor->downstream, interface_index(downstream), FAMILY_IPV4, -1),
		      downstream);
	}
	check(mrt_open(&floor->mrt, FAMILY_IPV4, MRT_TABLE_DEFAULT), "multicast routing");
	check(mrt_add_vif(floor->mrt, UPSTREAM, floor->upstream_ifindex), upstream);
	check(mrt_add_vif(floor->mrt, DOWNSTREAM, interface_index(downstream)), downstream);
}

static void loop(struct floor *floor)
{
	struct pollfd news[2] = {{.fd = mrt_fd(floor->mrt), .events = POLLIN}, {.fd = -1, .events = POLLIN}};

	if (floor->downstream != NULL)
		news[1].fd = link_socket_fd(floor->downstream);
	while (!ended && poll(news, 2, -1) > 0) {
		if (news[0].revents & POLLIN)
			take_upcalls(floor);
		if (news[1].revents & POLLIN)
			take_reports(floor);
	}
}

int main(int argc, char **argv)
{
	struct floor floor = {0};

	for (int option; (option = getopt(argc, argv, "kls")) != -1;) {
		floor.kernel |= option == 'k';
		floor.listen |= option == 'l';
		floor.everything |= option == 's';
		if (option == '?')
			errx(2, "%s", usage);
	}
	if (argc - optind != 2)
		errx(2, "%s", usage);
	signal(SIGTERM, end);
	signal(SIGINT, end);
	open_all(&floor, argv[optind], argv[optind + 1]);
	loop(&floor);
	mrt_close(floor.mrt);
	return 0;
}
