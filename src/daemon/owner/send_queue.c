/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/send_queue.h"

#include <assert.h>
#include <stdlib.h>

struct send_queue {
	struct link_socket *socket;
	uint64_t *failures;
	size_t count;
	struct link_send sends[LINK_SOCKET_BATCH];
	uint8_t buffers[LINK_SOCKET_BATCH][LINK_SOCKET_PACKET_MAX];
};

struct send_queue *send_queue_new(void)
{
	return calloc(1, sizeof(struct send_queue));
}

void send_queue_free(struct send_queue *queue)
{
	free(queue);
}

uint8_t *send_queue_room(struct send_queue *queue, struct link_socket *socket, uint64_t *failures)
{
	if (queue->count == LINK_SOCKET_BATCH || queue->socket != socket)
		send_queue_send(queue);
	queue->socket = socket;
	queue->failures = failures;
	return queue->buffers[queue->count];
}

void send_queue_put(struct send_queue *queue, size_t length, const struct addr *destination)
{
	assert(queue->count < LINK_SOCKET_BATCH && length <= LINK_SOCKET_PACKET_MAX);
	queue->sends[queue->count] = (struct link_send){
		.data = queue->buffers[queue->count], .length = length, .destination = *destination};
	queue->count++;
}

/* A packet that cannot be sent does not hold up the others. */
void send_queue_send(struct send_queue *queue)
{
	size_t done = 0;

	while (done < queue->count) {
		int sent = link_socket_send(queue->socket, queue->sends + done, queue->count - done);

		done += sent > 0 ? (size_t)sent : 0;
		if (done == queue->count)
			break;
		++*queue->failures;
		done++;
	}
	queue->count = 0;
	queue->socket = NULL;
}
