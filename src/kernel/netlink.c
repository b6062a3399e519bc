/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/netlink.h"

#include "kernel/attributes.h"
#include "kernel/socket_option.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>

#define RECEIVE_BUFFER (1 << 20)
#define MESSAGE_SIZE   32768 /* the largest part of a dump */
#define READS_PER_CALL 64
#define GROUPS         (RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR)

_Static_assert((int)IFLA_CARRIER_UP_COUNT < ATTRIBUTES && (int)IFLA_PROP_LIST < ATTRIBUTES &&
                       (int)IFA_FLAGS < ATTRIBUTES,
               "those that are read");

struct news_callback {
	void (*report)(void *context, const struct netlink_news *news);
	void *context;
};

/* What is being dumped. Links come first, because addresses refer to them. */
enum stage { STAGE_NONE, STAGE_LINKS, STAGE_ADDRESSES };

struct netlink {
	struct mnl_socket *socket;
	enum stage stage;
	uint32_t sequence; /* of the current request */
	bool interrupted;  /* something changed between two parts of the answer */
	_Alignas(struct nlmsghdr) uint8_t buffer[MESSAGE_SIZE];
};

static int request_dump(struct netlink *netlink, enum stage stage)
{
	_Alignas(struct nlmsghdr) uint8_t bytes[MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(struct ifinfomsg))];
	struct nlmsghdr *header = mnl_nlmsg_put_header(bytes);
	struct rtgenmsg *message;

	header->nlmsg_type = stage == STAGE_LINKS ? RTM_GETLINK : RTM_GETADDR;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	header->nlmsg_seq = ++netlink->sequence;
	message = mnl_nlmsg_put_extra_header(header, stage == STAGE_LINKS ? sizeof(struct ifinfomsg)
	                                                                  : sizeof(struct ifaddrmsg));
	/* For addresses: first IPv4, then IPv6. */
	message->rtgen_family = AF_UNSPEC;
	netlink->interrupted = false;
	netlink->stage = stage;
	if (mnl_socket_sendto(netlink->socket, header, header->nlmsg_len) >= 0)
		return 0;
	netlink->stage = STAGE_NONE;
	return -errno;
}

static int set_up(struct netlink *netlink)
{
	netlink->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (netlink->socket == NULL)
		return -errno;
	socket_set_receive_buffer(mnl_socket_get_fd(netlink->socket), RECEIVE_BUFFER);
	if (mnl_socket_bind(netlink->socket, GROUPS, MNL_SOCKET_AUTOPID) != 0)
		return -errno;
	return request_dump(netlink, STAGE_LINKS);
}

int netlink_open(struct netlink **opened)
{
	struct netlink *netlink = calloc(1, sizeof *netlink);
	int result;

	if (netlink == NULL)
		return -ENOMEM;
	result = set_up(netlink);
	if (result != 0) {
		netlink_close(netlink);
		return result;
	}
	*opened = netlink;
	return 0;
}

void netlink_close(struct netlink *netlink)
{
	if (netlink->socket != NULL)
		mnl_socket_close(netlink->socket);
	free(netlink);
}

int netlink_fd(const struct netlink *netlink)
{
	return mnl_socket_get_fd(netlink->socket);
}

static void read_attachment(const struct nlattr *const attributes[], struct link_attachment *attachment)
{
	const struct nlattr *hardware = attributes[IFLA_ADDRESS];
	size_t size = hardware != NULL ? mnl_attr_get_payload_len(hardware) : 0;

	attachment->carrier_ups = attribute_number(attributes[IFLA_CARRIER_UP_COUNT]);
	if (size > 0 && size <= sizeof attachment->hardware)
		memcpy(attachment->hardware, mnl_attr_get_payload(hardware), size);
}

/* A bond sends all three events one after the other. After a virtual machine has moved, other drivers send
 * the last two. */
static bool says_moved(const struct nlattr *event)
{
	switch (attribute_number(event)) {
	case IFLA_EVENT_BONDING_FAILOVER:
	case IFLA_EVENT_NOTIFY_PEERS:
	case IFLA_EVENT_IGMP_RESEND:
		return true;
	}
	return false;
}

