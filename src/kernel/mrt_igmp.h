/* SPDX-License-Identifier: BSD-2-Clause
 *
 * IGMP messages without Router Alert to groups of which the kernel itself is a member: the kernel makes
 * upcalls for them as for data. A raw socket gets such a message just before the upcall, and gets no message
 * to a group of which the kernel is no member on that link: those make no upcalls. Private to mrt.c.
 */
#ifndef MCPROXY_KERNEL_MRT_IGMP_H
#define MCPROXY_KERNEL_MRT_IGMP_H

#include "core/base/addr.h"
#include "core/base/mtime.h"

/* Does the IPv4 header have the option Router Alert (RFC 2113)? */
bool mrt_igmp_has_alert(const uint8_t *header, size_t size);

struct mrt_igmp;

/* Returns 0 or -errno. */
int mrt_igmp_open(struct mrt_igmp **igmp);
void mrt_igmp_close(struct mrt_igmp *igmp);
int mrt_igmp_fd(const struct mrt_igmp *igmp);
/* Notes the messages that wait. */
void mrt_igmp_read(struct mrt_igmp *igmp, mtime now);
/* Did such a message arrive on the interface just before? Then forgets it: the next packet may be data. */
bool mrt_igmp_take(struct mrt_igmp *igmp, mtime now, int ifindex, const struct addr *source,
                   const struct addr *group);

#endif
