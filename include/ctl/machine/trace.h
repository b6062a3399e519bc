/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Asks the kernel which rules of nftables (those of iptables-nft included) stop the packets of a group. A table
 * of its own marks some packets where they enter the machine, and the kernel then reports each rule that they
 * meet. The events wait in the socket until the end. The table belongs to the netlink socket: however the process ends, the kernel removes the table.
 * Needs CAP_NET_ADMIN and Linux 5.12.
 *
 * Not reported: the rules of iptables-legacy, tc, XDP and hardware.
 */
#ifndef MCPROXY_CTL_MACHINE_TRACE_H
#define MCPROXY_CTL_MACHINE_TRACE_H

#include "ctl/machine/interfaces.h"

#define TRACE_STOPS_MAX 64
#define TRACE_SOURCES   64
#define TRACE_RUNS      16
#define TRACE_NAME_SIZE 128

struct mnl_socket;
struct nlmsghdr;

/* A rule or policy that stopped packets of a source: it dropped them, or passed them to a program. */
struct trace_stop {
	uint8_t family; /* of the table: NFPROTO_INET, ... */
	char table[TRACE_NAME_SIZE];
	char base[TRACE_NAME_SIZE]; /* the chain at the hook */
	char chain[TRACE_NAME_SIZE];
	uint64_t handle;   /* of the rule; 0: the policy of the base chain */
	unsigned position; /* of the rule in its chain, from 1; 0: not known */
	bool is_local; /* at the input: a copy for the machine itself, which does not concern forwarding */
	struct addr source;
	int input, output; /* interface indexes; 0: none at this hook */
	uint64_t packets;
};

/* A packet on its way through a base chain. The kernel describes the packet in the first event only. */
struct trace_run {
	uint32_t id;
	struct trace_stop at;
};

struct trace {
	struct mnl_socket *socket; /* NULL: closed */
	struct addr group;
	struct trace_stop list[TRACE_STOPS_MAX];
	size_t count;
	struct addr sources[TRACE_SOURCES]; /* those of traced packets */
	size_t source_count;
	struct trace_run runs[TRACE_RUNS]; /* a ring */
	size_t next_run;
};

/* Begins to trace a few packets per second of the group, from the source (NULL: any). 0 or -errno. */
int trace_open(struct trace *trace, const struct addr *group, const struct addr *source,
               const struct interfaces *interfaces);
/* Reads the events, removes the table, and asks the kernel about the rules and chains in the events. */
void trace_close(struct trace *trace);
/* Takes one event. Ignores packets of other groups and malformed events. */
void trace_take(struct trace *trace, const struct nlmsghdr *message);
/* Were packets of the source traced? Then no rule of nftables stopped others than those in the list. */
bool trace_has_source(const struct trace *trace, const struct addr *source);

#endif
