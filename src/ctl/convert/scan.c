/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/convert/scan.h"

#include <stdlib.h>
#include <string.h>

struct reader {
	const char *at;
	char *store; /* where the next word is kept */
	unsigned line;
	bool first;
	const struct scan_rules *rules;
};

static bool is_one_of(char character, const char *set)
{
	return character != '\0' && set != NULL && strchr(set, character) != NULL;
}

static bool is_blank(char character)
{
	return is_one_of(character, " \t\r\n");
}

/* Is the rest of the line only a backslash? */
static bool is_continuation(const struct reader *reader)
{
	return reader->rules->continued && reader->at[0] == '\\' &&
	       (reader->at[1] == '\n' || (reader->at[1] == '\r' && reader->at[2] == '\n'));
}

static void skip_blanks(struct reader *reader)
{
	for (;;) {
		if (is_one_of(*reader->at, reader->rules->comments))
			reader->at += strcspn(reader->at, "\n");
		if (is_continuation(reader)) {
			reader->at += reader->at[1] == '\n' ? 2 : 3;
			reader->line++;
			continue;
		}
		if (!is_blank(*reader->at))
			return;
		if (*reader->at++ == '\n') {
			reader->line++;
			reader->first = true;
		}
	}
}

static bool ends_word(const struct reader *reader)
{
	return *reader->at == '\0' || is_blank(*reader->at) || is_one_of(*reader->at, reader->rules->marks) ||
	       (reader->rules->comment_anywhere && is_one_of(*reader->at, reader->rules->comments)) ||
	       is_continuation(reader);
}

/* Copies a word without its quotes. False: a quote does not end. */
static bool read_word(struct reader *reader, struct word *word)
{
	char *to = word->text;

	if (is_one_of(*reader->at, reader->rules->marks)) {
		*to++ = *reader->at++;
		*to++ = '\0';
		reader->store = to;
		return true;
	}
	while (!ends_word(reader)) {
		size_t size;
		char quote = *reader->at;

		if (!reader->rules->quotes || !is_one_of(quote, "\"'")) {
			*to++ = *reader->at++;
			continue;
		}
		word->quoted = true;
		size = strcspn(++reader->at, quote == '"' ? "\"\n" : "'\n");
		memcpy(to, reader->at, size);
		to += size;
		reader->at += size;
		if (*reader->at != quote)
			return false;
		reader->at++;
	}
	*to++ = '\0';
	reader->store = to;
	return true;
}

static bool add_word(struct scan *scan, struct reader *reader)
{
	struct word *word, *grown;

	/* The array doubles when its count is a power of two. */
	if ((scan->count & (scan->count - 1)) == 0) {
		grown = realloc(scan->words, (scan->count > 0 ? 2 * scan->count : 1) * sizeof *grown);
		if (grown == NULL)
			return false;
		scan->words = grown;
	}
	word = &scan->words[scan->count];
	*word = (struct word){.text = reader->store, .line = reader->line, .first = reader->first};
	scan->count++;
	reader->first = false;
	return read_word(reader, word);
}

struct scan scan_text(const char *text, const struct scan_rules *rules)
{
	struct reader reader = {.at = text, .line = 1, .first = true, .rules = rules};
	struct scan scan = {0};

	/* Each word takes the place of at least one character, except the empty ones, which are quoted or the last. */
	scan.store = reader.store = malloc(2 * strlen(text) + 2);
	if (scan.store == NULL) {
		scan.problem_line = 1;
		return scan;
	}
	do {
		skip_blanks(&reader);
		if (*reader.at == '\0')
			reader.first = true;
		if (!add_word(&scan, &reader)) {
			scan.problem_line = reader.line;
			return scan;
		}
	} while (*reader.at != '\0' || scan.words[scan.count - 1].text[0] != '\0' ||
	         scan.words[scan.count - 1].quoted);
	scan.count--; /* the empty one at the end */
	return scan;
}

void scan_free(struct scan *scan)
{
	free(scan->store);
	free(scan->words);
	*scan = (struct scan){0};
}

bool scan_ended(const struct scan *scan)
{
	return scan->at >= scan->count;
}

unsigned scan_line(const struct scan *scan)
{
	return scan->at > 0 ? scan->words[scan->at - 1].line : 0;
}

const struct word *scan_peek(const struct scan *scan)
{
	return &scan->words[scan_ended(scan) ? scan->count : scan->at];
}

const struct word *scan_take(struct scan *scan)
{
	const struct word *word = scan_peek(scan);

	if (!scan_ended(scan))
		scan->at++;
	return word;
}

bool scan_skip(struct scan *scan, const char *text)
{
	if (scan_ended(scan) || strcmp(scan_peek(scan)->text, text) != 0)
		return false;
	scan->at++;
	return true;
}

const struct word *scan_take_same_line(struct scan *scan)
{
	return scan_ended(scan) || scan_peek(scan)->first ? NULL : scan_take(scan);
}

void scan_skip_line(struct scan *scan)
{
	while (scan_take_same_line(scan) != NULL)
		;
}

bool text_is_in(const char *text, const char *const list[])
{
	for (; *list != NULL; list++)
		if (strcmp(text, *list) == 0)
			return true;
	return false;
}
