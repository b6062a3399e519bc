/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The log: six functions. In the foreground a line goes to stderr, otherwise to syslog. One line is one fact,
 * `subject: what, values`. The ones without x append the text of errno. Owner thread and main only; workers
 * tell what they see by events. errno is preserved.
 */
#ifndef MCPROXY_DAEMON_LOG_H
#define MCPROXY_DAEMON_LOG_H

#include <stdbool.h>

void log_open(bool foreground, bool debug);
bool log_is_debug(void);

__attribute__((noreturn, format(printf, 1, 2))) void fatal(const char *format, ...); /* exit status 1 */
__attribute__((noreturn, format(printf, 1, 2))) void fatalx(const char *format, ...);
__attribute__((format(printf, 1, 2))) void warn(const char *format, ...);
__attribute__((format(printf, 1, 2))) void warnx(const char *format, ...);
__attribute__((format(printf, 1, 2))) void info(const char *format, ...);
__attribute__((format(printf, 1, 2))) void debug(const char *format, ...);

#endif
