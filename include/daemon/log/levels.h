/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How much the log says, of everything and of single subjects. A subject is what stands before a colon at the
 * start of a line: an instance, a link, a group or a part of the daemon, as in `iptv: eth1: 239.1.2.3:
 * joined`. Of several that have a level the innermost counts. Pure.
 */
#ifndef MCPROXY_DAEMON_LOG_LEVELS_H
#define MCPROXY_DAEMON_LOG_LEVELS_H

#include <stdbool.h>
#include <stddef.h>

#define LOG_SUBJECT_SIZE  64
#define LOG_SUBJECTS      32 /* that can have a level of their own */
#define LOG_LEVEL_DEFAULT (-1)

struct log_subject {
	char name[LOG_SUBJECT_SIZE];
	int level; /* a priority of syslog.h: LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG */
};

/* Zeroes: LOG_INFO for all. */
struct log_levels {
	int level; /* of all others; 0: LOG_INFO */
	size_t count;
	struct log_subject subjects[LOG_SUBJECTS];
};

/* "error", "warning", "info", "debug"; LOG_LEVEL_DEFAULT for "default"; false for any other word. */
bool log_level_parse(const char *word, int *level);
const char *log_level_name(int level);

/* subject NULL: all that have none of their own. LOG_LEVEL_DEFAULT takes a subject's own level away. False
 * for an empty or too long name, and when the table is full. */
bool log_levels_set(struct log_levels *levels, const char *subject, int level);
/* Of those that have no level of their own. */
int log_levels_level(const struct log_levels *levels);
bool log_levels_allow(const struct log_levels *levels, int priority, const char *line);
/* Is there any subject that so much is said of? */
bool log_levels_any(const struct log_levels *levels, int priority);

#endif
