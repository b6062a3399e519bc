/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/mroute_watch.h"

#include "kernel/attributes.h"
#include "kernel/mrt.h"
#include "kernel/socket_option.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>

#define RECEIVE_BUFFER (8 << 20) /* room for more than 20,000 announcements */
#define BATCH          32
#define NEWS_SIZE      1024
#define AUDIT_SIZE     32768 /* the largest part of a dump */
#define RT6_TABLE_DFLT 254   /* what the kernel calls the default table of IPv6 */

static const unsigned groups[] = {
	RTNLGRP_IPV4_MROUTE, RTNLGRP_IPV6_MROUTE,  RTNLGRP_IPV4_RULE,
	RTNLGRP_IPV6_RULE,   RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF,
};

struct mroute_watch {
	struct mnl_socket *news;
	struct mnl_socket *audit;
	uint32_t sequence;
	_Alignas(struct nlmsghdr) uint8_t bytes[BATCH][NEWS_SIZE];
	_Alignas(struct nlmsghdr) uint8_t part[AUDIT_SIZE];
};

/* The kernel reports an unresolved entry for each packet of an unknown stream, and its end if no entry
 * follows. The filter drops these messages in the kernel. */
static int drop_unresolved(int fd)
{
	/* The filter loads numbers in network byte order. */
	const struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWROUTE), 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELROUTE), 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NLMSG_HDRLEN + offsetof(struct rtmsg, rtm_flags)),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, htonl(RTNH_F_UNRESOLVED), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};

	return socket_set_filter(fd, code, sizeof code / sizeof code[0]);
}

static int open_news(struct mroute_watch *watch)
{
	int fd, result;

	watch->news = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (watch->news == NULL)
		return -errno;
	fd = mnl_socket_get_fd(watch->news);
	socket_set_receive_buffer(fd, RECEIVE_BUFFER);
	result = drop_unresolved(fd);
	if (result != 0 || mnl_socket_bind(watch->news, 0, MNL_SOCKET_AUTOPID) != 0)
		return result != 0 ? result : -errno;
	for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
		if (mnl_socket_setsockopt(watch->news, NETLINK_ADD_MEMBERSHIP, (void *)(uintptr_t)&groups[i],
		                          sizeof groups[i]) != 0)
			return -errno;
	return 0;
}

/* A new socket does not hold the rest of an audit that was given up. */
static int open_audit(struct mroute_watch *watch)
{
	if (watch->audit != NULL)
		mnl_socket_close(watch->audit);
	watch->audit = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (watch->audit == NULL || mnl_socket_bind(watch->audit, 0, MNL_SOCKET_AUTOPID) != 0)
		return -errno;
	return 0;
}

int mroute_watch_open(struct mroute_watch **opened)
{
	struct mroute_watch *watch = calloc(1, sizeof *watch);
	int result = watch != NULL ? open_news(watch) : -ENOMEM;

	if (result != 0)
		mroute_watch_close(watch);
	else
		*opened = watch;
	return result;
}

void mroute_watch_close(struct mroute_watch *watch)
{
	if (watch == NULL)
		return;
	if (watch->news != NULL)
		mnl_socket_close(watch->news);
	if (watch->audit != NULL)
		mnl_socket_close(watch->audit);
	free(watch);
}

int mroute_watch_fd(const struct mroute_watch *watch)
{
	return mnl_socket_get_fd(watch->news);
}

static void read_outputs(const struct nlattr *attribute, struct mroute_news *news)
{
	const struct rtnexthop *hop;
	int left;

	if (attribute == NULL)
		return;
	hop = mnl_attr_get_payload(attribute);
	left = mnl_attr_get_payload_len(attribute);
	while (RTNH_OK(hop, left) && news->output_count < MROUTE_NEWS_OUTPUTS) {
		size_t length = RTNH_ALIGN(hop->rtnh_len);

		news->outputs[news->output_count] = hop->rtnh_ifindex;
		news->thresholds[news->output_count++] = hop->rtnh_hops;
		left -= (int)length;
		hop = (const void *)((const uint8_t *)hop + length);
	}
}

static bool read_route(const struct nlmsghdr *header, struct mroute_news *news)
{
	const struct nlattr *attributes[ATTRIBUTES];
	const struct rtmsg *message = mnl_nlmsg_get_payload(header);
	uint32_t default_table;

	if (mnl_nlmsg_get_payload_len(header) < sizeof *message || (message->rtm_flags & RTNH_F_UNRESOLVED))
		return false;
	if (message->rtm_family != RTNL_FAMILY_IPMR && message->rtm_family != RTNL_FAMILY_IP6MR)
		return false;
	news->family = message->rtm_family == RTNL_FAMILY_IPMR ? FAMILY_IPV4 : FAMILY_IPV6;
	attributes_read(header, sizeof *message, attributes);
	if (!attribute_addr(attributes[RTA_SRC], news->family, &news->source) ||
	    !attribute_addr(attributes[RTA_DST], news->family, &news->group))
		return false;
	default_table = news->family == FAMILY_IPV4 ? RT_TABLE_DEFAULT : RT6_TABLE_DFLT;
	news->table = attribute_number(attributes[RTA_TABLE]);
	if (news->table == default_table)
		news->table = MRT_TABLE_DEFAULT;
	news->input = (int)attribute_number(attributes[RTA_IIF]);
	read_outputs(attributes[RTA_MULTIPATH], news);
	return true;
}

