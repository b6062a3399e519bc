/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/send_queue.h"

#include <assert.h>

/* There is one owner thread, and this is its. */
static struct send_queue {
	struct link_socket *socket;
	uint64_t *failures;
	size_t count;
	struct link_send sends[LINK_SOCKET_BATCH];
	uint8_t buffers[LINK_SOCKET_BATCH][LINK_SOCKET_PACKET_MAX];
} send_queue;

uint8_t *send_queue_room(struct link_socket *socket, uint64_t *failures)
{
	if (send_queue.count == LINK_SOCKET_BATCH || send_queue.socket != socket)
		send_queue_send();
	send_queue.socket = socket;
	send_queue.failures = failures;
	return send_queue.buffers[send_queue.count];
}

void send_queue_put(size_t length, const struct addr *destination)
{
	assert(send_queue.count < LINK_SOCKET_BATCH && length <= LINK_SOCKET_PACKET_MAX);
	send_queue.sends[send_queue.count] = (struct link_send){
		.data = send_queue.buffers[send_queue.count], .length = length, .destination = *destination};
	send_queue.count++;
}

/* What cannot be sent does not hold up the others. */
void send_queue_send(void)
{
	size_t done = 0;

	while (done < send_queue.count) {
		int sent =
			link_socket_send(send_queue.socket, send_queue.sends + done, send_queue.count - done);

		done += sent > 0 ? (size_t)sent : 0;
		if (done == send_queue.count)
			break;
		++*send_queue.failures;
		done++;
	}
	send_queue.count = 0;
	send_queue.socket = NULL;
}
