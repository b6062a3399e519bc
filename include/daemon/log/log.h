/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The log: six functions. One line is one fact, `subject: what, values`. A line that was said within the last
 * minute is counted, not repeated (log_repeats.h); what is said of which subject is set at run time
 * (log_levels.h); where lines go is decided at the start (log_sink.h). The ones without x append the text of
 * errno. Owner thread and main only; workers tell what they see by events. errno is preserved.
 */
#ifndef MCPROXY_DAEMON_LOG_LOG_H
#define MCPROXY_DAEMON_LOG_LOG_H

#include "core/base/mtime.h"
#include "daemon/log/levels.h"

#include <stdbool.h>

/* Until then lines go to stderr, all but debug. To the system log: if it is asked for, and where nobody could
 * read stderr because it is closed or /dev/null. Closed standard descriptors are opened on /dev/null, so that
 * no other file can get their numbers. */
void log_open(bool to_syslog, bool debug);
/* Tells the counts that are still open. */
void log_close(void);

/* See log_levels_set. Who changes it tells the workers whether events are wanted now (INPUT_EVENTS,
 * log_is_debug). */
bool log_set_level(const char *subject, int level);
const struct log_levels *log_levels(void);
/* Is there any subject whose debug lines are wanted? */
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

/* A line of an answer that somebody asked for: always said, whatever the levels are and how often. */
void log_answer(const char *line);

#endif
