/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The lines that the log has said lately, so that a cause is not said again and again: the same line within a
 * minute is only counted, and the count is told once a minute (`... (said 12 times more)`), for as long as it
 * lasts. A small table of fixed size; what it has no room for is said. Pure but for the one function it is
 * given to tell counts with. Main thread.
 */
#ifndef MCPROXY_DAEMON_LOG_REPEATS_H
#define MCPROXY_DAEMON_LOG_REPEATS_H

#include "core/base/mtime.h"

#include <stdbool.h>

#define LOG_REPEATS_SIZE     16
#define LOG_REPEATS_INTERVAL (60 * MTIME_SECOND)
#define LOG_REPEATS_TEXT     240 /* bytes that are kept of a line, to tell the count with */

struct log_repeat {
	mtime said_at;
	uint64_t hash; /* of the whole line */
	uint64_t count;
	int priority; /* 0: a free row */
	char text[LOG_REPEATS_TEXT];
};

/* Zeroes are an empty one. */
struct log_repeats {
	struct log_repeat rows[LOG_REPEATS_SIZE];
};

typedef void log_repeats_say(int priority, char *text); /* tells a count */

/* False when the line has been said within the interval: it is counted. priority: above 0. */
bool log_repeats_is_new(struct log_repeats *repeats, mtime now, int priority, const char *line,
                        log_repeats_say *say);
/* When a count is to be told; MTIME_NEVER: there is none. */
mtime log_repeats_deadline(const struct log_repeats *repeats);
/* Tells the counts that are due; now MTIME_NEVER: all. */
void log_repeats_expire(struct log_repeats *repeats, mtime now, log_repeats_say *say);

#endif
