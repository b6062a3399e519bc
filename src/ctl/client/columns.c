/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/client/columns.h"

#include "ctl/client/wrap.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static FILE *out_of(const struct columns *columns)
{
	return columns->out != NULL ? columns->out : stdout;
}

static void end_row(struct columns *columns)
{
	fputc('\n', out_of(columns));
	columns->next = 0;
	columns->position = columns->start = 0;
}

static unsigned width_of(const struct columns *columns)
{
	return columns->width > 0 ? columns->width : SCREEN_WIDTH;
}

/* A word that is too wide for the rest of the line, such as an IPv6 address, ends where its column ends on
 * the next line. */
static void make_room(struct columns *columns, const char *text)
{
	unsigned width = text_width(text), screen = width_of(columns);

	if (columns->start + width <= screen || width > screen || strchr(text, ' ') != NULL)
		return;
	fputc('\n', out_of(columns));
	columns->position = 0;
	columns->start = screen - width;
}

/* The last cell: words that do not fit the line continue on lines below, in the same column. */
static void put_last(struct columns *columns, enum colour colour, const char *text)
{
	FILE *out = out_of(columns);
	unsigned position;

	make_room(columns, text);
	position = columns->start;
	if (*text != '\0')
		print_to(out, "%*s", (int)(columns->start - columns->position), "");
	while (*text != '\0') {
		size_t size = strcspn(text, " ");
		char *word = strndup(text, size);
		bool first = position == columns->start;

		if (word == NULL)
			break;
		if (!first && position + 1 + text_width(word) > width_of(columns)) {
			print_to(out, "\n%*s", (int)columns->start, "");
			position = columns->start;
		} else if (!first) {
			fputc(' ', out);
			position++;
		}
		colour_print(out, columns->colour, colour, word);
		position += text_width(word);
		free(word);
		text += size;
		text += strspn(text, " ");
	}
	end_row(columns);
}

void columns_put(struct columns *columns, enum colour colour, const char *text)
{
	const struct column *column = &columns->columns[columns->next];
	FILE *out = out_of(columns);
	unsigned width = text_width(text);
	unsigned pad = column->right && width < column->width ? column->width - width : 0;

	if (column[1].title == NULL && !column->right) {
		put_last(columns, colour, text);
		return;
	}
	print_to(out, "%*s", (int)(columns->start - columns->position + pad), "");
	colour_print(out, columns->colour, colour, text);
	columns->position = columns->start + pad + width;
	columns->start += column->width + (columns->narrow ? 1 : COLUMNS_GAP);
	columns->next++;
	if (column[1].title == NULL) {
		end_row(columns);
	} else if (columns->position >= columns->start) {
		fputc('\n', out);
		columns->position = 0;
	}
}

void columns_print(struct columns *columns, const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	columns_put(columns, COLOUR_NONE, text);
}

void columns_head(struct columns *columns)
{
	for (const struct column *column = columns->columns; column->title != NULL; column++)
		columns_put(columns, COLOUR_FAINT, column->title);
}

static const char *format_scaled(double amount, double base, const char *const units[5], char text[16])
{
	size_t unit = 0;

	while (amount >= base - 0.5 && unit < 4) {
		amount /= base;
		unit++;
	}
	snprintf(text, 16, "%.*f%s", unit > 0 && amount < 9.95 ? 1 : 0, amount, units[unit]);
	return text;
}

const char *format_amount(double amount, char text[16])
{
	static const char *const units[] = {"", " k", " M", " G", " T"};

	return format_scaled(amount, 1000, units, text);
}

const char *format_bytes(double bytes, char text[16])
{
	static const char *const units[] = {"", "K", "M", "G", "T"};

	return format_scaled(bytes, 1024, units, text);
}

const char *format_rate(double bits, char text[24])
{
	char amount[16];

	format_amount(bits, amount);
	snprintf(text, 24, "%s%sbit/s", amount, strchr(amount, ' ') != NULL ? "" : " ");
	return text;
}

/* A length below a second: its tenths. */
static const char *format_fraction(double seconds, char *text, size_t size)
{
	snprintf(text, size, "%.1f s", (double)(unsigned)(seconds * 10) / 10);
	return text;
}

const char *format_age(double seconds, char text[16])
{
	unsigned long whole = seconds > 0 ? (unsigned long)seconds : 0;

	if (whole == 0 && seconds >= 0.1)
		return format_fraction(seconds, text, 16);
	if (whole < 3600)
		snprintf(text, 16, "%lu:%02lu", whole / 60, whole % 60);
	else if (whole < 86400)
		snprintf(text, 16, "%lu:%02lu:%02lu", whole / 3600, whole / 60 % 60, whole % 60);
	else
		snprintf(text, 16, "%lu d %02lu h", whole / 86400 % 100000, whole / 3600 % 24);
	return text;
}

const char *format_duration(double seconds, char text[32])
{
	unsigned long whole = seconds > 0 ? (unsigned long)seconds : 0;

	if (whole == 0 && seconds >= 0.1)
		return format_fraction(seconds, text, 32);
	if (whole < 60)
		snprintf(text, 32, "%lu s", whole);
	else if (whole < 3600)
		snprintf(text, 32, "%lu min %lu s", whole / 60, whole % 60);
	else if (whole < 86400)
		snprintf(text, 32, "%lu h %lu min", whole / 3600, whole / 60 % 60);
	else
		snprintf(text, 32, "%lu d %lu h", whole / 86400, whole / 3600 % 24);
	return text;
}

const char *format_count(double count, const char *singular, char text[64])
{
	char amount[16];

	if (count == 0)
		snprintf(text, 64, "no %ss", singular);
	else
		snprintf(text, 64, "%s %s%s", format_amount(count, amount), singular, count == 1 ? "" : "s");
	return text;
}
