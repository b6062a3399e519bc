/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/confinement.h"

#include "daemon/log/log.h"
#include "daemon/sandbox/landlock.h"
#include "daemon/sandbox/privileges.h"
#include "daemon/sandbox/system_calls.h"
#include "web/names.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define GROUPS_MAX 64

/* 0 or -errno. */
static int become(const char *name)
{
	const struct passwd *user = getpwnam(name);
	gid_t groups[GROUPS_MAX];
	int count = GROUPS_MAX;

	if (user == NULL)
		return -ENOENT;
	if (user->pw_uid == 0)
		return 0;
	if (getgrouplist(name, user->pw_gid, groups, &count) < 0)
		return -E2BIG;
	return privileges_become(user->pw_uid, user->pw_gid, groups, (size_t)count);
}

/* The files that doctor and explain read; passwords are read before. */
static int limit_files(const char *const *files, size_t count)
{
	struct landlock_rule rules[2 + NAMES_FILES_MAX] = {{"/proc", LANDLOCK_READ}, {"/sys", LANDLOCK_READ}};

	for (size_t i = 0; i < count; i++)
		rules[2 + i] = (struct landlock_rule){files[i], LANDLOCK_READ};
	return landlock_restrict(rules, 2 + count);
}

bool confinement_enter(const char *user, const char *const *files, size_t count)
{
	int result = geteuid() == 0 ? become(user) : 0;

	if (result == -ENOENT) {
		warnx("user %s: no such user; create it, or name another one with --user", user);
		return false;
	}
	if (result == 0)
		result = privileges_keep(PRIVILEGES_NETWORK);
	if (result == 0)
		result = privileges_drop_all();
	if (result != 0) {
		errno = -result;
		warn("the privileges cannot be dropped");
		return false;
	}
	result = limit_files(files, count);
	if (result < 0 && result != -ENOSYS && result != -EOPNOTSUPP && result != -ENOPKG) {
		errno = -result;
		warn("Landlock cannot limit the files");
	}
	result = system_calls_limit_client();
	if (result == 0 || result == -ENOPKG)
		return true;
	errno = -result;
	warn("the system calls cannot be limited");
	return false;
}
