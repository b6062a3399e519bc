/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The repair: notices when other processes delete or change the daemon's entries, vifs and policy rules, and
 * restores them. The kernel announces every change (kernel/mroute_watch.h), the daemon's own included; the
 * repair compares it with the tables. An audit every ten minutes, and after messages were lost, finds the
 * rest. The log names each kind of damage once a minute at most. Owner thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_REPAIR_H
#define MCPROXY_DAEMON_OWNER_REPAIR_H

#include "core/base/mtime.h"

struct owner;

/* Without netlink nothing is repaired; the log says so. */
void repair_open(struct owner *owner);
void repair_close(struct owner *owner);
/* Reads the kernel's messages, those on this turn's own operations included. */
void repair_receive(struct owner *owner, mtime now);
/* Does a part of an audit that is due, and retries what failed before. */
void repair_apply(struct owner *owner, mtime now);
mtime repair_deadline(const struct owner *owner);

#endif
