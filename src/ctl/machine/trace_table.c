/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/machine/trace_table.h"

#include <endian.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>

#define BUFFER_SIZE (32 << 10)
#define DEVICES_MAX 256 /* the kernel's limit for a chain */
#define SECOND      100 /* sequence numbers of the second batch follow this one */
#define RATE        20  /* packets per second that are traced, and at the beginning at once */

/* Messages that the kernel carries out all or not at all. */
struct batch {
	char buffer[BUFFER_SIZE];
	struct nlmsghdr *message; /* the last one */
	size_t size;              /* of those before it */
	uint32_t sequence;
	char table[32];
};

static void next_message(struct batch *batch, uint16_t type, uint16_t flags, uint8_t family,
                         uint16_t resource)
{
	struct nfgenmsg *header;

	if (batch->message != NULL)
		batch->size += MNL_ALIGN(batch->message->nlmsg_len);
	batch->message = mnl_nlmsg_put_header(batch->buffer + batch->size);
	batch->message->nlmsg_type = type;
	batch->message->nlmsg_flags = NLM_F_REQUEST | flags;
	batch->message->nlmsg_seq = ++batch->sequence;
	header = mnl_nlmsg_put_extra_header(batch->message, sizeof *header);
	*header = (struct nfgenmsg){
		.nfgen_family = family, .version = NFNETLINK_V0, .res_id = htobe16(resource)};
}

static void next_request(struct batch *batch, uint16_t request, uint16_t flags)
{
	next_message(batch, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | request), NLM_F_CREATE | flags,
	             NFPROTO_INET, 0);
}

static void put_number(struct batch *batch, uint16_t type, uint32_t value)
{
	mnl_attr_put_u32(batch->message, type, htobe32(value));
}

static void add_table(struct batch *batch)
{
	next_request(batch, NFT_MSG_NEWTABLE, NLM_F_EXCL);
	mnl_attr_put_strz(batch->message, NFTA_TABLE_NAME, batch->table);
	put_number(batch, NFTA_TABLE_FLAGS, NFT_TABLE_F_OWNER);
}

/* Adds a chain that comes before all others of the hook. */
static void add_chain(struct batch *batch, const char *name, uint32_t hook, const struct interfaces *devices)
{
	struct nlattr *nest, *list;
	size_t count = 0;

	next_request(batch, NFT_MSG_NEWCHAIN, 0);
	mnl_attr_put_strz(batch->message, NFTA_CHAIN_TABLE, batch->table);
	mnl_attr_put_strz(batch->message, NFTA_CHAIN_NAME, name);
	mnl_attr_put_strz(batch->message, NFTA_CHAIN_TYPE, "filter");
	nest = mnl_attr_nest_start(batch->message, NFTA_CHAIN_HOOK);
	put_number(batch, NFTA_HOOK_HOOKNUM, hook);
	put_number(batch, NFTA_HOOK_PRIORITY, (uint32_t)INT32_MIN);
	if (devices != NULL) {
		list = mnl_attr_nest_start(batch->message, NFTA_HOOK_DEVS);
		for (size_t i = 0; i < devices->count && count < DEVICES_MAX; i++)
			if (devices->list[i].up && !devices->list[i].loopback) {
				mnl_attr_put_strz(batch->message, NFTA_DEVICE_NAME, devices->list[i].name);
				count++;
			}
		mnl_attr_nest_end(batch->message, list);
	}
	mnl_attr_nest_end(batch->message, nest);
}

struct expression {
	struct nlattr *element, *data;
};

static struct expression begin(struct batch *batch, const char *name)
{
	struct expression expression = {.element = mnl_attr_nest_start(batch->message, NFTA_LIST_ELEM)};

	mnl_attr_put_strz(batch->message, NFTA_EXPR_NAME, name);
	expression.data = mnl_attr_nest_start(batch->message, NFTA_EXPR_DATA);
	return expression;
}

static void end(struct batch *batch, struct expression expression)
{
	mnl_attr_nest_end(batch->message, expression.data);
	mnl_attr_nest_end(batch->message, expression.element);
}

static void put_data(struct batch *batch, uint16_t type, const void *value, size_t size)
{
	struct nlattr *nest = mnl_attr_nest_start(batch->message, type);

	mnl_attr_put(batch->message, NFTA_DATA_VALUE, size, value);
	mnl_attr_nest_end(batch->message, nest);
}

/* All expressions use one register: each loads it and compares it, or sets it. */
static void add_compare(struct batch *batch, const void *value, size_t size)
{
	struct expression expression = begin(batch, "cmp");

	put_number(batch, NFTA_CMP_SREG, NFT_REG_1);
	put_number(batch, NFTA_CMP_OP, NFT_CMP_EQ);
	put_data(batch, NFTA_CMP_DATA, value, size);
	end(batch, expression);
}

static void add_meta(struct batch *batch, uint32_t key, uint16_t direction)
{
	struct expression expression = begin(batch, "meta");

	put_number(batch, NFTA_META_KEY, key);
	put_number(batch, direction, NFT_REG_1);
	end(batch, expression);
}

