/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/socket_option.h"

#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>

int socket_set(int fd, int level, int name, const void *value, size_t size)
{
	return setsockopt(fd, level, name, value, (socklen_t)size) == 0 ? 0 : -errno;
}

int socket_set_receive_buffer(int fd, int size)
{
	int result = socket_set(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);

	return result == 0 ? 0 : socket_set(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

int socket_set_filter(int fd, const struct sock_filter *code, size_t count)
{
	/* The kernel's structure has a pointer without const. */
	struct sock_fprog program = {(unsigned short)count, (void *)(uintptr_t)code};

	return socket_set(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}
