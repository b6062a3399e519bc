/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/machine/trace_lookup.h"

#include <endian.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#define BUFFER_SIZE (32 << 10)

struct lookup {
	struct trace_stop *stop;
	unsigned rules; /* of the chain, so far */
};

/* The attribute of this type that has at least this size; NULL when there is none. */
static const struct nlattr *find(const struct nlattr *first, const void *end, uint16_t type, size_t size)
{
	for (const struct nlattr *attr = first;
	     mnl_attr_ok(attr, (int)((const char *)end - (const char *)attr)); attr = mnl_attr_next(attr))
		if (mnl_attr_get_type(attr) == type && mnl_attr_get_payload_len(attr) >= size)
			return attr;
	return NULL;
}

static int take_rule(const struct nlmsghdr *message, void *context)
{
	struct lookup *lookup = context;
	const struct nlattr *handle =
		find(mnl_nlmsg_get_payload_offset(message, sizeof(struct nfgenmsg)),
	             mnl_nlmsg_get_payload_tail(message), NFTA_RULE_HANDLE, sizeof lookup->stop->handle);

	lookup->rules++;
	if (handle != NULL && be64toh(mnl_attr_get_u64(handle)) == lookup->stop->handle)
		lookup->stop->position = lookup->rules;
	return MNL_CB_OK;
}

static int take_chain(const struct nlmsghdr *message, void *context)
{
	struct lookup *lookup = context;
	const struct nlattr *hook = find(mnl_nlmsg_get_payload_offset(message, sizeof(struct nfgenmsg)),
	                                 mnl_nlmsg_get_payload_tail(message), NFTA_CHAIN_HOOK, 0);
	const struct nlattr *number = NULL;

	if (hook != NULL)
		number = find(mnl_attr_get_payload(hook), (const char *)hook + hook->nla_len,
		              NFTA_HOOK_HOOKNUM, sizeof(uint32_t));
	lookup->stop->is_local = number != NULL && be32toh(mnl_attr_get_u32(number)) == NF_INET_LOCAL_IN;
	return MNL_CB_OK;
}

/* Asks for one chain, or for all rules of a chain. */
static bool send_request(struct mnl_socket *socket, const struct lookup *lookup, bool rules)
{
	char buffer[1024];
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *header;

	request->nlmsg_type =
		(uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | (rules ? NFT_MSG_GETRULE : NFT_MSG_GETCHAIN));
	request->nlmsg_flags = rules ? NLM_F_REQUEST | NLM_F_DUMP : NLM_F_REQUEST;
	header = mnl_nlmsg_put_extra_header(request, sizeof *header);
	*header = (struct nfgenmsg){.nfgen_family = lookup->stop->family, .version = NFNETLINK_V0};
	mnl_attr_put_strz(request, rules ? NFTA_RULE_TABLE : NFTA_CHAIN_TABLE, lookup->stop->table);
	mnl_attr_put_strz(request, rules ? NFTA_RULE_CHAIN : NFTA_CHAIN_NAME,
	                  rules ? lookup->stop->chain : lookup->stop->base);
	return mnl_socket_sendto(socket, request, request->nlmsg_len) > 0;
}

static void ask(struct mnl_socket *socket, struct lookup *lookup, bool rules)
{
	char buffer[BUFFER_SIZE];
	ssize_t size;

	if (!send_request(socket, lookup, rules))
		return;
	do
		size = mnl_socket_recvfrom(socket, buffer, sizeof buffer);
	while (size > 0 &&
	       mnl_cb_run(buffer, (size_t)size, 0, 0, rules ? take_rule : take_chain, lookup) > MNL_CB_STOP &&
	       rules); /* a single answer has no end marker */
}

void trace_complete(struct trace_stop *stop)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	struct lookup lookup = {.stop = stop};

	if (socket == NULL)
		return;
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) == 0) {
		if (stop->handle != 0)
			ask(socket, &lookup, true);
		if (stop->family == NFPROTO_IPV4 || stop->family == NFPROTO_IPV6 ||
		    stop->family == NFPROTO_INET)
			ask(socket, &lookup, false);
	}
	mnl_socket_close(socket);
}
