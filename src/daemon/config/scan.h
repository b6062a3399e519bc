/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The pieces of a configuration text, as far as both syntaxes agree: words, strings, includes and single
 * marks; blanks and comments are passed. Pure.
 */
#ifndef MCPROXY_DAEMON_CONFIG_SCAN_H
#define MCPROXY_DAEMON_CONFIG_SCAN_H

#include <stdbool.h>
#include <stddef.h>

/* ENDLESS: a comment or string without end; the scan cannot go on. */
enum piece { PIECE_END, PIECE_WORD, PIECE_STRING, PIECE_INCLUDE, PIECE_MARK, PIECE_ENDLESS };

struct scan {
	const char *at;
	unsigned line;
	bool line_begins;  /* nothing but blanks so far: only there an @include counts */
	const char *start; /* of the piece; of a string's or an include's inside */
	size_t length;
	unsigned start_line;
};

/* The text must outlive the scan. */
struct scan scan_begin(const char *text);
enum piece scan_next(struct scan *scan);

#endif
