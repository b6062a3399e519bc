/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The kernel's settings that the daemon changes while it runs: rp_filter with -r or reset_rp_filter, and
 * force_igmp_version or force_mld_version where upstream_version is configured. When another program changes
 * one, the owner sets it again and logs that. The kernel announces changes of rp_filter. It does not
 * announce forced versions, so the owner reads those every 10 s while there are any. Owner thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_SETTINGS_H
#define MCPROXY_DAEMON_OWNER_SETTINGS_H

#include "core/base/addr.h"
#include "core/base/mtime.h"

#include <stdbool.h>

#define RUN_DIRECTORY "/run/mcproxy" /* the old values; also the control socket by default */

struct owner;
struct sysctl;

/* The member `settings` of struct owner. */
struct kernel_settings {
	struct sysctl *rp_filter;                /* NULL: no link asks for it */
	struct sysctl *forced_version[FAMILIES]; /* of the kernel's host side upstream */
	mtime check_at, checked_at;              /* the next check, MTIME_NEVER: none; and the last one */
	bool logged_rp_filter;                   /* that rp_filter cannot be written */
	bool hold_due;                           /* an interface has appeared */
};

/* Restores what killed runs have left behind. If a link asks for it, sets rp_filter of `all` to 0, and holds
 * rp_filter of all other interfaces. */
void settings_open(struct owner *owner);
/* Restores everything. */
void settings_close(struct owner *owner);

/* Another configuration is in force. */
void settings_reload(struct owner *owner);
/* Puts rp_filter back where no link asks for 0 any more. */
void settings_link_left(struct owner *owner);
/* A link comes into use while rp_filter is not NULL: sets it to 0 there, if the link asks for that. */
void settings_link(struct owner *owner, const char *interface);
/* News of an interface, whether or not it is a link. */
void settings_interface(struct owner *owner, const char *name, bool gone);
/* A setting may have changed: checks them at once, but not more often than once a second. */
void settings_look(struct owner *owner, mtime now);
/* Checks them when it is due; once a turn. */
void settings_apply(struct owner *owner, mtime now);
mtime settings_deadline(const struct owner *owner);

#endif
