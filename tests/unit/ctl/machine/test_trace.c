/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Events of the kernel's trace: which rule or policy stopped the packets of which source.
 */
#include "ctl/machine/trace.h"

#include <endian.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/craft.h"

struct event {
	uint32_t id;
	const char *chain;
	uint32_t type;
	uint64_t handle;
	int32_t verdict;
	const char *
		source; /* of the packet, which the first event of a base chain describes; NULL: not this event */
	const char *group;
	int input, output;
	uint8_t protocol; /* 0: UDP */
};

#define RULE(id, chain, handle, verdict, ...)                                                                \
	{                                                                                                    \
		id, chain, NFT_TRACETYPE_RULE, handle, verdict, __VA_ARGS__                                  \
	}
#define POLICY(id, chain, verdict, ...)                                                                      \
	{                                                                                                    \
		id, chain, NFT_TRACETYPE_POLICY, 0, verdict, __VA_ARGS__                                     \
	}
#define PACKET  "10.0.0.10", "239.1.2.3"
#define PACKET6 "fd00::10", "ff1e::3"

static void put_packet(struct nlmsghdr *message, const struct event *event)
{
	struct addr source = addr_of(event->source), group = addr_of(event->group);
	enum family family = addr_family(&group);
	size_t size = family == FAMILY_IPV4 ? 4 : 16;
	uint8_t header[40] = {family == FAMILY_IPV4 ? 0x45 : 0x60};

	header[family == FAMILY_IPV4 ? 9 : 6] = event->protocol != 0 ? event->protocol : IPPROTO_UDP;
	memcpy(header + (family == FAMILY_IPV4 ? 12 : 8), addr_wire_bytes(&source, family), size);
	memcpy(header + (family == FAMILY_IPV4 ? 16 : 24), addr_wire_bytes(&group, family), size);
	mnl_attr_put_u32(message, NFTA_TRACE_IIF, htobe32((uint32_t)event->input));
	if (event->output != 0)
		mnl_attr_put_u32(message, NFTA_TRACE_OIF, htobe32((uint32_t)event->output));
	mnl_attr_put(message, NFTA_TRACE_NETWORK_HEADER, family == FAMILY_IPV4 ? 20 : 40, header);
}

static void take(struct trace *trace, const struct event *event)
{
	char buffer[1024];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *header = mnl_nlmsg_put_extra_header(message, sizeof *header);
	struct nlattr *nest;

	message->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_TRACE;
	header->nfgen_family = NFPROTO_INET;
	mnl_attr_put_u32(message, NFTA_TRACE_ID, htobe32(event->id));
	mnl_attr_put_u32(message, NFTA_TRACE_TYPE, htobe32(event->type));
	mnl_attr_put_strz(message, NFTA_TRACE_TABLE, "fw");
	mnl_attr_put_strz(message, NFTA_TRACE_CHAIN, event->chain);
	if (event->type == NFT_TRACETYPE_POLICY) {
		mnl_attr_put_u32(message, NFTA_TRACE_POLICY, htobe32((uint32_t)event->verdict));
	} else {
		mnl_attr_put_u64(message, NFTA_TRACE_RULE_HANDLE, htobe64(event->handle));
		nest = mnl_attr_nest_start(message, NFTA_TRACE_VERDICT);
		mnl_attr_put_u32(message, NFTA_VERDICT_CODE, htobe32((uint32_t)event->verdict));
		mnl_attr_nest_end(message, nest);
	}
	if (event->source != NULL)
		put_packet(message, event);
	trace_take(trace, message);
}

static struct trace *trace_events(const char *group, const struct event *events, size_t count)
{
	struct trace *trace = calloc(1, sizeof *trace);

	assert_non_null(trace);
	trace->group = addr_of(group);
	for (size_t i = 0; i < count; i++)
		take(trace, &events[i]);
	return trace;
}

static void check_stop(const struct trace_stop *stop, const char *base, const char *chain, uint64_t handle,
                       int input, int output, uint64_t packets)
{
	assert_int_equal(stop->family, NFPROTO_INET);
	assert_string_equal(stop->table, "fw");
	assert_string_equal(stop->base, base);
	assert_string_equal(stop->chain, chain);
	assert_int_equal(stop->handle, handle);
	assert_int_equal(stop->input, input);
	assert_int_equal(stop->output, output);
	assert_int_equal(stop->packets, packets);
}

