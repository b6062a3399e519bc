/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/config/text.h"

#include "daemon/config/fail.h"
#include "daemon/config/scan.h"
#include "kernel/file.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INCLUDE_DEPTH_MAX 10 /* libconfig's */
#define INCLUDES_MAX      100
#define PIPE_PATIENCE     5000           /* milliseconds */
#define BYTE_ORDER_MARK   "\xef\xbb\xbf" /* some editors write it at the start of a file */

/* The line of the first byte that a text cannot contain, or 0. */
static unsigned find_odd_line(const char *text, size_t size)
{
	unsigned line = 1;

	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\n')
			line++;
		else if (iscntrl((unsigned char)text[i]) && !isspace((unsigned char)text[i]))
			return line;
	}
	return 0;
}

static char *read_text(int fd, const char *path, char error[CONFIG_ERROR_SIZE])
{
	struct config_place place = {.path = path};
	char *text = malloc(CONFIG_TEXT_MAX + 1);
	ssize_t size;

	if (text == NULL) {
		config_fail(error, &place, "out of memory");
		return NULL;
	}
	size = file_read(fd, text, CONFIG_TEXT_MAX + 1, PIPE_PATIENCE);
	place.line = size > 0 ? find_odd_line(text, (size_t)size) : 0;
	if (size < 0)
		config_fail(error, &place, "%s", file_problem((int)size));
	else if (place.line > 0)
		config_fail(error, &place, "this is not text: it contains NUL or other control bytes");
	else if (size > CONFIG_TEXT_MAX)
		config_fail(error, &place, "larger than 1 MiB");
	else {
		text[size] = '\0';
		if (strncmp(text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0)
			memmove(text, text + strlen(BYTE_ORDER_MARK),
			        (size_t)size + 1 - strlen(BYTE_ORDER_MARK));
		return text;
	}
	free(text);
	return NULL;
}

char *config_text_read(const char *path, bool once, char error[CONFIG_ERROR_SIZE])
{
	int fd = file_open(path, once ? FILE_STREAM : FILE_NAMED, 0);
	char *text;

	if (fd < 0) {
		config_fail(error, &(struct config_place){.path = path}, "%s", file_problem(fd));
		return NULL;
	}
	text = read_text(fd, path, error);
	close(fd);
	return text;
}

char *config_text_directory(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return strdup(".");
	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* The state of a check of a file and its includes. */
struct text_check {
	const char *path; /* of the outermost file */
	const char *directory;
	unsigned depth;
	unsigned includes;
	char *error;
};

/* libconfig 1.5 keeps only the low 32 bits of a number without L after it. */
static bool number_fits(const char *text, size_t length)
{
	const char *digits = text + (*text == '+' || *text == '-');
	long long number;
	char *end;

	if (!isdigit((unsigned char)*digits))
		return true;
	errno = 0;
	number = strtoll(text, &end, digits[0] == '0' && (digits[1] | ' ') == 'x' ? 16 : 10);
	if (end < text + length && *end != 'L')
		return true; /* a fraction, or something that libconfig rejects */
	return errno == 0 && (*end == 'L' || (number >= INT_MIN && number <= INT_MAX));
}

static bool check_text(struct text_check *check, const char *path, const char *text);

static bool check_include(struct text_check *check, const struct config_place *place, const char *name)
{
	char why[CONFIG_ERROR_SIZE];
	char *path, *text;
	bool good;

	if (*name == '/' || strchr(name, '\\') != NULL)
		return config_fail(check->error, place, "a name relative to the directory of %s is expected",
		                   check->path);
	if (check->depth == INCLUDE_DEPTH_MAX || ++check->includes > INCLUDES_MAX)
		return config_fail(check->error, place, "too many files, or a file that includes itself");
	if (asprintf(&path, "%s/%s", check->directory, name) < 0)
		return config_fail(check->error, place, "out of memory");
	text = config_text_read(path, false, why);
	good = text != NULL ? check_text(check, path, text) : config_fail(check->error, place, "%s", why);
	free(text);
	free(path);
	return good;
}

static bool check_piece(struct text_check *check, const char *path, enum piece piece, const struct scan *scan)
{
	struct config_place place = {.path = path, .line = scan->start_line};
	char *name;
	bool good = true;

	if (piece == PIECE_ENDLESS)
		return config_fail(check->error, &place, "a %s that begins here has no end",
		                   *scan->start == '/' ? "comment" : "string");
	if (piece == PIECE_WORD && !number_fits(scan->start, scan->length))
		return config_fail(check->error, &place,
		                   "%.*s: the number is too large; a size can be written as in \"4096M\"",
		                   (int)(scan->length < 40 ? scan->length : 40), scan->start);
	if (piece == PIECE_INCLUDE) {
		place.key = "@include";
		name = strndup(scan->start, scan->length);
		good = name != NULL ? check_include(check, &place, name)
		                    : config_fail(check->error, &place, "out of memory");
		free(name);
	}
	return good;
}

static bool check_text(struct text_check *check, const char *path, const char *text)
{
	struct scan scan = scan_begin(text);
	enum piece piece;

	check->depth++;
	do {
		piece = scan_next(&scan);
		if (!check_piece(check, path, piece, &scan))
			return false;
	} while (piece != PIECE_END);
	check->depth--;
	return true;
}

bool config_text_check(const char *path, const char *directory, const char *text,
                       char error[CONFIG_ERROR_SIZE])
{
	struct text_check check = {.path = path, .directory = directory, .error = error};

	return check_text(&check, path, text);
}

unsigned config_text_line(const char *text, unsigned line, const char *string)
{
	size_t size = strlen(string);
	unsigned found = line, number = 1;

	for (const char *end; *text != '\0' && number <= line; text = end, number++) {
		end = text + strcspn(text, "\n");
		if (memmem(text, (size_t)(end - text), string, size) != NULL)
			found = number;
		end += *end == '\n';
	}
	return found;
}
