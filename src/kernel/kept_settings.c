/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/kept_settings.h"

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
	int old; /* what stood there before */
	int own; /* what was put there instead; never the same */
};

struct kept_settings {
	char *directory;
	char *leaf;
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

static int open_setting(const char *directory, const char *name, const char *leaf, int flags)
{
	char path[PATH_MAX];
	int fd;

	if (!is_name(name))
		return -EINVAL;
	if ((size_t)snprintf(path, sizeof path, "%s/%s/%s", directory, name, leaf) >= sizeof path)
		return -ENAMETOOLONG;
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Values are 0 to 9; others count as unreadable. */
static int read_setting(const char *directory, const char *name, const char *leaf)
{
	int fd = open_setting(directory, name, leaf, O_RDONLY);
	char text[16] = "";
	ssize_t size;

	if (fd < 0)
		return fd;
	size = read(fd, text, sizeof text - 1);
	close(fd);
	if (size < 1 || text[0] < '0' || text[0] > '9' || (size > 1 && text[1] != '\n'))
		return -EIO;
	return text[0] - '0';
}

static int write_setting(const char *directory, const char *name, const char *leaf, int value)
{
	int fd = open_setting(directory, name, leaf, O_WRONLY);
	int result;

	if (fd < 0)
		return fd;
	result = dprintf(fd, "%d\n", value) < 0 ? -errno : 0;
	close(fd);
	return result;
}

static bool remember(struct kept_settings *kept, const char *name, int old, int own)
{
	struct setting *list;
	size_t place = 0;
	bool is_new, is_ours;

	while (place < kept->count && strcmp(kept->list[place].name, name) != 0)
		place++;
	is_new = place == kept->count;
	if (is_new) {
		list = realloc(kept->list, (kept->count + 1) * sizeof *list);
		if (list == NULL)
			return false;
		kept->list = list;
		kept->count++;
		snprintf(list[place].name, sizeof list[place].name, "%s", name);
	}
	/* Our own value of before is not the old one; of a new interface of that name it is. */
	is_ours = !is_new && kept->list[place].own == old;
	if (!is_ours)
		kept->list[place].old = old;
	kept->list[place].own = own;
	return true;
}

/* The file: a line `name old own` for each setting. */

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

static int write_lines(int fd, const struct kept_settings *kept)
{
	for (size_t i = 0; i < kept->count; i++)
		if (dprintf(fd, "%s %d %d\n", kept->list[i].name, kept->list[i].old, kept->list[i].own) < 0)
			return -errno;
	return 0;
}

/* Written aside and renamed: whoever reads the file finds all of it. It is locked from its first moment on.
 */
static int replace_state(struct kept_settings *kept)
{
	int fd, result = make_directory(kept->state_path);
	char path[PATH_MAX];

	if (result != 0)
		return result;
	if ((size_t)snprintf(path, sizeof path, "%s.new", kept->state_path) >= sizeof path)
		return -ENAMETOOLONG;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	result = write_lines(fd, kept);
	if (result == 0 && (flock(fd, LOCK_EX | LOCK_NB) != 0 || rename(path, kept->state_path) != 0))
		result = -errno;
	if (result != 0) {
		unlink(path);
		close(fd);
		return result;
	}
	if (kept->state_fd >= 0)
		close(kept->state_fd);
	kept->state_fd = fd;
	return 0;
}

static void save_state(struct kept_settings *kept)
{
	if (kept->state_path == NULL)
		return;
	if (kept->count > 0) {
		kept->state_result = replace_state(kept);
		return;
	}
	if (kept->state_fd < 0)
		return;
	kept->state_result = unlink(kept->state_path) == 0 || errno == ENOENT ? 0 : -errno;
	close(kept->state_fd);
	kept->state_fd = -1;
}

/* Nothing in the file is trusted: a line that is not as written here is passed over. */
static void read_lines(struct kept_settings *kept, FILE *file)
{
	char line[64], name[NAME_SIZE], old[2], own[2], rest;

	while (fgets(line, sizeof line, file) != NULL)
		if (sscanf(line, "%15s %1[0-9] %1[0-9] %c", name, old, own, &rest) == 3 && is_name(name))
			remember(kept, name, old[0] - '0', own[0] - '0');
}

/* Takes over the file of a killed run. -EBUSY when its run lives. */
static int load_state(struct kept_settings *kept)
{
	int fd = open(kept->state_path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), copy;
	FILE *file;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		close(fd);
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	}
	kept->state_fd = fd;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	file = copy >= 0 ? fdopen(copy, "r") : NULL;
	if (file == NULL) {
		if (copy >= 0)
			close(copy);
		return -ENOMEM;
	}
	read_lines(kept, file);
	fclose(file);
	return 0;
}

/* True when nothing is left to do for this one. What somebody else has put there since stays. */
static bool restore(const struct kept_settings *kept, const struct setting *setting, unsigned *restored)
{
	int now = read_setting(kept->directory, setting->name, kept->leaf);

	if (now != setting->own)
		return now >= 0 || now == -ENOENT;
	if (write_setting(kept->directory, setting->name, kept->leaf, setting->old) != 0)
		return false;
	++*restored;
	return true;
}

static unsigned restore_all(struct kept_settings *kept)
{
	unsigned restored = 0;
	size_t left = 0;

	for (size_t i = 0; i < kept->count; i++)
		if (!restore(kept, &kept->list[i], &restored))
			kept->list[left++] = kept->list[i];
	kept->count = left;
	save_state(kept);
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

struct kept_settings *kept_settings_new(const char *directory, const char *leaf, const char *state_path,
                                        unsigned *restored)
{
	struct kept_settings *kept = calloc(1, sizeof *kept);

	*restored = 0;
	if (kept == NULL)
		return NULL;
	kept->state_fd = -1;
	kept->directory = strdup(directory);
	kept->leaf = strdup(leaf);
	kept->state_path = state_path != NULL ? name_state(state_path) : NULL;
	if (kept->directory == NULL || kept->leaf == NULL ||
	    (state_path != NULL && kept->state_path == NULL)) {
		kept_settings_free(kept);
		return NULL;
	}
	if (kept->state_path == NULL)
		return kept;
	kept->state_result = load_state(kept);
	if (kept->state_result != 0) {
		/* It cannot be taken over: leave it alone. */
		free(kept->state_path);
		kept->state_path = NULL;
	}
	*restored = restore_all(kept);
	return kept;
}

int kept_settings_set(struct kept_settings *kept, const char *name, int own)
{
	int old = read_setting(kept->directory, name, kept->leaf);

	if (old < 0 || old == own)
		return old < 0 ? old : 0;
	if (!remember(kept, name, old, own))
		return -ENOMEM;
	/* First the file, then the setting: a kill between the two does no harm. */
	save_state(kept);
	return write_setting(kept->directory, name, kept->leaf, own);
}

void kept_settings_put_back(struct kept_settings *kept, const char *name)
{
	unsigned restored = 0;

	for (size_t i = 0; i < kept->count; i++) {
		if (strcmp(kept->list[i].name, name) != 0 || !restore(kept, &kept->list[i], &restored))
			continue;
		kept->list[i] = kept->list[--kept->count];
		save_state(kept);
		return;
	}
}

int kept_settings_state_result(const struct kept_settings *kept)
{
	return kept->state_result;
}

void kept_settings_free(struct kept_settings *kept)
{
	if (kept == NULL)
		return;
	restore_all(kept);
	if (kept->state_fd >= 0)
		close(kept->state_fd);
	free(kept->directory);
	free(kept->leaf);
	free(kept->state_path);
	free(kept->list);
	free(kept);
}

int settings_value(const char *directory, const char *name, const char *leaf)
{
	return read_setting(directory, name, leaf);
}

int rpfilter_effective(const char *directory, const char *name)
{
	int all = read_setting(directory, "all", RPFILTER_LEAF);
	int own = read_setting(directory, name, RPFILTER_LEAF);

	if (all < 0 || own < 0)
		return all < 0 ? all : own;
	return own > all ? own : all;
}