static void rules_and_policies_that_stop_packets(void **state)
{
	static const struct event events[] = {
		/* Two packets at once on two processors. A jump, and then the rule in the other chain. */
		RULE(1, "forward", 4, NFT_JUMP, PACKET, 2, 3),
		RULE(2, "forward", 4, NFT_JUMP, PACKET, 2, 3),
		RULE(1, "no", 7, NFT_CONTINUE, NULL, NULL),
		RULE(2, "no", 8, NF_DROP, NULL, NULL),
		RULE(1, "no", 8, NF_DROP, NULL, NULL),
		/* A copy of the packet, which the machine itself receives. */
		POLICY(3, "input", NF_DROP, PACKET, 2, 0),
		/* Accepted, with the id of the first packet. */
		RULE(1, "post", 9, NF_ACCEPT, PACKET, 2, 3),
		POLICY(1, "late", NF_ACCEPT, PACKET, 2, 3),
		RULE(1, "queue", 5, NF_QUEUE | 7 << 16, PACKET, 2, 4),
	};
	struct trace *trace = trace_events("239.1.2.3", events, sizeof events / sizeof *events);
	struct addr source = addr_of("10.0.0.10"), other = addr_of("10.0.0.11");

	(void)state;
	assert_int_equal(trace->count, 3);
	check_stop(&trace->list[0], "forward", "no", 8, 2, 3, 2);
	check_stop(&trace->list[1], "input", "input", 0, 2, 0, 1);
	check_stop(&trace->list[2], "queue", "queue", 5, 2, 4, 1);
	assert_true(trace_has_source(trace, &source));
	assert_false(trace_has_source(trace, &other));
	free(trace);
}

static void ipv6_is_traced_as_well(void **state)
{
	static const struct event events[] = {RULE(1, "forward", 4, NF_DROP, PACKET6, 2, 3),
	                                      RULE(2, "forward", 4, NF_DROP, "fd00::11", "ff1e::3", 2, 3)};
	struct trace *trace = trace_events("ff1e::3", events, 2);
	struct addr source = addr_of("fd00::10");

	(void)state;
	assert_int_equal(trace->count, 2);
	assert_true(addr_equal(&trace->list[0].source, &source));
	free(trace);
}

static void other_packets_are_ignored(void **state)
{
	static const struct event events[] = {
		RULE(1, "forward", 4, NF_DROP, "10.0.0.10", "239.1.2.4", 2, 3), /* another user's trace */
		RULE(1, "forward", 4, NF_DROP, PACKET6, 2, 3),
		RULE(2, "forward", 4, NF_DROP, PACKET, 2, 3, IPPROTO_IGMP), /* a report to the group */
		RULE(3, "forward", 4, NF_DROP, NULL, NULL), /* the event that describes the packet was lost */
	};
	struct trace *trace = trace_events("239.1.2.3", events, 4);

	(void)state;
	assert_int_equal(trace->count, 0);
	assert_int_equal(trace->source_count, 0);
	free(trace);
}

static void limits_hold(void **state)
{
	struct trace *trace = trace_events("239.1.2.3", NULL, 0);
	struct event event = RULE(0, "forward", 0, NF_DROP, PACKET, 2, 3);

	(void)state;
	for (unsigned i = 1; i <= 1000; i++) {
		char source[32];

		snprintf(source, sizeof source, "10.0.%u.%u", i / 256, i % 256);
		event.id = event.handle = i;
		event.source = source;
		take(trace, &event);
	}
	assert_int_equal(trace->count, TRACE_STOPS_MAX);
	assert_int_equal(trace->source_count, TRACE_SOURCES);
	free(trace);
}

/* An event cut at any length does no harm. */
static void malformed_events_do_no_harm(void **state)
{
	struct {
		struct nlmsghdr header;
		struct nfgenmsg family;
		uint8_t bytes[256];
	} event = {.header.nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_TRACE};
	struct trace *trace = trace_events("239.1.2.3", NULL, 0);

	(void)state;
	for (uint32_t length = sizeof event.header; length < sizeof event; length++)
		for (unsigned fill = 0; fill < 32; fill++) {
			memset(event.bytes, (int)fill, sizeof event.bytes);
			event.header.nlmsg_len = length;
			trace_take(trace, &event.header);
		}
	assert_int_equal(trace->count, 0);
	free(trace);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_and_policies_that_stop_packets),
		cmocka_unit_test(ipv6_is_traced_as_well),
		cmocka_unit_test(other_packets_are_ignored),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(malformed_events_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
