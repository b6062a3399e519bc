/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Captures the packets of one group on every interface for a short time, and counts them by source,
 * interface, VLAN, direction and TTL. A socket filter in the kernel passes only that group, and only the counts
 * are kept. Needs CAP_NET_RAW. Blocks while it captures.
 */
#ifndef MCPROXY_CTL_MACHINE_CAPTURE_H
#define MCPROXY_CTL_MACHINE_CAPTURE_H

#include "ctl/machine/interfaces.h"

#define CAPTURE_SIGHTS_MAX 256

/* The packets of a source on an interface in one direction. */
struct sighting {
	struct addr source;
	int interface; /* index; incoming packets of bridge ports are seen on the bridge only */
	bool outgoing;
	unsigned vlan;     /* of frames that no VLAN interface takes; 0: they have no tag, or it is taken */
	uint8_t sender[6]; /* the MAC address that the last packet came from */
	uint64_t packets;
	unsigned ttl_min; /* on that interface */
	unsigned ttl_max;
	unsigned size_max; /* of a whole packet, in bytes */
	unsigned port;     /* UDP destination of the first packet; 0: none */
};

struct capture {
	struct addr group; /* unspecified: every IPv4 group that routers forward */
	struct sighting list[CAPTURE_SIGHTS_MAX];
	size_t count;
	uint64_t overflow; /* packets beyond the limit of sources and interfaces */
};

/* Captures for so many milliseconds. 0 or -errno; -EPERM: not allowed. */
int capture_run(struct capture *capture, const struct addr *group, const struct interfaces *interfaces,
                unsigned milliseconds);
/* What the kernel knows of a captured frame. */
struct capture_frame {
	int interface;
	bool outgoing;
	unsigned vlan; /* of its tag; 0: none */
	uint8_t sender[6];
};
/* Counts one packet, which begins with its IP header. Ignores packets of other groups and
 * malformed ones. */
void capture_take(struct capture *capture, const struct interfaces *interfaces,
                  const struct capture_frame *frame, const uint8_t *packet, size_t size);
/* The sum of the counts of a source (NULL: any) on an interface (0: any) in a direction, without those of VLANs.
 * False when there are none. */
bool capture_sum(const struct capture *capture, const struct addr *source, int interface, bool outgoing,
                 struct sighting *sum);

#endif
