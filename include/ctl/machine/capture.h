/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Captures the packets of one group on every interface for a short time, and counts them by source,
 * interface, direction and TTL. A socket filter in the kernel passes only that group, and only the counts
 * are kept. Needs CAP_NET_RAW. Blocks while it captures.
 */
#ifndef MCPROXY_CTL_MACHINE_CAPTURE_H
#define MCPROXY_CTL_MACHINE_CAPTURE_H

#include "ctl/machine/interfaces.h"

#define CAPTURE_SIGHTS_MAX 256

/* The packets of a source on an interface in one direction. */
struct sighting {
	struct addr source;
	int interface; /* index; incoming packets of bridge ports count for the bridge */
	bool outgoing;
	uint64_t packets;
	unsigned ttl_min; /* on that interface */
	unsigned ttl_max;
	unsigned size_max; /* of a whole packet, in bytes */
	unsigned port;     /* UDP destination of the first packet; 0: none */
};

struct capture {
	struct addr group;
	struct sighting list[CAPTURE_SIGHTS_MAX];
	size_t count;
	uint64_t overflow; /* packets beyond the limit of sources and interfaces */
};

/* Captures for so many milliseconds. 0 or -errno; -EPERM: not allowed. */
int capture_run(struct capture *capture, const struct addr *group, const struct interfaces *interfaces,
                unsigned milliseconds);
/* Counts one packet, which begins with its IP header. Ignores packets of other groups and
 * malformed ones. */
void capture_take(struct capture *capture, const struct interfaces *interfaces, int interface, bool outgoing,
                  const uint8_t *packet, size_t size);
/* The sum of the counts of a source (NULL: any) on an interface (0: any) in a direction. False when there
 * are none. */
bool capture_sum(const struct capture *capture, const struct addr *source, int interface, bool outgoing,
                 struct sighting *sum);

#endif
