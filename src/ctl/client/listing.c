/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/client/listing.h"

#include "core/base/addr.h"
#include "core/base/grow.h"
#include "ctl/client/print.h"
#include "ctl/client/wrap.h"

#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX    16
#define SHRUNK_WIDTH   15 /* of an IPv4 address */
#define LAST_WIDTH_MIN 16 /* to wrap words in */

enum cell_kind { CELL_TEXT, CELL_NUMBER, CELL_ADDRESS };

struct cell {
	char *text;
	uint8_t colour;
	uint8_t kind;
	union {
		double number;
		struct addr addr;
	};
};

struct row {
	const struct listing *table;
	size_t number; /* in order of arrival */
	char *note;    /* NULL: none */
	struct cell cells[];
};

struct listing {
	const struct listing_column *columns;
	size_t column_count;
	bool hidden[COLUMNS_MAX];
	struct row **rows;
	size_t row_count, row_capacity;
	size_t next;       /* cell of the last row */
	int sort_column;   /* -1: the columns' own order */
	bool failed;       /* memory was short */
	struct cell spare; /* takes what there is no memory for */
};

struct listing *listing_new(const struct listing_column *columns)
{
	struct listing *table = calloc(1, sizeof *table);

	if (table == NULL)
		return NULL;
	table->columns = columns;
	while (columns[table->column_count].title != NULL)
		table->column_count++;
	table->next = table->column_count;
	return table;
}

static void row_free(struct row *row)
{
	for (size_t i = 0; i < row->table->column_count; i++)
		free(row->cells[i].text);
	free(row->note);
	free(row);
}

void listing_free(struct listing *table)
{
	if (table == NULL)
		return;
	for (size_t i = 0; i < table->row_count; i++)
		row_free(table->rows[i]);
	free(table->rows);
	free(table);
}

/* "WANTED FROM" for "wanted-from". */
static bool names(const char *title, const char *text)
{
	while (*title != '\0' && *text != '\0' &&
	       (tolower((unsigned char)*title) == tolower((unsigned char)*text) ||
	        (*title == ' ' && strchr("-_", *text) != NULL))) {
		title++;
		text++;
	}
	return *title == '\0' && *text == '\0';
}

static int find_column(const struct listing *table, const char *title)
{
	for (size_t i = 0; i < table->column_count; i++)
		if (names(table->columns[i].title, title))
			return (int)i;
	return -1;
}

void listing_hide(struct listing *table, const char *title)
{
	int column = find_column(table, title);

	if (column >= 0)
		table->hidden[column] = true;
}

static bool begin_row(struct listing *table)
{
	struct row **rows = grow(table->rows, table->row_count, &table->row_capacity, sizeof(struct row *));
	struct row *row;

	if (rows == NULL)
		return false;
	table->rows = rows;
	row = calloc(1, sizeof *row + table->column_count * sizeof row->cells[0]);
	if (row == NULL)
		return false;
	row->table = table;
	row->number = table->row_count;
	table->rows[table->row_count++] = row;
	return true;
}

/* The next cell, with its text. */
static struct cell *next_cell(struct listing *table, enum colour colour, const char *text)
{
	struct cell *cell = &table->spare;

	if (table->next == table->column_count) {
		table->failed |= !begin_row(table);
		table->next = 0;
	}
	if (!table->failed)
		cell = &table->rows[table->row_count - 1]->cells[table->next];
	table->next++;
	cell->colour = (uint8_t)colour;
	if (table->failed)
		return cell;
	cell->text = strdup(text);
	table->failed |= cell->text == NULL;
	return cell;
}

void listing_put(struct listing *table, enum colour colour, const char *text)
{
	struct cell *cell = next_cell(table, colour, text);

	cell->kind = addr_parse(text, &cell->addr) ? CELL_ADDRESS : CELL_TEXT;
}

void listing_put_number(struct listing *table, enum colour colour, double number, const char *text)
{
	struct cell *cell = next_cell(table, colour, text);

	cell->kind = CELL_NUMBER;
	cell->number = number;
}

void listing_note(struct listing *table, const char *format, ...)
{
	struct row *row = table->row_count > 0 ? table->rows[table->row_count - 1] : NULL;
	va_list arguments;
	char *line, *note;
	int size;

	va_start(arguments, format);
	size = vasprintf(&line, format, arguments);
	va_end(arguments);
	if (size < 0 || row == NULL || table->failed) {
		table->failed |= size < 0;
		if (size >= 0)
			free(line);
		return;
	}
	size = asprintf(&note, "%s    %s\n", row->note != NULL ? row->note : "", line);
	free(line);
	if (size < 0) {
		table->failed = true;
		return;
	}
	free(row->note);
	row->note = note;
}

