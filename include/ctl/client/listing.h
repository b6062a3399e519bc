/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A listing, a table of text: rows are collected, sorted, and printed in columns as wide as their texts.
 */
#ifndef MCPROXY_CTL_CLIENT_LISTING_H
#define MCPROXY_CTL_CLIENT_LISTING_H

#include "ctl/client/columns.h"

struct listing_column {
	const char *title;
	bool right;     /* numbers */
	unsigned order; /* 1: rows are sorted by this column first, 2: then by this one; 0: not at all */
};

struct listing;

/* columns: the last one has no title; they must outlive the table. NULL when memory is short. */
struct listing *listing_new(const struct listing_column *columns);
void listing_free(struct listing *table); /* accepts NULL */

/* The column is not printed. Its cells are still needed. */
void listing_hide(struct listing *table, const char *title);

/* The next cell of the row; the cell after the last one begins the next row. Cells are sorted by address if they
 * are addresses, otherwise by name, in which numbers count as such (eth2 before eth10). */
void listing_put(struct listing *table, enum colour colour, const char *text);
/* A cell that is sorted by the number. */
void listing_put_number(struct listing *table, enum colour colour, double number, const char *text);
/* A line to print below the row that was put last. */
__attribute__((format(printf, 2, 3))) void listing_note(struct listing *table, const char *format, ...);

size_t listing_rows(const struct listing *table);

/* Sorts by the columns' own order. With a title, by that column first: numbers from the largest, other texts from
 * the smallest. The title may be in lower case and with - in place of spaces. False: there is no such column. */
bool listing_sort(struct listing *table, const char *title);

/* Prints the titles and the rows. False when memory was short: rows are missing. */
bool listing_print(struct listing *table, FILE *out, bool colour, unsigned width);

#endif
