/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The sockets of links are pairs of datagram sockets here, and the clock stands unless it is set.
 */
#include "daemon/worker/receiver.h"

#include "daemon/log/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define AT_ONCE 16 /* batches after a pause */

static mtime clock_time;

mtime clock_now(void)
{
	return clock_time;
}

struct world {
	struct receiver *receiver;
	int bell;
	int wires[2][2]; /* by link and family; what is written there arrives */
	int ends[2][2];
};

static void listen_to(struct world *world, uint8_t link, uint8_t family)
{
	struct input input = {.kind = INPUT_LISTEN, .link = link, .family = family};
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
	world->wires[link][family] = pair[0];
	world->ends[link][family] = input.fd = pair[1];
	receiver_listen(world->receiver, &input);
}

static int open_world(void **state)
{
	static struct world world;

	clock_time += 1000;
	world = (struct world){.bell = eventfd(0, EFD_NONBLOCK)};
	world.receiver = receiver_new(world.bell);
	assert_non_null(world.receiver);
	for (uint8_t link = 0; link < 2; link++)
		for (uint8_t family = 0; family < 2; family++)
			listen_to(&world, link, family);
	*state = &world;
	return 0;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0 || errno != EBADF;
}

static int close_world(void **state)
{
	struct world *world = *state;

	receiver_free(world->receiver);
	for (int link = 0; link < 2; link++)
		for (int family = 0; family < 2; family++) {
			assert_false(is_open(world->ends[link][family]));
			close(world->wires[link][family]);
		}
	close(world->bell);
	return 0;
}

static void put(struct world *world, int link, int family, int count)
{
	static uint8_t packet[LINK_SOCKET_PACKET_MAX + 1];

	for (int i = 0; i < count; i++) {
		packet[0]++;
		assert_int_equal(send(world->wires[link][family], packet, 20, 0), 20);
	}
}

/* What can be taken now without sleeping. */
static int take(struct world *world)
{
	struct link_packet packets[LINK_SOCKET_BATCH];
	struct input input;
	int count, sum = 0;

	assert_false(receiver_wait(world->receiver, 0));
	while ((count = receiver_take(world->receiver, &input, packets)) > 0)
		sum += count;
	return sum;
}

static void packets_come_with_their_link(void **state)
{
	struct link_packet packets[LINK_SOCKET_BATCH];
	struct world *world = *state;
	unsigned seen = 0;
	struct input input;

	for (int link = 0; link < 2; link++)
		for (int family = 0; family < 2; family++)
			put(world, link, family, 1 + link + 2 * family);
	assert_false(receiver_wait(world->receiver, MTIME_NEVER));
	for (int count; (count = receiver_take(world->receiver, &input, packets)) > 0;) {
		assert_int_equal(input.kind, INPUT_PACKET);
		assert_int_equal(count, 1 + input.link + 2 * input.family);
		for (int i = 1; i < count; i++)
			assert_int_equal(packets[i].data[0], packets[0].data[0] + i);
		assert_int_equal(packets[0].length, 20);
		assert_false(packets[0].truncated);
		seen |= 1U << (input.link + 2 * input.family);
	}
	assert_int_equal(seen, 15);
	assert_int_equal(take(world), 0);
}

static void long_packets_are_cut(void **state)
{
	static const uint8_t packet[LINK_SOCKET_PACKET_MAX + 1];
	struct link_packet packets[LINK_SOCKET_BATCH];
	struct world *world = *state;
	struct input input;

	for (size_t size = LINK_SOCKET_PACKET_MAX; size <= sizeof packet; size++)
		assert_int_equal(send(world->wires[0][0], packet, size, 0), (ssize_t)size);
	receiver_wait(world->receiver, 0);
	assert_int_equal(receiver_take(world->receiver, &input, packets), 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(packets[i].length, LINK_SOCKET_PACKET_MAX);
		assert_int_equal(packets[i].truncated, i);
	}
}

