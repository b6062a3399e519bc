/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/mrt_owner.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SOCKETS_MAX 64

/* The inodes of the raw sockets of a protocol, from /proc/net/raw: the local "port" is the protocol. */
static size_t read_inodes(enum family family, unsigned long inodes[SOCKETS_MAX])
{
	unsigned wanted = family == FAMILY_IPV4 ? 2 : 58;
	FILE *file = fopen(family == FAMILY_IPV4 ? "/proc/net/raw" : "/proc/net/raw6", "re");
	char line[512];
	size_t count = 0;

	while (file != NULL && count < SOCKETS_MAX && fgets(line, sizeof line, file) != NULL) {
		unsigned protocol;
		unsigned long inode;

		if (sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*s %*s %*s %*s %*s %*s %*s %lu", &protocol,
		           &inode) == 2 &&
		    protocol == wanted)
			inodes[count++] = inode;
	}
	if (file != NULL)
		fclose(file);
	return count;
}

static bool is_one_of(const char *target, const unsigned long *inodes, size_t count)
{
	unsigned long inode;

	if (sscanf(target, "socket:[%lu]", &inode) != 1)
		return false;
	for (size_t i = 0; i < count; i++)
		if (inodes[i] == inode)
			return true;
	return false;
}

static bool process_has_one(const char *pid, const unsigned long *inodes, size_t count)
{
	char path[300], target[64];
	const struct dirent *entry;
	bool found = false;
	DIR *directory;

	snprintf(path, sizeof path, "/proc/%.32s/fd", pid);
	directory = opendir(path);
	while (directory != NULL && !found && (entry = readdir(directory)) != NULL) {
		ssize_t length;

		snprintf(path, sizeof path, "/proc/%.32s/fd/%.32s", pid, entry->d_name);
		length = readlink(path, target, sizeof target - 1);
		if (length <= 0)
			continue;
		target[length] = '\0';
		found = is_one_of(target, inodes, count);
	}
	if (directory != NULL)
		closedir(directory);
	return found;
}

static void read_name(const char *pid, char name[MRT_OWNER_NAME_SIZE])
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof path, "/proc/%.32s/comm", pid);
	file = fopen(path, "re");
	if (file == NULL || fgets(name, MRT_OWNER_NAME_SIZE, file) == NULL)
		snprintf(name, MRT_OWNER_NAME_SIZE, "?");
	name[strcspn(name, "\n")] = '\0';
	if (file != NULL)
		fclose(file);
}

bool mrt_owner_find(enum family family, pid_t *pid, char name[MRT_OWNER_NAME_SIZE])
{
	unsigned long inodes[SOCKETS_MAX];
	size_t count = read_inodes(family, inodes);
	const struct dirent *entry;
	bool found = false;
	DIR *processes = count > 0 ? opendir("/proc") : NULL;

	while (processes != NULL && !found && (entry = readdir(processes)) != NULL) {
		*pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (*pid <= 0 || *pid == getpid() || !process_has_one(entry->d_name, inodes, count))
			continue;
		read_name(entry->d_name, name);
		found = true;
	}
	if (processes != NULL)
		closedir(processes);
	return found;
}
