/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/receiver.h"

#include "core/base/set64.h"
#include "daemon/log/clock.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#define SOCKETS_MAX     (LINKS_MAX * FAMILIES)
#define BATCHES_AT_ONCE 16 /* after a pause */

struct receiver {
	struct link_room *room;
	unsigned count;                     /* of sockets */
	unsigned first;                     /* of this turn, so that each socket gets its share */
	unsigned looked_at;                 /* sockets that receiver_take has visited in this turn */
	struct pollfd fds[1 + SOCKETS_MAX]; /* the bell, the sockets; fd -1: not read in this turn */
	struct {
		int fd;
		uint8_t link, family;
	} sockets[SOCKETS_MAX];
	uint32_t mtu[LINKS_MAX]; /* of the links */
	uint64_t upstream_links; /* set of ids */
	bool skips_upstream;

	/* Credit for batches that are read at once; it grows by one each millisecond. A full batch costs
	 * none: more packets already wait behind it, so reading on needs no wake-up. */
	mtime credit_at;
	unsigned credit;
	bool full; /* a batch was full */
};

struct receiver *receiver_new(int bell)
{
	struct receiver *receiver = calloc(1, sizeof *receiver);

	if (receiver == NULL)
		return NULL;
	receiver->fds[0] = (struct pollfd){.fd = bell, .events = POLLIN};
	receiver->room = link_room_new();
	if (receiver->room != NULL)
		return receiver;
	free(receiver);
	return NULL;
}

void receiver_free(struct receiver *receiver)
{
	if (receiver == NULL)
		return;
	for (unsigned i = 0; i < receiver->count; i++)
		close(receiver->sockets[i].fd);
	link_room_free(receiver->room);
	free(receiver);
}

static void forget(struct receiver *receiver, uint8_t link, uint8_t family)
{
	for (unsigned i = 0; i < receiver->count; i++) {
		if (receiver->sockets[i].link != link || receiver->sockets[i].family != family)
			continue;
		close(receiver->sockets[i].fd);
		receiver->count--;
		receiver->fds[1 + i] = receiver->fds[1 + receiver->count];
		receiver->sockets[i] = receiver->sockets[receiver->count];
		return;
	}
}

void receiver_listen(struct receiver *receiver, const struct input *input)
{
	forget(receiver, input->link, input->family);
	assert(receiver->count < SOCKETS_MAX);
	receiver->fds[1 + receiver->count] = (struct pollfd){.fd = -1, .events = POLLIN};
	receiver->sockets[receiver->count].fd = input->fd;
	receiver->sockets[receiver->count].link = input->link;
	receiver->sockets[receiver->count].family = input->family;
	receiver->count++;
}

void receiver_link(struct receiver *receiver, uint8_t id, const struct link_change *change)
{
	receiver->mtu[id] = change->mtu;
	set64_remove(&receiver->upstream_links, id);
	if (change->present && change->role == ROLE_UPSTREAM)
		set64_add(&receiver->upstream_links, id);
	for (uint8_t family = 0; family < FAMILIES; family++)
		if (!change->present || !change->family[family].usable)
			forget(receiver, id, family);
}

void receiver_read_upstream(struct receiver *receiver, bool wanted)
{
	receiver->skips_upstream = !wanted;
}

static bool is_skipped(const struct receiver *receiver, unsigned socket)
{
	return receiver->skips_upstream &&
	       set64_has(receiver->upstream_links, receiver->sockets[socket].link);
}

/* May sockets be read at once? */
static bool has_credit(struct receiver *receiver, mtime now)
{
	mtime elapsed = now - receiver->credit_at;

	if (elapsed > 0) {
		receiver->credit_at = now;
		receiver->credit = elapsed < (mtime)(BATCHES_AT_ONCE - receiver->credit)
		                           ? receiver->credit + (unsigned)elapsed
		                           : BATCHES_AT_ONCE;
	}
	return receiver->credit > 0 || receiver->full;
}

/* False when nothing is ready. */
static bool poll_until(struct pollfd *fds, unsigned count, mtime now, mtime deadline)
{
	mtime left = deadline > now ? deadline - now : 0;
	struct timespec timeout = {.tv_sec = left / 1000, .tv_nsec = (long)(left % 1000) * 1000000};

	return ppoll(fds, count, deadline == MTIME_NEVER ? NULL : &timeout, NULL) > 0;
}

bool receiver_wait(struct receiver *receiver, mtime deadline)
{
	mtime now = clock_now();
	bool listens = has_credit(receiver, now);

	receiver->full = false;
	receiver->looked_at = receiver->count;
	receiver->first++;
	for (unsigned i = 0; i < receiver->count; i++)
		receiver->fds[1 + i].fd = is_skipped(receiver, i) ? -1 : receiver->sockets[i].fd;
	if (!listens)
		deadline = mtime_min(deadline, now + 1);
	if (!poll_until(receiver->fds, listens ? 1 + receiver->count : 1, now, deadline))
		return false;
	if (listens)
		receiver->looked_at = 0;
	return receiver->fds[0].revents != 0;
}

static int receive(struct receiver *receiver, unsigned socket, struct link_packet *packets)
{
	int fd = receiver->sockets[socket].fd;

	if (receiver->mtu[receiver->sockets[socket].link] > LINK_SOCKET_PACKET_MAX)
		return link_socket_receive_long(fd, receiver->room, packets, LINK_SOCKET_BATCH);
	return link_socket_receive(fd, receiver->room, packets, LINK_SOCKET_BATCH);
}

/* Takes packets of the next socket that has some. */
static int take_next(struct receiver *receiver, unsigned *socket, struct link_packet *packets)
{
	int count = 0;

	while (count <= 0 && receiver->looked_at < receiver->count) {
		*socket = (receiver->first + receiver->looked_at++) % receiver->count;
		if (receiver->fds[1 + *socket].revents != 0 && !is_skipped(receiver, *socket))
			count = receive(receiver, *socket, packets);
	}
	return count > 0 ? count : 0;
}

int receiver_take(struct receiver *receiver, struct input *input, struct link_packet *packets)
{
	unsigned socket;
	int count;

	link_room_release(receiver->room);
	count = take_next(receiver, &socket, packets);
	if (count == 0)
		return 0;
	/* A long packet ends its batch; there may be more behind it. */
	if (count == LINK_SOCKET_BATCH || packets[count - 1].length > LINK_SOCKET_PACKET_MAX)
		receiver->full = true;
	else if (receiver->credit > 0)
		receiver->credit--;
	*input = (struct input){.kind = INPUT_PACKET,
	                        .link = receiver->sockets[socket].link,
	                        .family = receiver->sockets[socket].family};
	return count;
}
