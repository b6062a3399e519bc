/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The log: six functions. One line is one fact, `subject: what, values`. A line that was logged within the
 * last minute is counted, not repeated (repeats.h). One level applies to all lines and can change at run
 * time. log_open decides where lines go (sink.h). The functions without x append the text of errno. Only the
 * owner thread and main log; workers send events. errno is preserved.
 */
#ifndef MCPROXY_DAEMON_LOG_LOG_H
#define MCPROXY_DAEMON_LOG_LOG_H

#include "core/base/mtime.h"

#include <stdbool.h>

/* Opens the log. Before that, all lines but debug go to stderr. Lines go to the system log if that is
 * requested, or if no program can read stderr because it is closed or /dev/null. Closed standard
 * descriptors are opened on /dev/null, so that no other file gets their numbers. */
void log_open(bool to_syslog, bool debug);
/* Writes the counts that are due later. */
void log_close(void);

/* The least urgent priority that is logged: LOG_ERR, LOG_WARNING, LOG_INFO or LOG_DEBUG of syslog.h. The
 * caller informs the workers when LOG_DEBUG begins or ends (INPUT_EVENTS). */
void log_set_level(int priority);
int log_level(void);
bool log_is_debug(void);

/* When log_expire must be called; MTIME_NEVER while no line is repeated. */
mtime log_deadline(void);
void log_expire(mtime now);

__attribute__((noreturn, format(printf, 1, 2))) void fatal(const char *format, ...); /* exit status 1 */
__attribute__((format(printf, 1, 2))) void errorx(const char *format, ...);          /* the caller exits */
__attribute__((format(printf, 1, 2))) void warn(const char *format, ...);
__attribute__((format(printf, 1, 2))) void warnx(const char *format, ...);
__attribute__((format(printf, 1, 2))) void info(const char *format, ...);
__attribute__((format(printf, 1, 2))) void debug(const char *format, ...);

/* Logs a line of an answer that was requested: always, regardless of the level and of repetition. */
void log_answer(const char *line);

#endif