/* mc_forwarding: for an interface the number of its vifs, in all tables; for "all" the number of MRT sockets.
 * The kernel sends the latter while it closes a socket: a program that now asks for the table waits for the
 * end of the close, and gets the table. */
static bool read_netconf(const struct nlmsghdr *header, struct mroute_news *news)
{
	const struct nlattr *attributes[ATTRIBUTES];
	const struct netconfmsg *message = mnl_nlmsg_get_payload(header);

	if (mnl_nlmsg_get_payload_len(header) < sizeof *message)
		return false;
	news->family = message->ncm_family == AF_INET ? FAMILY_IPV4 : FAMILY_IPV6;
	attributes_read(header, sizeof *message, attributes);
	news->ifindex = (int)attribute_number(attributes[NETCONFA_IFINDEX]);
	if (attributes[NETCONFA_MC_FORWARDING] == NULL)
		news->kind = MROUTE_RP_FILTER;
	else
		news->kind = news->ifindex == NETCONFA_IFINDEX_ALL ? MROUTE_ROUTER : MROUTE_VIFS;
	return (news->ifindex > 0 || news->ifindex == NETCONFA_IFINDEX_ALL) &&
	       (news->kind != MROUTE_RP_FILTER || attributes[NETCONFA_RP_FILTER] != NULL);
}

static void report_message(const struct nlmsghdr *header, mroute_watch_handler *report, void *context)
{
	struct mroute_news news = {0};
	bool known = false;

	switch (header->nlmsg_type) {
	case RTM_NEWROUTE:
		news.kind = MROUTE_ENTRY;
		known = read_route(header, &news);
		break;
	case RTM_DELROUTE:
		news.kind = MROUTE_ENTRY_GONE;
		known = read_route(header, &news);
		break;
	case RTM_NEWNETCONF:
		known = read_netconf(header, &news);
		break;
	case RTM_DELRULE:
		news.kind = MROUTE_RULE_GONE;
		known = rules_read(header, &news.rule);
		break;
	}
	if (known)
		report(context, &news);
}

static void report_messages(const uint8_t *bytes, size_t size, mroute_watch_handler *report, void *context)
{
	const struct nlmsghdr *header = (const void *)bytes;
	int left = (int)size;

	for (; mnl_nlmsg_ok(header, left); header = mnl_nlmsg_next(header, &left))
		report_message(header, report, context);
}

/* Returns how many messages were read, or -errno. */
static int receive_batch(struct mroute_watch *watch, struct mmsghdr messages[BATCH])
{
	struct iovec parts[BATCH];
	int count;

	for (unsigned i = 0; i < BATCH; i++) {
		parts[i] = (struct iovec){.iov_base = watch->bytes[i], .iov_len = NEWS_SIZE};
		messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[i], .msg_iovlen = 1}};
	}
	count = recvmmsg(mroute_watch_fd(watch), messages, BATCH, MSG_DONTWAIT, NULL);
	return count < 0 ? -errno : count;
}

void mroute_watch_receive(struct mroute_watch *watch, mroute_watch_handler *report, void *context)
{
	struct mroute_news overrun = {.kind = MROUTE_OVERRUN};
	struct mmsghdr messages[BATCH];
	int count;

	do {
		count = receive_batch(watch, messages);
		for (int i = 0; i < count; i++) {
			if (messages[i].msg_hdr.msg_flags & MSG_TRUNC)
				report(context, &overrun);
			else
				report_messages(watch->bytes[i], messages[i].msg_len, report, context);
		}
		if (count == -ENOBUFS)
			report(context, &overrun);
	} while (count == BATCH || count == -ENOBUFS || count == -EINTR);
}

int mroute_watch_audit_begin(struct mroute_watch *watch, enum family family)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(watch->part);
	struct rtmsg *message;
	int result = open_audit(watch);

	if (result != 0)
		return result;
	header->nlmsg_type = RTM_GETROUTE;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	header->nlmsg_seq = ++watch->sequence;
	message = mnl_nlmsg_put_extra_header(header, sizeof *message);
	message->rtm_family = family == FAMILY_IPV4 ? RTNL_FAMILY_IPMR : RTNL_FAMILY_IP6MR;
	return mnl_socket_sendto(watch->audit, header, header->nlmsg_len) < 0 ? -errno : 0;
}

int mroute_watch_audit_fd(const struct mroute_watch *watch)
{
	return mnl_socket_get_fd(watch->audit);
}

struct audit {
	mroute_watch_handler *report;
	void *context;
};

static int take_audited(const struct nlmsghdr *header, void *context)
{
	const struct audit *audit = context;

	report_message(header, audit->report, audit->context);
	return MNL_CB_OK;
}

int mroute_watch_audit_next(struct mroute_watch *watch, mroute_watch_handler *report, void *context)
{
	struct audit audit = {report, context};
	ssize_t size = mnl_socket_recvfrom(watch->audit, watch->part, sizeof watch->part);
	int result;

	if (size < 0)
		return -errno;
	result = mnl_cb_run(watch->part, (size_t)size, watch->sequence, mnl_socket_get_portid(watch->audit),
	                    take_audited, &audit);
	return result < 0 ? -errno : result > MNL_CB_STOP;
}
