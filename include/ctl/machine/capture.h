/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A short look at the packets of one group on every interface: which sources, on which interface, in which
 * direction, with which TTL. A socket filter in the kernel passes that group alone; nothing is kept but these
 * counts. Needs CAP_NET_RAW. Blocks for its duration.
 */
#ifndef MCPROXY_CTL_MACHINE_CAPTURE_H
#define MCPROXY_CTL_MACHINE_CAPTURE_H

#include "ctl/machine/interfaces.h"

#define CAPTURE_SIGHTS_MAX 256

/* A source on an interface in one direction. */
struct sight {
	struct addr source;
	int interface; /* index; a bridge stands for its ports on the way in */
	bool outgoing;
	uint64_t packets;
	unsigned ttl_min; /* as it was seen there */
	unsigned ttl_max;
	unsigned size_max; /* of a whole packet, in bytes */
	unsigned port;     /* UDP destination of the first packet; 0: none */
};

struct capture {
	struct addr group;
	struct sight list[CAPTURE_SIGHTS_MAX];
	size_t count;
	uint64_t overflow; /* packets of more sources and interfaces than fit */
};

/* Looks for so many milliseconds. 0 or -errno; -EPERM: not allowed. */
int capture_run(struct capture *capture, const struct addr *group, const struct interfaces *interfaces,
                unsigned milliseconds);
/* Counts one packet, from its IP header on; packets of other groups and broken ones are passed over. */
void capture_take(struct capture *capture, const struct interfaces *interfaces, int interface, bool outgoing,
                  const uint8_t *packet, size_t size);
/* The counts of a source (NULL: of any) on an interface (0: on any) in a direction, summed up. False when
 * nothing was seen. */
bool capture_sum(const struct capture *capture, const struct addr *source, int interface, bool outgoing,
                 struct sight *sum);

#endif
