/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Splits a configuration text into the pieces that both syntaxes share: words, strings, includes and single
 * characters. Skips blanks and comments. Pure.
 */
#ifndef MCPROXY_DAEMON_CONFIG_SCAN_H
#define MCPROXY_DAEMON_CONFIG_SCAN_H

#include <stdbool.h>
#include <stddef.h>

/* ENDLESS: a comment or string without end; the scan cannot continue. */
enum piece { PIECE_END, PIECE_WORD, PIECE_STRING, PIECE_INCLUDE, PIECE_MARK, PIECE_ENDLESS };

struct scan {
	const char *at;
	unsigned line;
	bool line_begins;  /* only blanks so far: an @include is valid only there */
	const char *start; /* of the piece; for a string or an include, of the text between the quotes */
	size_t length;
	unsigned start_line;
};

/* The text must outlive the scan. */
struct scan scan_begin(const char *text);
enum piece scan_next(struct scan *scan);

#endif
