/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/send_queue.h"

#include <assert.h>

/* There is one owner thread, and this is its. */
static struct outbox {
	struct link_socket *socket;
	uint64_t *failures;
	size_t count;
	struct link_send sends[LINK_SOCKET_BATCH];
	uint8_t buffers[LINK_SOCKET_BATCH][LINK_SOCKET_PACKET_MAX];
} outbox;

uint8_t *outbox_room(struct link_socket *socket, uint64_t *failures)
{
	if (outbox.count == LINK_SOCKET_BATCH || outbox.socket != socket)
		outbox_send();
	outbox.socket = socket;
	outbox.failures = failures;
	return outbox.buffers[outbox.count];
}

void outbox_put(size_t length, const struct addr *destination)
{
	assert(outbox.count < LINK_SOCKET_BATCH && length <= LINK_SOCKET_PACKET_MAX);
	outbox.sends[outbox.count] = (struct link_send){
		.data = outbox.buffers[outbox.count], .length = length, .destination = *destination};
	outbox.count++;
}

/* What cannot be sent does not hold up the others. */
void outbox_send(void)
{
	size_t done = 0;

	while (done < outbox.count) {
		int sent = link_socket_send(outbox.socket, outbox.sends + done, outbox.count - done);

		done += sent > 0 ? (size_t)sent : 0;
		if (done == outbox.count)
			break;
		++*outbox.failures;
		done++;
	}
	outbox.count = 0;
	outbox.socket = NULL;
}