/* On a link whose MTU allows them they come whole, in their order, each as the last of a batch. */
static void long_packets_come_whole_where_the_mtu_allows_them(void **state)
{
	static const size_t sizes[] = {20,    LINK_SOCKET_PACKET_MAX,  LINK_SOCKET_PACKET_MAX + 1,
	                               65535, LINK_SOCKET_LONG_MAX,    30,
	                               40,    LINK_SOCKET_LONG_MAX + 1};
	const size_t count = sizeof sizes / sizeof sizes[0];
	struct link_change change = {
		.present = true, .mtu = 65535, .family = {{.usable = true}, {.usable = true}}};
	static uint8_t packet[LINK_SOCKET_LONG_MAX + 1];
	struct world *world = *state;
	size_t taken = 0;

	receiver_link(world->receiver, 0, &change);
	for (size_t i = 0; i < count; i++) {
		packet[0] = packet[sizes[i] - 1] = (uint8_t)i;
		assert_int_equal(send(world->wires[0][1], packet, sizes[i], 0), (ssize_t)sizes[i]);
	}
	while (taken < count) {
		struct link_packet packets[LINK_SOCKET_BATCH];
		struct input input;
		int batch;

		receiver_wait(world->receiver, 0);
		batch = receiver_take(world->receiver, &input, packets);
		assert_true(batch > 0);
		for (int i = 0; i < batch; i++, taken++) {
			bool cut = sizes[taken] > LINK_SOCKET_LONG_MAX;

			assert_int_equal(packets[i].truncated, cut);
			assert_int_equal(packets[i].length, cut ? LINK_SOCKET_LONG_MAX : sizes[taken]);
			assert_int_equal(packets[i].data[0], taken);
			if (!cut)
				assert_int_equal(packets[i].data[packets[i].length - 1], taken);
			assert_true(packets[i].length <= LINK_SOCKET_PACKET_MAX || i == batch - 1);
		}
		assert_int_equal(receiver_take(world->receiver, &input, packets), 0);
	}
	assert_int_equal(take(world), 0);
	/* The MTU is smaller again. */
	change.mtu = LINK_SOCKET_PACKET_MAX;
	receiver_link(world->receiver, 0, &change);
	assert_int_equal(send(world->wires[0][1], packet, sizeof packet, 0), (ssize_t)sizeof packet);
	put(world, 0, 1, 3);
	assert_int_equal(take(world), 4);
}

/* What waits behind one is not put off to the next millisecond. */
static void many_long_packets_are_taken_at_once(void **state)
{
	static const uint8_t packet[LINK_SOCKET_PACKET_MAX + 1];
	struct link_change change = {
		.present = true, .mtu = 65535, .family = {{.usable = true}, {.usable = true}}};
	struct world *world = *state;

	receiver_link(world->receiver, 0, &change);
	for (int round = 0; round < 10 * AT_ONCE; round++) {
		assert_int_equal(send(world->wires[0][0], packet, sizeof packet, 0), (ssize_t)sizeof packet);
		assert_int_equal(send(world->wires[0][0], packet, sizeof packet, 0), (ssize_t)sizeof packet);
		assert_int_equal(take(world), 1);
		assert_int_equal(take(world), 1);
	}
}

static void the_bell_and_the_deadline_end_the_sleep(void **state)
{
	struct world *world = *state;

	assert_int_equal(eventfd_write(world->bell, 1), 0);
	assert_true(receiver_wait(world->receiver, MTIME_NEVER));
	put(world, 0, 0, 1);
	assert_true(receiver_wait(world->receiver, MTIME_NEVER));
	eventfd_read(world->bell, &(eventfd_t){0});
	assert_int_equal(take(world), 1);
	assert_false(receiver_wait(world->receiver, clock_time + 2));
	assert_int_equal(take(world), 0);
}

/* Woken more often than once a millisecond, packets are taken by the batch. */
static void frequent_packets_wait_for_the_next_millisecond(void **state)
{
	struct world *world = *state;

	for (int i = 0; i < AT_ONCE; i++) {
		put(world, 0, 0, 1);
		assert_int_equal(take(world), 1);
	}
	put(world, 0, 0, 7);
	put(world, 1, 1, 1);
	assert_int_equal(take(world), 0);
	/* The bell rings all the same, and the sleep ends when they may be read. */
	assert_false(receiver_wait(world->receiver, MTIME_NEVER));
	assert_int_equal(eventfd_write(world->bell, 1), 0);
	assert_true(receiver_wait(world->receiver, MTIME_NEVER));
	eventfd_read(world->bell, &(eventfd_t){0});
	clock_time++;
	assert_int_equal(take(world), 8);
	put(world, 0, 0, 1);
	assert_int_equal(take(world), 0);
	clock_time += 1000;
	for (int i = 0; i < AT_ONCE; i++) {
		assert_int_equal(take(world), 1);
		put(world, 0, 0, 1);
	}
	assert_int_equal(take(world), 0);
}

static void what_waits_behind_a_full_batch_is_taken_at_once(void **state)
{
	struct world *world = *state;

	for (int i = 0; i < AT_ONCE; i++) {
		put(world, 0, 0, 1);
		assert_int_equal(take(world), 1);
	}
	clock_time++;
	put(world, 0, 0, LINK_SOCKET_BATCH);
	assert_int_equal(take(world), LINK_SOCKET_BATCH);
	put(world, 0, 0, LINK_SOCKET_BATCH);
	assert_int_equal(take(world), LINK_SOCKET_BATCH);
	put(world, 0, 0, 3);
	assert_int_equal(take(world), 3);
	put(world, 0, 0, 1);
	assert_int_equal(take(world), 0);
}