static void read_altnames(const struct nlattr *list, char altnames[NETLINK_ALTNAMES_SIZE])
{
	const char *end;
	size_t used = 0;

	if (list == NULL)
		return;
	end = (const char *)mnl_attr_get_payload(list) + mnl_attr_get_payload_len(list);
	for (const struct nlattr *name = mnl_attr_get_payload(list);
	     mnl_attr_ok(name, (int)(end - (const char *)name)); name = mnl_attr_next(name)) {
		size_t size = mnl_attr_get_payload_len(name);

		if (mnl_attr_get_type(name) != IFLA_ALT_IFNAME || size < 2 ||
		    used + size >= NETLINK_ALTNAMES_SIZE)
			continue;
		memcpy(altnames + used, mnl_attr_get_payload(name), size - 1);
		used += size;
	}
}

/* Messages of other families on the same group have another meaning: AF_BRIDGE reports bridge ports. Messages
 * without a name are events of wireless drivers. */
static bool read_link(const struct nlmsghdr *header, struct netlink_news *news)
{
	const struct ifinfomsg *message = mnl_nlmsg_get_payload(header);
	const struct nlattr *attributes[ATTRIBUTES];

	if (mnl_nlmsg_get_payload_len(header) < sizeof *message || message->ifi_family != AF_UNSPEC)
		return false;
	attributes_read(header, sizeof *message, attributes);
	if (attributes[IFLA_IFNAME] == NULL)
		return false;
	news->ifindex = message->ifi_index;
	news->up = (message->ifi_flags & IFF_UP) && (message->ifi_flags & IFF_RUNNING);
	news->multicast = message->ifi_flags & IFF_MULTICAST;
	news->point_to_point = message->ifi_flags & IFF_POINTOPOINT;
	strncpy(news->name, mnl_attr_get_str(attributes[IFLA_IFNAME]), sizeof news->name - 1);
	read_altnames(attributes[IFLA_PROP_LIST], news->altnames);
	news->mtu = attribute_number(attributes[IFLA_MTU]);
	news->has_master = attribute_number(attributes[IFLA_MASTER]) != 0;
	news->moved = says_moved(attributes[IFLA_EVENT]);
	read_attachment(attributes, &news->attachment);
	return true;
}

/* A duplicate IPv6 address counts as gone; a tentative one is reported when its test has passed. */
static bool sort_address(enum family family, uint32_t flags, struct netlink_news *news)
{
	if (family == FAMILY_IPV4) {
		news->address.secondary = flags & IFA_F_SECONDARY;
		return true;
	}
	if (flags & IFA_F_DADFAILED)
		news->kind = NETLINK_ADDRESS_GONE;
	return news->kind == NETLINK_ADDRESS_GONE || !(flags & IFA_F_TENTATIVE);
}

/* On point-to-point links IFA_ADDRESS is the peer and IFA_LOCAL this side; elsewhere IPv6 has only
 * IFA_ADDRESS. */
static bool read_address(const struct nlmsghdr *header, struct netlink_news *news)
{
	const struct ifaddrmsg *message = mnl_nlmsg_get_payload(header);
	const struct nlattr *attributes[ATTRIBUTES], *own, *network;
	enum family family;
	uint32_t flags;

	if (mnl_nlmsg_get_payload_len(header) < sizeof *message)
		return false;
	if (message->ifa_family != AF_INET && message->ifa_family != AF_INET6)
		return false;
	family = message->ifa_family == AF_INET ? FAMILY_IPV4 : FAMILY_IPV6;
	attributes_read(header, sizeof *message, attributes);
	own = attributes[IFA_LOCAL] != NULL ? attributes[IFA_LOCAL] : attributes[IFA_ADDRESS];
	network = attributes[IFA_ADDRESS] != NULL ? attributes[IFA_ADDRESS] : own;
	if (!attribute_addr(own, family, &news->address.address) ||
	    !attribute_addr(network, family, &news->address.network))
		return false;
	news->ifindex = (int)message->ifa_index;
	news->address.length = message->ifa_prefixlen;
	flags = attributes[IFA_FLAGS] != NULL ? mnl_attr_get_u32(attributes[IFA_FLAGS]) : message->ifa_flags;
	return sort_address(family, flags, news);
}

