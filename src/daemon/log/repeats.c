/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/log/repeats.h"

#include <inttypes.h>
#include <stdio.h>

/* FNV-1a */
static uint64_t hash_line(const char *line)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (; *line != '\0'; line++)
		hash = (hash ^ (unsigned char)*line) * 0x100000001b3;
	return hash;
}

/* Tells a row's count, if there is one. */
static void say_count(const struct log_repeat *row, log_repeats_say *say)
{
	char text[LOG_REPEATS_TEXT + 64];

	if (row->count == 0)
		return;
	snprintf(text, sizeof text, "%s (said %" PRIu64 " time%s more)", row->text, row->count,
	         row->count == 1 ? "" : "s");
	say(row->priority, text);
}

static mtime row_deadline(const struct log_repeat *row)
{
	return row->priority == 0 ? MTIME_NEVER : row->said_at + LOG_REPEATS_INTERVAL;
}

/* A row whose count is told stays: the cause may go on. One that nothing was counted for is over. */
void log_repeats_expire(struct log_repeats *repeats, mtime now, log_repeats_say *say)
{
	for (size_t i = 0; i < LOG_REPEATS_SIZE; i++) {
		struct log_repeat *row = &repeats->rows[i];

		if (row_deadline(row) > now || row->priority == 0)
			continue;
		say_count(row, say);
		if (row->count == 0 || now == MTIME_NEVER)
			row->priority = 0;
		row->count = 0;
		row->said_at = now;
	}
}

mtime log_repeats_deadline(const struct log_repeats *repeats)
{
	mtime first = MTIME_NEVER;

	for (size_t i = 0; i < LOG_REPEATS_SIZE; i++)
		if (repeats->rows[i].count > 0)
			first = mtime_min(first, row_deadline(&repeats->rows[i]));
	return first;
}

/* The row to use for another line: a free one, else the one that was said longest ago. */
static struct log_repeat *oldest_row(struct log_repeats *repeats)
{
	struct log_repeat *oldest = &repeats->rows[0];

	for (size_t i = 0; i < LOG_REPEATS_SIZE; i++) {
		struct log_repeat *row = &repeats->rows[i];

		if (row->priority == 0)
			return row;
		if (row->said_at < oldest->said_at)
			oldest = row;
	}
	return oldest;
}

bool log_repeats_is_new(struct log_repeats *repeats, mtime now, int priority, const char *line,
                        log_repeats_say *say)
{
	uint64_t hash = hash_line(line);
	struct log_repeat *row;

	log_repeats_expire(repeats, now, say);
	for (size_t i = 0; i < LOG_REPEATS_SIZE; i++) {
		row = &repeats->rows[i];
		if (row->hash == hash && row->priority == priority) {
			row->count++;
			return false;
		}
	}
	row = oldest_row(repeats);
	if (row->priority != 0)
		say_count(row, say);
	*row = (struct log_repeat){.said_at = now, .hash = hash, .priority = priority};
	snprintf(row->text, sizeof row->text, "%s", line);
	return true;
}
