/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The scheduling priority of the owner thread, which passes on everything that comes: ahead of the workers,
 * which may be busy with a flood, and of other programs. A nice value, not a real-time policy: that would let
 * a flood starve the machine.
 */
#ifndef MCPROXY_DAEMON_WORKER_PRIORITY_H
#define MCPROXY_DAEMON_WORKER_PRIORITY_H

/* Owner thread: `by` below the nice value 0, unless the value that the process began with is lower still. 0
 * or -errno (-EACCES: not permitted). */
int priority_raise(unsigned by);
/* Any other thread, at its start: the value that the process began with. */
void priority_restore(void);

#endif
