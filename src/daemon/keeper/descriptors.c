/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/keeper/descriptors.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT_MAX 8192
#define NAME_SIZE 96
#define FIRST     3

static struct descriptor {
	int fd;
	pid_t from;
	bool removed; /* by a process that may be given up */
	bool passed;  /* to the newest process */
	char name[NAME_SIZE];
} descriptors[COUNT_MAX];
static size_t count;

static bool is_link(const struct descriptor *descriptor)
{
	return strncmp(descriptor->name, "link.", 5) == 0;
}

static void drop_if(bool (*unwanted)(const struct descriptor *descriptor, const void *argument),
                    const void *argument)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (unwanted(&descriptors[i], argument))
			close(descriptors[i].fd);
		else
			descriptors[kept++] = descriptors[i];
	count = kept;
}

void descriptors_add(pid_t from, const char *name, int fd)
{
	if (count == COUNT_MAX || strlen(name) >= NAME_SIZE) {
		close(fd);
		return;
	}
	descriptors[count] = (struct descriptor){.fd = fd, .from = from};
	strcpy(descriptors[count++].name, name);
}

static bool is_removed(const struct descriptor *descriptor, const void *argument)
{
	(void)argument;
	return descriptor->removed;
}

static bool is_from(const struct descriptor *descriptor, const void *argument)
{
	return descriptor->from == *(const pid_t *)argument;
}

static bool is_rest(const struct descriptor *descriptor, const void *argument)
{
	return !descriptor->passed && !is_from(descriptor, argument);
}

static bool is_any(const struct descriptor *descriptor, const void *argument)
{
	(void)descriptor;
	(void)argument;
	return true;
}

void descriptors_settle(void)
{
	drop_if(is_removed, NULL);
}

void descriptors_remove(const char *name, bool settled)
{
	for (size_t i = 0; i < count; i++)
		descriptors[i].removed |= strcmp(descriptors[i].name, name) == 0;
	if (settled)
		descriptors_settle();
}

void descriptors_revert(pid_t from)
{
	drop_if(is_from, &from);
	for (size_t i = 0; i < count; i++)
		descriptors[i].removed = false;
}

void descriptors_drop_rest(pid_t daemon)
{
	drop_if(is_rest, &daemon);
}

void descriptors_drop_all(void)
{
	drop_if(is_any, NULL);
}

void descriptors_choose(bool with_links)
{
	for (size_t i = 0; i < count; i++)
		descriptors[i].passed = with_links || !is_link(&descriptors[i]);
}

void descriptors_pass(void)
{
	char *names = calloc(count + 1, NAME_SIZE), number[16];
	size_t passed = 0, used = 0;

	/* First above all numbers that are to be used. */
	for (size_t i = 0; i < count; i++) {
		if (names == NULL || !descriptors[i].passed)
			continue;
		used += (size_t)sprintf(names + used, "%s%s", passed > 0 ? ":" : "", descriptors[i].name);
		descriptors[passed++].fd = fcntl(descriptors[i].fd, F_DUPFD_CLOEXEC, FIRST + (int)count);
	}
	for (size_t i = 0; i < passed; i++)
		dup2(descriptors[i].fd, FIRST + (int)i);
	snprintf(number, sizeof number, "%zu", passed);
	setenv("LISTEN_FDS", number, 1);
	snprintf(number, sizeof number, "%d", (int)getpid());
	setenv("LISTEN_PID", number, 1);
	setenv("LISTEN_FDNAMES", names != NULL ? names : "", 1);
	free(names);
}
