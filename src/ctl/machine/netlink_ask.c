/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/machine/netlink_ask.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#define BUFFER_SIZE (64 << 10)

static int exchange(struct mnl_socket *socket, struct nlmsghdr *request, mnl_cb_t take, void *context,
                    char *buffer)
{
	unsigned sequence = (unsigned)time(NULL), port;
	ssize_t size;
	int more = MNL_CB_OK;

	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	port = mnl_socket_get_portid(socket);
	request->nlmsg_seq = sequence;
	if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
		return -errno;
	while (more > MNL_CB_STOP) {
		size = mnl_socket_recvfrom(socket, buffer, BUFFER_SIZE);
		if (size < 0)
			return -errno;
		more = mnl_cb_run(buffer, (size_t)size, sequence, port, take, context);
		if (more < 0)
			return -errno;
		/* A single answer has no end marker. */
		if (!(request->nlmsg_flags & NLM_F_DUMP))
			break;
	}
	return 0;
}

int netlink_ask(struct nlmsghdr *request, mnl_cb_t take, void *context)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	char *buffer = malloc(BUFFER_SIZE);
	int result = -ENOMEM;

	if (socket == NULL)
		result = -errno;
	else if (buffer != NULL)
		result = exchange(socket, request, take, context, buffer);
	if (socket != NULL)
		mnl_socket_close(socket);
	free(buffer);
	return result;
}
