/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/sysctl.h"

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
#define RUNS_MAX  16 /* that keep a file in a network namespace at the same time */

struct setting {
	char name[NAME_SIZE];
	int old;        /* what stood there before; may be the same */
	int own;        /* what was put there instead */
	bool contested; /* another run that lives has put its own value there */
};

struct settings {
	struct setting *list;
	size_t count;
};

struct sysctl {
	char *directory;
	char *leaf;
	char *state_path; /* of the first file; NULL: none */
	unsigned place;   /* number of the own file; 0: none yet */
	int state_fd;     /* the file that is there now, locked; -1: none */
	int state_result;
	struct settings own;
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

static struct setting *find_setting(const struct settings *settings, const char *name)
{
	for (size_t i = 0; i < settings->count; i++)
		if (strcmp(settings->list[i].name, name) == 0)
			return &settings->list[i];
	return NULL;
}

static bool remember(struct settings *settings, const char *name, int old, int own)
{
	struct setting *setting = find_setting(settings, name), *list;

	/* Our own value of before is not the old one; of a new interface of that name it is. */
	if (setting != NULL) {
		setting->old = setting->own == old ? setting->old : old;
		setting->own = own;
		return true;
	}
	list = realloc(settings->list, (settings->count + 1) * sizeof *list);
	if (list == NULL)
		return false;
	settings->list = list;
	setting = &list[settings->count++];
	*setting = (struct setting){.old = old, .own = own};
	snprintf(setting->name, sizeof setting->name, "%s", name);
	return true;
}

/* The files: each run has one of its own, as long as it has anything to put back, and a lock on it as long as
 * it lives. A line `name old own` for each setting. */

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

static bool name_file(const struct sysctl *kept, unsigned place, const char *end, char path[PATH_MAX])
{
	int size = place == 1 ? snprintf(path, PATH_MAX, "%s%s", kept->state_path, end)
	                      : snprintf(path, PATH_MAX, "%s-%u%s", kept->state_path, place, end);

	return size > 0 && size < PATH_MAX;
}

/* Values that were right before need not be put back. */
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

static int write_lines(int fd, const struct settings *settings)
{
	for (size_t i = 0; i < settings->count; i++) {
		const struct setting *setting = &settings->list[i];

		if (is_changed(setting) &&
		    dprintf(fd, "%s %d %d\n", setting->name, setting->old, setting->own) < 0)
			return -errno;
	}
	return 0;
}

/* -EBUSY: another run is making a file in that place. */
static int create_locked(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && ftruncate(fd, 0) == 0)
		return fd;
	close(fd);
	return -EBUSY;
}

/* Written aside and then put in place: whoever reads the file finds all of it. It is locked from its first
 * moment on. -EEXIST: a new one, and the place is taken. */
static int write_state(struct sysctl *kept, unsigned place)
{
	char path[PATH_MAX], aside[PATH_MAX];
	int fd, result;

	if (!name_file(kept, place, "", path) || !name_file(kept, place, ".new", aside))
		return -ENAMETOOLONG;
	fd = create_locked(aside);
	if (fd < 0)
		return fd;
	result = write_lines(fd, &kept->own);
	if (result == 0 && (kept->place != 0 ? rename(aside, path) : link(aside, path)) != 0)
		result = -errno;
	if (result != 0 || kept->place == 0)
		unlink(aside);
	if (result != 0) {
		close(fd);
		return result;
	}
	if (kept->state_fd >= 0)
		close(kept->state_fd);
	kept->state_fd = fd;
	kept->place = place;
	return 0;
}

static int replace_state(struct sysctl *kept)
{
	int result = make_directory(kept->state_path);

	if (result != 0 || kept->place != 0)
		return result != 0 ? result : write_state(kept, kept->place);
	for (unsigned place = 1; place <= RUNS_MAX; place++) {
		result = write_state(kept, place);
		if (result != -EEXIST && result != -EBUSY && result != -EACCES)
			return result;
	}
	return result == -EEXIST ? -EBUSY : result;
}

/* While we have the lock, nobody takes the file for that of a killed run. */
static void remove_state(struct sysctl *kept)
{
	struct stat own, there;
	char path[PATH_MAX];

	if (kept->place == 0)
		return;
	if (flock(kept->state_fd, LOCK_EX | LOCK_NB) == 0 && name_file(kept, kept->place, "", path) &&
	    fstat(kept->state_fd, &own) == 0 && lstat(path, &there) == 0 && own.st_ino == there.st_ino)
		kept->state_result = unlink(path) == 0 ? 0 : -errno;
	close(kept->state_fd);
	kept->state_fd = -1;
	kept->place = 0;
}

