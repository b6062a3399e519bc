/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The host side of a proxy upstream, of one family. The real one (core/host/host.c) with any of its ways to keep
 * memberships, on a model of the kernel's sockets whose host side is a plain member; or that member alone. So
 * errors of the engine can be distinguished from those of the host side.
 */
#ifndef MCPROXY_SIM_UPLINK_H
#define MCPROXY_SIM_UPLINK_H

#include "member.h"

#include "core/host/host.h"

struct uplink;

/* kernel: the caller attaches it to the segment and gives it the state of its link. The number decides which
 * kind it is. */
struct uplink *uplink_new(struct member *kernel, unsigned number);
void uplink_free(struct uplink *uplink);

/* What the engine wants of a group. */
void uplink_want(struct uplink *uplink, const struct request *request, const void *sources);
/* Nothing of any group. */
void uplink_unwant_all(struct uplink *uplink);
/* A query that the engine passes on. */
void uplink_receive_query(struct uplink *uplink, const struct upstream_query *query,
                          const struct addr *sources);
/* Call it after the kernel's member knows; present: the interface exists. */
void uplink_link_changed(struct uplink *uplink, bool present);

#endif
