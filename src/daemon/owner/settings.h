/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The kernel's settings that the daemon needs while it runs: rp_filter with -r, and force_igmp_version or
 * force_mld_version where upstream_version is configured. What somebody else changes meanwhile is set again,
 * with a line in the log. The kernel announces a change of rp_filter by sysctl; it does not announce forced
 * versions, so that those are read every 10 s while there are any. Owner thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_SETTINGS_H
#define MCPROXY_DAEMON_OWNER_SETTINGS_H

#include "daemon/owner/owner.h"

/* Puts back what killed runs have left behind; with -r, sets rp_filter of all interfaces. */
void settings_open(struct owner *owner);
/* Puts everything back. */
void settings_close(struct owner *owner);

/* Something may have changed: looks at the settings at once, but not more often than once a second. */
void settings_look(struct owner *owner, mtime now);
/* Looks at them when it is due; once a turn. */
void settings_apply(struct owner *owner, mtime now);
mtime settings_deadline(const struct owner *owner);

#endif
