/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/machine/trace.h"

#include "ctl/machine/trace_lookup.h"
#include "ctl/machine/trace_table.h"

#include <endian.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>

#define EVENTS_BYTES (8 << 20) /* wait in the socket at most; what does not fit is lost */
#define EVENT_SIZE   8192

/* The attributes of a message by number; those that are malformed are left out. */
static void read_attributes(const struct nlattr *first, const void *end, const struct nlattr *list[],
                            uint16_t max)
{
	for (uint16_t i = 0; i <= max; i++)
		list[i] = NULL;
	for (const struct nlattr *attr = first;
	     mnl_attr_ok(attr, (int)((const char *)end - (const char *)attr)); attr = mnl_attr_next(attr))
		if (mnl_attr_get_type(attr) <= max)
			list[mnl_attr_get_type(attr)] = attr;
}

static uint32_t number(const struct nlattr *attr, uint32_t missing)
{
	return attr != NULL && mnl_attr_get_payload_len(attr) >= sizeof(uint32_t)
	               ? be32toh(mnl_attr_get_u32(attr))
	               : missing;
}

static void read_name(const struct nlattr *attr, char name[TRACE_NAME_SIZE])
{
	snprintf(name, TRACE_NAME_SIZE, "%.*s", attr != NULL ? (int)mnl_attr_get_payload_len(attr) : 0,
	         attr != NULL ? (const char *)mnl_attr_get_payload(attr) : "");
}

/* False for packets of other groups. Some reports and queries are sent to the group itself: they are not part
 * of the stream. */
static bool read_source(const struct trace *trace, const struct nlattr *header, struct addr *source)
{
	bool ipv4 = addr_family(&trace->group) == FAMILY_IPV4;
	const uint8_t *bytes = mnl_attr_get_payload(header);
	uint8_t protocol;
	struct addr group;

	if (mnl_attr_get_payload_len(header) < (ipv4 ? 20 : 40) || bytes[0] >> 4 != (ipv4 ? 4 : 6))
		return false;
	*source = ipv4 ? addr_from_ipv4(bytes + 12) : addr_from_ipv6(bytes + 8);
	group = ipv4 ? addr_from_ipv4(bytes + 16) : addr_from_ipv6(bytes + 24);
	protocol = ipv4 ? bytes[9] : bytes[6];
	return addr_equal(&group, &trace->group) && protocol != IPPROTO_IGMP && protocol != IPPROTO_HOPOPTS &&
	       protocol != IPPROTO_ICMPV6;
}

static void note_source(struct trace *trace, const struct addr *source)
{
	if (!trace_has_source(trace, source) && trace->source_count < TRACE_SOURCES)
		trace->sources[trace->source_count++] = *source;
}

/* The run that the event belongs to; NULL when its packet is not known, or is none of the group. */
static const struct trace_run *find_run(struct trace *trace, const struct nlattr *const attrs[],
                                        uint8_t family)
{
	uint32_t id = number(attrs[NFTA_TRACE_ID], 0);
	struct trace_run *run = NULL;

	for (size_t i = 0; i < TRACE_RUNS; i++)
		if (trace->runs[i].id == id)
			run = &trace->runs[i];
	if (attrs[NFTA_TRACE_NETWORK_HEADER] == NULL)
		return run;
	/* The kernel uses an id again for another base chain, and for a later packet. */
	if (run == NULL)
		run = &trace->runs[trace->next_run++ % TRACE_RUNS];
	*run = (struct trace_run){.at = {.family = family,
	                                 .input = (int)number(attrs[NFTA_TRACE_IIF], 0),
	                                 .output = (int)number(attrs[NFTA_TRACE_OIF], 0)}};
	if (!read_source(trace, attrs[NFTA_TRACE_NETWORK_HEADER], &run->at.source))
		return NULL;
	run->id = id;
	read_name(attrs[NFTA_TRACE_TABLE], run->at.table);
	read_name(attrs[NFTA_TRACE_CHAIN], run->at.base);
	note_source(trace, &run->at.source);
	return run;
}

