/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/sysctl.h"

#include "kernel/file.h"

#include <dirent.h>
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
#define RUNS_MAX  16    /* with a state file, in a network namespace at the same time */
#define LINES_MAX 16384 /* that are read of a state file */

struct setting {
	char name[NAME_SIZE];
	int old;        /* the value before; may equal own */
	int own;        /* the value that this run sets */
	bool contested; /* another live run has set its own value */
	bool held;      /* own is the old value, but at least sysctl.least */
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
	int state_fd;     /* the present file, locked; -1: none */
	int state_result;
	int least;           /* of held settings; 0: none is held */
	struct settings own; /* in the order in which they were set */
};

/* Is the name safe as a part of a path? */
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

	/* If the interface still has the value that this run has set, the old value stays; otherwise the
	 * interface is new, or another program has changed it. */
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

static void forget(struct settings *settings, struct setting *setting)
{
	size_t place = (size_t)(setting - settings->list);

	memmove(setting, setting + 1, (--settings->count - place) * sizeof *setting);
}

/* State files. Each run has its own file while it has values to restore, and locks it while it lives. It has
 * a line `name old own` for each setting, with `held` behind it where that is so. */

static bool name_file(const struct sysctl *sysctl, unsigned place, char path[PATH_MAX])
{
	int size = place == 1 ? snprintf(path, PATH_MAX, "%s", sysctl->state_path)
	                      : snprintf(path, PATH_MAX, "%s-%u", sysctl->state_path, place);

	return size > 0 && size < PATH_MAX;
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
static int write_lines(int fd, const struct sysctl *sysctl)
{
	const struct settings *settings = &sysctl->own;

	for (size_t i = 0; i < settings->count; i++) {
		const struct setting *setting = &settings->list[i];

		if (!is_changed(setting) && (setting->held || sysctl->least == 0))
			continue;
		if (dprintf(fd, "%s %d %d%s\n", setting->name, setting->old, setting->own,
		            setting->held ? " held" : "") < 0)
			return -errno;
	}
	return 0;
}

/* Writes another file and then puts it in place, so that readers find a complete file. It is locked before it
 * is in place. -EEXIST: the run had no file, and the place is taken. */
static int write_state(struct sysctl *sysctl, unsigned place)
{
	char path[PATH_MAX], aside[FILE_PATH_SIZE];
	int fd, result;

	if (!name_file(sysctl, place, path))
		return -ENAMETOOLONG;
	fd = file_open_temporary(path, 0600, aside);
	if (fd < 0)
		return fd;
	result = flock(fd, LOCK_EX | LOCK_NB) == 0 ? write_lines(fd, sysctl) : -errno;
	if (result == 0)
		result = file_rename(aside, path, sysctl->place != 0);
	else
		unlink(aside);
	if (result != 0) {
		close(fd);
		return result;
	}
	if (sysctl->state_fd >= 0)
		close(sysctl->state_fd);
	sysctl->state_fd = fd;
	sysctl->place = place;
	return 0;
}

static int replace_state(struct sysctl *sysctl)
{
	int result = file_make_directory(sysctl->state_path);

	if (result != 0 || sysctl->place != 0)
		return result != 0 ? result : write_state(sysctl, sysctl->place);
	for (unsigned place = 1; place <= RUNS_MAX; place++) {
		result = write_state(sysctl, place);
		if (result != -EEXIST)
			return result;
	}
	return result == -EEXIST ? -EBUSY : result;
}

/* While this run holds the lock, no other run takes the file for one of a killed run. */
static void remove_state(struct sysctl *sysctl)
{
	struct stat own, there;
	char path[PATH_MAX];

	if (sysctl->place == 0)
		return;
	if (flock(sysctl->state_fd, LOCK_EX | LOCK_NB) == 0 && name_file(sysctl, sysctl->place, path) &&
	    fstat(sysctl->state_fd, &own) == 0 && lstat(path, &there) == 0 && own.st_ino == there.st_ino)
		sysctl->state_result = unlink(path) == 0 ? 0 : -errno;
	close(sysctl->state_fd);
	sysctl->state_fd = -1;
	sysctl->place = 0;
}

static void save_state(struct sysctl *sysctl)
{
	if (sysctl->state_path == NULL)
		return;
	if (any_is_changed(&sysctl->own))
		sysctl->state_result = replace_state(sysctl);
	else
		remove_state(sysctl);
}

/* A run that holds a setting gives way to one that sets it. */
static void merge(struct settings *settings, const char *name, int old, int own, bool held)
{
	struct setting *known = find_setting(settings, name);

	if (known != NULL && !known->held && held)
		return;
	if (remember(settings, name, old, own))
		find_setting(settings, name)->held = held;
}

/* Does not trust the file: skips every line that write_lines would not write. */
static int read_lines(struct settings *settings, int fd)
{
	char line[64], name[NAME_SIZE], old[2], own[2], held[5], rest;
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	FILE *file = copy >= 0 ? fdopen(copy, "r") : NULL;

	if (file == NULL) {
		if (copy >= 0)
			close(copy);
		return -ENOMEM;
	}
	for (int i = 0; i < LINES_MAX && fgets(line, sizeof line, file) != NULL; i++) {
		int words = sscanf(line, "%15s %1[0-9] %1[0-9] %4s %c", name, old, own, held, &rest);

		if (is_name(name) && (words == 3 || (words == 4 && strcmp(held, "held") == 0)))
			merge(settings, name, old[0] - '0', own[0] - '0', words == 4);
	}
	fclose(file);
	return 0;
}

static int open_state(const struct sysctl *sysctl, unsigned place)
{
	char path[PATH_MAX];

	return name_file(sysctl, place, path) ? file_open(path, FILE_STATE, 0) : -ENAMETOOLONG;
}

/* Opens a file and takes its lock: false when a live run holds it, or there is none (*fd < 0). A run replaces
 * its file, which frees the lock of the old one: then the new one counts. */
static bool take_lock(const struct sysctl *sysctl, unsigned place, int kind, int *fd)
{
	struct stat own, there;
	char path[PATH_MAX];

	for (;;) {
		*fd = open_state(sysctl, place);
		if (*fd < 0 || flock(*fd, kind | LOCK_NB) != 0)
			return false;
		if (name_file(sysctl, place, path) && fstat(*fd, &own) == 0 && lstat(path, &there) == 0 &&
		    own.st_ino == there.st_ino)
			return true;
		close(*fd);
	}
}

/* The settings of other live runs. */
static void read_others(const struct sysctl *sysctl, struct settings *others)
{
	*others = (struct settings){.count = 0};
	for (unsigned place = 1; sysctl->state_path != NULL && place <= RUNS_MAX; place++) {
		int fd = -1;

		if (place != sysctl->place && !take_lock(sysctl, place, LOCK_SH, &fd) && fd >= 0 &&
		    errno == EWOULDBLOCK)
			read_lines(others, fd);
		if (fd >= 0)
			close(fd);
	}
}

/* Takes over the files of killed runs. They stay locked, and in place, until their values are restored. A
 * file of another user counts as one of a live run. */
static int load_states(struct sysctl *sysctl, int fds[RUNS_MAX], struct settings *others)
{
	int result = 0;

	*others = (struct settings){.count = 0};
	for (unsigned place = 1; place <= RUNS_MAX; place++) {
		int fd;
		bool locked = take_lock(sysctl, place, LOCK_EX, &fd);

		fds[place - 1] = -1;
		if (fd < 0 && fd != -ENOENT && fd != -EACCES && result == 0)
			result = fd;
		if (fd < 0)
			continue;
		if (locked && read_lines(&sysctl->own, fd) == 0) {
			fds[place - 1] = fd;
			continue;
		}
		read_lines(others, fd);
		close(fd);
	}
	return result;
}

static void end_states(const struct sysctl *sysctl, const int fds[RUNS_MAX])
{
	char path[PATH_MAX];

	for (unsigned place = 1; place <= RUNS_MAX; place++) {
		if (fds[place - 1] < 0)
			continue;
		if (name_file(sysctl, place, path))
			unlink(path);
		close(fds[place - 1]);
	}
}

/* True when the setting needs nothing more. A value that another program has set since stays. If another run
 * needs the setting, its value stays or is set; that run knows the old value, too. */
static bool restore(const struct sysctl *sysctl, const struct setting *setting, const struct settings *others,
                    unsigned *restored)
{
	int now = read_setting(sysctl->directory, setting->name, sysctl->leaf);
	const struct setting *other = find_setting(others, setting->name);
	int value = other != NULL ? other->own : setting->old;

	if (now != setting->own || now == value)
		return now >= 0 || now == -ENOENT;
	if (write_setting(sysctl->directory, setting->name, sysctl->leaf, value) != 0)
		return false;
	++*restored;
	return true;
}

/* The last one first, so that `all` protects the interfaces again before they lose what they held. */
static unsigned restore_all(struct sysctl *sysctl, const struct settings *others)
{
	unsigned restored = 0;

	for (size_t i = sysctl->own.count; i-- > 0;)
		if (restore(sysctl, &sysctl->own.list[i], others, &restored))
			forget(&sysctl->own, &sysctl->own.list[i]);
	return restored;
}

/* A copy of the path, with the number of the network namespace if that is known to differ from process 1's.
 * */
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

static unsigned settle_killed_runs(struct sysctl *sysctl)
{
	struct settings others;
	int fds[RUNS_MAX], result = load_states(sysctl, fds, &others);
	unsigned restored = restore_all(sysctl, &others);

	/* Values that could not be restored go into this run's file. */
	save_state(sysctl);
	end_states(sysctl, fds);
	free(others.list);
	if (result == 0)
		return restored;
	/* A file that cannot be taken over stays as it is. */
	sysctl->state_result = result;
	free(sysctl->state_path);
	sysctl->state_path = NULL;
	return restored;
}

struct sysctl *sysctl_new(const char *directory, const char *leaf, const char *state_path, unsigned *restored)
{
	struct sysctl *sysctl = calloc(1, sizeof *sysctl);

	*restored = 0;
	if (sysctl == NULL)
		return NULL;
	sysctl->state_fd = -1;
	sysctl->directory = strdup(directory);
	sysctl->leaf = strdup(leaf);
	sysctl->state_path = state_path != NULL ? name_state(state_path) : NULL;
	if (sysctl->directory == NULL || sysctl->leaf == NULL ||
	    (state_path != NULL && sysctl->state_path == NULL)) {
		sysctl_free(sysctl);
		return NULL;
	}
	if (sysctl->state_path != NULL)
		*restored = settle_killed_runs(sysctl);
	return sysctl;
}

/* If another run has set the present value, that run knows the old one. */
static int true_old(const struct sysctl *sysctl, const char *name, int now, int own, bool *contested)
{
	const struct setting *other;
	struct settings others;
	int old = now;

	read_others(sysctl, &others);
	other = find_setting(&others, name);
	*contested = other != NULL && !other->held && other->own == now && now != own;
	if (other != NULL && other->own == now)
		old = other->old;
	free(others.list);
	return old;
}

/* The same for a name that this run does not know. A new interface has a copy of `default`, which this run may
 * have raised. */
static int true_old_of_new(const struct sysctl *sysctl, const char *name, int now, int own, bool *contested)
{
	const struct setting *initial = find_setting(&sysctl->own, "default");
	int old = true_old(sysctl, name, now, own, contested);

	bool is_copy = initial != NULL && old == now && now == initial->own && strcmp(name, "all") != 0;

	return is_copy ? initial->old : old;
}

int sysctl_set(struct sysctl *sysctl, const char *name, int own)
{
	int now = read_setting(sysctl->directory, name, sysctl->leaf), old;
	struct setting *known = find_setting(&sysctl->own, name);
	bool contested;

	if (known != NULL)
		known->held = known->contested = false;
	if (now < 0 || (now == own && known != NULL && known->own == own))
		return now < 0 ? now : 0;
	old = known != NULL ? true_old(sysctl, name, now, own, &contested)
	                    : true_old_of_new(sysctl, name, now, own, &contested);
	if (!remember(&sysctl->own, name, old, own))
		return -ENOMEM;
	/* First the file, then the setting: so a kill between the two does no harm. */
	save_state(sysctl);
	return now == own ? 0 : write_setting(sysctl->directory, name, sysctl->leaf, own);
}

static int held_value(const struct sysctl *sysctl, const struct setting *setting)
{
	return setting->old > sysctl->least ? setting->old : sysctl->least;
}

/* Begins to hold a setting, without writing it. A value that another run has set stays. True when that changes
 * the state. */
static bool begin_hold(struct sysctl *sysctl, const char *name)
{
	int now = read_setting(sysctl->directory, name, sysctl->leaf), old;
	struct setting *setting;
	bool contested;

	if (now < 0 || find_setting(&sysctl->own, name) != NULL)
		return false;
	old = true_old_of_new(sysctl, name, now, -1, &contested);
	if (!remember(&sysctl->own, name, old, old))
		return false;
	setting = find_setting(&sysctl->own, name);
	setting->held = true;
	setting->own = held_value(sysctl, setting);
	return true;
}

/* sysctl_check retries a value that cannot be written now. What another run has set in the meantime stays. */
static void write_held(struct sysctl *sysctl)
{
	struct settings others;

	read_others(sysctl, &others);
	for (size_t i = 0; i < sysctl->own.count; i++) {
		struct setting *setting = &sysctl->own.list[i];
		const struct setting *other = find_setting(&others, setting->name);

		if (!setting->held ||
		    read_setting(sysctl->directory, setting->name, sysctl->leaf) == setting->own)
			continue;
		setting->contested = other != NULL && !other->held;
		if (!setting->contested)
			write_setting(sysctl->directory, setting->name, sysctl->leaf, setting->own);
	}
	free(others.list);
}

/* `default` comes last: an interface that exists before that has no copy of it. */
static bool begin_holds(struct sysctl *sysctl)
{
	DIR *directory = opendir(sysctl->directory);
	const struct dirent *entry;
	bool changed = false;

	while (directory != NULL && (entry = readdir(directory)) != NULL)
		if (entry->d_name[0] != '.' && strcmp(entry->d_name, "all") != 0 &&
		    strcmp(entry->d_name, "default") != 0)
			changed |= begin_hold(sysctl, entry->d_name);
	if (directory != NULL)
		closedir(directory);
	return begin_hold(sysctl, "default") || changed;
}

/* Another value of `all` may be in force. */
static bool update_holds(struct sysctl *sysctl)
{
	bool changed = false;

	for (size_t i = 0; i < sysctl->own.count; i++) {
		struct setting *setting = &sysctl->own.list[i];
		int before = setting->own;

		if (setting->held)
			setting->own = held_value(sysctl, setting);
		changed |= setting->own != before;
	}
	return changed;
}

void sysctl_hold_rest(struct sysctl *sysctl)
{
	const struct setting *all = find_setting(&sysctl->own, "all");
	size_t count = sysctl->own.count;
	bool changed;

	sysctl->least = all != NULL && all->old > all->own ? all->old : sysctl->least;
	if (sysctl->least == 0)
		return;
	changed = update_holds(sysctl);
	if (begin_holds(sysctl) || changed)
		save_state(sysctl);
	if (changed || sysctl->own.count > count)
		write_held(sysctl);
}

int sysctl_lower_all(struct sysctl *sysctl, int value)
{
	int now = read_setting(sysctl->directory, "all", sysctl->leaf), old;
	bool contested;

	if (now < 0)
		return now;
	old = true_old(sysctl, "all", now, value, &contested);
	sysctl->least = old > value ? old : 0;
	sysctl_hold_rest(sysctl);
	return sysctl_set(sysctl, "all", value);
}

void sysctl_hold(struct sysctl *sysctl, const char *name)
{
	struct setting *setting = find_setting(&sysctl->own, name);

	if (setting == NULL || setting->held)
		return;
	setting->held = true;
	setting->own = held_value(sysctl, setting);
	save_state(sysctl);
	write_held(sysctl);
}

bool sysctl_knows(const struct sysctl *sysctl, const char *name)
{
	return find_setting(&sysctl->own, name) != NULL;
}

const char *sysctl_nth_set(const struct sysctl *sysctl, size_t n)
{
	for (size_t i = 0; i < sysctl->own.count; i++)
		if (!sysctl->own.list[i].held && n-- == 0)
			return sysctl->own.list[i].name;
	return NULL;
}

void sysctl_forget(struct sysctl *sysctl, const char *name)
{
	struct setting *setting = find_setting(&sysctl->own, name);

	if (setting == NULL)
		return;
	forget(&sysctl->own, setting);
	save_state(sysctl);
}

static void check(struct sysctl *sysctl, struct setting *setting, sysctl_found *found, void *context)
{
	int now = read_setting(sysctl->directory, setting->name, sysctl->leaf), old;
	bool contested;

	if (now < 0 || now == setting->own) {
		setting->contested = false;
		return;
	}
	old = true_old(sysctl, setting->name, now, setting->own, &contested);
	if (contested) {
		if (!setting->contested && !setting->held)
			found(context, setting->name, now, setting->own, -EBUSY);
		setting->contested = true;
		return;
	}
	setting->old = old;
	setting->contested = false;
	if (setting->held)
		setting->own = held_value(sysctl, setting);
	save_state(sysctl);
	if (setting->own == now)
		return;
	found(context, setting->name, now, setting->own,
	      write_setting(sysctl->directory, setting->name, sysctl->leaf, setting->own));
}

void sysctl_check(struct sysctl *sysctl, sysctl_found *found, void *context)
{
	for (size_t i = 0; i < sysctl->own.count; i++)
		check(sysctl, &sysctl->own.list[i], found, context);
	sysctl_hold_rest(sysctl);
}

bool sysctl_is_empty(const struct sysctl *sysctl)
{
	return sysctl->own.count == 0;
}

void sysctl_put_back(struct sysctl *sysctl, const char *name)
{
	struct setting *found = find_setting(&sysctl->own, name), setting;
	struct settings others;
	unsigned restored = 0;

	if (found == NULL)
		return;
	setting = *found;
	forget(&sysctl->own, found);
	save_state(sysctl);
	read_others(sysctl, &others);
	if (!restore(sysctl, &setting, &others, &restored)) {
		/* Tries again at the end. */
		remember(&sysctl->own, name, setting.old, setting.own);
		save_state(sysctl);
	}
	free(others.list);
}

int sysctl_state_result(const struct sysctl *sysctl)
{
	return sysctl->state_result;
}

/* Two runs that end at the same time must not rely on each other. So this run gives up its lock, and does not
 * count as live any more, before it looks for others. */
void sysctl_free(struct sysctl *sysctl)
{
	struct settings others;

	if (sysctl == NULL)
		return;
	if (sysctl->state_fd >= 0)
		flock(sysctl->state_fd, LOCK_UN);
	read_others(sysctl, &others);
	restore_all(sysctl, &others);
	free(others.list);
	save_state(sysctl);
	/* The last run restores what is left of killed runs. */
	if (sysctl->state_path != NULL)
		settle_killed_runs(sysctl);
	if (sysctl->state_fd >= 0)
		close(sysctl->state_fd);
	free(sysctl->directory);
	free(sysctl->leaf);
	free(sysctl->state_path);
	free(sysctl->own.list);
	free(sysctl);
}

int sysctl_value(const char *directory, const char *name, const char *leaf)
{
	return read_setting(directory, name, leaf);
}

int sysctl_rp_filter(const char *directory, const char *name)
{
	int all = read_setting(directory, "all", SYSCTL_RP_FILTER);
	int own = read_setting(directory, name, SYSCTL_RP_FILTER);

	if (all < 0 || own < 0)
		return all < 0 ? all : own;
	return own > all ? own : all;
}
