/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/sysctl.h"

#include "kernel/sysctl_state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct sysctl {
	char *directory;
	char *leaf;
	struct sysctl_state state;
	int least;           /* of held settings; 0: none is held */
	struct settings own; /* in the order in which they were set */
};

static int open_setting(const char *directory, const char *name, const char *leaf, int flags)
{
	char path[PATH_MAX];
	int fd;

	if (!setting_has_name(name))
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

static int value_now(const struct sysctl *sysctl, const char *name)
{
	return read_setting(sysctl->directory, name, sysctl->leaf);
}

static int write_value(const struct sysctl *sysctl, const char *name, int value)
{
	int fd = open_setting(sysctl->directory, name, sysctl->leaf, O_WRONLY);
	int result;

	if (fd < 0)
		return fd;
	result = dprintf(fd, "%d\n", value) < 0 ? -errno : 0;
	close(fd);
	return result;
}

static void save_state(struct sysctl *sysctl)
{
	sysctl_state_save(&sysctl->state, &sysctl->own, sysctl->least != 0);
}

/* True when the setting needs nothing more. A value that another program has set since stays. If another run
 * needs the setting, its value stays or is set; that run knows the old value, too. */
static bool restore(const struct sysctl *sysctl, const struct setting *setting, const struct settings *others,
                    unsigned *restored)
{
	int now = value_now(sysctl, setting->name);
	const struct setting *other = setting_find(others, setting->name);
	int value = other != NULL ? other->own : setting->old;

	if (now != setting->own || now == value)
		return now >= 0 || now == -ENOENT;
	if (write_value(sysctl, setting->name, value) != 0)
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
			setting_forget(&sysctl->own, &sysctl->own.list[i]);
	return restored;
}

/* Interfaces are held while `all` is lower than it was. */
static void find_least(struct sysctl *sysctl)
{
	const struct setting *all = setting_find(&sysctl->own, "all");

	sysctl->least = all != NULL && all->old > all->own ? all->old : sysctl->least;
}

static unsigned settle_killed_runs(struct sysctl *sysctl, bool keep)
{
	struct settings others;
	int fds[SYSCTL_RUNS_MAX];
	int result = sysctl_state_take_over(&sysctl->state, fds, &sysctl->own, &others);
	unsigned restored = keep ? 0 : restore_all(sysctl, &others);

	if (keep)
		find_least(sysctl);
	/* Values that could not be restored go into this run's file. */
	save_state(sysctl);
	sysctl_state_end(&sysctl->state, fds);
	free(others.list);
	if (result == 0)
		return restored;
	/* A file that cannot be taken over stays as it is. */
	sysctl->state.result = result;
	free(sysctl->state.path);
	sysctl->state.path = NULL;
	return restored;
}

struct sysctl *sysctl_new(const char *directory, const char *leaf, const char *state_path, bool keep,
                          unsigned *restored)
{
	struct sysctl *sysctl = calloc(1, sizeof *sysctl);

	*restored = 0;
	if (sysctl == NULL)
		return NULL;
	sysctl->directory = strdup(directory);
	sysctl->leaf = strdup(leaf);
	if (!sysctl_state_open(&sysctl->state, state_path) || sysctl->directory == NULL ||
	    sysctl->leaf == NULL) {
		sysctl_free(sysctl);
		return NULL;
	}
	if (sysctl->state.path != NULL)
		*restored = settle_killed_runs(sysctl, keep);
	return sysctl;
}

/* If another run has set the present value, that run knows the old one. */
static int true_old(const struct sysctl *sysctl, const char *name, int now, int own, bool *contested)
{
	const struct setting *other;
	struct settings others;
	int old = now;

	sysctl_state_read_others(&sysctl->state, &others);
	other = setting_find(&others, name);
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
	const struct setting *initial = setting_find(&sysctl->own, "default");
	int old = true_old(sysctl, name, now, own, contested);

	bool is_copy = initial != NULL && old == now && now == initial->own && strcmp(name, "all") != 0;

	return is_copy ? initial->old : old;
}

int sysctl_set(struct sysctl *sysctl, const char *name, int own)
{
	int now = value_now(sysctl, name), old;
	struct setting *known = setting_find(&sysctl->own, name);
	bool contested;

	if (known != NULL)
		known->held = known->contested = false;
	if (now < 0 || (now == own && known != NULL && known->own == own))
		return now < 0 ? now : 0;
	old = known != NULL ? true_old(sysctl, name, now, own, &contested)
	                    : true_old_of_new(sysctl, name, now, own, &contested);
	if (setting_remember(&sysctl->own, name, old, own) == NULL)
		return -ENOMEM;
	/* First the file, then the setting: so a kill between the two does no harm. */
	save_state(sysctl);
	return now == own ? 0 : write_value(sysctl, name, own);
}

static int held_value(const struct sysctl *sysctl, const struct setting *setting)
{
	return setting->old > sysctl->least ? setting->old : sysctl->least;
}

/* Begins to hold a setting, without writing it. A value that another run has set stays. True when that changes
 * the state. */
static bool begin_hold(struct sysctl *sysctl, const char *name)
{
	int now = value_now(sysctl, name), old;
	struct setting *setting;
	bool contested;

	if (now < 0 || setting_find(&sysctl->own, name) != NULL)
		return false;
	old = true_old_of_new(sysctl, name, now, -1, &contested);
	setting = setting_remember(&sysctl->own, name, old, old);
	if (setting == NULL)
		return false;
	setting->held = true;
	setting->own = held_value(sysctl, setting);
	return true;
}

/* sysctl_check retries a value that cannot be written now. What another run has set in the meantime stays. */
static void write_held(struct sysctl *sysctl)
{
	struct settings others;

	sysctl_state_read_others(&sysctl->state, &others);
	for (size_t i = 0; i < sysctl->own.count; i++) {
		struct setting *setting = &sysctl->own.list[i];
		const struct setting *other = setting_find(&others, setting->name);

		if (!setting->held || value_now(sysctl, setting->name) == setting->own)
			continue;
		setting->contested = other != NULL && !other->held;
		if (!setting->contested)
			write_value(sysctl, setting->name, setting->own);
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
	size_t count = sysctl->own.count;
	bool changed;

	find_least(sysctl);
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
	int now = value_now(sysctl, "all"), old;
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
	struct setting *setting = setting_find(&sysctl->own, name);

	if (setting == NULL || setting->held)
		return;
	setting->held = true;
	setting->own = held_value(sysctl, setting);
	save_state(sysctl);
	write_held(sysctl);
}

bool sysctl_knows(const struct sysctl *sysctl, const char *name)
{
	return setting_find(&sysctl->own, name) != NULL;
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
	struct setting *setting = setting_find(&sysctl->own, name);

	if (setting == NULL)
		return;
	setting_forget(&sysctl->own, setting);
	save_state(sysctl);
}

static void check(struct sysctl *sysctl, struct setting *setting, sysctl_found *found, void *context)
{
	int now = value_now(sysctl, setting->name), old;
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
	found(context, setting->name, now, setting->own, write_value(sysctl, setting->name, setting->own));
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
	struct setting *found = setting_find(&sysctl->own, name), setting;
	struct settings others;
	unsigned restored = 0;

	if (found == NULL)
		return;
	setting = *found;
	setting_forget(&sysctl->own, found);
	save_state(sysctl);
	sysctl_state_read_others(&sysctl->state, &others);
	if (!restore(sysctl, &setting, &others, &restored)) {
		/* Tries again at the end. */
		setting_remember(&sysctl->own, name, setting.old, setting.own);
		save_state(sysctl);
	}
	free(others.list);
}

int sysctl_state_result(const struct sysctl *sysctl)
{
	return sysctl->state.result;
}

/* Two runs that end at the same time must not rely on each other. So this run gives up its lock, and does not
 * count as live any more, before it looks for others. */
void sysctl_free(struct sysctl *sysctl)
{
	struct settings others;

	if (sysctl == NULL)
		return;
	sysctl_state_unlock(&sysctl->state);
	sysctl_state_read_others(&sysctl->state, &others);
	restore_all(sysctl, &others);
	free(others.list);
	save_state(sysctl);
	/* The last run restores what is left of killed runs. */
	if (sysctl->state.path != NULL)
		settle_killed_runs(sysctl, false);
	sysctl_state_close(&sysctl->state);
	free(sysctl->directory);
	free(sysctl->leaf);
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
