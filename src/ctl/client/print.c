/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/client/print.h"

#include "core/base/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 2, 0))) static void vprint(FILE *out, const char *format, va_list arguments)
{
	char *text;
	int size = vasprintf(&text, format, arguments);

	if (size < 0) {
		fputs("mcproxyctl: out of memory\n", stderr);
		return;
	}
	text_clean(text, (size_t)size, "\t\n");
	fwrite(text, 1, (size_t)size, out);
	free(text);
}

void print_to(FILE *out, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vprint(out, format, arguments);
	va_end(arguments);
}

void print(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vprint(stdout, format, arguments);
	va_end(arguments);
}

void colour_print(FILE *out, bool colour, enum colour which, const char *text)
{
	static const char *const codes[] = {[COLOUR_NONE] = "",
	                                    [COLOUR_GOOD] = "\033[32m",
	                                    [COLOUR_BAD] = "\033[31m",
	                                    [COLOUR_FAINT] = "\033[2m"};
	char *copy = strdup(text);

	if (copy == NULL)
		return;
	if (!colour)
		which = COLOUR_NONE;
	text_clean(copy, strlen(copy), "");
	fprintf(out, "%s%s%s", codes[which], copy, which != COLOUR_NONE ? "\033[0m" : "");
	free(copy);
}

/* Prints one character, and returns its size. escape: in front of the u of a control. */
static size_t put_character(FILE *out, const char *text, const char *escape)
{
	uint32_t code;
	size_t size = text_character(text, strlen(text), &code);

	if (size == 0)
		fputs("\xef\xbf\xbd", out);
	else if (text_is_control(code))
		fprintf(out, "%su%04x", escape, (unsigned)code);
	else
		fwrite(text, 1, size, out);
	return size > 0 ? size : 1;
}

void print_quoted(FILE *out, const char *text)
{
	while (*text != '\0') {
		if (*text == '\n' || *text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text == '\n' ? 'n' : *text);
		else
			text += put_character(out, text, "\\\\") - 1;
		text++;
	}
}

void print_json(FILE *out, const char *text)
{
	while (*text != '\0')
		text += put_character(out, text, "\\");
	fputc('\n', out);
}

void print_bytes(FILE *out, const char *bytes, size_t size)
{
	fwrite(bytes, 1, size, out);
}