/* Does the event end the packet's way? A queue and a theft (such as `fwd`) do, as far as can be seen. */
static bool is_stop(const struct nlattr *const attrs[])
{
	const struct nlattr *verdict[NFTA_VERDICT_MAX + 1];
	uint32_t code;

	if (number(attrs[NFTA_TRACE_TYPE], 0) == NFT_TRACETYPE_POLICY)
		return number(attrs[NFTA_TRACE_POLICY], NF_ACCEPT) == NF_DROP;
	if (attrs[NFTA_TRACE_VERDICT] == NULL)
		return false;
	read_attributes(mnl_attr_get_payload(attrs[NFTA_TRACE_VERDICT]),
	                (const char *)attrs[NFTA_TRACE_VERDICT] + attrs[NFTA_TRACE_VERDICT]->nla_len, verdict,
	                NFTA_VERDICT_MAX);
	code = number(verdict[NFTA_VERDICT_CODE], NF_ACCEPT);
	/* The verdicts of nftables itself, such as a jump, are negative. The upper half is a queue's number. */
	return (int32_t)code >= 0 && (code & NF_VERDICT_MASK) != NF_ACCEPT;
}

static bool is_same(const struct trace_stop *a, const struct trace_stop *b)
{
	return a->family == b->family && a->handle == b->handle && a->input == b->input &&
	       a->output == b->output && addr_equal(&a->source, &b->source) &&
	       strcmp(a->table, b->table) == 0 && strcmp(a->base, b->base) == 0;
}

void trace_take(struct trace *trace, const struct nlmsghdr *message)
{
	const struct nlattr *attrs[NFTA_TRACE_MAX + 1];
	const struct nfgenmsg *header = mnl_nlmsg_get_payload(message);
	const struct trace_run *run;
	struct trace_stop stop;

	if (message->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_TRACE) ||
	    mnl_nlmsg_get_payload_len(message) < sizeof *header)
		return;
	read_attributes(mnl_nlmsg_get_payload_offset(message, sizeof *header),
	                mnl_nlmsg_get_payload_tail(message), attrs, NFTA_TRACE_MAX);
	run = find_run(trace, attrs, header->nfgen_family);
	if (run == NULL || !is_stop(attrs))
		return;
	stop = run->at;
	stop.packets = 1;
	read_name(attrs[NFTA_TRACE_CHAIN], stop.chain);
	if (attrs[NFTA_TRACE_RULE_HANDLE] != NULL &&
	    mnl_attr_get_payload_len(attrs[NFTA_TRACE_RULE_HANDLE]) >= sizeof stop.handle &&
	    number(attrs[NFTA_TRACE_TYPE], 0) == NFT_TRACETYPE_RULE)
		stop.handle = be64toh(mnl_attr_get_u64(attrs[NFTA_TRACE_RULE_HANDLE]));
	for (size_t i = 0; i < trace->count; i++)
		if (is_same(&trace->list[i], &stop)) {
			trace->list[i].packets++;
			return;
		}
	if (trace->count < TRACE_STOPS_MAX)
		trace->list[trace->count++] = stop;
}

bool trace_has_source(const struct trace *trace, const struct addr *source)
{
	for (size_t i = 0; i < trace->source_count; i++)
		if (addr_equal(&trace->sources[i], source))
			return true;
	return false;
}

static int take(const struct nlmsghdr *message, void *context)
{
	trace_take(context, message);
	return MNL_CB_OK;
}

static void receive(struct trace *trace)
{
	char buffer[EVENT_SIZE];
	ssize_t size;

	/* After ENOBUFS (events were lost) more can be read. */
	while ((size = recv(mnl_socket_get_fd(trace->socket), buffer, sizeof buffer, MSG_DONTWAIT)) >= 0 ||
	       errno == ENOBUFS)
		if (size > 0)
			mnl_cb_run(buffer, (size_t)size, 0, 0, take, trace);
}

int trace_open(struct trace *trace, const struct addr *group, const struct addr *source,
               const struct interfaces *interfaces)
{
	int group_of_events = NFNLGRP_NFTRACE, size = EVENTS_BYTES, result;

	*trace = (struct trace){.group = *group, .socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC)};
	if (trace->socket == NULL)
		return -errno;
	setsockopt(mnl_socket_get_fd(trace->socket), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
	result = mnl_socket_bind(trace->socket, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno : 0;
	if (result == 0)
		result = trace_table_add(trace->socket, group, source, interfaces);
	if (result == 0 && mnl_socket_setsockopt(trace->socket, NETLINK_ADD_MEMBERSHIP, &group_of_events,
	                                         sizeof group_of_events) < 0)
		result = -errno;
	if (result != 0)
		trace_close(trace);
	return result;
}

void trace_close(struct trace *trace)
{
	if (trace->socket == NULL)
		return;
	receive(trace);
	mnl_socket_close(trace->socket);
	trace->socket = NULL;
	for (size_t i = 0; i < trace->count; i++)
		trace_complete(&trace->list[i]);
}
