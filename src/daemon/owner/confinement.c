/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/confinement.h"

#include "daemon/log/log.h"
#include "daemon/owner/owner.h"
#include "daemon/owner/user.h"
#include "daemon/sandbox/landlock.h"
#include "daemon/sandbox/privileges.h"
#include "daemon/sandbox/system_calls.h"
#include "kernel/file.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The directory of a path, as it is written. */
static void name_directory(const char *path, char directory[PATH_MAX])
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		snprintf(directory, PATH_MAX, ".");
	else
		snprintf(directory, PATH_MAX, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

/* The directory of a path, without symbolic links; empty: there is none. */
static void find_directory(const char *path, char directory[PATH_MAX])
{
	char name[PATH_MAX];

	directory[0] = '\0';
	if (path == NULL || *path == '\0')
		return;
	name_directory(path, name);
	if (realpath(name, directory) == NULL)
		directory[0] = '\0';
}

/* The directory of the control socket is usually in /run, which is empty after every start of the machine. */
static void make_directories(const struct owner *owner)
{
	file_make_directory(RUN_DIRECTORY "/");
	if (owner->config->control.socket[0] != '\0')
		file_make_directory(owner->config->control.socket);
}

/* What the new user cannot reach fails later, when the reason is harder to see. */
static void check_access(const struct owner *owner)
{
	const struct confinement *confinement = &owner->confinement;
	const struct config *config = owner->config;
	const char *path = owner->options->config_path, *user = confinement->user;

	if (path != NULL && access(path, R_OK) != 0)
		warnx("%s: user %s cannot read it, and a reload will fail; make it readable for that user",
		      path, user);
	if (config->control.socket[0] != '\0' && access(confinement->control_directory, W_OK | X_OK) != 0)
		warnx("control_socket %s: user %s cannot write to its directory; give it the directory, or name "
		      "a socket in " RUN_DIRECTORY,
		      config->control.socket, user);
	if (config->status_file != NULL && access(confinement->status_directory, W_OK | X_OK) != 0)
		warnx("status_file %s: user %s cannot write to its directory; give it the directory, or name a "
		      "file in " RUN_DIRECTORY,
		      config->status_file, user);
}

/* A configuration file may be a symbolic link: a reload follows it. */
static int restrict_files(const struct owner *owner)
{
	const struct confinement *confinement = &owner->confinement;
	const char *path = owner->options->config_path;
	char config_link[PATH_MAX], config_target[PATH_MAX] = "", target[PATH_MAX];
	const struct landlock_rule rules[] = {
		{"/proc", LANDLOCK_READ},
		{"/proc/sys/net", LANDLOCK_WRITE},
		{RUN_DIRECTORY, LANDLOCK_REPLACE},
		{confinement->control_directory, LANDLOCK_REPLACE},
		{confinement->status_directory, LANDLOCK_REPLACE},
		{config_link, LANDLOCK_READ},
		{config_target, LANDLOCK_READ},
		/* control_group, also after a reload */
		{"/etc/group", LANDLOCK_READ},
		{"/etc/nsswitch.conf", LANDLOCK_READ},
	};

	if (!LANDLOCK_IS_BUILT)
		return -ENOPKG;
	find_directory(path, config_link);
	if (path != NULL && realpath(path, target) != NULL)
		name_directory(target, config_target);
	return landlock_restrict(rules, sizeof rules / sizeof rules[0]);
}

static void log_missing(int result, const char *what)
{
	if (result >= 0 || result == -ENOPKG)
		return;
	errno = -result;
	warn("confinement: %s; the daemon runs without this protection", what);
}

int confinement_begin(struct owner *owner)
{
	struct confinement *confinement = &owner->confinement;
	bool own_user = false;
	int result;

	make_directories(owner);
	find_directory(owner->config->control.socket, confinement->control_directory);
	find_directory(owner->config->status_file, confinement->status_directory);
	/* The C library loads a source of groups when it first needs it, and cannot load one later. */
	if (owner->config->control.group[0] != '\0')
		getgrnam(owner->config->control.group);
	result = user_become(owner->config, &own_user, confinement->user);
	if (result != 0)
		return result;
	if (own_user)
		check_access(owner);
	log_missing(privileges_keep(own_user ? PRIVILEGES_NETWORK : PRIVILEGES_FILES),
	            "privileges that are not needed cannot be removed");
	result = restrict_files(owner);
	log_missing(result, "files cannot be limited by Landlock");
	confinement->landlock = result > 0 ? result : 0;
	result = system_calls_limit_process();
	log_missing(result, "system calls cannot be limited by seccomp");
	confinement->system_calls = result == 0;
	return 0;
}

/* Is a directory the one that Landlock permits, or RUN_DIRECTORY? */
static bool is_writable(const char *path, const char *permitted)
{
	char directory[PATH_MAX], run[PATH_MAX];

	find_directory(path, directory);
	return strcmp(directory, permitted) == 0 ||
	       (realpath(RUN_DIRECTORY, run) != NULL && strcmp(directory, run) == 0);
}

bool confinement_check_reload(const struct owner *owner, const struct config *old)
{
	static const char remedy[] =
		"the daemon can write only to the directories that it had at its start; restart it";
	const struct confinement *confinement = &owner->confinement;
	const struct config *config = owner->config;

	if (strcmp(config->user, old->user) != 0 || strcmp(config->group, old->group) != 0)
		warnx("reload: #%u: user, group: restart the daemon to change them", owner->reloads);
	if (!LANDLOCK_IS_BUILT || confinement->landlock == 0)
		return true;
	if (config->status_file != NULL && !is_writable(config->status_file, confinement->status_directory))
		warnx("reload: #%u: status_file %s: %s", owner->reloads, config->status_file, remedy);
	if (config->control.socket[0] == '\0' ||
	    is_writable(config->control.socket, confinement->control_directory))
		return true;
	warnx("reload: #%u: control_socket %s: %s", owner->reloads, config->control.socket, remedy);
	return false;
}
