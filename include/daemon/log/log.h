/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The log: six functions. One line is one fact, `subject: what, values`. A line that was logged within the
 * last minute is counted, not repeated (repeats.h). One level holds for all lines and can change at run time.
 * Where lines go is decided at the start (sink.h). The functions without x append the text of errno. Owner
 * thread and main only; workers report by events. errno is preserved.
 */
#ifndef MCPROXY_DAEMON_LOG_LOG_H
#define MCPROXY_DAEMON_LOG_LOG_H

#include "core/base/mtime.h"

#include <stdbool.h>

/* Until then lines go to stderr, all but debug. To the system log: if it is asked for, and where nobody could
 * read stderr because it is closed or /dev/null. Closed standard descriptors are opened on /dev/null, so that
 * no other file can get their numbers. */
void log_open(bool to_syslog, bool debug);
/* Tells the counts that are still open. */
void log_close(void);

/* The least urgent priority that is logged: LOG_ERR, LOG_WARNING, LOG_INFO or LOG_DEBUG of syslog.h. The
 * caller informs the workers when LOG_DEBUG begins or ends (INPUT_EVENTS). */
void log_set_level(int priority);
int log_level(void);
bool log_is_debug(void);

/* When log_expire has to be called; MTIME_NEVER while no line is repeated. */
mtime log_deadline(void);
void log_expire(mtime now);

__attribute__((noreturn, format(printf, 1, 2))) void fatal(const char *format, ...); /* exit status 1 */
__attribute__((noreturn, format(printf, 1, 2))) void fatalx(const char *format, ...);
__attribute__((format(printf, 1, 2))) void warn(const char *format, ...);
__attribute__((format(printf, 1, 2))) void warnx(const char *format, ...);
__attribute__((format(printf, 1, 2))) void info(const char *format, ...);
__attribute__((format(printf, 1, 2))) void debug(const char *format, ...);

/* A line of an answer that somebody asked for: always logged, whatever the level is and how often. */
void log_answer(const char *line);

#endif
