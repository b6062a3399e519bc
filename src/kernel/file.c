/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NAME_TRIES 8

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#endif

/* The directory of a path, as an O_PATH descriptor with its status. *leaf: the last part of the path. */
static int open_directory(const char *path, const char **leaf, struct stat *status)
{
	const char *slash = strrchr(path, '/');
	char directory[FILE_PATH_SIZE] = ".";
	int fd;

	if (*path == '\0')
		return -ENOENT;
	if (slash != NULL && (size_t)snprintf(directory, sizeof directory, "%.*s", (int)(slash - path + 1),
	                                      path) >= sizeof directory)
		return -ENAMETOOLONG;
	*leaf = slash != NULL ? slash + 1 : path;
	if (**leaf == '\0')
		*leaf = ".";
	fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, status) == 0)
		return fd < 0 ? -errno : fd;
	close(fd);
	return -EIO;
}

/* Can only root and this user put a link there? */
static bool is_private(const struct stat *directory)
{
	return (directory->st_uid == 0 || directory->st_uid == geteuid()) &&
	       (directory->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static bool is_named(enum file_use use)
{
	return use == FILE_NAMED || use == FILE_STREAM;
}

/* Is the path the name of a descriptor that this process was started with? */
static bool is_descriptor(const char *path)
{
	return strcmp(path, "/dev/stdin") == 0 || strncmp(path, "/dev/fd/", 8) == 0 ||
	       strncmp(path, "/proc/self/fd/", 14) == 0;
}

/* 0, or why the file is not acceptable. */
static int check(const struct stat *file, const struct stat *directory, const char *path, enum file_use use)
{
	if (S_ISDIR(file->st_mode))
		return -EISDIR;
	if (use == FILE_STREAM && S_ISFIFO(file->st_mode) && is_descriptor(path))
		return 0;
	if (!S_ISREG(file->st_mode))
		return -ENXIO;
	if (is_named(use) && is_private(directory))
		return 0;
	if (file->st_nlink > 1)
		return -EMLINK;
	if (is_named(use) || file->st_uid == 0 || file->st_uid == geteuid() ||
	    file->st_uid == directory->st_uid)
		return 0;
	return -EACCES;
}

int file_open(const char *path, enum file_use use, mode_t mode)
{
	/* O_NONBLOCK, because to open a FIFO or a device may block. */
	int flags = O_CLOEXEC | O_NOCTTY | O_NONBLOCK, result, directory_fd, fd;
	struct stat directory, file;
	const char *leaf;

	directory_fd = open_directory(path, &leaf, &directory);
	if (directory_fd < 0)
		return directory_fd;
	flags |= use == FILE_OUTPUT ? O_WRONLY | O_APPEND | O_CREAT : O_RDONLY;
	flags |= is_named(use) && is_private(&directory) ? 0 : O_NOFOLLOW;
	fd = openat(directory_fd, leaf, flags, mode);
	result = fd < 0 ? -errno : 0;
	close(directory_fd);
	if (result == 0)
		result = fstat(fd, &file) == 0 ? check(&file, &directory, path, use) : -errno;
	/* Empties the file only after the checks. */
	if (result == 0 && use == FILE_OUTPUT && file.st_size > 0 && ftruncate(fd, 0) != 0)
		result = -errno;
	if (result == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return result;
}

int file_open_temporary(const char *path, mode_t mode, char name[FILE_PATH_SIZE])
{
	int fd = -1;

	for (int i = 0; fd < 0 && i < NAME_TRIES; i++) {
		uint64_t number;

		if (getrandom(&number, sizeof number, 0) != sizeof number)
			return -EIO;
		if (snprintf(name, FILE_PATH_SIZE, "%s.%016" PRIx64, path, number) >= FILE_PATH_SIZE)
			return -ENAMETOOLONG;
		fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	if (fd < 0)
		return -errno;
	fchmod(fd, mode); /* the umask may have taken bits away */
	return fd;
}

/* Never gives the file a second name, because another run would then refuse it as a hard link. */
static int rename_new(const char *temporary, const char *path)
{
	struct stat there;

	if (syscall(SYS_renameat2, AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	/* The file system cannot do that: then there is a gap between the two calls. */
	if (lstat(path, &there) == 0)
		return -EEXIST;
	return rename(temporary, path) == 0 ? 0 : -errno;
}

int file_rename(const char *temporary, const char *path, bool replace)
{
	int result;

	if (replace)
		result = rename(temporary, path) == 0 ? 0 : -errno;
	else
		result = rename_new(temporary, path);
	if (result != 0)
		unlink(temporary);
	return result;
}

int file_make_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	char directory[FILE_PATH_SIZE];
	mode_t mask;
	int result;

	if (slash == NULL || slash == path)
		return 0;
	if ((size_t)snprintf(directory, sizeof directory, "%.*s", (int)(slash - path), path) >=
	    sizeof directory)
		return -ENAMETOOLONG;
	mask = umask(0);
	result = mkdir(directory, 0755) == 0 || errno == EEXIST ? 0 : -errno;
	umask(mask);
	return result;
}

static int64_t milliseconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

ssize_t file_read(int fd, char *buffer, size_t size, int patience)
{
	int64_t until = milliseconds_now() + patience;
	size_t used = 0;

	while (used < size) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		ssize_t got = read(fd, buffer + used, size - used);
		int64_t left;

		if (got == 0)
			break;
		if (got > 0) {
			used += (size_t)got;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		left = until - milliseconds_now();
		if (left <= 0)
			return -ETIMEDOUT;
		poll(&wait, 1, (int)left);
	}
	return (ssize_t)used;
}

const char *file_problem(int result)
{
	switch (-result) {
	case ENXIO:
		return "a FIFO, a device or a socket; a regular file is expected";
	case ELOOP:
		return "a symbolic link, which is not followed here";
	case EMLINK:
		return "a file with several hard links, which is not used here";
	case ETIMEDOUT:
		return "the pipe does not end";
	default:
		return strerror(-result);
	}
}
