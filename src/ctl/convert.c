/* SPDX-License-Identifier: BSD-2-Clause
 *
 * `convert FILE`: the configuration of another proxy, turned into one of mcproxy.
 */
#include "ctl/convert/convert.h"

#include "ctl/client/print.h"
#include "ctl/command.h"
#include "kernel/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX        (1024 * 1024)
#define PATIENCE        600000 /* milliseconds: someone may type */
#define CONVERT_DIFFERS 3

struct request {
	const char *path;
	const char *kind;
	bool strict;
};

static int usage(const char *problem)
{
	command_usage("convert", problem);
	print_to(stderr, "KIND:");
	for (size_t i = 0; convert_kind_name(i) != NULL; i++)
		print_to(stderr, " %s", convert_kind_name(i));
	print_to(stderr, "\n");
	return CTL_USAGE;
}

static bool is_kind(const char *name)
{
	for (size_t i = 0; convert_kind_name(i) != NULL; i++)
		if (strcmp(convert_kind_name(i), name) == 0)
			return true;
	return false;
}

/* NULL, or what is wrong. */
static const char *read_request(int argc, char **argv, struct request *request)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--strict") == 0)
			request->strict = true;
		else if (strcmp(argv[i], "--from") == 0 && i + 1 < argc)
			request->kind = argv[++i];
		else if (request->path == NULL && (argv[i][0] != '-' || argv[i][1] == '\0'))
			request->path = argv[i];
		else
			return "expects one FILE or -, and --from KIND or --strict";
	}
	if (request->path == NULL)
		return "which FILE? - is the standard input";
	return request->kind != NULL && !is_kind(request->kind) ? "no such KIND" : NULL;
}

/* The text of the file; NULL: *result is -errno. */
static char *read_file(const char *path, int *result)
{
	bool standard = strcmp(path, "-") == 0;
	int fd = standard ? STDIN_FILENO : file_open(path, FILE_STREAM, 0);
	char *text = malloc(TEXT_MAX + 1);
	ssize_t size = fd;

	if (fd >= 0 && text != NULL)
		size = file_read(fd, text, TEXT_MAX + 1, PATIENCE);
	if (fd >= 0 && !standard)
		close(fd);
	*result = text == NULL ? -ENOMEM : size > TEXT_MAX ? -EFBIG : (int)size;
	if (*result < 0) {
		free(text);
		return NULL;
	}
	text[size] = '\0';
	*result = strlen(text) == (size_t)size ? 0 : -EILSEQ;
	return text;
}

static int fail(const char *path, unsigned line, const char *kind, const char *problem)
{
	path = strcmp(path, "-") == 0 ? "standard input" : path;
	if (line > 0)
		print_to(stderr, "mcproxyctl: convert: %s:%u: ", path, line);
	else
		print_to(stderr, "mcproxyctl: convert: %s: ", path);
	if (kind != NULL)
		print_to(stderr, "as %s: ", kind);
	print_to(stderr, "%s\n", problem);
	return CTL_FAILED;
}

static int print_converted(const char *path, const struct converted *converted)
{
	if (converted->text == NULL)
		return fail(path, converted->line, converted->kind, converted->problem);
	print("%s", converted->text);
	return converted->differs ? CONVERT_DIFFERS : CTL_DONE;
}

int convert_run(const struct ctl *ctl, int argc, char **argv)
{
	struct request request = {0};
	const char *problem = read_request(argc, argv, &request);
	struct converted converted;
	int result, status;
	char *text;

	(void)ctl;
	if (problem != NULL)
		return usage(problem);
	text = read_file(request.path, &result);
	if (result < 0) {
		free(text);
		return fail(request.path, 0, NULL,
		            result == -EILSEQ ? "a zero byte: no text" : file_problem(result));
	}
	converted = convert(text, request.kind, request.strict);
	status = print_converted(request.path, &converted);
	free(converted.text);
	free(text);
	return status;
}
