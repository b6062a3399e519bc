/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/config/scan.h"

#include <ctype.h>
#include <string.h>

/* Skips `length` bytes and counts lines. */
static void pass(struct scan *scan, size_t length)
{
	for (; length > 0; length--, scan->at++)
		if (*scan->at == '\n') {
			scan->line++;
			scan->line_begins = true;
		}
}

/* Skips blanks and comments; false when a comment has no end. */
static bool pass_blank(struct scan *scan)
{
	for (;;) {
		const char *end;

		scan->start = scan->at;
		scan->start_line = scan->line;
		if (isspace((unsigned char)*scan->at)) {
			pass(scan, 1);
		} else if (*scan->at == '#' || strncmp(scan->at, "//", 2) == 0) {
			pass(scan, strcspn(scan->at, "\n"));
		} else if (strncmp(scan->at, "/*", 2) == 0) {
			end = strstr(scan->at + 2, "*/");
			if (end == NULL)
				return false;
			pass(scan, (size_t)(end + 2 - scan->at));
			scan->line_begins = false;
		} else {
			return true;
		}
	}
}

static enum piece pass_string(struct scan *scan, enum piece piece)
{
	const char *end = ++scan->at;

	while (*end != '\0' && *end != '"')
		end += *end == '\\' && end[1] != '\0' ? 2 : 1;
	if (*end == '\0')
		return PIECE_ENDLESS;
	scan->start = scan->at;
	scan->length = (size_t)(end - scan->at);
	pass(scan, scan->length + 1);
	scan->line_begins = false;
	return piece;
}

static enum piece pass_include(struct scan *scan)
{
	pass(scan, strlen("@include"));
	pass(scan, strspn(scan->at, " \t"));
	return *scan->at == '"' ? pass_string(scan, PIECE_INCLUDE) : PIECE_MARK;
}

static bool is_word_byte(char byte)
{
	return isalnum((unsigned char)byte) || (byte != '\0' && strchr("_*+-.", byte) != NULL);
}

struct scan scan_begin(const char *text)
{
	return (struct scan){.at = text, .line = 1, .line_begins = true};
}

enum piece scan_next(struct scan *scan)
{
	bool line_begins;

	if (!pass_blank(scan))
		return PIECE_ENDLESS;
	if (*scan->at == '\0')
		return PIECE_END;
	line_begins = scan->line_begins;
	scan->line_begins = false;
	if (*scan->at == '"')
		return pass_string(scan, PIECE_STRING);
	if (line_begins && strncmp(scan->at, "@include", 8) == 0 &&
	    (scan->at[8] == ' ' || scan->at[8] == '\t'))
		return pass_include(scan);
	if (!is_word_byte(*scan->at)) {
		scan->length = 1;
		scan->at++;
		return PIECE_MARK;
	}
	while (is_word_byte(*scan->at))
		scan->at++;
	scan->length = (size_t)(scan->at - scan->start);
	return PIECE_WORD;
}