size_t listing_rows(const struct listing *table)
{
	return table->row_count;
}

static int compare_cells(const struct cell *a, const struct cell *b)
{
	if (a->kind != b->kind)
		return (a->kind > b->kind) - (a->kind < b->kind);
	if (a->kind == CELL_NUMBER)
		return (a->number > b->number) - (a->number < b->number);
	if (a->kind == CELL_ADDRESS)
		return addr_compare(&a->addr, &b->addr);
	return strverscmp(a->text, b->text);
}

static int compare_rows(const void *first, const void *second)
{
	const struct row *a = *(struct row *const *)first, *b = *(struct row *const *)second;
	const struct listing *table = a->table;
	int order = 0;

	if (table->sort_column >= 0) {
		const struct cell *cell = &a->cells[table->sort_column];

		order = compare_cells(cell, &b->cells[table->sort_column]);
		if (cell->kind == CELL_NUMBER && table->columns[table->sort_column].right)
			order = -order;
	}
	for (unsigned rank = 1; order == 0 && rank <= table->column_count; rank++)
		for (size_t i = 0; order == 0 && i < table->column_count; i++)
			if (table->columns[i].order == rank)
				order = compare_cells(&a->cells[i], &b->cells[i]);
	return order != 0 ? order : (a->number > b->number) - (a->number < b->number);
}

bool listing_sort(struct listing *table, const char *title)
{
	table->sort_column = title != NULL ? find_column(table, title) : -1;
	if (title != NULL && table->sort_column < 0)
		return false;
	if (table->row_count > 0 && !table->failed)
		qsort(table->rows, table->row_count, sizeof(struct row *), compare_rows);
	return true;
}

/* As wide as the titles and texts. */
static void measure(const struct listing *table, struct column columns[COLUMNS_MAX + 1])
{
	size_t shown = 0;

	for (size_t i = 0; i < table->column_count; i++) {
		unsigned width = text_width(table->columns[i].title);

		for (size_t row = 0; !table->hidden[i] && row < table->row_count; row++) {
			unsigned needed = text_width(table->rows[row]->cells[i].text);

			width = needed > width ? needed : width;
		}
		if (!table->hidden[i])
			columns[shown++] =
				(struct column){table->columns[i].title, width, table->columns[i].right};
	}
	columns[shown] = (struct column){0};
}

static unsigned least_width(const struct column *column)
{
	unsigned title = text_width(column->title);

	return title > SHRUNK_WIDTH ? title : SHRUNK_WIDTH;
}

/* The width of all columns; the last one may wrap its words. */
static unsigned needed(const struct column *columns, unsigned gap, unsigned last_max)
{
	unsigned width = 0;

	for (const struct column *column = columns; column->title != NULL; column++) {
		bool last = column[1].title == NULL;

		width += last && !column->right && column->width > last_max ? last_max : column->width;
		width += last ? 0 : gap;
	}
	return width;
}

static struct column *find_widest(struct column *columns)
{
	struct column *widest = NULL;

	for (struct column *column = columns; column->title != NULL && column[1].title != NULL; column++)
		if (column->width > least_width(column) && (widest == NULL || column->width > widest->width))
			widest = column;
	return widest;
}

/* On a screen that is too narrow, first the gaps shrink, then the widest columns, whose wide texts get lines of their
 * own, until the others and some of the last one fit. Returns whether the gaps did. */
static bool fit(struct column *columns, unsigned width)
{
	struct column *widest;

	if (needed(columns, COLUMNS_GAP, UINT_MAX) <= width)
		return false;
	while (needed(columns, 1, LAST_WIDTH_MIN) > width && (widest = find_widest(columns)) != NULL)
		widest->width = least_width(widest);
	return true;
}

bool listing_print(struct listing *table, FILE *out, bool colour, unsigned width)
{
	struct column layout[COLUMNS_MAX + 1];
	struct columns columns = {.columns = layout, .colour = colour, .width = width, .out = out};

	if (!table->failed) {
		measure(table, layout);
		columns.narrow = fit(layout, width);
		columns_head(&columns);
	}
	for (size_t i = 0; !table->failed && i < table->row_count; i++) {
		const struct row *row = table->rows[i];

		for (size_t cell = 0; cell < table->column_count; cell++)
			if (!table->hidden[cell])
				columns_put(&columns, row->cells[cell].colour, row->cells[cell].text);
		if (row->note != NULL)
			print_to(out, "%s", row->note);
	}
	if (table->failed)
		fputs("mcproxyctl: out of memory\n", stderr);
	return !table->failed;
}
