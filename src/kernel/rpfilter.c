/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/rpfilter.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_SIZE 16

struct setting {
	char name[NAME_SIZE];
	int value; /* what stood there before; never 0 */
};

struct rpfilter {
	char *settings;
	char *state_path; /* NULL: none */
	int state_fd;     /* the file that is there now, locked; -1: none */
	int state_result;
	struct setting *list;
	size_t count;
};

/* A name becomes part of a path. */
static bool is_name(const char *name)
{
	return name[0] != '\0' && strlen(name) < NAME_SIZE && strchr(name, '/') == NULL &&
	       strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int open_setting(const char *settings, const char *name, int flags)
{
	char path[PATH_MAX];
	int fd;

	if (!is_name(name))
		return -EINVAL;
	if ((size_t)snprintf(path, sizeof path, "%s/%s/rp_filter", settings, name) >= sizeof path)
		return -ENAMETOOLONG;
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Values are 0, 1 and 2; others count as unreadable. */
static int read_setting(const char *settings, const char *name)
{
	int fd = open_setting(settings, name, O_RDONLY);
	char text[16] = "";
	ssize_t size;

	if (fd < 0)
		return fd;
	size = read(fd, text, sizeof text - 1);
	close(fd);
	if (size < 1 || text[0] < '0' || text[0] > '2' || (size > 1 && text[1] != '\n'))
		return -EIO;
	return text[0] - '0';
}

static int write_setting(const char *settings, const char *name, int value)
{
	int fd = open_setting(settings, name, O_WRONLY);
	int result;

	if (fd < 0)
		return fd;
	result = dprintf(fd, "%d\n", value) < 0 ? -errno : 0;
	close(fd);
	return result;
}

static bool remember(struct rpfilter *filter, const char *name, int value)
{
	struct setting *list;
	size_t place = 0;

	while (place < filter->count && strcmp(filter->list[place].name, name) != 0)
		place++;
	if (place == filter->count) {
		list = realloc(filter->list, (filter->count + 1) * sizeof *list);
		if (list == NULL)
			return false;
		filter->list = list;
		filter->count++;
		snprintf(list[place].name, sizeof list[place].name, "%s", name);
	}
	filter->list[place].value = value;
	return true;
}

/* The file: a line `name value` for each setting. */

static int make_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	char directory[PATH_MAX];

	if (slash == NULL || slash == path)
		return 0;
	if ((size_t)snprintf(directory, sizeof directory, "%.*s", (int)(slash - path), path) >=
	    sizeof directory)
		return -ENAMETOOLONG;
	return mkdir(directory, 0755) == 0 || errno == EEXIST ? 0 : -errno;
}

static int write_lines(int fd, const struct rpfilter *filter)
{
	for (size_t i = 0; i < filter->count; i++)
		if (dprintf(fd, "%s %d\n", filter->list[i].name, filter->list[i].value) < 0)
			return -errno;
	return 0;
}

/* Written aside and renamed: whoever reads the file finds all of it. It is locked from its first moment on.
 */
static int replace_state(struct rpfilter *filter)
{
	int fd, result = make_directory(filter->state_path);
	char path[PATH_MAX];

	if (result != 0)
		return result;
	if ((size_t)snprintf(path, sizeof path, "%s.new", filter->state_path) >= sizeof path)
		return -ENAMETOOLONG;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	result = write_lines(fd, filter);
	if (result == 0 && (flock(fd, LOCK_EX | LOCK_NB) != 0 || rename(path, filter->state_path) != 0))
		result = -errno;
	if (result != 0) {
		unlink(path);
		close(fd);
		return result;
	}
	if (filter->state_fd >= 0)
		close(filter->state_fd);
	filter->state_fd = fd;
	return 0;
}

static void save_state(struct rpfilter *filter)
{
	if (filter->state_path == NULL)
		return;
	if (filter->count > 0) {
		filter->state_result = replace_state(filter);
		return;
	}
	if (filter->state_fd < 0)
		return;
	filter->state_result = unlink(filter->state_path) == 0 || errno == ENOENT ? 0 : -errno;
	close(filter->state_fd);
	filter->state_fd = -1;
}

/* Nothing in the file is trusted: a line that is not as written here is passed over. */
static void read_lines(struct rpfilter *filter, FILE *file)
{
	char line[64], name[NAME_SIZE], value[2], rest;

	while (fgets(line, sizeof line, file) != NULL)
		if (sscanf(line, "%15s %1[12] %c", name, value, &rest) == 2 && is_name(name))
			remember(filter, name, value[0] - '0');
}

/* Takes over the file of a killed run. -EBUSY when its run lives. */
static int load_state(struct rpfilter *filter)
{
	int fd = open(filter->state_path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), copy;
	FILE *file;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		close(fd);
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	}
	filter->state_fd = fd;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	file = copy >= 0 ? fdopen(copy, "r") : NULL;
	if (file == NULL) {
		if (copy >= 0)
			close(copy);
		return -ENOMEM;
	}
	read_lines(filter, file);
	fclose(file);
	return 0;
}

/* True when nothing is left to do for this one. */
static bool restore(const struct rpfilter *filter, const struct setting *setting, unsigned *restored)
{
	int now = read_setting(filter->settings, setting->name);

	if (now != 0)
		return now > 0 || now == -ENOENT;
	if (write_setting(filter->settings, setting->name, setting->value) != 0)
		return false;
	++*restored;
	return true;
}

static unsigned restore_all(struct rpfilter *filter)
{
	unsigned restored = 0;
	size_t left = 0;

	for (size_t i = 0; i < filter->count; i++)
		if (!restore(filter, &filter->list[i], &restored))
			filter->list[left++] = filter->list[i];
	filter->count = left;
	save_state(filter);
	return restored;
}

/* A copy of the path, with the number of the network namespace when it is not that of process 1 (or that
 * cannot be told). */
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

struct rpfilter *rpfilter_new(const char *settings, const char *state_path, unsigned *restored)
{
	struct rpfilter *filter = calloc(1, sizeof *filter);

	*restored = 0;
	if (filter == NULL)
		return NULL;
	filter->state_fd = -1;
	filter->settings = strdup(settings);
	filter->state_path = state_path != NULL ? name_state(state_path) : NULL;
	if (filter->settings == NULL || (state_path != NULL && filter->state_path == NULL)) {
		rpfilter_free(filter);
		return NULL;
	}
	if (filter->state_path == NULL)
		return filter;
	filter->state_result = load_state(filter);
	if (filter->state_result != 0) {
		/* It cannot be taken over: leave it alone. */
		free(filter->state_path);
		filter->state_path = NULL;
	}
	*restored = restore_all(filter);
	return filter;
}

int rpfilter_disable(struct rpfilter *filter, const char *name)
{
	int value = read_setting(filter->settings, name);

	if (value <= 0)
		return value;
	if (!remember(filter, name, value))
		return -ENOMEM;
	/* First the file, then the setting: a kill between the two does no harm. */
	save_state(filter);
	return write_setting(filter->settings, name, 0);
}

int rpfilter_state_result(const struct rpfilter *filter)
{
	return filter->state_result;
}

void rpfilter_free(struct rpfilter *filter)
{
	if (filter == NULL)
		return;
	restore_all(filter);
	if (filter->state_fd >= 0)
		close(filter->state_fd);
	free(filter->settings);
	free(filter->state_path);
	free(filter->list);
	free(filter);
}

int rpfilter_effective(const char *settings, const char *name)
{
	int all = read_setting(settings, "all");
	int own = read_setting(settings, name);

	if (all < 0 || own < 0)
		return all < 0 ? all : own;
	return own > all ? own : all;
}
