/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Text for people, in lines that fit the screen. A line ends between words. A command stays in one piece, even
 * if it is wider than the screen, so that it can be copied and pasted.
 */
#ifndef MCPROXY_CTL_CLIENT_WRAP_H
#define MCPROXY_CTL_CLIENT_WRAP_H

#include <stdio.h>

#define SCREEN_WIDTH 80 /* where it is not known */

/* The columns of the terminal on stdout, or those that COLUMNS names; at least 40. */
unsigned screen_width(void);

/* The columns that the text needs: characters, not bytes of UTF-8. */
unsigned text_width(const char *text);

/* Prints the text and the end of the line. The cursor is at column `start` (from 0) of a line of `width` columns;
 * further lines begin at column `indent`. */
void wrap_print(FILE *out, unsigned width, unsigned start, unsigned indent, const char *text);

#endif
