/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/client/session_problem.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_SIZE   64
#define GROUPS_MAX  256
#define AS_ROOT     "run this command as root, for example with sudo"
#define ADMIT_GROUP "; to admit a group, set control_group in the configuration of mcproxy"

static void user_name(char name[NAME_SIZE])
{
	const struct passwd *user = getpwuid(geteuid());

	if (user != NULL)
		snprintf(name, NAME_SIZE, "%s", user->pw_name);
	else
		snprintf(name, NAME_SIZE, "%u", (unsigned)geteuid());
}

static void group_name(gid_t gid, char name[NAME_SIZE])
{
	const struct group *group = getgrgid(gid);

	if (group != NULL)
		snprintf(name, NAME_SIZE, "%s", group->gr_name);
	else
		snprintf(name, NAME_SIZE, "%u", (unsigned)gid);
}

/* Has the user joined the group since the login? */
static bool will_be_member(gid_t gid)
{
	const struct passwd *user = getpwuid(geteuid());
	gid_t groups[GROUPS_MAX];
	int count = GROUPS_MAX;
	bool found = false;

	if (user == NULL || getgrouplist(user->pw_name, user->pw_gid, groups, &count) < 0)
		return false;
	for (int i = 0; i < count; i++)
		found |= groups[i] == gid;
	return found;
}

static bool has_group(gid_t gid)
{
	gid_t groups[GROUPS_MAX];
	int count = getgroups(GROUPS_MAX, groups);
	bool found = getegid() == gid;

	for (int i = 0; i < count; i++)
		found |= groups[i] == gid;
	return found;
}

/* The first part of the path that keeps this user out: a directory, or the socket itself. *bits: what the user
 * needs there. */
static bool find_closed(const char *path, struct stat *status, char part[256], mode_t *bits)
{
	size_t length = strlen(path);

	for (size_t end = 1; end <= length && end < 256; end++) {
		if (path[end] != '/' && end != length)
			continue;
		snprintf(part, 256, "%.*s", (int)end, path);
		if (stat(part, status) != 0)
			return false;
		*bits = end == length ? 02 : 01;
		if (access(part, end == length ? W_OK : X_OK) != 0)
			return true;
	}
	return false;
}

static void explain_denied(struct session_problem *problem, const char *socket)
{
	char user[NAME_SIZE], group[NAME_SIZE], part[256];
	struct stat status;
	mode_t bits;
	bool directory;

	user_name(user);
	if (!find_closed(socket, &status, part, &bits)) {
		snprintf(problem->what, sizeof problem->what, "Permission denied");
		snprintf(problem->remedy, sizeof problem->remedy, AS_ROOT);
		return;
	}
	directory = bits == 01;
	group_name(status.st_gid, group);
	if ((status.st_mode & (bits << 3)) == 0 || status.st_gid == 0 || has_group(status.st_gid)) {
		snprintf(problem->what, sizeof problem->what, "Permission denied: only root may %s%.150s",
		         directory ? "enter " : "connect", directory ? part : "");
		snprintf(problem->remedy, sizeof problem->remedy, AS_ROOT "%s", directory ? "" : ADMIT_GROUP);
		return;
	}
	snprintf(problem->what, sizeof problem->what,
	         "Permission denied: only root and group %s may %s%.120s", group,
	         directory ? "enter " : "connect", directory ? part : "");
	if (will_be_member(status.st_gid))
		snprintf(problem->remedy, sizeof problem->remedy,
		         "log in again: user %s has joined that group since this login", user);
	else
		snprintf(problem->remedy, sizeof problem->remedy, "sudo usermod -aG %s %s, then log in again",
		         group, user);
}

void session_problem_connect(struct session_problem *problem, const char *socket, int error)
{
	const char *remedy = "name another socket with --socket";

	*problem = (struct session_problem){.kind = SESSION_ABSENT};
	if (error == EACCES) {
		problem->kind = SESSION_DENIED;
		explain_denied(problem, socket);
		return;
	}
	if (error == ENOENT || error == ECONNREFUSED)
		remedy = "is mcproxy running, and is control_socket the same in its configuration? "
			 "mcproxyctl doctor checks that";
	if (error == EAGAIN) {
		problem->kind = SESSION_SILENT;
		remedy = "the daemon is busy with other clients, or stopped; try again";
	}
	snprintf(problem->what, sizeof problem->what, "%s", strerror(error));
	snprintf(problem->remedy, sizeof problem->remedy, "%s", remedy);
}

/* The state follows the name, which is in parentheses and may contain some. */
static bool is_stopped(pid_t pid)
{
	char path[64], line[512] = "";
	const char *end;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (file == NULL)
		return false;
	end = fgets(line, sizeof line, file) != NULL ? strrchr(line, ')') : NULL;
	fclose(file);
	return end != NULL && (strncmp(end, ") T", 3) == 0 || strncmp(end, ") t", 3) == 0);
}

void session_problem_silent(struct session_problem *problem, pid_t pid, unsigned seconds)
{
	char number[32] = "";

	if (pid > 0)
		snprintf(number, sizeof number, " (pid %d)", (int)pid);
	problem->kind = SESSION_SILENT;
	snprintf(problem->what, sizeof problem->what, "the daemon%s does not answer within %u s", number,
	         seconds);
	if (pid > 0 && is_stopped(pid))
		snprintf(problem->remedy, sizeof problem->remedy, "it is stopped; continue it: kill -CONT %d",
		         (int)pid);
	else
		snprintf(problem->remedy, sizeof problem->remedy,
		         "its log may show the reason; restart it: systemctl restart mcproxy");
}

void session_problem_closed(struct session_problem *problem)
{
	problem->kind = SESSION_SILENT;
	snprintf(problem->what, sizeof problem->what, "the daemon closed the connection");
	snprintf(problem->remedy, sizeof problem->remedy, "try again");
}