static void save_state(struct sysctl *kept)
{
	if (kept->state_path == NULL)
		return;
	if (any_is_changed(&kept->own))
		kept->state_result = replace_state(kept);
	else
		remove_state(kept);
}

/* Nothing in the file is trusted: a line that is not as written here is passed over. */
static int read_lines(struct settings *settings, int fd)
{
	char line[64], name[NAME_SIZE], old[2], own[2], rest;
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	FILE *file = copy >= 0 ? fdopen(copy, "r") : NULL;

	if (file == NULL) {
		if (copy >= 0)
			close(copy);
		return -ENOMEM;
	}
	while (fgets(line, sizeof line, file) != NULL)
		if (sscanf(line, "%15s %1[0-9] %1[0-9] %c", name, old, own, &rest) == 3 && is_name(name))
			remember(settings, name, old[0] - '0', own[0] - '0');
	fclose(file);
	return 0;
}

static int open_state(const struct sysctl *kept, unsigned place)
{
	char path[PATH_MAX];
	int fd;

	if (!name_file(kept, place, "", path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

/* What other runs that live have put in place. */
static void read_others(const struct sysctl *kept, struct settings *others)
{
	*others = (struct settings){.count = 0};
	for (unsigned place = 1; kept->state_path != NULL && place <= RUNS_MAX; place++) {
		int fd = place != kept->place ? open_state(kept, place) : -1;

		if (fd < 0)
			continue;
		if (flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK)
			read_lines(others, fd);
		close(fd);
	}
}

/* Takes over the files of killed runs. They stay locked, and in place, until their values are put back. A
 * file of another user is one that lives, as far as we can see. */
static int load_states(struct sysctl *kept, int fds[RUNS_MAX], struct settings *others)
{
	int result = 0;

	*others = (struct settings){.count = 0};
	for (unsigned place = 1; place <= RUNS_MAX; place++) {
		int fd = open_state(kept, place);

		fds[place - 1] = -1;
		if (fd < 0 && fd != -ENOENT && fd != -EACCES && result == 0)
			result = fd;
		if (fd < 0)
			continue;
		if (flock(fd, LOCK_EX | LOCK_NB) == 0 && read_lines(&kept->own, fd) == 0) {
			fds[place - 1] = fd;
			continue;
		}
		read_lines(others, fd);
		close(fd);
	}
	return result;
}

static void end_states(const struct sysctl *kept, const int fds[RUNS_MAX])
{
	char path[PATH_MAX];

	for (unsigned place = 1; place <= RUNS_MAX; place++) {
		if (fds[place - 1] < 0)
			continue;
		if (name_file(kept, place, "", path))
			unlink(path);
		close(fds[place - 1]);
	}
}

/* True when nothing is left to do for this one. What somebody else has put there since stays. Where another
 * run needs the setting, its value stays or takes the place of ours; it has the old one, too. */
static bool restore(const struct sysctl *kept, const struct setting *setting, const struct settings *others,
                    unsigned *restored)
{
	int now = read_setting(kept->directory, setting->name, kept->leaf);
	const struct setting *other = find_setting(others, setting->name);
	int value = other != NULL ? other->own : setting->old;

	if (now != setting->own || now == value)
		return now >= 0 || now == -ENOENT;
	if (write_setting(kept->directory, setting->name, kept->leaf, value) != 0)
		return false;
	++*restored;
	return true;
}

static unsigned restore_all(struct sysctl *kept, const struct settings *others)
{
	unsigned restored = 0;
	size_t left = 0;

	for (size_t i = 0; i < kept->own.count; i++)
		if (!restore(kept, &kept->own.list[i], others, &restored))
			kept->own.list[left++] = kept->own.list[i];
	kept->own.count = left;
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

static unsigned settle_killed_runs(struct sysctl *kept)
{
	struct settings others;
	int fds[RUNS_MAX], result = load_states(kept, fds, &others);
	unsigned restored = restore_all(kept, &others);

	/* What could not be put back goes into a file of ours. */
	save_state(kept);
	end_states(kept, fds);
	free(others.list);
	if (result == 0)
		return restored;
	/* What is there cannot be taken over: leave it alone. */
	kept->state_result = result;
	free(kept->state_path);
	kept->state_path = NULL;
	return restored;
}

struct sysctl *sysctl_new(const char *directory, const char *leaf, const char *state_path, unsigned *restored)
{
	struct sysctl *kept = calloc(1, sizeof *kept);

	*restored = 0;
	if (kept == NULL)
		return NULL;
	kept->state_fd = -1;
	kept->directory = strdup(directory);
	kept->leaf = strdup(leaf);
	kept->state_path = state_path != NULL ? name_state(state_path) : NULL;
	if (kept->directory == NULL || kept->leaf == NULL ||
	    (state_path != NULL && kept->state_path == NULL)) {
		sysctl_free(kept);
		return NULL;
	}
	if (kept->state_path != NULL)
		*restored = settle_killed_runs(kept);
	return kept;
}

/* Where another run has put the present value, the old one is what that run remembers. */
static int true_old(const struct sysctl *kept, const char *name, int now, int own, bool *contested)
{
	const struct setting *other;
	struct settings others;
	int old = now;

	read_others(kept, &others);
	other = find_setting(&others, name);
	*contested = other != NULL && other->own == now && now != own;
	if (other != NULL && other->own == now)
		old = other->old;
	free(others.list);
	return old;
}

int sysctl_set(struct sysctl *kept, const char *name, int own)
{
	int now = read_setting(kept->directory, name, kept->leaf);
	const struct setting *known = find_setting(&kept->own, name);
	bool contested;

	if (now < 0 || (now == own && known != NULL && known->own == own))
		return now < 0 ? now : 0;
	if (!remember(&kept->own, name, true_old(kept, name, now, own, &contested), own))
		return -ENOMEM;
	/* First the file, then the setting: a kill between the two does no harm. */
	save_state(kept);
	return now == own ? 0 : write_setting(kept->directory, name, kept->leaf, own);
}

static void check(struct sysctl *kept, struct setting *setting, kept_settings_found *found, void *context)
{
	int now = read_setting(kept->directory, setting->name, kept->leaf), old;
	bool contested;

	if (now < 0 || now == setting->own) {
		setting->contested = false;
		return;
	}
	old = true_old(kept, setting->name, now, setting->own, &contested);
	if (contested) {
		if (!setting->contested)
			found(context, setting->name, now, setting->own, -EBUSY);
		setting->contested = true;
		return;
	}
	setting->old = old;
	save_state(kept);
	found(context, setting->name, now, setting->own,
	      write_setting(kept->directory, setting->name, kept->leaf, setting->own));
}

void kept_settings_check(struct sysctl *kept, kept_settings_found *found, void *context)
{
	for (size_t i = 0; i < kept->own.count; i++)
		check(kept, &kept->own.list[i], found, context);
}

bool kept_settings_is_empty(const struct sysctl *kept)
{
	return kept->own.count == 0;
}

void sysctl_put_back(struct sysctl *kept, const char *name)
{
	struct setting *found = find_setting(&kept->own, name), setting;
	struct settings others;
	unsigned restored = 0;

	if (found == NULL)
		return;
	setting = *found;
	*found = kept->own.list[--kept->own.count];
	save_state(kept);
	read_others(kept, &others);
	if (!restore(kept, &setting, &others, &restored)) {
		/* Once more at the end. */
		remember(&kept->own, name, setting.old, setting.own);
		save_state(kept);
	}
	free(others.list);
}

int sysctl_state_result(const struct sysctl *kept)
{
	return kept->state_result;
}

/* Two runs that end at the same time shall not rely on each other: ours is no more among those that live,
 * before we look who they are. */
void sysctl_free(struct sysctl *kept)
{
	struct settings others;

	if (kept == NULL)
		return;
	if (kept->state_fd >= 0)
		flock(kept->state_fd, LOCK_UN);
	read_others(kept, &others);
	restore_all(kept, &others);
	free(others.list);
	save_state(kept);
	/* The last one puts back what nobody else would. */
	if (kept->state_path != NULL)
		settle_killed_runs(kept);
	if (kept->state_fd >= 0)
		close(kept->state_fd);
	free(kept->directory);
	free(kept->leaf);
	free(kept->state_path);
	free(kept->own.list);
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
