/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The words of a configuration, with their lines. One scanner serves all grammars.
 */
#ifndef MCPROXY_CTL_CONVERT_SCAN_H
#define MCPROXY_CTL_CONVERT_SCAN_H

#include <stdbool.h>
#include <stddef.h>

struct word {
	char *text; /* never NULL */
	unsigned line;
	bool first;  /* of its line */
	bool quoted; /* at least in part */
};

struct scan {
	struct word *words; /* after the last one stands an empty one, the first of a line */
	size_t count;
	size_t at;
	char *store;           /* the texts of all words */
	unsigned problem_line; /* a quote does not end there, or no memory is left; 0: neither */
};

struct scan_rules {
	const char *comments;  /* characters that begin a comment: where a word begins */
	const char *marks;     /* characters that are words of their own */
	bool quotes;           /* of the shell, within a line */
	bool comment_anywhere; /* also inside a word */
	bool continued;        /* a backslash at the end of a line joins it with the next */
};

struct scan scan_text(const char *text, const struct scan_rules *rules);
void scan_free(struct scan *scan);

/* The next word, and the same taken. At the end: the empty one. */
const struct word *scan_peek(const struct scan *scan);
const struct word *scan_take(struct scan *scan);
bool scan_ended(const struct scan *scan);
/* The line of the word that was taken last; 0: none yet. */
unsigned scan_line(const struct scan *scan);
/* Takes the word if it is this one. */
bool scan_skip(struct scan *scan, const char *text);
/* The next word of the same line, taken; NULL at the end of the line. */
const struct word *scan_take_same_line(struct scan *scan);
void scan_skip_line(struct scan *scan);
/* Is the text one of a list, which NULL ends? */
bool text_is_in(const char *text, const char *const list[]);

#endif
