/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/control/socket.h"

#include "daemon/log/log.h"
#include "kernel/file.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LISTEN_BACKLOG 64

static struct sockaddr_un socket_address(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	memcpy(address.sun_path, path, strlen(path) + 1); /* the configuration keeps it short enough */
	return address;
}

/* 0, or -errno. A socket that is left of a run that was killed goes. */
static int remove_leftover(const char *path)
{
	struct sockaddr_un address = socket_address(path);
	struct stat status;
	int fd, result = 0;

	if (lstat(path, &status) != 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(status.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 || errno == EAGAIN)
		result = -EADDRINUSE;
	else if (errno != ECONNREFUSED || unlink(path) != 0)
		result = -errno;
	close(fd);
	return result;
}

static gid_t find_group(const char *name)
{
	const struct group *group = name[0] != '\0' ? getgrnam(name) : NULL;

	if (group == NULL && name[0] != '\0')
		warnx("control_group %s: no such group", name);
	return group != NULL ? group->gr_gid : OWNER_NO_GROUP;
}

/* Another user who may write to the directory can put a link in the place of the socket. So this changes only a
 * socket of this user that has no other name. */
static int give_to_group(const char *path, gid_t group)
{
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC), result = 0;
	struct stat status;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) != 0 || !S_ISSOCK(status.st_mode) || status.st_nlink != 1 ||
	    status.st_uid != geteuid())
		result = -EEXIST;
	else if (fchownat(fd, "", (uid_t)-1, group, AT_EMPTY_PATH) != 0)
		result = -errno;
	close(fd);
	return result;
}

/* The socket gets its mode when it is made: nothing changes the mode of a path. No client can connect before it
 * listens, and by then it has its group. */
static int bind_socket(int fd, const struct config_control *config, gid_t group)
{
	struct sockaddr_un address = socket_address(config->socket);
	mode_t mask = umask(~(mode_t)config->mode & 0777);
	int result = bind(fd, (struct sockaddr *)&address, sizeof address) == 0 ? 0 : -errno, given = 0;

	umask(mask);
	if (result != 0)
		return result;
	if (group != OWNER_NO_GROUP)
		given = give_to_group(config->socket, group);
	if (given != 0)
		warnx("control_socket %s: cannot be given to group %s: %s", config->socket, config->group,
		      strerror(-given));
	return listen(fd, LISTEN_BACKLOG) == 0 ? 0 : -errno;
}

int control_socket_open(const struct config_control *config, bool taking_over, gid_t *group)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int result = fd >= 0 ? 0 : -errno;

	*group = find_group(config->group);
	file_make_directory(config->socket);
	if (result == 0)
		result = remove_leftover(config->socket);
	if (result == 0)
		result = bind_socket(fd, config, *group);
	if (result == 0)
		return fd;
	if (result == -EADDRINUSE && !taking_over)
		warnx("control_socket %s: another process listens there; name another one, or \"none\"",
		      config->socket);
	else if (result != -EADDRINUSE)
		warnx("control_socket %s: %s; going on without", config->socket, strerror(-result));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Is a peer in a group, as its main one or another? */
static bool is_member(int fd, const struct ucred *peer, gid_t gid)
{
	gid_t none, *groups;
	socklen_t size = 0;
	bool found = false;

	if (peer->gid == gid)
		return true;
	/* Without room the kernel returns how much it needs. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, &none, &size) == 0 || errno != ERANGE)
		return false;
	groups = malloc(size);
	if (groups != NULL && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == 0)
		for (size_t i = 0; i < size / sizeof groups[0]; i++)
			found |= groups[i] == gid;
	free(groups);
	return found;
}

bool control_socket_may_change(int fd, gid_t group)
{
	struct ucred peer;
	socklen_t size = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
		return false;
	if (peer.uid == 0 || peer.uid == geteuid())
		return true;
	return group != OWNER_NO_GROUP && is_member(fd, &peer, group);
}
