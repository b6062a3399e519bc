/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The clock: the only code that reads the time. Any thread.
 */
#ifndef MCPROXY_DAEMON_LOG_CLOCK_H
#define MCPROXY_DAEMON_LOG_CLOCK_H

#include "core/base/mtime.h"

/* Milliseconds of the monotonic clock. Read once per loop turn. */
mtime clock_now(void);
/* Milliseconds since the epoch: for people and files, never for timers. */
int64_t clock_wall(void);

#endif
