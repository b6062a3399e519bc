/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/send_queue.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Sockets are numbers here: the first byte of a packet says which one it is for, the second its turn; packets
 * whose third byte is set cannot be sent. */
static struct {
	unsigned calls;
	unsigned sent;
	uint8_t next[2];
} wire;

int link_socket_send(struct link_socket *socket, const struct link_send *sends, size_t count)
{
	size_t n;

	wire.calls++;
	for (n = 0; n < count && sends[n].data[2] == 0; n++) {
		assert_int_equal(sends[n].data[0], (uintptr_t)socket);
		assert_int_equal(sends[n].length, 3);
		assert_true(addr_equal(&sends[n].destination,
		                       &(struct addr){{0xff, 2, [15] = sends[n].data[0]}}));
		assert_true(sends[n].data[1] >= wire.next[sends[n].data[0]]);
		wire.next[sends[n].data[0]] = sends[n].data[1];
		wire.sent++;
	}
	return n > 0 || count == 0 ? (int)n : -ENETDOWN;
}

static struct send_queue *queue;
static uint64_t failures[2];

static void put(uint8_t number, uint8_t turn, bool bad)
{
	struct addr destination = {{0xff, 2, [15] = number}};

	memcpy(send_queue_room(queue, (struct link_socket *)(uintptr_t)number, &failures[number]),
	       (uint8_t[]){number, turn, bad}, 3);
	send_queue_put(queue, 3, &destination);
}

static void expect(unsigned calls, unsigned sent, uint64_t failed)
{
	assert_int_equal(wire.calls, calls);
	assert_int_equal(wire.sent, sent);
	assert_int_equal(failures[0] + failures[1], failed);
}

static int open_queue(void **state)
{
	(void)state;
	queue = send_queue_new();
	memset(&wire, 0, sizeof wire);
	memset(failures, 0, sizeof failures);
	return queue == NULL;
}

static int close_queue(void **state)
{
	(void)state;
	send_queue_free(queue);
	return 0;
}

static void packets_for_a_link_go_together(void **state)
{
	(void)state;
	for (uint8_t turn = 0; turn < LINK_SOCKET_BATCH; turn++)
		put(1, turn, false);
	expect(0, 0, 0);
	put(1, LINK_SOCKET_BATCH, false);
	expect(1, LINK_SOCKET_BATCH, 0);
	send_queue_send(queue);
	expect(2, LINK_SOCKET_BATCH + 1, 0);
	send_queue_send(queue);
	expect(2, LINK_SOCKET_BATCH + 1, 0);
}

static void another_link_sends_what_is_there(void **state)
{
	(void)state;
	put(1, 1, false);
	put(1, 2, false);
	put(0, 1, false);
	expect(1, 2, 0);
	put(1, 3, false);
	expect(2, 3, 0);
	send_queue_send(queue);
	expect(3, 4, 0);
}

static void room_that_is_not_used_sends_nothing(void **state)
{
	(void)state;
	put(1, 1, false);
	send_queue_room(queue, (struct link_socket *)(uintptr_t)1, &failures[1]);
	send_queue_send(queue);
	expect(1, 1, 0);
	send_queue_room(queue, (struct link_socket *)(uintptr_t)1, &failures[1]);
	send_queue_send(queue);
	expect(1, 1, 0);
}

static void what_fails_is_counted_and_holds_up_nothing(void **state)
{
	(void)state;
	for (uint8_t turn = 0; turn < 10; turn++)
		put(1, turn, turn == 0 || turn == 5 || turn >= 8);
	send_queue_send(queue);
	assert_int_equal(wire.sent, 6);
	assert_int_equal(failures[1], 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(packets_for_a_link_go_together, open_queue, close_queue),
		cmocka_unit_test_setup_teardown(another_link_sends_what_is_there, open_queue, close_queue),
		cmocka_unit_test_setup_teardown(room_that_is_not_used_sends_nothing, open_queue, close_queue),
		cmocka_unit_test_setup_teardown(what_fails_is_counted_and_holds_up_nothing, open_queue,
	                                        close_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
