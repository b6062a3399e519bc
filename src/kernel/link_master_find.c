/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/link_master_find.h"

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define SEQUENCE 1
#define DEPTH    8 /* the kernel's own limit of nested devices */

struct interface {
	int master; /* index; 0: none */
	char name[16];
	char kind[16]; /* of the master */
};

static int take_info(const struct nlattr *attribute, void *context)
{
	struct interface *interface = context;

	if (mnl_attr_get_type(attribute) == IFLA_INFO_SLAVE_KIND)
		snprintf(interface->kind, sizeof interface->kind, "%s", mnl_attr_get_str(attribute));
	return MNL_CB_OK;
}

static int take_attribute(const struct nlattr *attribute, void *context)
{
	struct interface *interface = context;

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_IFNAME:
		snprintf(interface->name, sizeof interface->name, "%s", mnl_attr_get_str(attribute));
		break;
	case IFLA_MASTER:
		interface->master = (int)mnl_attr_get_u32(attribute);
		break;
	case IFLA_LINKINFO:
		mnl_attr_parse_nested(attribute, take_info, interface);
		break;
	}
	return MNL_CB_OK;
}

static int take_link(const struct nlmsghdr *header, void *context)
{
	if (header->nlmsg_type == RTM_NEWLINK)
		mnl_attr_parse(header, sizeof(struct ifinfomsg), take_attribute, context);
	return MNL_CB_OK;
}

/* By its name, or (NULL) by its index. */
static bool ask(const struct mnl_socket *socket, const char *name, int index, struct interface *interface)
{
	char buffer[16384] __attribute__((aligned(4)));
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *message;
	ssize_t size;

	request->nlmsg_type = RTM_GETLINK;
	request->nlmsg_flags = NLM_F_REQUEST;
	request->nlmsg_seq = SEQUENCE;
	message = mnl_nlmsg_put_extra_header(request, sizeof *message);
	message->ifi_index = index;
	if (name != NULL)
		mnl_attr_put_strz(request, IFLA_IFNAME, name);
	*interface = (struct interface){0};
	/* The kernel answers before the call returns. */
	if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
		return false;
	size = mnl_socket_recvfrom(socket, buffer, sizeof buffer);
	return size > 0 && mnl_cb_run(buffer, (size_t)size, SEQUENCE, mnl_socket_get_portid(socket),
	                              take_link, interface) >= 0;
}

static void find(const struct mnl_socket *socket, const char *name, struct link_master *master)
{
	struct interface interface;
	bool known = ask(socket, name, 0, &interface);

	for (int depth = 0; known && depth < DEPTH; depth++) {
		int above = interface.master;
		char kind[sizeof interface.kind];

		memcpy(kind, interface.kind, sizeof kind);
		if (above == 0 || !link_master_takes(kind) || !ask(socket, NULL, above, &interface))
			return;
		memcpy(master->name, interface.name, sizeof master->name);
		if (depth > 0)
			continue;
		memcpy(master->next, interface.name, sizeof master->next);
		memcpy(master->kind, kind, sizeof master->kind);
	}
}

bool link_master_find(const char *interface, struct link_master *master)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);

	*master = (struct link_master){0};
	if (socket == NULL)
		return false;
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) == 0)
		find(socket, interface, master);
	mnl_socket_close(socket);
	return *master->name != '\0';
}
