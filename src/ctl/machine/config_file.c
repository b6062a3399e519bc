/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/machine/config_file.h"

#include "ctl/client/program.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROGRAM  "mcproxy"
#define PATIENCE 10000 /* milliseconds */

/* The daemon's program is installed beside this one, or in ../sbin. */
static bool find_beside(char path[PATH_MAX])
{
	static const char *const places[] = {"", "../sbin/"};
	char own[PATH_MAX / 2];
	ssize_t size = readlink("/proc/self/exe", own, sizeof own - 1);
	char *slash;

	own[size > 0 ? size : 0] = '\0';
	slash = strrchr(own, '/');
	if (slash == NULL)
		return false;
	slash[1] = '\0';
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		snprintf(path, PATH_MAX, "%s%s" PROGRAM, own, places[i]);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

static const char *reason(int error)
{
	switch (error) {
	case ENOENT:
		return "the program mcproxy is neither beside mcproxyctl nor in PATH";
	case ETIMEDOUT:
		return "mcproxy -t did not end in time";
	default:
		return "mcproxy -t cannot be run";
	}
}

void config_file_judge(struct config_file *file, const char *path)
{
	char program[PATH_MAX];
	int status = 0, error;

	*file = (struct config_file){.path = path};
	if (access(path, R_OK) != 0 && errno == EACCES) {
		file->why = "this user may not read the configuration file";
		return;
	}
	file->text = program_report(
		(const char *const[]){find_beside(program) ? program : PROGRAM, "-t", "-c", path, NULL},
		PATIENCE, &status, &error);
	file->valid = file->text != NULL && status == 0;
	file->why = file->text == NULL ? reason(error) : NULL;
}

void config_file_free(struct config_file *file)
{
	free(file->text);
}
