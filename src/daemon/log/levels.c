/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/log/levels.h"

#include <string.h>
#include <syslog.h>

#define SUBJECTS_OF_A_LINE 3 /* instance, link, group */

static const struct {
	const char *word;
	int level;
} words[] = {
	{"error", LOG_ERR},   {"warning", LOG_WARNING},       {"info", LOG_INFO},
	{"debug", LOG_DEBUG}, {"default", LOG_LEVEL_DEFAULT},
};

bool log_level_parse(const char *word, int *level)
{
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strcmp(words[i].word, word) != 0)
			continue;
		*level = words[i].level;
		return true;
	}
	return false;
}

const char *log_level_name(int level)
{
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (words[i].level == level)
			return words[i].word;
	return "unknown";
}

/* The row of a name; levels->count when it has none. */
static size_t find_subject(const struct log_levels *levels, const char *name, size_t length)
{
	size_t i;

	for (i = 0; i < levels->count; i++)
		if (strncmp(levels->subjects[i].name, name, length) == 0 &&
		    levels->subjects[i].name[length] == '\0')
			break;
	return i;
}

int log_levels_level(const struct log_levels *levels)
{
	return levels->level != 0 ? levels->level : LOG_INFO;
}

bool log_levels_set(struct log_levels *levels, const char *name, int level)
{
	size_t row;

	if (name == NULL) {
		levels->level = level == LOG_LEVEL_DEFAULT ? 0 : level;
		return true;
	}
	if (*name == '\0' || strlen(name) >= LOG_SUBJECT_SIZE)
		return false;
	row = find_subject(levels, name, strlen(name));
	if (level == LOG_LEVEL_DEFAULT) {
		if (row < levels->count)
			levels->subjects[row] = levels->subjects[--levels->count];
		return true;
	}
	if (row == LOG_SUBJECTS)
		return false;
	if (row == levels->count)
		strcpy(levels->subjects[levels->count++].name, name);
	levels->subjects[row].level = level;
	return true;
}

bool log_levels_allow(const struct log_levels *levels, int priority, const char *line)
{
	int level = log_levels_level(levels);
	const char *end;

	for (int i = 0; i < SUBJECTS_OF_A_LINE && levels->count > 0; i++, line = end + 2) {
		size_t row;

		end = strstr(line, ": ");
		if (end == NULL)
			break;
		if (end - line >= LOG_SUBJECT_SIZE)
			continue;
		row = find_subject(levels, line, (size_t)(end - line));
		if (row < levels->count)
			level = levels->subjects[row].level;
	}
	return priority <= level;
}

bool log_levels_any(const struct log_levels *levels, int priority)
{
	for (size_t i = 0; i < levels->count; i++)
		if (levels->subjects[i].level >= priority)
			return true;
	return log_levels_level(levels) >= priority;
}