static void report_change(const struct nlmsghdr *header, const struct news_callback *callback)
{
	struct netlink_news news = {0};
	bool known = false;

	switch (header->nlmsg_type) {
	case RTM_NEWLINK:
		news.kind = NETLINK_LINK;
		known = read_link(header, &news);
		break;
	case RTM_DELLINK:
		news.kind = NETLINK_LINK_GONE;
		known = read_link(header, &news);
		break;
	case RTM_NEWADDR:
		news.kind = NETLINK_ADDRESS;
		known = read_address(header, &news);
		break;
	case RTM_DELADDR:
		news.kind = NETLINK_ADDRESS_GONE;
		known = read_address(header, &news);
		break;
	}
	if (known)
		callback->report(callback->context, &news);
}

/* An interrupted answer may lack an object that existed all the time: asks again. */
static int end_stage(struct netlink *netlink, const struct news_callback *callback)
{
	struct netlink_news end = {.kind = NETLINK_DUMP_END};

	if (netlink->interrupted)
		return request_dump(netlink, netlink->stage);
	if (netlink->stage == STAGE_LINKS)
		return request_dump(netlink, STAGE_ADDRESSES);
	netlink->stage = STAGE_NONE;
	callback->report(callback->context, &end);
	return 0;
}

/* Both kinds of end message carry a number, 0 or -errno. */
static int end_result(const struct nlmsghdr *header)
{
	int result;

	if (mnl_nlmsg_get_payload_len(header) < sizeof result)
		return -EPROTO;
	memcpy(&result, mnl_nlmsg_get_payload(header), sizeof result);
	return result;
}

static int take_message(struct netlink *netlink, const struct nlmsghdr *header,
                        const struct news_callback *callback)
{
	bool is_answer = netlink->stage != STAGE_NONE && header->nlmsg_seq == netlink->sequence &&
	                 header->nlmsg_pid == mnl_socket_get_portid(netlink->socket);
	int result;

	if (is_answer && (header->nlmsg_flags & NLM_F_DUMP_INTR))
		netlink->interrupted = true;
	if (header->nlmsg_type != NLMSG_DONE && header->nlmsg_type != NLMSG_ERROR) {
		report_change(header, callback);
		return 0;
	}
	if (!is_answer)
		return 0;
	result = end_result(header);
	if (result == 0)
		return end_stage(netlink, callback);
	netlink->stage = STAGE_NONE;
	return result;
}

/* News was lost. The messages that still wait are older than the loss, and would look like parts of the new
 * dump: they are discarded, with the rest of a dump in progress. */
static int start_over(struct netlink *netlink, const struct news_callback *callback)
{
	struct netlink_news overrun = {.kind = NETLINK_OVERRUN};

	while (mnl_socket_recvfrom(netlink->socket, netlink->buffer, sizeof netlink->buffer) >= 0 ||
	       errno == ENOBUFS)
		;
	callback->report(callback->context, &overrun);
	return request_dump(netlink, STAGE_LINKS);
}

static int take_messages(struct netlink *netlink, size_t size, const struct news_callback *callback)
{
	const struct nlmsghdr *header = (const void *)netlink->buffer;
	int left = (int)size, result = 0;

	for (; result == 0 && mnl_nlmsg_ok(header, left); header = mnl_nlmsg_next(header, &left))
		result = take_message(netlink, header, callback);
	return result;
}

int netlink_refresh(struct netlink *netlink)
{
	return request_dump(netlink, STAGE_LINKS);
}

int netlink_receive(struct netlink *netlink, void (*report)(void *context, const struct netlink_news *news),
                    void *context)
{
	struct news_callback callback = {report, context};
	int result = 0;

	for (int reads = 0; result == 0 && reads < READS_PER_CALL; reads++) {
		ssize_t size = mnl_socket_recvfrom(netlink->socket, netlink->buffer, sizeof netlink->buffer);

		if (size >= 0)
			result = take_messages(netlink, (size_t)size, &callback);
		else if (errno == ENOBUFS)
			result = start_over(netlink, &callback);
		else
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	}
	return result;
}