static void another_socket_takes_the_place(void **state)
{
	struct world *world = *state;
	int wire = world->wires[0][1], end = world->ends[0][1];

	put(world, 0, 1, 1);
	listen_to(world, 0, 1);
	assert_false(is_open(end) && end != world->ends[0][1]);
	close(wire);
	assert_int_equal(take(world), 0);
	put(world, 0, 1, 2);
	put(world, 1, 0, 3);
	assert_int_equal(take(world), 5);
}

static void links_that_are_not_usable_are_not_read(void **state)
{
	struct link_change change = {.present = true, .family = {{.usable = true}, {.usable = false}}};
	struct world *world = *state;

	receiver_link(world->receiver, 1, &change);
	assert_true(is_open(world->ends[1][0]));
	assert_false(is_open(world->ends[1][1]));
	put(world, 1, 0, 1);
	put(world, 0, 1, 1);
	assert_int_equal(take(world), 2);
	change.present = false;
	receiver_link(world->receiver, 1, &change);
	receiver_link(world->receiver, 0, &change);
	for (int family = 0; family < 2; family++)
		assert_false(is_open(world->ends[0][family]) || is_open(world->ends[1][family]));
	assert_int_equal(take(world), 0);
}

/* Packets of upstream links stay where they are while there is no room; the others are read meanwhile. */
static void upstream_links_wait_for_room(void **state)
{
	struct link_change change = {.present = true, .family = {{.usable = true}, {.usable = true}}};
	struct link_packet packets[LINK_SOCKET_BATCH];
	struct world *world = *state;
	struct input input;

	change.role = ROLE_UPSTREAM;
	receiver_link(world->receiver, 0, &change);
	change.role = ROLE_DOWNSTREAM;
	receiver_link(world->receiver, 1, &change);
	receiver_read_upstream(world->receiver, false);
	put(world, 0, 0, 3);
	put(world, 0, 1, 4);
	/* Nor do they end the sleep. */
	assert_false(receiver_wait(world->receiver, clock_time + 2));
	assert_int_equal(take(world), 0);
	put(world, 1, 0, 2);
	assert_int_equal(take(world), 2);
	receiver_read_upstream(world->receiver, true);
	assert_int_equal(take(world), 7);
	/* The room may end between two links. */
	put(world, 0, 0, 1);
	put(world, 0, 1, 1);
	put(world, 1, 1, 1);
	assert_false(receiver_wait(world->receiver, 0));
	do {
		assert_int_equal(receiver_take(world->receiver, &input, packets), 1);
	} while (input.link != 0);
	receiver_read_upstream(world->receiver, false);
	assert_true(take(world) <= 1);
	receiver_read_upstream(world->receiver, true);
	assert_int_equal(take(world), 1);
	/* A link that changes sides is read. */
	receiver_read_upstream(world->receiver, false);
	receiver_link(world->receiver, 0, &change);
	put(world, 0, 0, 5);
	assert_int_equal(take(world), 5);
}

/* Each socket is the first of a turn by and by. */
static void no_socket_is_always_the_last(void **state)
{
	struct link_packet packets[LINK_SOCKET_BATCH];
	struct world *world = *state;
	struct input input;
	unsigned first = 0;

	for (int turn = 0; turn < 4; turn++) {
		for (int link = 0; link < 2; link++)
			for (int family = 0; family < 2; family++)
				put(world, link, family, 1);
		assert_false(receiver_wait(world->receiver, 0));
		assert_true(receiver_take(world->receiver, &input, packets) > 0);
		first |= 1U << (input.link + 2 * input.family);
		clock_time += 1000;
	}
	assert_int_equal(first, 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(packets_come_with_their_link, open_world, close_world),
		cmocka_unit_test_setup_teardown(long_packets_are_cut, open_world, close_world),
		cmocka_unit_test_setup_teardown(long_packets_come_whole_where_the_mtu_allows_them, open_world,
	                                        close_world),
		cmocka_unit_test_setup_teardown(many_long_packets_are_taken_at_once, open_world, close_world),
		cmocka_unit_test_setup_teardown(the_bell_and_the_deadline_end_the_sleep, open_world,
	                                        close_world),
		cmocka_unit_test_setup_teardown(frequent_packets_wait_for_the_next_millisecond, open_world,
	                                        close_world),
		cmocka_unit_test_setup_teardown(what_waits_behind_a_full_batch_is_taken_at_once, open_world,
	                                        close_world),
		cmocka_unit_test_setup_teardown(another_socket_takes_the_place, open_world, close_world),
		cmocka_unit_test_setup_teardown(links_that_are_not_usable_are_not_read, open_world,
	                                        close_world),
		cmocka_unit_test_setup_teardown(upstream_links_wait_for_room, open_world, close_world),
		cmocka_unit_test_setup_teardown(no_socket_is_always_the_last, open_world, close_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
