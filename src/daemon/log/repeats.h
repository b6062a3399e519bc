/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lines that were logged lately. The same line within a minute is counted instead of logged. The count is
 * written once a minute for as long as the cause lasts (`... (repeated 12 times)`). A small table of fixed
 * size; lines that do not fit are logged. Pure except for the function that it gets for writing counts. Main
 * thread.
 */
#ifndef MCPROXY_DAEMON_LOG_REPEATS_H
#define MCPROXY_DAEMON_LOG_REPEATS_H

#include "core/base/mtime.h"

#include <stdbool.h>

#define LOG_REPEATS_SIZE     16
#define LOG_REPEATS_INTERVAL (60 * MTIME_SECOND)
#define LOG_REPEATS_TEXT     240 /* bytes of a line that are kept, for the line with the count */

struct log_repeat {
	mtime logged_at;
	uint64_t hash; /* of the whole line */
	uint64_t count;
	int priority; /* 0: a free row */
	char text[LOG_REPEATS_TEXT];
};

/* Zeroes are an empty table. */
struct log_repeats {
	struct log_repeat rows[LOG_REPEATS_SIZE];
};

typedef void log_repeats_write(int priority, char *text); /* writes a line with a count */

/* False when the line was logged within the interval: it is then counted. priority: above 0. */
bool log_repeats_is_new(struct log_repeats *repeats, mtime now, int priority, const char *line,
                        log_repeats_write *write);
/* When the next count is due; MTIME_NEVER: there is none. */
mtime log_repeats_deadline(const struct log_repeats *repeats);
/* Writes the counts that are due; now MTIME_NEVER: all. */
void log_repeats_expire(struct log_repeats *repeats, mtime now, log_repeats_write *write);

#endif
