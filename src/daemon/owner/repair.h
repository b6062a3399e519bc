/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The repair: notices when other processes delete or change the daemon's entries, vifs and policy rules, and
 * has them restored. It hears of every change (kernel/mroute_watch.h), its own ones included, and compares;
 * an audit every few minutes, and after news was lost, finds what it did not take_news of. Each kind of
 * damage is said once a minute at most. Owner thread.
 */
#ifndef MCPROXY_DAEMON_OWNER_REPAIR_H
#define MCPROXY_DAEMON_OWNER_REPAIR_H

#include "core/base/mtime.h"

struct owner;

/* Without netlink nothing is guarded, which is said. */
void repair_open(struct owner *owner);
void repair_close(struct owner *owner);
/* Reads what the kernel has logged of this turn's own operations: to be called when they are done. */
void repair_receive(struct owner *owner, mtime now);
/* A part of an audit that is due, and what failed before. */
void repair_apply(struct owner *owner, mtime now);
mtime repair_deadline(const struct owner *owner);

#endif
