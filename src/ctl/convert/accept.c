/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/convert/accept.h"

#include "daemon/config/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* `file:line: option: reason`, where the file is none that the user has. */
static const char *skip_place(const char *error, const char *path, unsigned *line)
{
	size_t size = strlen(path);
	char *end;

	*line = 0;
	if (strncmp(error, path, size) != 0 || error[size] != ':')
		return error;
	error += size + 1;
	if (*error >= '0' && *error <= '9') {
		*line = (unsigned)strtoul(error, &end, 10);
		error = end + (*end == ':');
	}
	return error + strspn(error, " ");
}

bool accept_configuration(const char *text, unsigned *line, char *problem, size_t size)
{
	char path[64], error[CONFIG_ERROR_SIZE] = "";
	struct config *config = NULL;
	int fd = memfd_create("converted", MFD_CLOEXEC);

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text))
		config = config_load(path, error);
	else
		snprintf(error, sizeof error, "%s", strerror(errno));
	if (fd >= 0)
		close(fd);
	if (config == NULL)
		snprintf(problem, size, "mcproxy does not accept the result: %s",
		         skip_place(error, path, line));
	config_free(config);
	return config != NULL;
}
