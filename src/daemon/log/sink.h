/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where lines of the log go: to stderr, with the priority in front (`<4>`) when journald reads it, or to the
 * system log, a datagram socket. Neither is ever waited for: lines that it has no room for are counted, and
 * the number is told with the next one that passes. Written by hand because syslog(3) blocks. Main thread.
 */
#ifndef MCPROXY_DAEMON_LOG_SINK_H
#define MCPROXY_DAEMON_LOG_SINK_H

#include <stdbool.h>

#define LOG_SINK_SYSLOG "/dev/log"

/* False where stderr is closed or is /dev/null, so that what is written there is lost for everybody. */
bool log_sink_stderr_is_read(void);

void log_sink_open_stderr(void);
/* path: of the socket, which may be missing and come later; the string is kept. */
void log_sink_open_syslog(const char *path);
void log_sink_close(void);

/* A line without its end; priority: LOG_ERR and so on. Control characters in it become spaces. */
void log_sink_write(int priority, char *line);

#endif