static void add_address(struct batch *batch, const struct addr *addr, uint32_t offset)
{
	uint32_t size = addr_family(addr) == FAMILY_IPV4 ? 4 : 16;
	struct expression expression = begin(batch, "payload");

	put_number(batch, NFTA_PAYLOAD_DREG, NFT_REG_1);
	put_number(batch, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
	put_number(batch, NFTA_PAYLOAD_OFFSET, offset);
	put_number(batch, NFTA_PAYLOAD_LEN, size);
	end(batch, expression);
	add_compare(batch, addr_wire_bytes(addr, addr_family(addr)), size);
}

static void add_limit(struct batch *batch)
{
	struct expression expression = begin(batch, "limit");

	mnl_attr_put_u64(batch->message, NFTA_LIMIT_RATE, htobe64(RATE));
	mnl_attr_put_u64(batch->message, NFTA_LIMIT_UNIT, htobe64(1));
	put_number(batch, NFTA_LIMIT_BURST, RATE);
	end(batch, expression);
}

static void add_immediate(struct batch *batch, uint8_t value)
{
	struct expression expression = begin(batch, "immediate");

	put_number(batch, NFTA_IMMEDIATE_DREG, NFT_REG_1);
	put_data(batch, NFTA_IMMEDIATE_DATA, &value, sizeof value);
	end(batch, expression);
}

/* meta nfproto ... ip daddr ... [ip saddr ...] limit rate ... meta nftrace set 1 */
static void add_rule(struct batch *batch, const char *chain, const struct addr *group,
                     const struct addr *source)
{
	bool ipv4 = addr_family(group) == FAMILY_IPV4;
	uint8_t protocol = ipv4 ? NFPROTO_IPV4 : NFPROTO_IPV6;
	struct nlattr *list;

	next_request(batch, NFT_MSG_NEWRULE, NLM_F_APPEND | NLM_F_ACK);
	mnl_attr_put_strz(batch->message, NFTA_RULE_TABLE, batch->table);
	mnl_attr_put_strz(batch->message, NFTA_RULE_CHAIN, chain);
	list = mnl_attr_nest_start(batch->message, NFTA_RULE_EXPRESSIONS);
	add_meta(batch, NFT_META_NFPROTO, NFTA_META_DREG);
	add_compare(batch, &protocol, sizeof protocol);
	add_address(batch, group, ipv4 ? 16 : 24);
	if (source != NULL)
		add_address(batch, source, ipv4 ? 12 : 8);
	add_limit(batch);
	add_immediate(batch, 1);
	add_meta(batch, NFT_META_NFTRACE, NFTA_META_SREG);
	mnl_attr_nest_end(batch->message, list);
}

/* Sends the batch, and reads answers up to the one to its last request. */
static int send_batch(struct mnl_socket *socket, uint32_t first, struct batch *batch)
{
	uint32_t last = batch->sequence;
	char answer[BUFFER_SIZE];

	next_message(batch, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	batch->size += MNL_ALIGN(batch->message->nlmsg_len);
	if (mnl_socket_sendto(socket, batch->buffer, batch->size) < 0)
		return -errno;
	for (;;) {
		ssize_t left = mnl_socket_recvfrom(socket, answer, sizeof answer);
		const struct nlmsghdr *message = (const struct nlmsghdr *)(void *)answer;

		if (left < 0)
			return -errno;
		for (int size = (int)left; mnl_nlmsg_ok(message, size);
		     message = mnl_nlmsg_next(message, &size)) {
			const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);

			/* The kernel has refused each message of an earlier batch. */
			if (message->nlmsg_type != NLMSG_ERROR || message->nlmsg_seq <= first)
				continue;
			if (error->error != 0 || message->nlmsg_seq >= last)
				return error->error;
		}
	}
}

static int add_all(struct mnl_socket *socket, uint32_t first, const struct addr *group,
                   const struct addr *source, const struct interfaces *devices)
{
	struct batch batch = {.sequence = first};

	snprintf(batch.table, sizeof batch.table, "mcproxyctl_%u", mnl_socket_get_portid(socket));
	next_message(&batch, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	add_table(&batch);
	if (devices != NULL) {
		add_chain(&batch, "ingress", NF_INET_INGRESS, devices);
		add_rule(&batch, "ingress", group, source);
	}
	add_chain(&batch, "prerouting", NF_INET_PRE_ROUTING, NULL);
	add_rule(&batch, "prerouting", group, source);
	return send_batch(socket, first, &batch);
}

int trace_table_add(struct mnl_socket *socket, const struct addr *group, const struct addr *source,
                    const struct interfaces *interfaces)
{
	int result = add_all(socket, 0, group, source, interfaces);

	/* Not every kernel has hooks at the ingress of devices, and a device may have disappeared. */
	return result == 0 || result == -EPERM ? result : add_all(socket, SECOND, group, source, NULL);
}
