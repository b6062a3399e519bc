/* SPDX-License-Identifier: BSD-2-Clause */
#include "web/control.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define REQUEST_SIZE 4096

int control_connect(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd, result;

	if (strlen(path) >= sizeof address.sun_path)
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	result = -errno;
	close(fd);
	return result;
}

int control_ask(int fd, const char *const *members)
{
	struct json_object *request = json_object_new_object();
	char line[REQUEST_SIZE];
	int size;

	for (; members[0] != NULL; members += 2)
		if (members[1] != NULL && members[1][0] != '\0')
			json_object_object_add(request, members[0], json_object_new_string(members[1]));
	size = snprintf(line, sizeof line, "%s\n",
	                json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN));
	json_object_put(request);
	if (size >= (int)sizeof line)
		return -EMSGSIZE;
	return send(fd, line, (size_t)size, MSG_NOSIGNAL) == size ? 0 : -errno;
}

const char *control_problem(int error)
{
	if (error == ENOENT || error == ECONNREFUSED)
		return "mcproxy does not run, or its control socket has another path (--socket)";
	if (error == EACCES)
		return "mcproxy-web may not connect to mcproxy: its user must be in the group of the control socket";
	if (error == EMSGSIZE || error == ENAMETOOLONG)
		return "a parameter is too long";
	return "mcproxy does not answer";
}
