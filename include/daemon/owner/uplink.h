/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Uplinks: the sockets and packets of the host side (core/host/host.h) on each upstream interface and family.
 * Owner thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_UPLINK_H
#define MCPROXY_DAEMON_OWNER_UPLINK_H

#include "daemon/owner/owner.h"

/* NULL when there is none of that name and family. */
struct uplink *uplink_find(struct owner *owner, enum family family, const char *name);
/* Makes the uplink that uplink_link_changed will need; false when memory is short. */
bool uplink_prepare(struct owner *owner, const struct link_op *op, enum family family);
/* An instance is logged (LINK_TELL) of a link: if that is an upstream one its uplink is made, or follows the
 * news; if it is one no more the uplink loses the instance. */
void uplink_link_changed(struct owner *owner, const struct link_op *op, enum family family, mtime now);
/* The attachment of an interface has changed: its memberships are reported there with the next
 * uplink_apply. */
void uplinks_announce(struct owner *owner, int ifindex);
/* Brings the kernel's memberships to where the host wants them; then sends the report that tells of them. */
void uplink_apply(struct owner *owner, struct uplink *uplink, mtime now);
mtime uplink_deadline(const struct uplink *uplink);
/* The administrator may force another version at any time (force_igmp_version), and the kernel does not announce
 * it: reads it, and follows. */
void uplink_follow_version(struct uplink *uplink, mtime now);
/* The configuration is another: instances that do not name an uplink any more leave their groups there, and
 * uplinks that nobody names end. */
void uplinks_reconsider(struct owner *owner, mtime now);
/* Leaves everything. */
void uplinks_free(struct owner *owner);

#endif
