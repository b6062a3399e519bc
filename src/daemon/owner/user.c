/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/user.h"

#include "daemon/log/log.h"
#include "daemon/owner/settings.h"
#include "daemon/sandbox/privileges.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_USER "mcproxy"

struct account {
	uid_t user;
	gid_t group;
	gid_t more[1]; /* the control socket's group, to which only a member can give a file */
	size_t more_count;
};

/* Gives away files and sockets that earlier runs of root left. Not a file with a second name, which may be
 * another program's. The descriptor decides which file it is, so that the owner of the directory gains
 * nothing. */
static void give_file(int directory_fd, const char *name, const struct account *account)
{
	int fd = openat(directory_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat status;

	if (fd < 0)
		return;
	if (fstat(fd, &status) == 0 && (S_ISREG(status.st_mode) || S_ISSOCK(status.st_mode)) &&
	    status.st_nlink == 1 && status.st_uid == 0 &&
	    fchownat(fd, "", account->user, account->group, AT_EMPTY_PATH) != 0)
		warn(RUN_DIRECTORY "/%s: cannot be given to the user of the daemon", name);
	close(fd);
}

static void give_run_directory(const struct account *account)
{
	int fd = open(RUN_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	struct stat status;

	if (directory == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	if (fstat(fd, &status) == 0 && status.st_uid == 0 && fchown(fd, account->user, account->group) != 0)
		warn(RUN_DIRECTORY ": cannot be given to the user of the daemon");
	while ((entry = readdir(directory)) != NULL)
		give_file(fd, entry->d_name, account);
	closedir(directory);
}

/* Looks for the default user in /etc/passwd only. A search in other sources would load their libraries, although
 * most machines have no such user. */
static const struct passwd *find_default(void)
{
	FILE *file = fopen("/etc/passwd", "re");
	const struct passwd *user = NULL;

	if (file == NULL)
		return NULL;
	do
		user = fgetpwent(file);
	while (user != NULL && strcmp(user->pw_name, DEFAULT_USER) != 0);
	fclose(file);
	return user;
}

/* False after a message. found: there is such a user, and it is not root. */
static bool find_account(const struct config *config, struct account *account, bool *found)
{
	const struct passwd *user = config->user[0] != '\0' ? getpwnam(config->user) : find_default();
	const struct group *group;

	*found = user != NULL && user->pw_uid != 0;
	if (user == NULL && config->user[0] != '\0')
		warnx("user %s: no such user; create it, or configure another one (\"root\": no change)",
		      config->user);
	if (user == NULL)
		return config->user[0] == '\0';
	*account = (struct account){.user = user->pw_uid, .group = user->pw_gid};
	group = config->control.group[0] != '\0' ? getgrnam(config->control.group) : NULL;
	if (group != NULL)
		account->more[account->more_count++] = group->gr_gid;
	group = config->group[0] != '\0' ? getgrnam(config->group) : NULL;
	if (group != NULL)
		account->group = group->gr_gid;
	if (group != NULL || config->group[0] == '\0')
		return true;
	warnx("group %s: no such group; create it, or configure another one", config->group);
	return false;
}

/* So that owner_priority can change without CAP_SYS_NICE. */
static void raise_nice_limit(void)
{
	struct rlimit limit = {.rlim_cur = 40, .rlim_max = 40}; /* a nice value of -20 */

	setrlimit(RLIMIT_NICE, &limit);
}

static void name_user(char name[CONFIG_ACCOUNT_SIZE])
{
	const struct passwd *user = getpwuid(geteuid());

	if (user != NULL)
		snprintf(name, CONFIG_ACCOUNT_SIZE, "%s", user->pw_name);
	else
		snprintf(name, CONFIG_ACCOUNT_SIZE, "%u", (unsigned)geteuid());
}

/* Root becomes the user that is configured, or the default one. */
static int leave_root(const struct config *config, bool *changed)
{
	struct account account;
	bool found;
	int result;

	if (!find_account(config, &account, &found))
		return 1;
	if (!found)
		return 0;
	raise_nice_limit();
	give_run_directory(&account);
	result = privileges_become(account.user, account.group, account.more, account.more_count);
	*changed = result == 0;
	if (result == 0)
		return 0;
	errno = -result;
	warn("user: the daemon cannot become user %u; \"root\" leaves the user unchanged",
	     (unsigned)account.user);
	return 1;
}

int user_become(const struct config *config, bool *changed, char name[CONFIG_ACCOUNT_SIZE])
{
	int result = geteuid() == 0 ? leave_root(config, changed) : 0;

	name_user(name);
	if (geteuid() != 0 && !*changed && config->user[0] != '\0' && strcmp(config->user, name) != 0)
		warnx("user %s: only root can change the user; the daemon stays user %s", config->user, name);
	return result;
}
