/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/sysctl_state.h"

#include "kernel/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINES_MAX 16384 /* that are read of a file */

/* A copy of the path, with the number of the network namespace if that is known to differ from process 1's.
 */
static char *name_state(const char *path)
{
	struct stat own, first;
	char *name;
	int size;

	if (stat("/proc/self/ns/net", &own) != 0 || stat("/proc/1/ns/net", &first) != 0 ||
	    own.st_ino == first.st_ino)
		return strdup(path);
	size = asprintf(&name, "%s.%lu", path, (unsigned long)own.st_ino);
	return size < 0 ? NULL : name;
}

bool sysctl_state_open(struct sysctl_state *state, const char *path)
{
	*state = (struct sysctl_state){.fd = -1, .path = path != NULL ? name_state(path) : NULL};
	return path == NULL || state->path != NULL;
}

static bool name_file(const struct sysctl_state *state, unsigned place, char path[PATH_MAX])
{
	int size = place == 1 ? snprintf(path, PATH_MAX, "%s", state->path)
	                      : snprintf(path, PATH_MAX, "%s-%u", state->path, place);

	return size > 0 && size < PATH_MAX;
}

/* A run replaces its file, and the last one removes it: does the descriptor still lead to the one in place? */
static bool is_in_place(const struct sysctl_state *state, unsigned place, int fd)
{
	struct stat own, there;
	char path[PATH_MAX];

	return name_file(state, place, path) && fstat(fd, &own) == 0 && lstat(path, &there) == 0 &&
	       own.st_ino == there.st_ino;
}

static int remove_file(const struct sysctl_state *state, unsigned place)
{
	char path[PATH_MAX];

	if (!name_file(state, place, path))
		return -ENAMETOOLONG;
	return unlink(path) == 0 ? 0 : -errno;
}

/* A value that was right before need not be restored. */
static bool is_changed(const struct setting *setting)
{
	return setting->old != setting->own;
}

static bool any_is_changed(const struct settings *settings)
{
	for (size_t i = 0; i < settings->count; i++)
		if (is_changed(&settings->list[i]))
			return true;
	return false;
}

/* While others may hold a setting, they need to know that this run sets it, even to the value before. */
static int write_lines(int fd, const struct settings *settings, bool holds)
{
	for (size_t i = 0; i < settings->count; i++) {
		const struct setting *setting = &settings->list[i];

		if (!is_changed(setting) && (setting->held || !holds))
			continue;
		if (dprintf(fd, "%s %d %d%s\n", setting->name, setting->old, setting->own,
		            setting->held ? " held" : "") < 0)
			return -errno;
	}
	return 0;
}

/* Writes another file and then puts it in place, so that readers find a complete file. It is locked before it
 * is in place. -EEXIST: the run had no file, and the place is taken. */
static int write_file(struct sysctl_state *state, unsigned place, const struct settings *settings, bool holds)
{
	char path[PATH_MAX], aside[FILE_PATH_SIZE];
	int fd, result;

	if (!name_file(state, place, path))
		return -ENAMETOOLONG;
	fd = file_open_temporary(path, 0600, aside);
	if (fd < 0)
		return fd;
	result = flock(fd, LOCK_EX | LOCK_NB) == 0 ? write_lines(fd, settings, holds) : -errno;
	if (result == 0)
		result = file_rename(aside, path, state->place != 0);
	else
		unlink(aside);
	if (result != 0) {
		close(fd);
		return result;
	}
	if (state->fd >= 0)
		close(state->fd);
	state->fd = fd;
	state->place = place;
	return 0;
}

static int replace_file(struct sysctl_state *state, const struct settings *settings, bool holds)
{
	int result = file_make_directory(state->path);

	if (result != 0 || state->place != 0)
		return result != 0 ? result : write_file(state, state->place, settings, holds);
	for (unsigned place = 1; place <= SYSCTL_RUNS_MAX; place++) {
		result = write_file(state, place, settings, holds);
		if (result != -EEXIST)
			return result;
	}
	return result == -EEXIST ? -EBUSY : result;
}

