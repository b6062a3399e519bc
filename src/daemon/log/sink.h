/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Writes log lines to stderr, with the priority in front (`<4>`) when journald reads it, or to the system
 * log, a datagram socket. It never waits: lines that do not fit are counted, and the next line that fits is
 * preceded by the count. It does not use syslog(3), because that function blocks. Main thread.
 */
#ifndef MCPROXY_DAEMON_LOG_SINK_H
#define MCPROXY_DAEMON_LOG_SINK_H

#include <stdbool.h>

#define LOG_SINK_SYSLOG "/dev/log"

/* False when stderr is closed or is /dev/null, so that no program can read it. */
bool log_sink_stderr_is_read(void);

void log_sink_open_stderr(void);
/* path: of the socket, which may not exist yet; the string must stay valid. */
void log_sink_open_syslog(const char *path);
void log_sink_close(void);

/* Writes a line, given without its end; priority: LOG_ERR and so on. Cleans it first
 * (text_clean), because names in it may contain anything. */
void log_sink_write(int priority, char *line);

#endif
