/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/owner/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static struct {
	int fd;
	mtime watchdog_interval;
} manager = {.fd = -1, .watchdog_interval = MTIME_NEVER};

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(path);
	int fd;

	/* Nothing but a path, and @ for the abstract namespace, has a place in sun_path. */
	if ((*path != '/' && *path != '@') || length < 2 || length >= sizeof address.sun_path)
		return -1;
	memcpy(address.sun_path, path, length);
	if (*path == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address,
	                       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static mtime read_watchdog(void)
{
	const char *interval = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	intmax_t microseconds = interval != NULL ? strtoimax(interval, NULL, 10) : 0;

	if (pid != NULL && strtoimax(pid, NULL, 10) != getpid())
		return MTIME_NEVER; /* meant for another process */
	return microseconds >= 1000 ? microseconds / 1000 : MTIME_NEVER;
}

void notify_open(void)
{
	const char *path = getenv("NOTIFY_SOCKET");

	if (path != NULL)
		manager.fd = connect_to(path);
	if (manager.fd >= 0)
		manager.watchdog_interval = read_watchdog();
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

void notify_close(void)
{
	if (manager.fd >= 0)
		close(manager.fd);
	manager.fd = -1;
	manager.watchdog_interval = MTIME_NEVER;
}

bool notify_is_open(void)
{
	return manager.fd >= 0;
}

mtime notify_watchdog_interval(void)
{
	return manager.watchdog_interval;
}

/* The socket of a manager that has ended never reaches another one: from then on there is no manager. */
static bool is_done(ssize_t sent)
{
	if (sent >= 0)
		return true;
	if (errno != ECONNREFUSED && errno != ENOTCONN && errno != ECONNRESET && errno != EPIPE)
		return false;
	close(manager.fd);
	manager.fd = -1;
	return true;
}

static bool tell(const char *message)
{
	size_t length = strlen(message);

	return manager.fd < 0 || is_done(send(manager.fd, message, length, MSG_NOSIGNAL));
}

bool notify_ready(void)
{
	return tell("READY=1");
}

bool notify_reloading(void)
{
	char message[64];
	struct timespec now;

	/* The manager tells by the time whether the READY that follows belongs to this reload. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(message, sizeof message, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
	         (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	return tell(message);
}

bool notify_stopping(void)
{
	return tell("STOPPING=1");
}

bool notify_watchdog(void)
{
	return tell("WATCHDOG=1");
}

bool notify_status(const char *text)
{
	char message[512];

	snprintf(message, sizeof message, "STATUS=%s", text);
	return tell(message);
}

bool notify_store(int fd, const char *name)
{
	char text[512];
	/* FDPOLL: without it the manager closes a descriptor that reports an error. */
	int length = snprintf(text, sizeof text, "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
	struct iovec part = {.iov_base = text, .iov_len = (size_t)length};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof fd)];
	} control = {0};
	struct msghdr message = {.msg_iov = &part,
	                         .msg_iovlen = 1,
	                         .msg_control = control.bytes,
	                         .msg_controllen = sizeof control.bytes};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(header), &fd, sizeof fd);
	return manager.fd < 0 || is_done(sendmsg(manager.fd, &message, MSG_NOSIGNAL));
}

void notify_wait(mtime most)
{
	struct pollfd wait = {.fd = manager.fd, .events = POLLOUT};

	poll(&wait, 1, (int)most);
}

bool notify_unstore(const char *name)
{
	char message[512];

	snprintf(message, sizeof message, "FDSTOREREMOVE=1\nFDNAME=%s", name);
	return tell(message);
}
