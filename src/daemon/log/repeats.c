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

/* Writes a row's count, if there is one. */
static void write_count(const struct log_repeat *row, log_repeats_write *write)
{
	char text[LOG_REPEATS_TEXT + 64];

	if (row->count == 0)
		return;
	snprintf(text, sizeof text, "%s (repeated %" PRIu64 " time%s)", row->text, row->count,
	         row->count == 1 ? "" : "s");
	write(row->priority, text);
}

static mtime row_deadline(const struct log_repeat *row)
{
	return row->priority == 0 ? MTIME_NEVER : row->logged_at + LOG_REPEATS_INTERVAL;
}

/* A row with a count stays, because its cause may continue. A row without one is freed. */
void log_repeats_expire(struct log_repeats *repeats, mtime now, log_repeats_write *write)
{
	for (size_t i = 0; i < LOG_REPEATS_SIZE; i++) {
		struct log_repeat *row = &repeats->rows[i];

		if (row_deadline(row) > now || row->priority == 0)
			continue;
		write_count(row, write);
		if (row->count == 0 || now == MTIME_NEVER)
			row->priority = 0;
		row->count = 0;
		row->logged_at = now;
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

/* The row for a new line: a free one, or else the one that was logged longest ago. */
static struct log_repeat *oldest_row(struct log_repeats *repeats)
{
	struct log_repeat *oldest = &repeats->rows[0];

	for (size_t i = 0; i < LOG_REPEATS_SIZE; i++) {
		struct log_repeat *row = &repeats->rows[i];

		if (row->priority == 0)
			return row;
		if (row->logged_at < oldest->logged_at)
			oldest = row;
	}
	return oldest;
}

bool log_repeats_is_new(struct log_repeats *repeats, mtime now, int priority, const char *line,
                        log_repeats_write *write)
{
	uint64_t hash = hash_line(line);
	struct log_repeat *row;

	log_repeats_expire(repeats, now, write);
	for (size_t i = 0; i < LOG_REPEATS_SIZE; i++) {
		row = &repeats->rows[i];
		if (row->hash == hash && row->priority == priority) {
			row->count++;
			return false;
		}
	}
	row = oldest_row(repeats);
	if (row->priority != 0)
		write_count(row, write);
	*row = (struct log_repeat){.logged_at = now, .hash = hash, .priority = priority};
	snprintf(row->text, sizeof row->text, "%s", line);
	return true;
}
