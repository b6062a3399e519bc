/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Columns of text within 80 characters. A text that is wider than its column (an IPv6 address) gets a line
 * of its own, and the row continues below it.
 */
#ifndef MCPROXY_CTL_CLIENT_COLUMNS_H
#define MCPROXY_CTL_CLIENT_COLUMNS_H

#include "ctl/client/print.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define COLUMNS_WIDTH 80

struct column {
	const char *title;
	unsigned width; /* without the space after it */
	bool right;     /* numbers */
};

struct columns {
	const struct column *columns; /* the last one has no title */
	bool colour;
	FILE *out; /* NULL: stdout */
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
/* "1.2 Mbit/s", "12 bit/s" */
const char *format_rate(double bits, char text[24]);
/* "12 s", "3:20", "5 h 10", "12 d 3": a length of time. */
const char *format_age(double seconds, char text[16]);

#endif
