/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Columns of text within the width of the screen. A text that is wider than its column (an IPv6 address) gets a
 * line of its own, and the row continues below it.
 */
#ifndef MCPROXY_CTL_CLIENT_COLUMNS_H
#define MCPROXY_CTL_CLIENT_COLUMNS_H

#include "ctl/client/print.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define COLUMNS_GAP 2 /* spaces between columns */

struct column {
	const char *title;
	unsigned width; /* without the gap after it */
	bool right;     /* numbers */
};

struct columns {
	const struct column *columns; /* the last one has no title */
	bool colour;
	unsigned width; /* of the screen; 0: SCREEN_WIDTH */
	bool narrow;    /* a gap of one space */
	FILE *out;      /* NULL: stdout */
	size_t next;
	unsigned position; /* on the line */
	unsigned start;    /* of the next column */
};

/* Prints the line of titles. */
void columns_head(struct columns *columns);
/* Prints the next cell; the last one of a row ends the line. */
void columns_put(struct columns *columns, enum colour colour, const char *text);
__attribute__((format(printf, 2, 3))) void columns_print(struct columns *columns, const char *format, ...);

/* "1.2 M", "734 k": three digits and a unit, powers of 1000. */
const char *format_amount(double amount, char text[16]);
/* "734K", "64M": the same of memory in powers of 1024, as the configuration has it. */
const char *format_bytes(double bytes, char text[16]);
/* "1.2 Mbit/s", "12 bit/s" */
const char *format_rate(double bits, char text[24]);
/* "0.3 s", "0:16", "2:13:05", "12 d 03 h": a length of time, for columns. */
const char *format_age(double seconds, char text[16]);
/* "0.3 s", "16 s", "2 h 13 min", "12 d 3 h": the same for sentences. */
const char *format_duration(double seconds, char text[32]);
/* "1 group", "2 groups", "no groups": a number and what it counts, which must end with s in the plural. */
const char *format_count(double count, const char *singular, char text[64]);

#endif
