/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/unicast.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#define SEQUENCE 1

static int take_attribute(const struct nlattr *attribute, void *context)
{
	if (mnl_attr_get_type(attribute) == RTA_OIF && mnl_attr_validate(attribute, MNL_TYPE_U32) >= 0)
		*(int *)context = (int)mnl_attr_get_u32(attribute);
	return MNL_CB_OK;
}

static int take_route(const struct nlmsghdr *header, void *context)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(header);

	if (header->nlmsg_type == RTM_NEWROUTE && route->rtm_dst_len > 0)
		mnl_attr_parse(header, sizeof(struct rtmsg), take_attribute, context);
	return MNL_CB_OK;
}

static struct nlmsghdr *make_request(char *buffer, const struct addr *address)
{
	enum family family = addr_family(address);
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct rtmsg *route;

	header->nlmsg_type = RTM_GETROUTE;
	header->nlmsg_flags = NLM_F_REQUEST;
	header->nlmsg_seq = SEQUENCE;
	route = mnl_nlmsg_put_extra_header(header, sizeof *route);
	route->rtm_family = family == FAMILY_IPV4 ? AF_INET : AF_INET6;
	route->rtm_flags = RTM_F_FIB_MATCH; /* return the matching route itself */
	route->rtm_dst_len = family == FAMILY_IPV4 ? 32 : 128;
	mnl_attr_put(header, RTA_DST, addr_wire_size(family), addr_wire_bytes(address, family));
	return header;
}

int unicast_interface(const struct addr *address)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	char buffer[4096];
	const struct nlmsghdr *request = make_request(buffer, address);
	int interface = 0;
	ssize_t size = -1;

	if (socket == NULL)
		return 0;
	/* The kernel answers before the call returns. */
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) == 0 &&
	    mnl_socket_sendto(socket, request, request->nlmsg_len) >= 0)
		size = mnl_socket_recvfrom(socket, buffer, sizeof buffer);
	if (size > 0)
		mnl_cb_run(buffer, (size_t)size, SEQUENCE, mnl_socket_get_portid(socket), take_route,
		           &interface);
	mnl_socket_close(socket);
	return interface;
}
