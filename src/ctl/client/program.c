/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/client/program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int64_t milliseconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Not every user's PATH contains /usr/sbin. */
static bool find_program(const char *name, char path[PATH_MAX])
{
	static const char *const directories[] = {"/usr/sbin", "/sbin", "/usr/bin", "/bin",
	                                          "/usr/local/sbin"};
	char copy[4096], *rest = copy, *directory;

	if (strchr(name, '/') != NULL) {
		snprintf(path, PATH_MAX, "%s", name);
		return access(path, X_OK) == 0;
	}
	for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++) {
		snprintf(path, PATH_MAX, "%s/%s", directories[i], name);
		if (access(path, X_OK) == 0)
			return true;
	}
	snprintf(copy, sizeof copy, "%s", getenv("PATH") != NULL ? getenv("PATH") : "");
	while ((directory = strsep(&rest, ":")) != NULL) {
		snprintf(path, PATH_MAX, "%s/%s", directory, name);
		if (*directory != '\0' && access(path, X_OK) == 0)
			return true;
	}
	return false;
}

/* Starts the program. Returns its pid, with the reading end of its standard output in *fd, or -errno. Its
 * messages go there too, or are discarded. */
static pid_t start(const char *path, const char *const arguments[], bool messages, int *fd)
{
	char *const environment[] = {(char[]){"LC_ALL=C"}, (char[]){"PATH=/usr/sbin:/usr/bin:/sbin:/bin"},
	                             NULL};
	posix_spawn_file_actions_t actions;
	char *copies[8] = {NULL};
	int ends[2], result;
	pid_t pid = -1;

	for (size_t i = 0; arguments[i] != NULL && i + 1 < sizeof copies / sizeof copies[0]; i++)
		copies[i] = strdup(arguments[i]);
	result = pipe2(ends, O_CLOEXEC) == 0 ? 0 : errno;
	if (result == 0) {
		posix_spawn_file_actions_init(&actions);
		posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
		posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
		if (messages)
			posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
		else
			posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
		result = posix_spawn(&pid, path, &actions, NULL, copies, environment);
		posix_spawn_file_actions_destroy(&actions);
		close(ends[1]);
		*fd = ends[0];
		if (result != 0)
			close(ends[0]);
	}
	for (size_t i = 0; copies[i] != NULL; i++)
		free(copies[i]);
	return result == 0 ? pid : -result;
}

/* Reads to the end; 0 or an errno. */
static int read_all(int fd, int64_t until, char **text, size_t *size)
{
	size_t room = 0;

	for (;;) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		int64_t left = until - milliseconds_now();
		ssize_t got;

		if (left <= 0 || poll(&wait, 1, (int)left) == 0)
			return ETIMEDOUT;
		if (*size + 1 >= room) {
			char *larger =
				room < PROGRAM_OUTPUT_MAX ? realloc(*text, room = 2 * room + 4096) : NULL;

			if (larger == NULL)
				return ENOMEM;
			*text = larger;
		}
		got = read(fd, *text + *size, room - *size - 1);
		if (got <= 0)
			return got == 0 ? 0 : errno;
		*size += (size_t)got;
	}
}

/* The output of a program that ended by itself, with its exit status in *status. */
static char *run(const char *const arguments[], unsigned milliseconds, bool messages, int *status, int *error)
{
	char path[PATH_MAX], *text = NULL;
	int fd = -1, ended = 0;
	size_t size = 0;
	pid_t pid;

	*error = ENOENT;
	if (!find_program(arguments[0], path))
		return NULL;
	pid = start(path, arguments, messages, &fd);
	if (pid < 0) {
		*error = -pid;
		return NULL;
	}
	*error = read_all(fd, milliseconds_now() + milliseconds, &text, &size);
	close(fd);
	if (*error != 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &ended, 0) < 0 && errno == EINTR)
		continue;
	if (*error == 0 && !WIFEXITED(ended))
		*error = EIO;
	if (*error != 0) {
		free(text);
		return NULL;
	}
	*status = WEXITSTATUS(ended);
	text[size] = '\0';
	return text;
}

char *program_output(const char *const arguments[], unsigned milliseconds, int *error)
{
	int status = 0;
	char *text = run(arguments, milliseconds, false, &status, error);

	if (text == NULL || status == 0)
		return text;
	*error = EIO;
	free(text);
	return NULL;
}

char *program_report(const char *const arguments[], unsigned milliseconds, int *status, int *error)
{
	return run(arguments, milliseconds, true, status, error);
}
