/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/rules.h"

#include "kernel/attributes.h"
#include "kernel/socket_option.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

#define MESSAGE_SIZE 32768 /* the largest part of a dump */
#define PATIENCE     2     /* seconds; normally the kernel answers before the request returns */

struct rules {
	struct mnl_socket *socket;
	uint32_t sequence;
	_Alignas(struct nlmsghdr) uint8_t buffer[MESSAGE_SIZE];
};

struct rule_callback {
	void (*report)(void *context, const struct rule *rule);
	void *context;
};

static int set_up(struct rules *rules)
{
	struct timeval patience = {.tv_sec = PATIENCE};

	rules->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (rules->socket == NULL || mnl_socket_bind(rules->socket, 0, MNL_SOCKET_AUTOPID) != 0)
		return -errno;
	socket_set(mnl_socket_get_fd(rules->socket), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	return 0;
}

int rules_open(struct rules **opened)
{
	struct rules *rules = calloc(1, sizeof *rules);
	int result = rules != NULL ? set_up(rules) : -ENOMEM;

	if (result != 0)
		rules_close(rules);
	else
		*opened = rules;
	return result;
}

void rules_close(struct rules *rules)
{
	if (rules != NULL && rules->socket != NULL)
		mnl_socket_close(rules->socket);
	free(rules);
}

/* Sends the request in the buffer, and calls take for each message of the answer. */
static int exchange(struct rules *rules, mnl_cb_t take, void *context)
{
	unsigned port = mnl_socket_get_portid(rules->socket);
	const struct nlmsghdr *request = (const void *)rules->buffer;
	int result = MNL_CB_OK;

	if (mnl_socket_sendto(rules->socket, request, request->nlmsg_len) < 0)
		return -errno;
	while (result > MNL_CB_STOP) {
		ssize_t size = mnl_socket_recvfrom(rules->socket, rules->buffer, sizeof rules->buffer);

		if (size < 0)
			return -errno;
		result = mnl_cb_run(rules->buffer, (size_t)size, rules->sequence, port, take, context);
	}
	return result < 0 ? -errno : 0;
}

static struct fib_rule_hdr *begin(struct rules *rules, uint16_t type, uint16_t flags, enum family family)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(rules->buffer);
	struct fib_rule_hdr *message;

	header->nlmsg_type = type;
	header->nlmsg_flags = NLM_F_REQUEST | flags;
	header->nlmsg_seq = ++rules->sequence;
	message = mnl_nlmsg_put_extra_header(header, sizeof *message);
	message->family = family == FAMILY_IPV4 ? RTNL_FAMILY_IPMR : RTNL_FAMILY_IP6MR;
	return message;
}

static int change(struct rules *rules, const struct rule *rule, uint16_t type, uint16_t flags)
{
	struct fib_rule_hdr *message = begin(rules, type, flags | NLM_F_ACK, rule->family);
	struct nlmsghdr *header = (void *)rules->buffer;

	message->action = FR_ACT_TO_TBL;
	message->table = RT_TABLE_UNSPEC;
	mnl_attr_put_u32(header, FRA_TABLE, rule->table);
	mnl_attr_put_u32(header, FRA_PRIORITY, RULES_PRIORITY);
	mnl_attr_put_u8(header, FRA_PROTOCOL, RULES_PROTOCOL);
	mnl_attr_put_strz(header, rule->output ? FRA_OIFNAME : FRA_IIFNAME, rule->interface);
	return exchange(rules, NULL, NULL);
}

int rules_add(struct rules *rules, const struct rule *rule)
{
	return change(rules, rule, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL);
}

int rules_delete(struct rules *rules, const struct rule *rule)
{
	return change(rules, rule, RTM_DELRULE, 0);
}

bool rules_read(const struct nlmsghdr *header, struct rule *rule)
{
	const struct nlattr *attributes[ATTRIBUTES], *name;
	const struct fib_rule_hdr *message = mnl_nlmsg_get_payload(header);

	if (mnl_nlmsg_get_payload_len(header) < sizeof *message ||
	    (message->family != RTNL_FAMILY_IPMR && message->family != RTNL_FAMILY_IP6MR))
		return false;
	attributes_read(header, sizeof *message, attributes);
	if (attribute_number(attributes[FRA_PRIORITY]) != RULES_PRIORITY ||
	    attributes[FRA_PROTOCOL] == NULL || mnl_attr_get_u8(attributes[FRA_PROTOCOL]) != RULES_PROTOCOL ||
	    attributes[FRA_TABLE] == NULL)
		return false;
	rule->family = message->family == RTNL_FAMILY_IPMR ? FAMILY_IPV4 : FAMILY_IPV6;
	rule->table = attribute_number(attributes[FRA_TABLE]);
	rule->output = attributes[FRA_IIFNAME] == NULL;
	name = attributes[rule->output ? FRA_OIFNAME : FRA_IIFNAME];
	if (name == NULL)
		return false;
	strncpy(rule->interface, mnl_attr_get_str(name), sizeof rule->interface - 1);
	return true;
}

static int report_rule(const struct nlmsghdr *header, void *context)
{
	const struct rule_callback *callback = context;
	struct rule rule = {0};

	if (header->nlmsg_type == RTM_NEWRULE && rules_read(header, &rule))
		callback->report(callback->context, &rule);
	return MNL_CB_OK;
}

int rules_list(struct rules *rules, enum family family,
               void (*report)(void *context, const struct rule *rule), void *context)
{
	struct rule_callback callback = {report, context};

	begin(rules, RTM_GETRULE, NLM_F_DUMP, family);
	return exchange(rules, report_rule, &callback);
}
