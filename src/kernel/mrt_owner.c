/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/mrt_owner.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOCKETS_MAX 64

/* How likely a process holds the MRT socket. Programs that do not route multicast have raw ICMPv6 sockets,
 * too; and without privileges only names are visible. */
enum evidence { EVIDENCE_NONE, EVIDENCE_SOCKET, EVIDENCE_NAME, EVIDENCE_BOTH };

/* The kernel cuts the names of processes after 15 characters. */
static const struct {
	const char *name;
	bool routes[FAMILIES];
} routers[] = {
	{"igmpproxy", {true, false}}, {"mrouted", {true, false}},       {"pimd", {true, false}},
	{"pim6d", {false, true}},     {"pim6sd", {false, true}},        {"ecmh", {false, true}},
	{"smcroute", {true, true}},   {"smcrouted", {true, true}},      {"omcproxy", {true, true}},
	{"mcproxy", {true, true}},    {MRT_OWNER_KEEPER, {true, true}},
};

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

static bool is_router(const char *name, enum family family)
{
	for (size_t i = 0; i < sizeof routers / sizeof routers[0]; i++)
		if (strcmp(routers[i].name, name) == 0)
			return routers[i].routes[family];
	return false;
}

/* Is the process in this network namespace? Each namespace has its own file; stat needs no privileges. */
static bool is_near(const char *pid)
{
	struct stat own, other;
	char path[64];

	snprintf(path, sizeof path, "/proc/%.32s/net/raw", pid);
	return stat("/proc/self/net/raw", &own) == 0 && stat(path, &other) == 0 && own.st_ino == other.st_ino;
}

/* *known: the descriptors of the process are readable. */
static bool process_has_one(const char *pid, const unsigned long *inodes, size_t count, bool *known)
{
	char path[300], target[64];
	const struct dirent *entry;
	bool found = false;
	DIR *directory;

	snprintf(path, sizeof path, "/proc/%.32s/fd", pid);
	directory = opendir(path);
	*known = directory != NULL;
	while (directory != NULL && !found && (entry = readdir(directory)) != NULL) {
		ssize_t length;

		snprintf(path, sizeof path, "/proc/%.32s/fd/%.32s", pid, entry->d_name);
		length = readlink(path, target, sizeof target - 1);
		if (length < 0 && errno == EACCES)
			*known = false;
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
	for (char *character = name; *character != '\0'; character++)
		if (*character < ' ' || *character > '~')
			*character = '?';
	if (file != NULL)
		fclose(file);
}

static enum evidence look_at(const char *pid, enum family family, bool by_name, const unsigned long *inodes,
                             size_t count, char name[MRT_OWNER_NAME_SIZE])
{
	bool known, has_socket = process_has_one(pid, inodes, count, &known);

	if (known && !has_socket)
		return EVIDENCE_NONE;
	read_name(pid, name);
	if (!is_router(name, family))
		return has_socket ? EVIDENCE_SOCKET : EVIDENCE_NONE;
	if (has_socket)
		return EVIDENCE_BOTH;
	return by_name && is_near(pid) ? EVIDENCE_NAME : EVIDENCE_NONE;
}

bool mrt_owner_find(enum family family, bool by_name, pid_t *pid, char name[MRT_OWNER_NAME_SIZE])
{
	unsigned long inodes[SOCKETS_MAX];
	size_t count = read_inodes(family, inodes);
	enum evidence best = EVIDENCE_NONE;
	const struct dirent *entry;
	DIR *processes = count > 0 ? opendir("/proc") : NULL;

	while (processes != NULL && best != EVIDENCE_BOTH && (entry = readdir(processes)) != NULL) {
		pid_t candidate = (pid_t)strtol(entry->d_name, NULL, 10);
		char text[MRT_OWNER_NAME_SIZE];
		enum evidence evidence;

		if (candidate <= 0 || candidate == getpid())
			continue;
		evidence = look_at(entry->d_name, family, by_name, inodes, count, text);
		if (evidence <= best)
			continue;
		best = evidence;
		*pid = candidate;
		memcpy(name, text, sizeof text);
	}
	if (processes != NULL)
		closedir(processes);
	return best != EVIDENCE_NONE;
}
