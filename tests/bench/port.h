/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An end of a link in some network namespace, as a host or an upstream router would have it: sends whole
 * frames in batches and receives with the kernel's timestamps. Errors end the program: a benchmark has
 * nothing better to do.
 */
#ifndef MCPROXY_BENCH_PORT_H
#define MCPROXY_BENCH_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PORT_BATCH     64
#define PORT_FRAME_MAX 1514
#define NANOSECONDS    1000000000

/* Values on the wire, RFC 9776 section 4.2. */
enum record_type { IS_IN = 1, IS_EX, TO_IN, TO_EX, ALLOW, BLOCK };

struct port {
	int fd;
	int ifindex;
	uint8_t mac[6];
	uint32_t address; /* the source of what is sent */
	unsigned waiting; /* frames written and not sent yet */
	uint64_t received;
};

/* namespace: its path, such as /run/netns/x, or /proc/PID/ns/net. Receives IGMP if `igmp`, else UDP. */
void port_open(struct port *port, const char *namespace, const char *device, uint32_t address, bool igmp);
void port_close(struct port *port);

/* A version 3 report of `count` records without sources, about groups first, first + 1, ... */
void port_report(struct port *port, enum record_type type, uint32_t first, unsigned count);
/* A UDP packet; the sequence number is in it. */
void port_stream(struct port *port, uint32_t source, uint32_t group, uint32_t sequence);
/* What was written so far goes out; the two above do so when a batch is full. */
void port_flush(struct port *port);

struct arrival {
	int64_t time; /* nanoseconds of CLOCK_REALTIME */
	uint32_t source;
	uint32_t group;    /* the packet's destination */
	uint32_t sequence; /* of a UDP packet */
	const uint8_t *payload;
	size_t size;
};
/* Up to PORT_BATCH packets; waits for the first one until `until` (the past: does not wait). The payloads
 * stay until the next call. */
unsigned port_receive(struct port *port, struct arrival *arrivals, int64_t until);

/* Calls `ready` for each group that an IGMP message joins (or leaves). */
typedef void heard_group(void *context, uint32_t group, bool joined, int64_t time);
void arrival_groups(const struct arrival *arrival, heard_group *ready, void *context);

int64_t clock_nanoseconds(void); /* CLOCK_REALTIME, as packets are stamped */
void sleep_until(int64_t time);

#endif