/* While this run holds the lock, no other run takes the file for one of a killed run. */
static void remove_own(struct sysctl_state *state)
{
	if (state->place == 0)
		return;
	if (flock(state->fd, LOCK_EX | LOCK_NB) == 0 && is_in_place(state, state->place, state->fd))
		state->result = remove_file(state, state->place);
	close(state->fd);
	state->fd = -1;
	state->place = 0;
}

void sysctl_state_save(struct sysctl_state *state, const struct settings *settings, bool holds)
{
	if (state->path == NULL)
		return;
	if (any_is_changed(settings))
		state->result = replace_file(state, settings, holds);
	else
		remove_own(state);
}

/* A run that holds a setting gives way to one that sets it. */
static void merge(struct settings *settings, const char *name, int old, int own, bool held)
{
	struct setting *known = setting_find(settings, name);

	if (known != NULL && !known->held && held)
		return;
	known = setting_remember(settings, name, old, own);
	if (known != NULL)
		known->held = held;
}

/* Does not trust the file: skips every line that write_lines would not write. */
static int read_lines(struct settings *settings, int fd)
{
	char line[64], name[SETTING_NAME_SIZE], old[2], own[2], held[5], rest;
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	FILE *file = copy >= 0 ? fdopen(copy, "r") : NULL;

	if (file == NULL) {
		if (copy >= 0)
			close(copy);
		return -ENOMEM;
	}
	for (int i = 0; i < LINES_MAX && fgets(line, sizeof line, file) != NULL; i++) {
		int words = sscanf(line, "%15s %1[0-9] %1[0-9] %4s %c", name, old, own, held, &rest);

		if (setting_has_name(name) && (words == 3 || (words == 4 && strcmp(held, "held") == 0)))
			merge(settings, name, old[0] - '0', own[0] - '0', words == 4);
	}
	fclose(file);
	return 0;
}

/* Opens a file and takes its lock: false when a live run holds it, or there is none (*fd < 0). A run replaces
 * its file, which frees the lock of the old one: then the new one counts. */
static bool take_lock(const struct sysctl_state *state, unsigned place, int kind, int *fd)
{
	char path[PATH_MAX];

	for (;;) {
		*fd = name_file(state, place, path) ? file_open(path, FILE_STATE, 0) : -ENAMETOOLONG;
		if (*fd < 0 || flock(*fd, kind | LOCK_NB) != 0)
			return false;
		if (is_in_place(state, place, *fd))
			return true;
		close(*fd);
	}
}

void sysctl_state_read_others(const struct sysctl_state *state, struct settings *others)
{
	*others = (struct settings){.count = 0};
	for (unsigned place = 1; state->path != NULL && place <= SYSCTL_RUNS_MAX; place++) {
		int fd = -1;

		if (place != state->place && !take_lock(state, place, LOCK_SH, &fd) && fd >= 0 &&
		    errno == EWOULDBLOCK)
			read_lines(others, fd);
		if (fd >= 0)
			close(fd);
	}
}

int sysctl_state_take_over(struct sysctl_state *state, int fds[SYSCTL_RUNS_MAX], struct settings *own,
                           struct settings *others)
{
	int result = 0;

	*others = (struct settings){.count = 0};
	for (unsigned place = 1; place <= SYSCTL_RUNS_MAX; place++) {
		int fd;
		bool locked = take_lock(state, place, LOCK_EX, &fd);

		fds[place - 1] = -1;
		if (fd < 0 && fd != -ENOENT && fd != -EACCES && result == 0)
			result = fd;
		if (fd < 0)
			continue;
		if (locked && read_lines(own, fd) == 0) {
			fds[place - 1] = fd;
			continue;
		}
		read_lines(others, fd);
		close(fd);
	}
	return result;
}

void sysctl_state_end(const struct sysctl_state *state, const int fds[SYSCTL_RUNS_MAX])
{
	for (unsigned place = 1; place <= SYSCTL_RUNS_MAX; place++) {
		if (fds[place - 1] < 0)
			continue;
		remove_file(state, place);
		close(fds[place - 1]);
	}
}

void sysctl_state_unlock(const struct sysctl_state *state)
{
	if (state->fd >= 0)
		flock(state->fd, LOCK_UN);
}

void sysctl_state_close(struct sysctl_state *state)
{
	if (state->fd >= 0)
		close(state->fd);
	free(state->path);
}
